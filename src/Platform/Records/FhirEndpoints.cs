using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Platform.Identity;

namespace Salus.Platform.Records;

/// <summary>FHIR R4's RESTful interface (section 3.1.0).</summary>
static class FhirEndpoints
{
    public static void Map(RouteGroupBuilder fhir)
    {
        fhir.AddEndpointFilter(FhirRequest.NegotiateAsync);
        fhir.MapGet("/metadata", (RecordDefinitions definitions) => FhirResults.Raw(definitions.Capabilities)).AllowAnonymous();
        fhir.MapPost("/", BundleAsync);
        fhir.MapGet("/_history", (RecordsDesk desk, HttpContext context) => HistoryAsync(null, null, desk, context));

        fhir.MapPost("/{type}", CreateAsync);
        fhir.MapGet("/{type}", SearchAsync);
        fhir.MapPost("/{type}/_search", SearchByFormAsync).DisableAntiforgery();
        fhir.MapGet("/{type}/_history", (string type, RecordsDesk desk, HttpContext context) => HistoryAsync(type, null, desk, context));
        fhir.MapPut("/{type}", UpdateWhereAsync);
        fhir.MapPatch("/{type}", (string type, RecordsDesk desk, HttpContext context) => PatchAsync(type, null, desk, context));
        fhir.MapDelete("/{type}", DeleteWhereAsync);
        ValidationEndpoints.Map(fhir);
        TerminologyEndpoints.Map(fhir);

        fhir.MapGet("/{type}/{id}", (string type, string id, RecordsDesk desk, HttpContext context) => ReadAsync(type, id, null, desk, context));
        fhir.MapPut("/{type}/{id}", UpdateAsync);
        fhir.MapPatch("/{type}/{id}", (string type, string id, RecordsDesk desk, HttpContext context) => PatchAsync(type, id, desk, context));
        fhir.MapDelete("/{type}/{id}", DeleteAsync);
        fhir.MapGet("/{type}/{id}/_history", (string type, string id, RecordsDesk desk, HttpContext context) => HistoryAsync(type, id, desk, context));
        fhir.MapGet("/{type}/{id}/_history/{version:int}",
            (string type, string id, int version, RecordsDesk desk, HttpContext context) => ReadAsync(type, id, version, desk, context));
        fhir.MapGet("/{type}/{id}/$meta", (string type, string id, RecordsDesk desk, HttpContext context) => MetaAsync(type, id, null, desk, context));
        fhir.MapGet("/{type}/{id}/_history/{version:int}/$meta",
            (string type, string id, int version, RecordsDesk desk, HttpContext context) => MetaAsync(type, id, version, desk, context));
        fhir.MapGet("/Patient/{id}/$everything", EverythingAsync);

        fhir.MapGet("/{type}/{id}/$proof", (string type, string id, RecordsDesk desk, HttpContext context, bool content = true) =>
            ProveAsync(type, id, null, content, desk, context));
        fhir.MapGet("/{type}/{id}/_history/{version:int}/$proof", (string type, string id, int version, RecordsDesk desk, HttpContext context, bool content = true) =>
            ProveAsync(type, id, version, content, desk, context));
    }

    static async Task<IResult> BundleAsync(RecordsDesk desk, HttpContext context) =>
        await FhirRequest.ReadBodyAsync(context) is { } body
            ? await desk.DoAsync(context.Caller(), body, FhirRequest.PurposeOf(context), context.RequestAborted) switch
            {
                BundleResult.Done done => await FhirResults.ResponseAsync(done, context),
                BundleResult.Refused { Write: var refused } => FhirResults.Of(refused),
                _ => throw new InvalidOperationException("Every outcome has its answer."),
            }
            : TooLarge();

    static async Task<IResult> CreateAsync(string type, RecordsDesk desk, HttpContext context)
    {
        if (!IsResource(type))
        {
            return Unknown(type);
        }
        if (await FhirRequest.ReadBodyAsync(context) is not { } body)
        {
            return TooLarge();
        }
        var condition = context.Request.Headers["If-None-Exist"] is [{ } query] ? query.TrimStart('?') : null;
        return FhirResults.Of(await desk.CreateAsync(context.Caller(), body, context.RequestAborted, condition, type), FhirRequest.ReturnOf(context), Findings(context));
    }

    static async Task<IResult> UpdateAsync(string type, string id, RecordsDesk desk, HttpContext context)
    {
        if (!TryExpected(context, out var expected))
        {
            return NoVersion();
        }
        return await FhirRequest.ReadBodyAsync(context) is { } body
            ? FhirResults.Of(await desk.UpdateAsync(context.Caller(), type, id, body, expected, context.RequestAborted), FhirRequest.ReturnOf(context), Findings(context))
            : TooLarge();
    }

    static async Task<IResult> UpdateWhereAsync(string type, RecordsDesk desk, HttpContext context)
    {
        if (!IsResource(type))
        {
            return Unknown(type);
        }
        if (!TryExpected(context, out var expected))
        {
            return NoVersion();
        }
        return await FhirRequest.ReadBodyAsync(context) is { } body
            ? FhirResults.Of(await desk.UpdateWhereAsync(context.Caller(), type, ConditionOf(context), body, expected, context.RequestAborted), FhirRequest.ReturnOf(context), Findings(context))
            : TooLarge();
    }

    static async Task<IResult> PatchAsync(string type, string? id, RecordsDesk desk, HttpContext context)
    {
        if (!IsResource(type))
        {
            return Unknown(type);
        }
        if (!TryExpected(context, out var expected))
        {
            return NoVersion();
        }
        if (string.IsNullOrEmpty(context.Request.ContentType))
        {
            return FhirResults.Outcome(StatusCodes.Status415UnsupportedMediaType, "not-supported", $"Say in Content-Type what kind of patch it is: {FhirRequest.JsonPatchType}, or application/fhir+json for a Parameters resource.");
        }
        if (await FhirRequest.ReadBodyAsync(context) is not { } body)
        {
            return TooLarge();
        }
        return RecordPatch.Read(body, FhirRequest.IsJsonPatch(context.Request.ContentType), out var issues) is { } patch
            ? FhirResults.Of(await desk.PatchAsync(context.Caller(), type, id, id is null ? ConditionOf(context) : null, patch, expected, context.RequestAborted), FhirRequest.ReturnOf(context), Findings(context))
            : FhirResults.Outcome(StatusCodes.Status400BadRequest, issues);
    }

    static async Task<IResult> DeleteAsync(string type, string id, RecordsDesk desk, HttpContext context) =>
        TryExpected(context, out var expected)
            ? FhirResults.Of(await desk.DeleteAsync(context.Caller(), type, id, expected, context.RequestAborted))
            : NoVersion();

    static async Task<IResult> DeleteWhereAsync(string type, RecordsDesk desk, HttpContext context) => IsResource(type)
        ? FhirResults.Of(await desk.DeleteWhereAsync(context.Caller(), type, ConditionOf(context), context.RequestAborted))
        : Unknown(type);

    static Task<IResult> SearchAsync(string type, RecordsDesk desk, HttpContext context) => AnswerAsync(type, FhirRequest.ParametersOf(context), desk, context);

    static async Task<IResult> SearchByFormAsync(string type, RecordsDesk desk, HttpContext context) =>
        await AnswerAsync(type, await FhirRequest.FormParametersAsync(context), desk, context);

    static async Task<IResult> AnswerAsync(string type, List<KeyValuePair<string, string>> parameters, RecordsDesk desk, HttpContext context) =>
        await desk.SearchAsync(context.Caller(), type, parameters, FhirRequest.PurposeOf(context), context.RequestAborted, FhirRequest.IsLenient(context)) switch
        {
            SearchResult.Page page => await FhirResults.SearchsetAsync(page, type, context),
            SearchResult.Invalid invalid => FhirResults.Outcome(StatusCodes.Status400BadRequest, invalid.Issues),
            SearchResult.Forbidden forbidden => FhirResults.Outcome(StatusCodes.Status403Forbidden, "forbidden", forbidden.Reason),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };

    static async Task<IResult> EverythingAsync(string id, RecordsDesk desk, HttpContext context) =>
        await desk.EverythingAsync(context.Caller(), id, FhirRequest.ParametersOf(context), FhirRequest.PurposeOf(context), context.RequestAborted) switch
        {
            SearchResult.Page page => await FhirResults.SearchsetAsync(page, $"Patient/{id}/$everything", context),
            SearchResult.Invalid invalid => FhirResults.Outcome(StatusCodes.Status400BadRequest, invalid.Issues),
            SearchResult.Forbidden forbidden => FhirResults.Outcome(StatusCodes.Status403Forbidden, "forbidden", forbidden.Reason),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };

    static async Task<IResult> HistoryAsync(string? type, string? id, RecordsDesk desk, HttpContext context)
    {
        if (type is not null && !IsResource(type))
        {
            return Unknown(type);
        }
        return await desk.HistoryAsync(context.Caller(), type, id, FhirRequest.ParametersOf(context), FhirRequest.PurposeOf(context), context.RequestAborted) switch
        {
            HistoryOutcome.Page page => await FhirResults.HistoryAsync(page, $"{(type is null ? "" : $"{type}/")}{(id is null ? "" : $"{id}/")}_history", context),
            HistoryOutcome.Invalid invalid => FhirResults.Outcome(StatusCodes.Status400BadRequest, invalid.Issues),
            HistoryOutcome.Refused refused => FhirResults.Of(refused.Read),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };
    }

    static async Task<IResult> ReadAsync(string type, string id, int? version, RecordsDesk desk, HttpContext context)
    {
        if (type == "Binary" && version is null && !FhirRequest.WantsFhir(context))
        {
            return await desk.OpenFileAsync(context.Caller(), id, FhirRequest.PurposeOf(context), context.RequestAborted) switch
            {
                FileReadOutcome.Found file => Results.Stream(file.Content, file.ContentType, enableRangeProcessing: true),
                FileReadOutcome.Refused refused => FhirResults.Of(refused.Reason),
                _ => throw new InvalidOperationException("Every outcome has its answer."),
            };
        }
        if (FhirRequest.PartOf(type, context, out var refusal) is not { } part)
        {
            return refusal!;
        }
        var outcome = await desk.ReadAsync(context.Caller(), type, id, version, FhirRequest.PurposeOf(context), context.RequestAborted);
        return outcome is ReadOutcome.Found { Record: var record } && IsKnown(record, context)
            ? FhirResults.NotModified(record)
            : FhirResults.Of(outcome, part);
    }

    static async Task<IResult> MetaAsync(string type, string id, int? version, RecordsDesk desk, HttpContext context)
    {
        var outcome = await desk.ReadAsync(context.Caller(), type, id, version, FhirRequest.PurposeOf(context), context.RequestAborted);
        return outcome is ReadOutcome.Found { Record: var record } ? FhirResults.Meta(record) : FhirResults.Of(outcome);
    }

    static async Task<IResult> ProveAsync(string type, string id, int? version, bool withContent, RecordsDesk desk, HttpContext context)
    {
        switch (await desk.MakeProofAsync(context.Caller(), type, id, version, withContent, FhirRequest.PurposeOf(context), context.RequestAborted))
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

    /// <summary>What there is to say of what was stored, for who wants to be told: warnings do not stop a write.</summary>
    static Func<StoredRecord, IReadOnlyList<FhirIssue>> Findings(HttpContext context) => record =>
        record.Done is WriteDone.Created or WriteDone.Updated && FhirJson.Read(record.Bytes) is FhirReadOutcome.Ok { Resource: var resource }
            ? context.RequestServices.GetRequiredService<RecordDefinitions>().Everything.Validate(resource)
            : [];

    /// <summary>Whether the client has this version already (If-None-Match, and If-Modified-Since where that is absent).</summary>
    static bool IsKnown(StoredRecord record, HttpContext context)
    {
        var headers = context.Request.GetTypedHeaders();
        return context.Request.Headers.IfNoneMatch.Count > 0
            ? context.Request.Headers.IfNoneMatch.SelectMany(tags => (tags ?? "").Split(',')).Any(tag => RecordsDesk.VersionOf(tag.Trim()) == record.Version)
            : headers.IfModifiedSince is { } since && record.Written.ToUnixTimeSeconds() <= since.ToUnixTimeSeconds();
    }

    static bool TryExpected(HttpContext context, out int? expected)
    {
        expected = context.Request.Headers.IfMatch is [{ } tag] ? RecordsDesk.VersionOf(tag) : null;
        return context.Request.Headers.IfMatch.Count == 0 || expected is not null;
    }

    static string ConditionOf(HttpContext context) => context.Request.QueryString.Value?.TrimStart('?') ?? "";

    public static bool IsResource(string type) => FhirDefinitions.R4.Type(type) is { Kind: TypeKind.Resource, IsAbstract: false };

    public static IResult Unknown(string type) => FhirResults.Outcome(StatusCodes.Status404NotFound, "not-supported", $"'{type}' is not a resource type of FHIR R4.");

    static IResult NoVersion() => FhirResults.Outcome(StatusCodes.Status400BadRequest, "value", "If-Match names a version, such as W/\"3\".");

    public static IResult TooLarge() => FhirResults.Outcome(StatusCodes.Status413PayloadTooLarge, "too-long",
        $"A body of FHIR may hold {FhirRequest.BodyBytesMax >> 20} MiB. Send larger bundles in parts, and files to /api/files.");
}
