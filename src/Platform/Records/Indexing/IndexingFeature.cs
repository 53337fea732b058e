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
    const int PassesShown = 20;

    /// <summary>A key of the index.</summary>
    /// <param name="Number">From 1.</param>
    /// <param name="Made">When it was announced.</param>
    /// <param name="Active">Since when rows are written under it; null before.</param>
    public sealed record KeyView(int Number, DateTimeOffset Made, DateTimeOffset? Active);

    /// <summary>A parameter that was added here.</summary>
    /// <param name="Id">The SearchParameter's logical id.</param>
    /// <param name="Code">Its name in a search.</param>
    /// <param name="Types">The resource types it is for.</param>
    /// <param name="Ready">Whether every record can be found by it.</param>
    public sealed record ParameterView(string Id, string Code, IReadOnlyList<string> Types, bool Ready);

    /// <summary>A pass over the index.</summary>
    /// <param name="For">The SearchParameter it is for, or a new key.</param>
    /// <param name="Asked">When it was asked for.</param>
    /// <param name="Done">Rows made anew.</param>
    /// <param name="Total">Rows that there were; null before it has begun.</param>
    /// <param name="Ended">When it was done; null before.</param>
    public sealed record PassView(string For, DateTimeOffset Asked, long Done, long? Total, DateTimeOffset? Ended);

    /// <summary>The index as it stands.</summary>
    public sealed record IndexView(IReadOnlyList<KeyView> Keys, IReadOnlyList<ParameterView> Parameters, IReadOnlyList<PassView> Passes);

    /// <summary>Adds the services.</summary>
    public static IServiceCollection AddIndexing(this IServiceCollection services) =>
        services.AddSingleton<IndexState>().AddSingleton<IndexingWorker>().AddHostedService(provider => provider.GetRequiredService<IndexingWorker>());

    /// <summary>Maps the routes.</summary>
    public static void MapIndexing(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/search-index").WithTags("Search index").RequireAuthorization(Policies.Administrator);
        api.MapGet("/", ShowAsync);
        api.MapPost("/keys", RenewAsync);
    }

    static async Task<Ok<IndexView>> ShowAsync(NpgsqlDataSource database, IndexState state, HttpContext context)
    {
        await state.RefreshAsync(context.RequestAborted);
        await using var connection = await database.OpenConnectionAsync(context.RequestAborted);
        return TypedResults.Ok(new IndexView(
            [.. (await IndexingStore.KeysAsync(connection, context.RequestAborted)).Select(key => new KeyView(key.Number, key.Made, key.Active))],
            [.. state.Current.Parameters.Select(parameter => new ParameterView(parameter.Id, parameter.Definition.Code, parameter.Definition.Bases, parameter.IsReady))],
            [.. (await IndexingStore.PassesAsync(connection, PassesShown, context.RequestAborted))
                .Select(pass => new PassView(pass.Parameter is { } id ? $"SearchParameter/{id}" : "key", pass.Asked, pass.Done, pass.Total, pass.Ended))]));
    }

    static async Task<Results<Accepted, ProblemHttpResult>> RenewAsync(RecordsDesk desk, IndexingWorker worker, HttpContext context)
    {
        if (!await desk.RenewIndexKeyAsync(context.Caller(), context.RequestAborted))
        {
            return TypedResults.Problem("Rows are still being rewritten under the last new key. Wait until GET /api/search-index shows one key.", statusCode: StatusCodes.Status409Conflict, title: "Under way");
        }
        worker.Wake();
        return TypedResults.Accepted("/api/search-index");
    }
}
