using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Salus.Cli.Api;
using Salus.Cli.Node;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;

namespace Salus.Cli.Proofs;

/// <summary>What an audit from outside found.</summary>
/// <param name="Origin">The log.</param>
/// <param name="Size">Leaves now.</param>
/// <param name="Seen">Leaves that an earlier audit had seen.</param>
/// <param name="AnchoredSize">Leaves under the head on the chain; null when no chain was asked.</param>
/// <param name="Fault">What does not hold; null when all does.</param>
/// <param name="Evidence">The folder with the signed checkpoints that contradict each other.</param>
sealed record LogAuditReport(string Origin, long Size, long Seen, long? AnchoredSize, string? Fault, string? Evidence)
{
    /// <summary>What was found of a log that this one took the place of since the last audit, in a sentence; null where it did not.</summary>
    public string? Succession { get; init; }

    /// <summary>The report for people.</summary>
    public string ToText()
    {
        if (Fault is not null)
        {
            return $"✗ {Origin}: {Fault}\n  The signed checkpoints that show it are kept in {Evidence}.\n";
        }
        var news = Seen == 0 ? $"{Size:N0} leaves, all read" : Seen == Size ? $"{Size:N0} leaves, none of them new" : $"{Size:N0} leaves, {Size - Seen:N0} of them new";
        var chain = AnchoredSize is { } anchored ? $"; the chain holds the head of {anchored:N0}" : "; no chain was asked (--rpc)";
        return $"✓ {Origin}: {news}; they make the root that the log signed, and extend what was seen before{chain}.\n{(Succession is null ? "" : $"  {Succession}\n")}";
    }
}

/// <summary>
/// Audits a node's whole log from outside: every leaf hash is fetched once, the root is recomputed, and what was seen is kept, so that a
/// second history shown later is caught and both signed checkpoints are kept as evidence.
/// </summary>
sealed class LogAudit(NodeClient node, string folder)
{
    const int TileWidth = 256;

    /// <summary>Where an audit keeps what it saw when no folder is named.</summary>
    public static string DefaultFolder(string address) =>
        Path.Combine(NodeSettings.DefaultData + "-audits", Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(address.TrimEnd('/'))))[..16]);

    readonly string kept = Path.Combine(folder, "checkpoint");
    readonly string edgeFile = Path.Combine(folder, "edge.json");
    readonly string leavesFile = Path.Combine(folder, "leaves");
    readonly string policyFile = Path.Combine(folder, "policy.json");

    /// <summary>Audits what is new since the last audit.</summary>
    /// <param name="policy">Whom to trust; when none is given, what the node said at the first audit.</param>
    /// <param name="rpc">A chain of the auditor's choice, or null.</param>
    /// <param name="at">Told what is done.</param>
    /// <param name="cancellation">Ends the audit; it goes on from the last whole one.</param>
    public async Task<LogAuditReport> RunAsync(byte[]? policy, EvmRpc? rpc, Action<string> at, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var trusted = await PolicyAsync(policy, cancellation);
        var log = trusted.Logs[0];
        var note = Encoding.UTF8.GetString(await FetchAsync("/log/checkpoint", cancellation));
        var (edge, seen) = File.Exists(edgeFile) ? Load() : (RightEdge.Empty, null);
        var checkpoint = Verified(note, log);
        LogSuccession? succession = null;
        List<byte[]> mustBegin = [];
        if (checkpoint is null && rpc is not null)
        {
            at("Looking for the succession on the chain");
            succession = await LogSuccession.FindAsync(trusted, await FetchAsync("/log/policy", cancellation), rpc, cancellation);
            if (succession is not null)
            {
                (trusted, log) = (succession.Policy, succession.Policy.Logs[0]);
                checkpoint = Verified(note, log);
                mustBegin = Seen(edge, succession);
            }
        }
        if (checkpoint is null)
        {
            throw new CliException($"The checkpoint is not signed by a key that is trusted for {log.Origin}. {(rpc is null ? "If another log has taken its place, the chain tells: name one with --rpc." : "The chain knows of no log that has taken its place.")}", (int)ProofStep.Checkpoint);
        }
        LogAuditReport Report(string? fault, long? anchored = null) =>
            new(log.Origin, checkpoint.Size, edge.Size, anchored, fault, fault is null ? null : Keep(note, seen));
        if (succession is not null)
        {
            if (succession.EndedSize <= edge.Size && !RootOf(Leaves(succession.EndedSize)).AsSpan().SequenceEqual(succession.EndedRoot))
            {
                return Report($"The chain holds another root of the {succession.EndedSize} leaves under the last head of the log before than were seen.");
            }
            edge = RightEdge.Empty;
        }
        if (checkpoint.Size < Math.Max(edge.Size, mustBegin.Count))
        {
            return Report($"The log shows {checkpoint.Size} leaves; {edge.Size} were seen before.");
        }
        var anchor = await HeadAsync(trusted, log, rpc, cancellation);
        var grown = edge;
        List<byte[]> read = [];
        byte[]? rootAtAnchor = null;
        while (grown.Size < checkpoint.Size)
        {
            at($"{grown.Size:N0} of {checkpoint.Size:N0} leaves");
            var leaves = await TileAsync(grown.Size, checkpoint.Size, cancellation);
            if (anchor is { Size: var size } && (long)size > grown.Size && (long)size <= grown.Size + leaves.Count)
            {
                rootAtAnchor = grown.Append([.. leaves.Take((int)((long)size - grown.Size))]).Edge.Root();
            }
            for (var i = 0; i < leaves.Count && grown.Size + i < mustBegin.Count; i++)
            {
                if (!leaves[i].AsSpan().SequenceEqual(mustBegin[(int)grown.Size + i]))
                {
                    return Report($"Leaf {grown.Size + i} is another than was seen in the log before, of which this one says that it keeps {succession!.Kept}.");
                }
            }
            grown = grown.Append(leaves).Edge;
            read.AddRange(leaves);
        }
        if (!grown.Root().AsSpan().SequenceEqual(checkpoint.Root.Span))
        {
            return Report(edge.Size == 0
                ? "The leaves that the log serves do not make the root that it signed."
                : $"The log does not extend the {edge.Size} leaves seen before: it shows another history.");
        }
        if (anchor is { } head)
        {
            if ((long)head.Size > checkpoint.Size)
            {
                return Report($"The chain holds a head of {head.Size} leaves; the log shows {checkpoint.Size}.", (long)head.Size);
            }
            rootAtAnchor ??= (long)head.Size == edge.Size ? edge.Root() : null;
            if (rootAtAnchor is not null && !rootAtAnchor.AsSpan().SequenceEqual(head.Root))
            {
                return Report($"At {head.Size} leaves the chain holds another root than the log's leaves make.", (long)head.Size);
            }
        }
        var report = Report(null, (long?)anchor?.Size) with
        {
            Succession = succession is null ? null
                : $"It took the place of another, as the chain says, which had {succession.EndedSize:N0} leaves under its last head; {succession.Kept:N0} of them are kept, and those seen before are the same.",
        };
        if (succession is not null)
        {
            Write(policyFile, succession.PolicyBytes);
        }
        Save(note, grown, edge.Size, read);
        return report;
    }

    async Task<ProofPolicy> PolicyAsync(byte[]? given, CancellationToken cancellation)
    {
        if (given is not null)
        {
            return ProofPolicy.Read(given);
        }
        if (!File.Exists(policyFile))
        {
            Write(policyFile, await FetchAsync("/log/policy", cancellation));
        }
        return ProofPolicy.Read(await File.ReadAllBytesAsync(policyFile, cancellation));
    }

    static async Task<AnchorContract.HeadResult?> HeadAsync(ProofPolicy policy, TrustedLog log, EvmRpc? rpc, CancellationToken cancellation)
    {
        if (rpc is null || policy.Chain is not { } chain || log.AnchorId is not { } id)
        {
            return null;
        }
        if (await rpc.ChainIdAsync(cancellation) is var answered && answered != chain.ChainId)
        {
            throw new CliException($"The chain that was named is {answered}, the policy's is {chain.ChainId}.", (int)ProofStep.Chain);
        }
        return await AnchorContract.HeadAsync(rpc, chain.Anchor, id, cancellationToken: cancellation) is { Size: > 0 } head ? head : null;
    }

    /// <summary>The leaf hashes from a position to the end of its tile, or of the log.</summary>
    async Task<List<byte[]>> TileAsync(long from, long size, CancellationToken cancellation)
    {
        var index = from / TileWidth;
        var width = (int)Math.Min(TileWidth, size - index * TileWidth);
        var bytes = await FetchAsync($"/log/tile/0/{PathOf(index)}{(width < TileWidth ? $".p/{width}" : "")}", cancellation);
        if (bytes.Length != width * MerkleHash.Size)
        {
            throw new CliException($"The node's tile {index} holds {bytes.Length} bytes instead of {width * MerkleHash.Size}.");
        }
        return [.. Enumerable.Range((int)(from - index * TileWidth), width - (int)(from - index * TileWidth)).Select(i => bytes[(i * MerkleHash.Size)..((i + 1) * MerkleHash.Size)])];
    }

    static string PathOf(long index)
    {
        var path = (index % 1000).ToString("000", CultureInfo.InvariantCulture);
        for (index /= 1000; index > 0; index /= 1000)
        {
            path = $"x{index % 1000:000}/{path}";
        }
        return path;
    }

    static Checkpoint? Verified(string note, TrustedLog log)
    {
        try
        {
            var checkpoint = Checkpoint.Parse(SignedNote.Parse(note).Text);
            return log.Keys.Any(key => checkpoint.Size >= key.FromSize && !(checkpoint.Size > key.ToSize) && Checkpoint.Verify(note, log.Origin, key.Key) is not null) ? checkpoint : null;
        }
        catch (FormatException malformed)
        {
            throw new CliException($"The node's checkpoint is malformed: {malformed.Message}", (int)ProofStep.Checkpoint);
        }
    }

    async Task<byte[]> FetchAsync(string path, CancellationToken cancellation)
    {
        var answer = await node.AskAsync(HttpMethod.Get, path, (object?)null, cancellation);
        return answer.IsSuccess ? answer.Body : throw new CliException($"GET {path}: {answer.Reason}");
    }

    (RightEdge Edge, string Note) Load()
    {
        try
        {
            var edge = JsonSerializer.Deserialize<EdgeJson>(File.ReadAllBytes(edgeFile))!;
            return (new RightEdge(edge.Size, edge.Peaks), File.ReadAllText(kept));
        }
        catch (Exception unreadable) when (unreadable is JsonException or ArgumentException or IOException)
        {
            throw new CliException($"What an earlier audit kept in {folder} cannot be read. Move the folder away to begin anew; without it an older history cannot be compared.");
        }
    }

    /// <summary>The leaves seen of the log before that must stand at the beginning of its successor.</summary>
    List<byte[]> Seen(RightEdge edge, LogSuccession succession) => Leaves(Math.Min(edge.Size, succession.Kept));

    /// <summary>The first leaf hashes that were seen.</summary>
    List<byte[]> Leaves(long count)
    {
        var bytes = new byte[count * MerkleHash.Size];
        try
        {
            using var file = File.OpenRead(leavesFile);
            file.ReadExactly(bytes);
        }
        catch (IOException) when (count > 0)
        {
            throw new CliException($"The leaves that an earlier audit kept in {folder} cannot be read. Move the folder away to begin anew; without it an older history cannot be compared.");
        }
        catch (IOException)
        {
            return [];
        }
        return [.. bytes.Chunk(MerkleHash.Size)];
    }

    static byte[] RootOf(IReadOnlyList<byte[]> leaves) => RightEdge.Empty.Append(leaves).Edge.Root();

    void Save(string note, RightEdge edge, long from, List<byte[]> read)
    {
        // What a torn audit has left behind the edge is written over by the next.
        using (var file = new FileStream(leavesFile, FileMode.OpenOrCreate, FileAccess.Write))
        {
            file.SetLength(from * MerkleHash.Size);
            file.Position = from * MerkleHash.Size;
            read.ForEach(leaf => file.Write(leaf));
            file.Flush(flushToDisk: true);
        }
        // The checkpoint first: of a pair torn by a crash, the next audit finds the edge older and goes over those leaves again.
        Write(kept, Encoding.UTF8.GetBytes(note));
        Write(edgeFile, JsonSerializer.SerializeToUtf8Bytes(new EdgeJson(edge.Size, [.. edge.Peaks])));
    }

    string Keep(string note, string? earlier)
    {
        var evidence = Path.Combine(folder, $"evidence-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(note)))[..16]}");
        Directory.CreateDirectory(evidence);
        Write(Path.Combine(evidence, "checkpoint-now"), Encoding.UTF8.GetBytes(note));
        if (earlier is not null)
        {
            Write(Path.Combine(evidence, "checkpoint-seen"), Encoding.UTF8.GetBytes(earlier));
        }
        return evidence;
    }

    static void Write(string path, byte[] bytes)
    {
        using (var file = new FileStream(path + ".new", FileMode.Create, FileAccess.Write))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }
        File.Move(path + ".new", path, overwrite: true);
    }

    sealed record EdgeJson(long Size, byte[][] Peaks);
}
