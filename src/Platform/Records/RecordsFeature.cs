using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records.Export;
using Salus.Platform.Records.Indexing;

namespace Salus.Platform.Records;

/// <summary>The HTTP surface of records: FHIR R4 under <c>/fhir</c> (<see cref="FhirEndpoints"/>), the patient's view and retrieval under <c>/api</c>.</summary>
public static class RecordsFeature
{
    const int AccessesMax = 500;

    /// <summary>A record in a retrieval, as the API shows it.</summary>
    public sealed record RetrievedRecord(string Type, string Id, int Version, DateTimeOffset Written, ProofView Proof, JsonElement Resource);

    /// <summary>A retrieval as the API shows it.</summary>
    public sealed record Retrieval(string Patient, int Count, IReadOnlyDictionary<string, int> Proofs, IReadOnlyList<string> Altered, IReadOnlyList<RetrievedRecord> Records);

    /// <summary>Adds the services.</summary>
    public static IServiceCollection AddRecords(this IServiceCollection services) =>
        services.AddSingleton(provider => RecordDefinitions.Open(provider.GetRequiredService<RecordsOptions>(), provider.GetRequiredService<ILogger<RecordDefinitions>>())).AddSingleton<RecordsDesk>()
            .AddIndexing();

    /// <summary>Maps the routes.</summary>
    public static void MapRecords(this IEndpointRouteBuilder routes)
    {
        // A package that cannot be read stops the start, not the first request
        _ = routes.ServiceProvider.GetRequiredService<RecordDefinitions>();
        FhirEndpoints.Map(routes.MapGroup("/fhir").WithTags("FHIR"));
        routes.MapExports();
        routes.MapIndexing();

        var api = routes.MapGroup("/api/patients").WithTags("Patients");
        api.MapGet("/", ListAsync);
        api.MapPost("/find", FindAsync);
        api.MapGet("/{patient}/records", RetrieveAsync);
        api.MapGet("/{patient}/accesses", AccessesAsync);
        routes.MapPost("/api/conditions", RecordConditionAsync).WithTags("Patients");
        routes.MapPost("/api/files", UploadAsync).WithTags("Patients");
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
        await desk.RetrieveAsync(context.Caller(), patient, FhirRequest.PurposeOf(context), null, context.RequestAborted) switch
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
}
