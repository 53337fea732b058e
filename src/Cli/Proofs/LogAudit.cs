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
    /// <summary>The report for people.</summary>
    public string ToText()
    {
        if (Fault is not null)
        {
            return $"✗ {Origin}: {Fault}\n  The signed checkpoints that show it are kept in {Evidence}.\n";
        }
        var news = Seen == 0 ? $"{Size:N0} leaves, all read" : Seen == Size ? $"{Size:N0} leaves, none of them new" : $"{Size:N0} leaves, {Size - Seen:N0} of them new";
        var chain = AnchoredSize is { } anchored ? $"; the chain holds the head of {anchored:N0}" : "; no chain was asked (--rpc)";
        return $"✓ {Origin}: {news}; they make the root that the log signed, and extend what was seen before{chain}.\n";
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
        var checkpoint = Verified(note, log) ?? throw new CliException($"The checkpoint is not signed by a key that is trusted for {log.Origin}. If another log has taken its place, the node's /log/policy names it: look for the succession on the chain, then trust it with --policy and another --keep.", (int)ProofStep.Checkpoint);
        var (edge, seen) = File.Exists(edgeFile) ? Load() : (RightEdge.Empty, null);
        LogAuditReport Report(string? fault, long? anchored = null) =>
            new(log.Origin, checkpoint.Size, edge.Size, anchored, fault, fault is null ? null : Keep(note, seen));
        if (checkpoint.Size < edge.Size)
        {
            return Report($"The log shows {checkpoint.Size} leaves; {edge.Size} were seen before.");
        }
        var anchor = await HeadAsync(trusted, log, rpc, cancellation);
        var grown = edge;
        byte[]? rootAtAnchor = null;
        while (grown.Size < checkpoint.Size)
        {
            at($"{grown.Size:N0} of {checkpoint.Size:N0} leaves");
            var leaves = await TileAsync(grown.Size, checkpoint.Size, cancellation);
            if (anchor is { Size: var size } && (long)size > grown.Size && (long)size <= grown.Size + leaves.Count)
            {
                rootAtAnchor = grown.Append([.. leaves.Take((int)((long)size - grown.Size))]).Edge.Root();
            }
            grown = grown.Append(leaves).Edge;
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
        var report = Report(null, (long?)anchor?.Size);
        Save(note, grown);
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

    void Save(string note, RightEdge edge)
    {
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
