using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Salus.Fhir.Bundles;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Platform.Identity;

namespace Salus.Platform.Records.Export;

/// <summary>Bulk Data Access IG: <c>$export</c> of everything, of patients and of a Group; its services and its HTTP surface.</summary>
public static class ExportFeature
{
    const int ErrorsNumber = 0;
    const string DeletedName = "deleted";

    /// <summary>Adds the services.</summary>
    public static IServiceCollection AddExports(this IServiceCollection services)
    {
        services.AddOptions<ExportOptions>().BindConfiguration("Salus:Export").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<ExportOptions>>().Value);
        services.AddSingleton<ExportWorker>().AddHostedService(provider => provider.GetRequiredService<ExportWorker>());
        return services.AddSingleton<ExportDesk>();
    }

    /// <summary>Maps the routes.</summary>
    public static void MapExports(this IEndpointRouteBuilder routes)
    {
        var fhir = routes.MapGroup("/fhir").WithTags("FHIR");
        fhir.MapGet("/$export", (ExportDesk desk, HttpContext context) => AskAsync(ExportLevel.System, null, desk, context));
        fhir.MapPost("/$export", (ExportDesk desk, HttpContext context) => AskAsync(ExportLevel.System, null, desk, context));
        fhir.MapGet("/Patient/$export", (ExportDesk desk, HttpContext context) => AskAsync(ExportLevel.Patient, null, desk, context));
        fhir.MapPost("/Patient/$export", (ExportDesk desk, HttpContext context) => AskAsync(ExportLevel.Patient, null, desk, context));
        fhir.MapGet("/Group/{id}/$export", (string id, ExportDesk desk, HttpContext context) => AskAsync(ExportLevel.Group, id, desk, context));
        fhir.MapPost("/Group/{id}/$export", (string id, ExportDesk desk, HttpContext context) => AskAsync(ExportLevel.Group, id, desk, context));
        fhir.MapGet("/$export/{id:guid}", ShowAsync);
        fhir.MapDelete("/$export/{id:guid}", CancelAsync);
        fhir.MapGet("/$export/{id:guid}/{number:int}", FetchAsync);
        fhir.MapGet($"/$export/{{id:guid}}/{DeletedName}", DeletedAsync);
    }

    static async Task<IResult> AskAsync(ExportLevel level, string? group, ExportDesk desk, HttpContext context)
    {
        var (request, issues) = await ExportParameters.ReadAsync(level, group, context);
        if (request is null)
        {
            return FhirResults.Outcome(StatusCodes.Status400BadRequest, issues);
        }
        switch (await desk.AskAsync(context.Caller(), request, context.RequestAborted))
        {
            case ExportOutcome.Accepted accepted:
                context.Response.Headers.ContentLocation = $"{FhirRequest.BaseOf(context)}/$export/{accepted.Job}";
                return issues.Count > 0 ? FhirResults.Outcome(StatusCodes.Status202Accepted, issues) : TypedResults.StatusCode(StatusCodes.Status202Accepted);
            case ExportOutcome.Invalid invalid:
                return FhirResults.Outcome(StatusCodes.Status400BadRequest, invalid.Issues);
            case ExportOutcome.Forbidden forbidden:
                return FhirResults.Outcome(StatusCodes.Status403Forbidden, "forbidden", forbidden.Reason);
            case ExportOutcome.NoGroup { Read: var read }:
                return FhirResults.Of(read);
            case ExportOutcome.TooMany { JobsMax: var most }:
                context.Response.Headers.RetryAfter = "60";
                return FhirResults.Outcome(StatusCodes.Status429TooManyRequests, "throttled", $"You have {most} exports, as many as one may have. Delete one at its address, or wait until one is forgotten.");
            default:
                throw new InvalidOperationException("Every outcome has its answer.");
        }
    }

    static async Task<IResult> ShowAsync(Guid id, ExportDesk desk, HttpContext context)
    {
        if (await desk.FindAsync(context.Caller(), id, context.RequestAborted) is not { } view)
        {
            return Missing();
        }
        switch (view.Job.State)
        {
            case ExportState.Open:
                context.Response.Headers["X-Progress"] = view.Job.Type is { } type ? $"{view.Job.Records} records, at {type}" : "waiting";
                context.Response.Headers.RetryAfter = "1";
                return TypedResults.StatusCode(StatusCodes.Status202Accepted);
            case ExportState.Failed:
                return FhirResults.Outcome(StatusCodes.Status500InternalServerError, "processing", view.Job.Reason ?? "The export failed.");
            default:
                if (await desk.HasDeletionsAsync(context.Caller(), view, context.RequestAborted) is not { } hasDeletions)
                {
                    return Unsure(context);
                }
                context.Response.Headers.Expires = view.Until!.Value.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);
                return TypedResults.Bytes(Manifest(view, hasDeletions, $"{FhirRequest.BaseOf(context)}/$export/{id}"), "application/json");
        }
    }

    static byte[] Manifest(ExportView view, bool hasDeletions, string address)
    {
        object Line(string type, int number, int count) => new { type, url = $"{address}/{number}", count };
        var altered = view.Files.Sum(file => file.Altered.Length);
        return JsonSerializer.SerializeToUtf8Bytes(new
        {
            transactionTime = view.Job.Asked,
            request = view.Request.Address,
            requiresAccessToken = true,
            output = view.Files.Where(file => file.Records > 0).Select(file => Line(file.Type, file.Number, file.Records)),
            deleted = hasDeletions ? [new { type = "Bundle", url = $"{address}/{DeletedName}" }] : Array.Empty<object>(),
            error = altered > 0 ? [Line("OperationOutcome", ErrorsNumber, altered)] : Array.Empty<object>(),
        });
    }

    static async Task<IResult> CancelAsync(Guid id, ExportDesk desk, HttpContext context) =>
        await desk.CancelAsync(context.Caller(), id, context.RequestAborted) ? TypedResults.StatusCode(StatusCodes.Status202Accepted) : Missing();

    static async Task<IResult> FetchAsync(Guid id, int number, ExportDesk desk, HttpContext context)
    {
        var caller = context.Caller();
        if (await desk.FindAsync(caller, id, context.RequestAborted) is not { Job.State: ExportState.Done } view)
        {
            return Missing();
        }
        if (number == ErrorsNumber)
        {
            return TypedResults.Bytes(Errors(view), ExportParameters.Ndjson);
        }
        if (view.Files.FirstOrDefault(file => file.Number == number) is not { } file)
        {
            return Missing();
        }
        if (await desk.NextAsync(caller, view, file, file.After, context.RequestAborted) is not { } first)
        {
            return Unsure(context);
        }
        return TypedResults.Stream(body => WriteAsync(body, first, desk, caller, view, file, context), ExportParameters.Ndjson);
    }

    static async Task<IResult> DeletedAsync(Guid id, ExportDesk desk, HttpContext context)
    {
        var caller = context.Caller();
        if (await desk.FindAsync(caller, id, context.RequestAborted) is not { Job.State: ExportState.Done } view)
        {
            return Missing();
        }
        return await desk.DeletionsAsync(caller, view, (DateTimeOffset.MinValue, ""), context.RequestAborted) is { } first
            ? TypedResults.Stream(body => WriteDeletionsAsync(body, first, desk, caller, view, context), ExportParameters.Ndjson)
            : Unsure(context);
    }

    static async Task WriteDeletionsAsync(Stream body, DeletionBatch first, ExportDesk desk, Caller caller, ExportView view, HttpContext context)
    {
        for (var batch = first; ; )
        {
            if (batch.Names.Count > 0)
            {
                await body.WriteAsync(BundleWriter.Deletions(batch.Names), context.RequestAborted);
                await body.WriteAsync("\n"u8.ToArray(), context.RequestAborted);
            }
            if (batch.Next is not { } after)
            {
                return;
            }
            if (await desk.DeletionsAsync(caller, view, after, context.RequestAborted) is not { } next)
            {
                // A file that ends well is whole: this one must not look so
                context.Abort();
                return;
            }
            batch = next;
        }
    }

    static async Task WriteAsync(Stream body, ExportBatch first, ExportDesk desk, Caller caller, ExportView view, ExportFile file, HttpContext context)
    {
        var elements = view.Request.ElementsOf(file.Type);
        for (var batch = first; ; )
        {
            foreach (var record in batch.Records)
            {
                // White space between tokens alone can hold the ends of lines
                var line = ResourceSubset.Of(record.Bytes, SummaryMode.False, elements).ToArray();
                line.AsSpan().Replace((byte)'\n', (byte)' ');
                line.AsSpan().Replace((byte)'\r', (byte)' ');
                await body.WriteAsync(line, context.RequestAborted);
                await body.WriteAsync("\n"u8.ToArray(), context.RequestAborted);
            }
            if (batch.Next is not { } after || after == file.UpTo)
            {
                return;
            }
            if (await desk.NextAsync(caller, view, file, after, context.RequestAborted) is not { } next)
            {
                // A file that ends well is whole: this one must not look so
                context.Abort();
                return;
            }
            batch = next;
        }
    }

    static byte[] Errors(ExportView view)
    {
        using var lines = new MemoryStream();
        foreach (var file in view.Files)
        {
            foreach (var id in file.Altered)
            {
                lines.Write(OperationOutcomeWriter.Write([new FhirIssue(IssueSeverity.Error, "security", "", $"{file.Type}/{id} was altered in the database and is not given out.")]));
                lines.WriteByte((byte)'\n');
            }
        }
        return lines.ToArray();
    }

    static IResult Unsure(HttpContext context)
    {
        context.Response.Headers.RetryAfter = "10";
        return FhirResults.Outcome(StatusCodes.Status503ServiceUnavailable, "transient", "The node has not heard from the chain lately and does not know what you may read. Ask again later.");
    }

    static IResult Missing() => FhirResults.Outcome(StatusCodes.Status404NotFound, "not-found", "There is no such export of yours, or no longer.");
}
