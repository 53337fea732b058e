using System.Globalization;
using System.Text.RegularExpressions;
using Npgsql;
using Salus.Ledger.Evidence;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring.Witness;

namespace Salus.Platform.Anchoring;

/// <summary>
/// The log as anyone may read it (C2SP tlog-tiles, tlog-proof): hashes and proofs under the newest signed checkpoint, never what a leaf
/// tells.
/// </summary>
public sealed partial class LogTiles(NpgsqlDataSource database, LogFiles files, NodeKeys keys, ChainLink link, Witnessing witnessing)
{
    const int TileHeight = 8;
    const int TileWidth = 1 << TileHeight;
    const int LevelMax = 5; // 256^6 leaves are more than a log of 48 bits can hold

    /// <summary>The hashes of a tile, 32 bytes each; null where the log has no such tile, or not as wide.</summary>
    /// <param name="level">0 for leaf hashes.</param>
    /// <param name="path">Index and width as in <c>x001/x234/067</c> or <c>x001/x234/067.p/8</c>.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<byte[]?> TileAsync(int level, string path, CancellationToken cancellation)
    {
        if (level is < 0 or > LevelMax || !TryPath(path, out var index, out var width))
        {
            return null;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var size = (await LogStore.SignedHeadAsync(connection, cancellation))?.Size ?? 0;
        var first = index * TileWidth;
        if (first + width > size >> (TileHeight * level))
        {
            return null;
        }
        NodeId[] ids = [.. Enumerable.Range(0, width).Select(offset => new NodeId(TileHeight * level, first + offset))];
        var hashes = await files.ReadAsync(ids, cancellation);
        return [.. ids.SelectMany(id => hashes[id])];
    }

    /// <summary>The proof of the leaf at a position under the newest checkpoint; null beyond it.</summary>
    public async Task<TlogProof?> ProofAsync(long position, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (await LogStore.SignedHeadAsync(connection, cancellation) is not { Checkpoint: { } checkpoint } head || position < 0 || position >= head.Size)
        {
            return null;
        }
        return new TlogProof(position, await TreeProofs.InclusionAsync(position, head.Size, files.ReadAsync, cancellation), SignedNote.Parse(checkpoint));
    }

    /// <summary>The consistency proof between two sizes of the log; null where they are not in order, or beyond the newest checkpoint.</summary>
    public async Task<IReadOnlyList<byte[]>?> ConsistencyAsync(long from, long to, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var size = (await LogStore.SignedHeadAsync(connection, cancellation))?.Size ?? 0;
        return from < 0 || from > to || to > size ? null : await TreeProofs.ConsistencyAsync(from, to, files.ReadAsync, cancellation);
    }

    /// <summary>
    /// A policy by which proofs of this node can be checked: its log and, after it, those that it took the place of. It is the node's own word: whoever relies on it compares the keys and the
    /// contract with what they have from elsewhere.
    /// </summary>
    public ProofPolicy Policy() => new(
        [
            .. keys.Logs.Reverse().Select(log => new TrustedLog(
                log.Origin, [new LogKey(NoteVerifier.Parse(log.VerifierKey), log.Kept == 0 ? 0 : log.Kept + 1, log.EndedSize)], log.LogId)),
        ],
        witnessing.Keys, witnessing.Required,
        new TrustedChain(link.ChainId, link.Contracts[ChainContract.Anchor], []));

    static bool TryPath(string path, out long index, out int width)
    {
        (index, width) = (0, TileWidth);
        if (PathPattern().Match(path) is not { Success: true } match)
        {
            return false;
        }
        foreach (Capture part in match.Groups["high"].Captures)
        {
            index = index * 1000 + int.Parse(part.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
        }
        index = index * 1000 + int.Parse(match.Groups["low"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
        if (match.Groups["width"] is { Success: true } partial)
        {
            width = int.Parse(partial.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
        }
        return width <= TileWidth && (width < TileWidth || !match.Groups["width"].Success);
    }

    [GeneratedRegex(@"^(?:x(?<high>[0-9]{3})/){0,4}(?<low>[0-9]{3})(?:\.p/(?<width>[1-9][0-9]{0,2}))?$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex PathPattern();
}
