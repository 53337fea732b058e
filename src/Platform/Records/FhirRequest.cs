using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Fhir.Xml;
using Salus.Platform.Consent;

namespace Salus.Platform.Records;

/// <summary>What a client wants back from a write.</summary>
enum ReturnPreference
{
    /// <summary>The resource as stored.</summary>
    Representation,

    /// <summary>Headers alone.</summary>
    Minimal,

    /// <summary>An OperationOutcome.</summary>
    OperationOutcome,
}

/// <summary>What the headers and the query of a FHIR request say.</summary>
static class FhirRequest
{
    public const long BodyBytesMax = 64 << 20;
    const string WantsXmlItem = "fhir-xml";

    static readonly string[] JsonTypes = ["application/fhir+json", "application/json", "text/json", "json"];
    public const string JsonPatchType = "application/json-patch+json";

    static readonly string[] XmlTypes = ["application/fhir+xml", "application/xml", "text/xml", "xml"];
    static readonly string[] AnyTypes = ["*/*", "application/*"];

    /// <summary>Settles in which format is spoken: refuses what is not known, reads XML into JSON, and notes that XML is wanted back.</summary>
    public static async ValueTask<object?> NegotiateAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        var request = context.Request;
        if (FormatOf(request) is not { } isXml)
        {
            return FhirResults.Outcome(StatusCodes.Status406NotAcceptable, "not-supported", "FHIR is given here as application/fhir+json and application/fhir+xml. Ask for one of them with Accept or _format.");
        }
        if (isXml)
        {
            context.Items[WantsXmlItem] = true;
        }
        var isPatch = HttpMethods.IsPatch(request.Method);
        var hasResource = HttpMethods.IsPost(request.Method) || HttpMethods.IsPut(request.Method) || isPatch;
        if (request.ContentType is not { Length: > 0 } type || !hasResource || request.Path.Value?.EndsWith("/_search", StringComparison.Ordinal) == true || IsJson(type) || (isPatch && IsJsonPatch(type)))
        {
            return await next(invocation);
        }
        if (!IsXml(type))
        {
            if (isPatch)
            {
                context.Response.Headers["Accept-Patch"] = $"{JsonPatchType}, application/fhir+json, application/fhir+xml";
            }
            return FhirResults.Outcome(StatusCodes.Status415UnsupportedMediaType, "not-supported", $"A body of the type {type} is not taken here. Send application/fhir+json or application/fhir+xml{(isPatch ? $", with a Parameters resource, or {JsonPatchType}" : "")}.");
        }
        if (await ReadBodyAsync(context) is not { } body)
        {
            return FhirEndpoints.TooLarge();
        }
        switch (FhirXml.Read(body))
        {
            case FhirReadOutcome.Ok { Resource: var resource }:
                request.Body = new MemoryStream(resource.Utf8.ToArray(), writable: false);
                request.ContentLength = request.Body.Length;
                return await next(invocation);
            case FhirReadOutcome.Refused refused:
                return FhirResults.Outcome(StatusCodes.Status400BadRequest, refused.Issues);
            default:
                throw new InvalidOperationException("A reading is accepted or refused.");
        }
    }

    /// <summary>Whether the answer is wanted as XML.</summary>
    public static bool WantsXml(HttpContext context) => context.Items.ContainsKey(WantsXmlItem);

    /// <summary>The purpose of use, from the header <c>Purpose-Of-Use</c> (HL7 v3 ActReason); treatment when it is absent.</summary>
    public static Purpose PurposeOf(HttpContext context) => context.Request.Headers["Purpose-Of-Use"].ToString() switch
    {
        "HPAYMT" => Purpose.Payment,
        "HRESCH" => Purpose.Research,
        "PATRQT" => Purpose.PatientRequest,
        _ => Purpose.Treatment,
    };

    /// <summary>What the client wants back from a write (Prefer: return).</summary>
    public static ReturnPreference ReturnOf(HttpContext context) => Preference(context, "return") switch
    {
        "minimal" => ReturnPreference.Minimal,
        "OperationOutcome" => ReturnPreference.OperationOutcome,
        _ => ReturnPreference.Representation,
    };

    /// <summary>Whether parameters that are not understood are left out (Prefer: handling=lenient).</summary>
    public static bool IsLenient(HttpContext context) => Preference(context, "handling") == "lenient";

    /// <summary>Whether the client asks for FHIR's form of a file rather than for the file.</summary>
    public static bool WantsFhir(HttpContext context) => context.Request.Query.ContainsKey("_format")
        || context.Request.Headers.Accept.Any(accept => accept?.Contains("json", StringComparison.OrdinalIgnoreCase) == true);

    /// <summary>The address under which this server's records stand.</summary>
    public static string BaseOf(HttpContext context) => $"{context.Request.Scheme}://{context.Request.Host}{context.Request.PathBase}/fhir";

    /// <summary>The parameters of the query, in their order.</summary>
    public static List<KeyValuePair<string, string>> ParametersOf(HttpContext context) => Pairs(context.Request.Query);

    /// <summary>The parameters of the query and of the form in the body.</summary>
    public static async Task<List<KeyValuePair<string, string>>> FormParametersAsync(HttpContext context) =>
        [.. Pairs(context.Request.Query), .. context.Request.HasFormContentType ? Pairs(await context.Request.ReadFormAsync(context.RequestAborted)) : []];

    /// <summary>The part of a resource that <c>_summary</c> and <c>_elements</c> ask for; null when they cannot be understood.</summary>
    public static SearchQuery? PartOf(string type, HttpContext context, out IResult? refusal)
    {
        var asked = ParametersOf(context).Where(pair => pair.Key is "_summary" or "_elements");
        refusal = null;
        if (FhirDefinitions.R4.Type(type) is not { Kind: TypeKind.Resource })
        {
            return new SearchQuery(type, [], null);
        }
        if (SearchQuery.Parse(type, asked) is SearchOutcome.Ok { Query: var query })
        {
            return query;
        }
        refusal = FhirResults.Outcome(StatusCodes.Status400BadRequest, ((SearchOutcome.Refused)SearchQuery.Parse(type, asked)).Issues);
        return null;
    }

    /// <summary>The body; null when it is too large.</summary>
    public static async Task<byte[]?> ReadBodyAsync(HttpContext context)
    {
        // Of a body that was XML the reading has begun
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = BodyBytesMax + 1;
        }
        using var body = new MemoryStream((int)Math.Min(context.Request.ContentLength ?? 0, BodyBytesMax));
        var buffer = new byte[64 * 1024];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
        {
            if (body.Length + count > BodyBytesMax)
            {
                return null;
            }
            body.Write(buffer, 0, count);
        }
        return body.Length == body.Capacity ? body.GetBuffer() : body.ToArray();
    }

    static List<KeyValuePair<string, string>> Pairs(IEnumerable<KeyValuePair<string, Microsoft.Extensions.Primitives.StringValues>> values) =>
        [.. values.SelectMany(pair => pair.Value.Select(value => KeyValuePair.Create(pair.Key, value ?? "")))];

    static string? Preference(HttpContext context, string name) => context.Request.Headers["Prefer"]
        .SelectMany(header => (header ?? "").Split([',', ';'], StringSplitOptions.TrimEntries))
        .Where(part => part.StartsWith(name + "=", StringComparison.Ordinal)).Select(part => part[(name.Length + 1)..].Trim('"')).FirstOrDefault();

    /// <summary>Whether XML is wanted; null when neither it nor JSON is.</summary>
    static bool? FormatOf(HttpRequest request)
    {
        if (request.Query["_format"] is [{ Length: > 0 } format])
        {
            return IsXml(format) ? true : IsJson(format) ? false : null;
        }
        foreach (var header in request.Headers.Accept)
        {
            foreach (var type in (header ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (IsJson(type) || AnyTypes.Contains(MediaType(type)))
                {
                    return false;
                }
                // A browser names application/xml among others and takes anything
                if (IsXml(type) && !header!.Contains("*/*", StringComparison.Ordinal))
                {
                    return true;
                }
            }
        }
        // A file is given in its own form, whatever that is
        return request.Headers.Accept.Count == 0 || request.Path.Value?.Contains("/Binary/", StringComparison.Ordinal) == true ? false : null;
    }

    /// <summary>Whether the body is a JSON Patch.</summary>
    public static bool IsJsonPatch(string? type) => MediaType(type ?? "") == JsonPatchType;

    static bool IsXml(string type) => XmlTypes.Contains(MediaType(type));

    static bool IsJson(string type) => JsonTypes.Contains(MediaType(type));

    static string MediaType(string type)
    {
        // A '+' that was not percent-encoded in a query arrives as a space
        var semicolon = type.IndexOf(';');
        return (semicolon < 0 ? type : type[..semicolon]).Trim().Replace(' ', '+').ToLowerInvariant();
    }
}
