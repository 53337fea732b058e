using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Salus.Platform.Identity;

namespace Salus.Platform.Cohorts;

/// <summary>The HTTP surface of data sets: each account's own.</summary>
public static class CohortsFeature
{
    const string Route = "/api/data-sets";

    /// <summary>Registers the desk.</summary>
    public static IServiceCollection AddCohorts(this IServiceCollection services)
    {
        services.AddOptions<CohortsOptions>().BindConfiguration(CohortsOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton<CohortDesk>();
    }

    /// <summary>Maps the routes.</summary>
    public static void MapCohorts(this IEndpointRouteBuilder routes)
    {
        var sets = routes.MapGroup(Route).WithTags("Data sets");
        sets.MapGet("/", ListAsync);
        sets.MapPost("/", LoadAsync);
        sets.MapGet("/{id:guid}", async (Guid id, CohortDesk desk, HttpContext context) => Answer(await desk.FindAsync(context.Caller(), id, context.RequestAborted)));
        sets.MapDelete("/{id:guid}", async (Guid id, CohortDesk desk, HttpContext context) => Answer(await desk.DeleteAsync(context.Caller(), id, context.RequestAborted)));
        sets.MapGet("/{id:guid}/rows", PageAsync);
        sets.MapGet("/{id:guid}/charts", ChartsAsync);
        sets.MapPost("/{id:guid}/process", async (Guid id, ProcessingRequest request, CohortDesk desk, HttpContext context) =>
            Answer(await desk.ProcessAsync(context.Caller(), id, request, context.RequestAborted)));
        sets.MapPost("/{id:guid}/noise", async (Guid id, NoiseRequest request, CohortDesk desk, HttpContext context) =>
            Answer(await desk.NoiseAsync(context.Caller(), id, request, context.RequestAborted)));
        sets.MapPost("/{id:guid}/seal", async (Guid id, CohortDesk desk, HttpContext context) => Answer(await desk.SealAsync(context.Caller(), id, context.RequestAborted)));
        sets.MapGet("/{id:guid}/file", DownloadAsync);
    }

    static async Task<IResult> ListAsync(CohortDesk desk, HttpContext context) =>
        TypedResults.Ok(await desk.ListAsync(context.Caller(), context.RequestAborted));

    static async Task<IResult> LoadAsync(string name, string? fileName, string? delimiter, CohortDesk desk, IOptions<CohortsOptions> options, HttpContext context)
    {
        if (context.Request.ContentType?.Split(';')[0].Trim() is not ("text/csv" or "text/plain"))
        {
            return TypedResults.Problem("Send the file itself as the body, with Content-Type: text/csv.", statusCode: StatusCodes.Status415UnsupportedMediaType, title: "A data set is a CSV file");
        }
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = ((long)options.Value.FileMiBMax << 20) + 1;
        var outcome = await desk.LoadAsync(context.Caller(), name, fileName, delimiter is [var one] ? one : delimiter is null or "" ? ',' : '\0', context.Request.Body, context.RequestAborted);
        return outcome is DataSetOutcome.Done done ? TypedResults.Created($"{Route}/{done.DataSet.Id}", done.DataSet) : Answer(outcome);
    }

    static async Task<IResult> PageAsync(Guid id, int? version, CohortDesk desk, HttpContext context, int offset = 0, int count = 50)
    {
        var (page, refusal) = await desk.PageAsync(context.Caller(), id, version, offset, count, context.RequestAborted);
        return refusal is null ? TypedResults.Ok(page) : Answer(refusal);
    }

    static async Task<IResult> ChartsAsync(Guid id, int? version, string? column, string? by, CohortDesk desk, HttpContext context)
    {
        var (charts, refusal) = await desk.ChartsAsync(context.Caller(), id, version, column, by, context.RequestAborted);
        return refusal is null ? TypedResults.Ok(charts) : Answer(refusal);
    }

    static async Task<IResult> DownloadAsync(Guid id, int? version, CohortDesk desk, HttpContext context)
    {
        var (content, fileName, refusal) = await desk.DownloadAsync(context.Caller(), id, version, context.RequestAborted);
        return content is null ? Answer(refusal!) : TypedResults.Stream(content, "text/csv; charset=utf-8", fileName);
    }

    static IResult Answer(DataSetOutcome outcome) => outcome switch
    {
        DataSetOutcome.Done done => TypedResults.Ok(done.DataSet),
        DataSetOutcome.NotCsv refused => TypedResults.Problem(refused.Message, statusCode: StatusCodes.Status422UnprocessableEntity, title: "Not the CSV that it says; nothing of it was kept",
            extensions: [new("line", refused.Line), new("column", refused.Column), new("columnName", refused.ColumnName)]),
        DataSetOutcome.Invalid invalid => Problems.BadField(invalid.Field, "The request does not fit the data set.", invalid.Message),
        DataSetOutcome.Refused refused => TypedResults.Problem(refused.Message, statusCode: StatusCodes.Status409Conflict, title: "Not as the data set stands"),
        DataSetOutcome.Forbidden forbidden => TypedResults.Problem(forbidden.Reason, statusCode: StatusCodes.Status403Forbidden, title: "Your role does not allow this"),
        DataSetOutcome.NotFound => TypedResults.Problem("You have no such data set, or it has no such version.", statusCode: StatusCodes.Status404NotFound, title: "No such data set"),
        DataSetOutcome.Altered altered => TypedResults.Problem($"{altered.What} was altered where it lies and is not given out. Tell the administrator.",
            statusCode: StatusCodes.Status500InternalServerError, title: "Altered"),
        _ => throw new InvalidOperationException("Every outcome has its answer."),
    };
}
