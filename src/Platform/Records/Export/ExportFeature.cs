using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Salus.Fhir.Bundles;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Platform.Identity;

namespace Salus.Platform.Records.Export;

/// <summary>Bulk Data Access IG: <c>$export</c> of everything, of patients and of a Group; its services and its HTTP surface.</summary>
public static class ExportFeature
{
    const string Ndjson = "application/fhir+ndjson";
    const int ErrorsNumber = 0;
    static readonly string[] Formats = [Ndjson, "application/ndjson", "ndjson"];

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
        fhir.MapGet("/Patient/$export", (ExportDesk desk, HttpContext context) => AskAsync(ExportLevel.Patient, null, desk, context));
        fhir.MapGet("/Group/{id}/$export", (string id, ExportDesk desk, HttpContext context) => AskAsync(ExportLevel.Group, id, desk, context));
        fhir.MapGet("/$export/{id:guid}", ShowAsync);
        fhir.MapDelete("/$export/{id:guid}", CancelAsync);
        fhir.MapGet("/$export/{id:guid}/{number:int}", FetchAsync);
    }

    static async Task<IResult> AskAsync(ExportLevel level, string? group, ExportDesk desk, HttpContext context)
    {
        var (request, issues) = Read(level, group, context);
        if (request is null)
        {
            return FhirResults.Outcome(StatusCodes.Status400BadRequest, issues);
        }
        switch (await desk.AskAsync(context.Caller(), request, context.RequestAborted))
        {
            case ExportOutcome.Accepted accepted:
                context.Response.Headers.ContentLocation = $"{FhirRequest.BaseOf(context)}/$export/{accepted.Job}";
                return issues.Count > 0 ? FhirResults.Outcome(StatusCodes.Status202Accepted, issues) : TypedResults.StatusCode(StatusCodes.Status202Accepted);
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

    /// <summary>The request, or null with what is wrong with it; where the client asked for a lenient reading, what was left out.</summary>
    static (ExportRequest? Request, List<FhirIssue> Issues) Read(ExportLevel level, string? group, HttpContext context)
    {
        List<FhirIssue> issues = [];
        List<FhirIssue> wrong = [];
        void Refuse(string code, string message) => wrong.Add(new FhirIssue(IssueSeverity.Error, code, "", message));
        if (!context.Request.Headers["Prefer"].Any(header => (header ?? "").Split([',', ';'], StringSplitOptions.TrimEntries).Contains("respond-async")))
        {
            Refuse("required", "An export is prepared while you wait elsewhere. Send the header Prefer: respond-async.");
        }
        List<string>? types = null;
        DateTimeOffset? since = null;
        var isLenient = FhirRequest.IsLenient(context);
        foreach (var (name, value) in FhirRequest.ParametersOf(context))
        {
            switch (name)
            {
                case "_outputFormat" when Formats.Contains(value.Replace(' ', '+')):
                    break;
                case "_outputFormat":
                    Refuse("not-supported", $"_outputFormat: '{value}' is not made here; {Ndjson} is.");
                    break;
                case "_since" when FhirTime.TryParse(Encoding.UTF8.GetBytes(value.Replace(' ', '+')), out var instant):
                    since = instant.Low;
                    break;
                case "_since":
                    Refuse("value", $"_since: '{value}' is no instant, such as 2026-11-21T08:00:00Z.");
                    break;
                case "_type":
                    (types ??= []).AddRange(value.Split(',', StringSplitOptions.TrimEntries));
                    break;
                default:
                    (isLenient ? issues : wrong).Add(new FhirIssue(isLenient ? IssueSeverity.Warning : IssueSeverity.Error, "not-supported", "",
                        $"{(isLenient ? "Left out: " : "")}$export takes _outputFormat, _since and _type, not '{name}'."));
                    break;
            }
        }
        if (types?.Where(type => type == "AuditEvent" || FhirDefinitions.R4.Type(type) is not { Kind: TypeKind.Resource, IsAbstract: false }).ToList() is { Count: > 0 } unknown)
        {
            Refuse("value", $"_type: {string.Join(", ", unknown)} cannot be exported. Name resource types of R4 other than AuditEvent.");
        }
        return wrong.Count > 0
            ? (null, wrong)
            : (new ExportRequest(level, group, types, since, FhirRequest.PurposeOf(context), $"{FhirRequest.BaseOf(context)}{context.Request.Path.Value!["/fhir".Length..]}{context.Request.QueryString}"), issues);
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
                context.Response.Headers.Expires = view.Until!.Value.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);
                return TypedResults.Bytes(Manifest(view, $"{FhirRequest.BaseOf(context)}/$export/{id}"), "application/json");
        }
    }

    static byte[] Manifest(ExportView view, string address)
    {
        object Line(string type, int number, int count) => new { type, url = $"{address}/{number}", count };
        var altered = view.Files.Sum(file => file.Altered.Length);
        return JsonSerializer.SerializeToUtf8Bytes(new
        {
            transactionTime = view.Job.Asked,
            request = view.Request.Address,
            requiresAccessToken = true,
            output = view.Files.Where(file => file.Records > 0).Select(file => Line(file.Type, file.Number, file.Records)),
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
            return TypedResults.Bytes(Errors(view), Ndjson);
        }
        if (view.Files.FirstOrDefault(file => file.Number == number) is not { } file)
        {
            return Missing();
        }
        if (await desk.NextAsync(caller, view, file, file.After, context.RequestAborted) is not { } first)
        {
            context.Response.Headers.RetryAfter = "10";
            return FhirResults.Outcome(StatusCodes.Status503ServiceUnavailable, "transient", "The node has not heard from the chain lately and does not know what you may read. Ask again later.");
        }
        return TypedResults.Stream(body => WriteAsync(body, first, desk, caller, view, file, context), Ndjson);
    }

    static async Task WriteAsync(Stream body, ExportBatch first, ExportDesk desk, Caller caller, ExportView view, ExportFile file, HttpContext context)
    {
        for (var batch = first; ; )
        {
            foreach (var record in batch.Records)
            {
                // White space between tokens alone can hold the ends of lines
                var line = record.Bytes.AsSpan().ToArray();
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

    static IResult Missing() => FhirResults.Outcome(StatusCodes.Status404NotFound, "not-found", "There is no such export of yours, or no longer.");
}
