using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Salus.Fhir.Definitions;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;

namespace Salus.Platform.Records;

/// <summary>The HTTP surface of records: FHIR R4 under <c>/fhir</c>, the patient's view and retrieval under <c>/api</c>.</summary>
public static class RecordsFeature
{
    const long BundleBytesMax = 64 << 20;
    const int AccessesMax = 500;

    /// <summary>A record in a retrieval, as the API shows it.</summary>
    public sealed record RetrievedRecord(string Type, string Id, int Version, DateTimeOffset Written, ProofView Proof, JsonElement Resource);

    /// <summary>A retrieval as the API shows it.</summary>
    public sealed record Retrieval(string Patient, int Count, IReadOnlyDictionary<string, int> Proofs, IReadOnlyList<string> Altered, IReadOnlyList<RetrievedRecord> Records);

    /// <summary>Maps the routes.</summary>
    public static void MapRecords(this IEndpointRouteBuilder routes)
    {
        var fhir = routes.MapGroup("/fhir").WithTags("FHIR");
        fhir.MapGet("/metadata", () => FhirResults.Raw(CapabilityStatement.Bytes)).AllowAnonymous();
        fhir.MapPost("/", ImportAsync);
        fhir.MapPost("/{type}", CreateAsync);
        fhir.MapPut("/{type}/{id}", UpdateAsync);
        fhir.MapGet("/{type}", SearchAsync);
        fhir.MapGet("/{type}/{id}", (string type, string id, RecordsDesk desk, HttpContext context) => ReadAsync(type, id, null, desk, context));
        fhir.MapGet("/{type}/{id}/_history/{version:int}",
            (string type, string id, int version, RecordsDesk desk, HttpContext context) => ReadAsync(type, id, version, desk, context));
        fhir.MapGet("/{type}/{id}/$proof", (string type, string id, RecordsDesk desk, HttpContext context, bool content = true) =>
            ProveAsync(type, id, null, content, desk, context));
        fhir.MapGet("/{type}/{id}/_history/{version:int}/$proof", (string type, string id, int version, RecordsDesk desk, HttpContext context, bool content = true) =>
            ProveAsync(type, id, version, content, desk, context));

        var api = routes.MapGroup("/api/patients").WithTags("Patients");
        api.MapGet("/", ListAsync);
        api.MapPost("/find", FindAsync);
        api.MapGet("/{patient}/records", RetrieveAsync);
        api.MapGet("/{patient}/accesses", AccessesAsync);
        routes.MapPost("/api/conditions", RecordConditionAsync).WithTags("Patients");
        routes.MapPost("/api/files", UploadAsync).WithTags("Patients");
    }

    static async Task<IResult> ImportAsync(RecordsDesk desk, HttpContext context) =>
        await ReadBodyAsync(context) is { } body
            ? await desk.ImportAsync(context.Caller(), body, context.RequestAborted) switch
            {
                WriteOutcome.Written written => FhirResults.Raw(FhirResults.TransactionResponse(written.Records)),
                var other => FhirResults.Of(other),
            }
            : TooLarge();

    static async Task<IResult> CreateAsync(string type, RecordsDesk desk, HttpContext context)
    {
        if (FhirDefinitions.R4.Type(type) is not { Kind: TypeKind.Resource })
        {
            return FhirResults.Outcome(StatusCodes.Status404NotFound, "not-supported", $"'{type}' is not a resource type of FHIR R4.");
        }
        return await ReadBodyAsync(context) is { } body
            ? FhirResults.Of(await desk.CreateAsync(context.Caller(), body, context.RequestAborted))
            : TooLarge();
    }

    static async Task<IResult> UpdateAsync(string type, string id, RecordsDesk desk, HttpContext context)
    {
        int? expected = null;
        if (context.Request.Headers.IfMatch is [{ } tag])
        {
            if (!int.TryParse(tag.Replace("W/", "", StringComparison.Ordinal).Trim('"'), out var version))
            {
                return FhirResults.Outcome(StatusCodes.Status400BadRequest, "value", "If-Match names a version, such as W/\"3\".");
            }
            expected = version;
        }
        return await ReadBodyAsync(context) is { } body
            ? FhirResults.Of(await desk.UpdateAsync(context.Caller(), type, id, body, expected, context.RequestAborted))
            : TooLarge();
    }

    static async Task<IResult> SearchAsync(string type, RecordsDesk desk, HttpContext context)
    {
        var parameters = context.Request.Query.SelectMany(pair => pair.Value.Select(value => KeyValuePair.Create(pair.Key, value ?? ""))).ToList();
        return await desk.SearchAsync(context.Caller(), type, parameters, PurposeOf(context), context.RequestAborted) switch
        {
            SearchResult.Page page => FhirResults.Raw(FhirResults.Searchset(page)),
            SearchResult.Invalid invalid => FhirResults.Outcome(StatusCodes.Status400BadRequest, invalid.Issues),
            SearchResult.Forbidden forbidden => FhirResults.Outcome(StatusCodes.Status403Forbidden, "forbidden", forbidden.Reason),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };
    }

    static async Task<IResult> ReadAsync(string type, string id, int? version, RecordsDesk desk, HttpContext context)
    {
        if (type == "Binary" && version is null && !WantsFhir(context))
        {
            return await desk.OpenFileAsync(context.Caller(), id, PurposeOf(context), context.RequestAborted) switch
            {
                FileReadOutcome.Found file => Results.Stream(file.Content, file.ContentType, enableRangeProcessing: true),
                FileReadOutcome.Refused refused => FhirResults.Of(refused.Reason),
                _ => throw new InvalidOperationException("Every outcome has its answer."),
            };
        }
        return FhirResults.Of(await desk.ReadAsync(context.Caller(), type, id, version, PurposeOf(context), context.RequestAborted));
    }

    static async Task<IResult> ProveAsync(string type, string id, int? version, bool withContent, RecordsDesk desk, HttpContext context)
    {
        switch (await desk.MakeProofAsync(context.Caller(), type, id, version, withContent, PurposeOf(context), context.RequestAborted))
        {
            case ProofOutcome.Made made:
                return TypedResults.File(made.File.ToBytes(), "application/json", $"{type}-{id}-{made.File.Leaf.EntityVersion}.salus-proof.json");
            case ProofOutcome.Pending:
                context.Response.Headers.RetryAfter = "1";
                return FhirResults.Outcome(StatusCodes.Status503ServiceUnavailable, "transient", "The version waits for its place in the log. Ask again in a second.");
            case ProofOutcome.Refused refused:
                return FhirResults.Of(refused.Read);
            default:
                throw new InvalidOperationException("Every outcome has its answer.");
        }
    }

    static async Task<Ok<IReadOnlyList<string>>> ListAsync(ConsentDesk consents, HttpContext context) =>
        TypedResults.Ok(await consents.PatientsOfAsync(context.Caller(), context.RequestAborted));

    /// <summary>An identifier to look for; in the body, so that it stands in no address and no access log.</summary>
    public sealed record FindRequest(string Identifier);

    static async Task<Results<Ok<string>, NotFound>> FindAsync(FindRequest request, RecordsDesk desk, HttpContext context) =>
        await desk.FindPatientAsync(context.Caller(), request.Identifier, context.RequestAborted) is { } patient
            ? TypedResults.Ok(patient)
            : TypedResults.NotFound();

    static async Task<IResult> RetrieveAsync(string patient, RecordsDesk desk, HttpContext context) =>
        await desk.RetrieveAsync(context.Caller(), patient, PurposeOf(context), null, context.RequestAborted) switch
        {
            RetrievalOutcome.Found found => TypedResults.Ok(View(found)),
            RetrievalOutcome.Forbidden { IsErased: true } erased => TypedResults.Problem(erased.Reason, statusCode: StatusCodes.Status410Gone, title: "Erased"),
            RetrievalOutcome.Forbidden forbidden => TypedResults.Problem(forbidden.Reason, statusCode: StatusCodes.Status403Forbidden, title: "No consent"),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };

    static async Task<IResult> AccessesAsync(string patient, RecordsDesk desk, HttpContext context) =>
        await desk.AccessesAsync(context.Caller(), patient, AccessesMax, context.RequestAborted) is { } lines
            ? TypedResults.Ok(lines)
            : TypedResults.Problem("The patient has not given you access.", statusCode: StatusCodes.Status403Forbidden, title: "No consent");

    static async Task<IResult> RecordConditionAsync(ConditionEntry entry, RecordsDesk desk, HttpContext context) =>
        await desk.RecordConditionAsync(context.Caller(), entry, context.RequestAborted) switch
        {
            ConditionOutcome.Recorded recorded => TypedResults.Ok(new { recorded.Patient, Records = recorded.Records.Select(record => $"{record.Type}/{record.Id}") }),
            ConditionOutcome.Invalid invalid => TypedResults.ValidationProblem(invalid.Fields),
            ConditionOutcome.Refused refused => FhirResults.Of(refused.Write),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };

    static async Task<IResult> UploadAsync(string patient, string title, RecordsDesk desk, HttpContext context)
    {
        context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = RecordsDesk.FileBytesMax + 1;
        return await desk.UploadAsync(context.Caller(), patient, title, context.Request.ContentType ?? "", context.Request.Body, context.RequestAborted) switch
        {
            FileWriteOutcome.Stored stored => TypedResults.Ok(new { Binary = $"Binary/{stored.Binary}", Document = $"DocumentReference/{stored.Document}", stored.Length, stored.SealedLength }),
            FileWriteOutcome.Invalid invalid => TypedResults.Problem(invalid.Reason, statusCode: StatusCodes.Status422UnprocessableEntity, title: "Not what it says"),
            FileWriteOutcome.Refused refused => FhirResults.Of(refused.Write),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };
    }

    static Retrieval View(RetrievalOutcome.Found found)
    {
        var records = found.Records.Select(proven => new RetrievedRecord(
            proven.Record.Type, proven.Record.Id, proven.Record.Version, proven.Record.Written, ProofView.Of(proven.Proof),
            JsonElement.Parse(proven.Record.Bytes))).ToList();
        return new Retrieval(found.Patient, records.Count,
            records.GroupBy(record => record.Proof.State).ToDictionary(group => group.Key, group => group.Count()), found.Altered, records);
    }

    /// <summary>The purpose of use, from the header <c>Purpose-Of-Use</c> (HL7 v3 ActReason); treatment when it is absent.</summary>
    static Purpose PurposeOf(HttpContext context) => context.Request.Headers["Purpose-Of-Use"].ToString() switch
    {
        "HPAYMT" => Purpose.Payment,
        "HRESCH" => Purpose.Research,
        "PATRQT" => Purpose.PatientRequest,
        _ => Purpose.Treatment,
    };

    static bool WantsFhir(HttpContext context) =>
        context.Request.Headers.Accept.Any(accept => accept?.Contains("json", StringComparison.OrdinalIgnoreCase) == true);

    static IResult TooLarge() => FhirResults.Outcome(StatusCodes.Status413PayloadTooLarge, "too-long",
        $"A body of FHIR may hold {BundleBytesMax >> 20} MiB. Send larger bundles in parts, and files to /api/files.");

    static async Task<byte[]?> ReadBodyAsync(HttpContext context)
    {
        context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = BundleBytesMax + 1;
        using var body = new MemoryStream((int)Math.Min(context.Request.ContentLength ?? 0, BundleBytesMax));
        var buffer = new byte[64 * 1024];
        while (await context.Request.Body.ReadAsync(buffer, context.RequestAborted) is > 0 and var count)
        {
            if (body.Length + count > BundleBytesMax)
            {
                return null;
            }
            body.Write(buffer, 0, count);
        }
        return body.Length == body.Capacity ? body.GetBuffer() : body.ToArray();
    }
}
