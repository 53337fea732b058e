using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Salus.Platform.Anchoring;

/// <summary>The HTTP surface of the log: open to everyone, for it names nobody and anyone may check it.</summary>
public static class AnchoringFeature
{
    const int LinesMax = 1000;

    /// <summary>Maps the routes.</summary>
    public static void MapAnchoring(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/log").WithTags("Log").AllowAnonymous();
        group.MapGet("/status", async (BlockLog log, CancellationToken cancellation) => TypedResults.Ok(await log.StatusAsync(cancellation)));
        group.MapGet("/blocks", async (BlockLog log, CancellationToken cancellation, int count = 100) =>
            TypedResults.Ok(await log.ListAsync(Math.Clamp(count, 1, LinesMax), cancellation)));
        group.MapGet("/place", (BlockLog log) => TypedResults.Ok(new
        {
            log.Place.Origin,
            log.Place.VerifierKey,
            log.Place.LogId,
            log.Place.ChainId,
            Contracts = log.Place.Contracts.ToDictionary(pair => pair.Key.ToString(), pair => pair.Value.ToString()),
        }));
        group.MapGet("/checkpoint", CheckpointAsync);
    }

    static async Task<Results<ContentHttpResult, NotFound>> CheckpointAsync(BlockLog log, CancellationToken cancellation) =>
        await log.CheckpointAsync(cancellation) is { } checkpoint ? TypedResults.Text(checkpoint) : TypedResults.NotFound();
}
