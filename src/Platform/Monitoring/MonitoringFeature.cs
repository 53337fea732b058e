using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Npgsql;
using Salus.Platform.Anchoring;
using Salus.Platform.Identity;
using Salus.Platform.Records;

namespace Salus.Platform.Monitoring;

/// <summary>The HTTP surface of the node's health.</summary>
public static class MonitoringFeature
{
    /// <summary>Maps the routes.</summary>
    public static void MapMonitoring(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/health", HealthAsync).WithTags("Node").AllowAnonymous();
        var group = routes.MapGroup("/api/integrity").WithTags("Node");
        group.MapGet("/", Newest);
        group.MapPost("/", CheckAsync);
        routes.MapGet("/api/totals", async (RecordsDesk records, CancellationToken cancellation) => TypedResults.Ok(await records.CountsAsync(cancellation))).WithTags("Node");
    }

    static async Task<JsonHttpResult<object>> HealthAsync(NpgsqlDataSource database, ChainHealth chain, TimeProvider time, CancellationToken cancellation)
    {
        var databaseAnswers = true;
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellation);
        }
        catch (NpgsqlException)
        {
            databaseAnswers = false;
        }
        var chainAnswers = chain.AnsweredAt is { } at && time.GetUtcNow() - at < TimeSpan.FromSeconds(30);
        return TypedResults.Json<object>(
            new { Database = databaseAnswers, Chain = chainAnswers },
            statusCode: databaseAnswers ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    static Results<Ok<IntegrityReport>, NoContent, ForbidHttpResult> Newest(IntegrityWatch watch, HttpContext context) =>
        !MayCheck(context) ? TypedResults.Forbid() : watch.Newest is { } report ? TypedResults.Ok(report) : TypedResults.NoContent();

    static async Task<Results<Ok<IntegrityReport>, ForbidHttpResult>> CheckAsync(IntegrityWatch watch, HttpContext context) =>
        MayCheck(context) ? TypedResults.Ok(await watch.CheckAsync(context.RequestAborted)) : TypedResults.Forbid();

    static bool MayCheck(HttpContext context) => context.Caller().Role is Role.Administrator or Role.Auditor;
}
