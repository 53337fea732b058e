using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Salus.Ledger.Evm;

namespace Salus.Platform.Anchoring;

/// <summary>The HTTP surface of the log: open to everyone, for it names nobody and anyone may check it.</summary>
public static class AnchoringFeature
{
    const int LinesMax = 1000;
    const string Forever = "public, max-age=31536000, immutable";
    const string Moment = "public, max-age=2";

    /// <summary>A log that this one follows.</summary>
    /// <param name="Origin">Its name.</param>
    /// <param name="VerifierKey">The key of its checkpoints.</param>
    /// <param name="LogId">What the contract calls it, in hexadecimal.</param>
    /// <param name="EndedSize">The positions that it gave.</param>
    public sealed record EarlierLog(string Origin, string VerifierKey, string LogId, long? EndedSize);

    /// <summary>Positions whose leaves were lost.</summary>
    public sealed record LogGap(long From, long To);

    /// <summary>Where the log stands, and who signs it.</summary>
    /// <param name="Origin">Its name.</param>
    /// <param name="VerifierKey">The key of its checkpoints.</param>
    /// <param name="WitnessKey">The key with which this node cosigns others' checkpoints.</param>
    /// <param name="LogId">What the contract calls it, in hexadecimal.</param>
    /// <param name="ChainId">The chain that holds its heads.</param>
    /// <param name="Contracts">Each by its name.</param>
    /// <param name="Earlier">The logs that it follows.</param>
    /// <param name="Kept">The positions whose hashes are kept.</param>
    /// <param name="Gaps">What was lost between the logs.</param>
    public sealed record PlaceAnswer(
        string Origin, string VerifierKey, string WitnessKey, string LogId, ulong ChainId, IReadOnlyDictionary<string, string> Contracts,
        IReadOnlyList<EarlierLog> Earlier, long Kept, IReadOnlyList<LogGap> Gaps);

    /// <summary>Maps the routes.</summary>
    public static void MapAnchoring(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/log").WithTags("Log").AllowAnonymous();
        api.MapGet("/status", async (BlockLog log, CancellationToken cancellation) => TypedResults.Ok(await log.StatusAsync(cancellation)));
        api.MapGet("/blocks", async (BlockLog log, CancellationToken cancellation, int count = 100) =>
            TypedResults.Ok(await log.ListAsync(Math.Clamp(count, 1, LinesMax), cancellation)));
        api.MapGet("/place", async (BlockLog log, CancellationToken cancellation) => TypedResults.Ok(new PlaceAnswer(
            log.Place.Origin, log.Place.VerifierKey, log.Place.WitnessKey, log.Place.LogId, log.Place.ChainId,
            log.Place.Contracts.ToDictionary(pair => pair.Key.ToString(), pair => pair.Value.ToString()),
            [.. log.Earlier.Select(name => new EarlierLog(name.Origin, name.VerifierKey, Hex.Of(name.LogId), name.EndedSize))],
            log.Kept, [.. (await log.GapsAsync(cancellation)).Select(gap => new LogGap(gap.From, gap.To))])));

        // The log by C2SP's tlog-tiles, under a prefix that a cache can stand before
        var log = routes.MapGroup("/log").WithTags("Log").AllowAnonymous();
        log.MapGet("/checkpoint", CheckpointAsync);
        log.MapGet("/tile/{level:int}/{**path}", TileAsync);
        log.MapGet("/proof/{position:long}", ProofAsync);
        log.MapGet("/consistency/{from:long}/{to:long}", ConsistencyAsync);
        log.MapGet("/policy", (LogTiles tiles) => TypedResults.File(tiles.Policy().ToBytes(), "application/json", "salus-policy.json"));
        log.MapGet("/{**rest}", () => TypedResults.NotFound()).ExcludeFromDescription();
    }

    static async Task<Results<ContentHttpResult, NotFound>> CheckpointAsync(BlockLog log, HttpContext context) =>
        await log.CheckpointAsync(context.RequestAborted) is { } checkpoint ? Text(checkpoint, Moment, context) : TypedResults.NotFound();

    static async Task<Results<FileContentHttpResult, NotFound>> TileAsync(int level, string path, LogTiles tiles, HttpContext context)
    {
        if (await tiles.TileAsync(level, path, context.RequestAborted) is not { } tile)
        {
            return TypedResults.NotFound();
        }
        context.Response.Headers.CacheControl = Forever;
        return TypedResults.Bytes(tile, "application/octet-stream");
    }

    static async Task<Results<ContentHttpResult, NotFound>> ProofAsync(long position, LogTiles tiles, HttpContext context) =>
        await tiles.ProofAsync(position, context.RequestAborted) is { } proof ? Text(proof.ToString(), Moment, context) : TypedResults.NotFound();

    static async Task<Results<ContentHttpResult, NotFound>> ConsistencyAsync(long from, long to, LogTiles tiles, HttpContext context) =>
        await tiles.ConsistencyAsync(from, to, context.RequestAborted) is { } proof
            ? Text(string.Concat(proof.Select(hash => Convert.ToBase64String(hash) + "\n")), Forever, context)
            : TypedResults.NotFound();

    static ContentHttpResult Text(string text, string caching, HttpContext context)
    {
        context.Response.Headers.CacheControl = caching;
        return TypedResults.Text(text, "text/plain; charset=utf-8");
    }
}
