using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Salus.Platform.Identity;

namespace Salus.Platform.Records.Indexing;

/// <summary>The search index's keys and parameters: its services, and what who runs the node sees and does.</summary>
public static class IndexingFeature
{
    /// <summary>Adds the services.</summary>
    public static IServiceCollection AddIndexing(this IServiceCollection services) =>
        services.AddSingleton<IndexState>().AddSingleton<IndexingWorker>().AddHostedService(provider => provider.GetRequiredService<IndexingWorker>())
            .AddSingleton(provider => new IndexDesk(
                provider.GetRequiredService<NpgsqlDataSource>(), provider.GetRequiredService<IndexState>(), provider.GetRequiredService<RecordsDesk>(), provider.GetRequiredService<IndexingWorker>()));

    /// <summary>Maps the routes.</summary>
    public static void MapIndexing(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/search-index").WithTags("Search index").RequireAuthorization(Policies.Administrator);
        api.MapGet("/", ShowAsync);
        api.MapPost("/keys", RenewAsync);
    }

    static async Task<Ok<IndexView>> ShowAsync(IndexDesk desk, HttpContext context) => TypedResults.Ok(await desk.ShowAsync(context.RequestAborted));

    static async Task<Results<Accepted, ProblemHttpResult>> RenewAsync(IndexDesk desk, HttpContext context) =>
        await desk.RenewKeyAsync(context.Caller(), context.RequestAborted)
            ? TypedResults.Accepted("/api/search-index")
            : TypedResults.Problem("Rows are still being rewritten under the last new key. Wait until GET /api/search-index shows one key.", statusCode: StatusCodes.Status409Conflict, title: "Under way");
}
