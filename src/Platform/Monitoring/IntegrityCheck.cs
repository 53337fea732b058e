using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Schema;
using Salus.Platform.Store;
using Salus.Vault.Blobs;

namespace Salus.Platform.Monitoring;

/// <summary>Where a chain's evidence is found.</summary>
/// <param name="Rpc">The endpoint.</param>
/// <param name="Anchor">The anchor contract.</param>
/// <param name="LogId">The log's id there.</param>
/// <param name="FromBlock">The block of its deployment.</param>
public sealed record ChainEvidence(EvmRpc Rpc, Address Anchor, byte[] LogId, ulong FromBlock);

/// <summary>A head kept elsewhere, against which the log is checked.</summary>
public sealed record KeptHead(string Source, long Size, byte[] Root);

/// <summary>
/// Recomputes every leaf from its row and every head from the leaves, and compares them with the signed heads, the chain and heads kept elsewhere.
/// It needs no key: rows commit to their ciphertext.
/// </summary>
/// <param name="database">The node's database.</param>
/// <param name="files">The log's files.</param>
/// <param name="blobs">The sealed files.</param>
/// <param name="verifierKey">The log's key: what was erased, and what was lost, counts as such only under its signature.</param>
/// <param name="time">The time.</param>
public sealed class IntegrityCheck(NpgsqlDataSource database, LogFiles files, BlobStore blobs, string verifierKey, TimeProvider time)
{
    const int FindingsMax = 1000;

    readonly List<Finding> findings = [];
    readonly Dictionary<long, byte[]> roots = [];
    bool truncated;
    long erased;

    /// <summary>Runs the whole check once.</summary>
    /// <param name="chain">The chain to compare with; null leaves it out and says so.</param>
    /// <param name="kept">Heads kept elsewhere.</param>
    /// <param name="progress">Told the number of leaves done.</param>
    /// <param name="cancellation">Ends the check.</param>
    public async Task<IntegrityReport> RunAsync(ChainEvidence? chain, IReadOnlyList<KeptHead> kept, IProgress<long>? progress, CancellationToken cancellation)
    {
        var started = time.GetUtcNow();
        findings.Clear();
        erased = 0;
        roots.Clear();
        // The chain first: what it has by now, the database has too, while a node goes on writing.
        var anchored = await AnchoredAsync(chain, cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation);
        var heads = await connection.QueryAsync(cancellation, row => (Size: row.GetInt64(0), Root: row.GetFieldValue<byte[]>(1)), "SELECT size, root FROM log_head ORDER BY size");
        foreach (var size in heads.Select(head => head.Size).Concat(anchored.Select(head => head.Size)).Concat(kept.Select(head => head.Size)))
        {
            roots[size] = [];
        }
        var notices = await LogNotices.ReadAsync(connection, verifierKey, cancellation);
        var blobsNamed = new List<(string Record, long Leaf, byte[] Hash)>();
        var leaves = await CheckLeavesAsync(connection, notices, blobsNamed, progress, cancellation);
        CheckHeads("The signed head", heads, leaves);
        CheckHeads("The head anchored on the chain", anchored, leaves);
        foreach (var head in kept)
        {
            CheckHeads($"The checkpoint in {head.Source}", [(head.Size, head.Root)], leaves);
        }
        await CheckLooseRowsAsync(connection, cancellation);
        await CheckConsentsAsync(connection, cancellation);
        foreach (var (record, leaf, hash) in blobsNamed)
        {
            await CheckBlobAsync(record, leaf, hash, cancellation);
        }
        return new IntegrityReport(started, leaves, heads.Count, anchored.Count, blobsNamed.Count, [.. findings], truncated) { Erased = erased };
    }

    async Task<List<(long Size, byte[] Root)>> AnchoredAsync(ChainEvidence? chain, CancellationToken cancellation)
    {
        if (chain is null)
        {
            Add(FindingKind.Unchecked, null, null, "No chain was asked.");
            return [];
        }
        try
        {
            var (heads, lost) = await AnchoredHeads.ReadAsync(chain, cancellation);
            foreach (var (kept, size) in lost)
            {
                Add(FindingKind.Gap, null, kept, $"An earlier log of this node was anchored with {size} leaves, of which {kept} were left when another took its place: leaves {kept} to {size - 1} of it were lost. The contract keeps its last head.");
            }
            return heads;
        }
        catch (Exception away) when (away is HttpRequestException or EvmRpcException or FormatException
            || (away is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            Add(FindingKind.Unchecked, null, null, "The chain did not answer; only the signed heads were compared.");
            return [];
        }
    }

    async Task<long> CheckLeavesAsync(
        NpgsqlConnection connection, LogNotices notices, List<(string, long, byte[])> blobsNamed, IProgress<long>? progress, CancellationToken cancellation)
    {
        const int reportEvery = 500;
        var edge = RightEdge.Empty;
        var batch = new byte[1][];
        var bent = new List<(StoredLeaf Leaf, SealedEntry Entry)>();
        await using (var command = connection.Command(
            $"""
            SELECT {SealedStore.Columns}, l.position, l.type, l.id, l.version, l.envelope
            FROM leaf l LEFT JOIN entry e USING (type, id, version) ORDER BY l.position
            """))
        await using (var rows = await command.ExecuteReaderAsync(cancellation))
        {
            while (await rows.ReadAsync(cancellation))
            {
                var leaf = new StoredLeaf(rows.GetInt64(12), rows.GetString(13), rows.GetString(14), rows.GetInt32(15), rows.GetFieldValue<byte[]>(16));
                edge = CheckGaps(notices, edge);
                if (leaf.Position != edge.Size)
                {
                    Add(FindingKind.Removed, null, edge.Size, $"The leaves {edge.Size} to {leaf.Position - 1} are missing from the log.");
                    break;
                }
                batch[0] = MerkleHash.Leaf(leaf.Envelope);
                if (files.Leaf(leaf.Position) is { } onFile && !onFile.AsSpan().SequenceEqual(batch[0]))
                {
                    Add(FindingKind.LogRewritten, Name(leaf), leaf.Position, $"The leaf in the database differs from the leaf hash in the log's files: {Describe(leaf)}.");
                }
                edge = edge.Append(batch).Edge;
                if (roots.ContainsKey(edge.Size))
                {
                    roots[edge.Size] = edge.Root();
                }
                if (rows.IsDBNull(0) && notices.IsErased(leaf.Position))
                {
                    erased++;
                }
                else if (rows.IsDBNull(0))
                {
                    Add(FindingKind.Removed, Name(leaf), leaf.Position, "The row is gone; its leaf still tells that it was written.");
                }
                else
                {
                    var entry = SealedStore.Read(rows);
                    if (notices.IsErased(leaf.Position))
                    {
                        Add(FindingKind.Inserted, Name(leaf), leaf.Position, "The row was erased, and stands there again. Was the database restored from a backup? Then erase anew.");
                    }
                    if (!entry.Envelope(entry.HashAsStored()).Encode().AsSpan().SequenceEqual(leaf.Envelope))
                    {
                        bent.Add((leaf, entry));
                    }
                    else if (entry.Blob is { } blob)
                    {
                        blobsNamed.Add((Name(leaf), leaf.Position, blob));
                    }
                }
                if (edge.Size % reportEvery == 0)
                {
                    progress?.Report(edge.Size);
                }
            }
        }
        edge = CheckGaps(notices, edge);
        foreach (var (leaf, entry) in bent)
        {
            await NameDifferenceAsync(connection, leaf, entry, cancellation);
        }
        progress?.Report(edge.Size);
        return edge.Size;
    }

    /// <summary>Goes over leaves of which only the hashes are kept, where a signed notice in the log tells so.</summary>
    RightEdge CheckGaps(LogNotices notices, RightEdge edge)
    {
        while (notices.GapFrom(edge.Size) is { } gap)
        {
            var position = edge.Size;
            foreach (var hash in gap.Hashes())
            {
                if (files.Leaf(position) is { } onFile && !onFile.AsSpan().SequenceEqual(hash))
                {
                    Add(FindingKind.LogRewritten, null, position, "The leaf's hash that is kept differs from the one in the log's files.");
                }
                edge = edge.Append([hash]).Edge;
                if (roots.ContainsKey(edge.Size))
                {
                    roots[edge.Size] = edge.Root();
                }
                position++;
            }
            Add(FindingKind.Gap, null, gap.From, $"The rows of leaves {gap.From} to {gap.To - 1} were lost when the database was restored from a backup. Their hashes are kept, and a notice in the log tells of it.");
        }
        return edge;
    }

    async Task NameDifferenceAsync(NpgsqlConnection connection, StoredLeaf leaf, SealedEntry entry, CancellationToken cancellation)
    {
        LeafEnvelope committed;
        try
        {
            committed = LeafEnvelope.Decode(leaf.Envelope);
        }
        catch (FormatException damage)
        {
            Add(FindingKind.LogRewritten, Name(leaf), leaf.Position, $"The leaf cannot be read: {damage.Message}");
            return;
        }
        var others = await connection.QueryAsync(cancellation, row => $"{row.GetString(0)}/{row.GetString(1)} version {row.GetInt32(2)}",
            "SELECT type, id, version FROM leaf WHERE position <> $1 AND position(($2::bytea) IN envelope) > 0 LIMIT 1", leaf.Position, entry.Content);
        if (others.Count > 0)
        {
            Add(FindingKind.Swapped, Name(leaf), leaf.Position, $"The row holds what the leaf of {others[0]} committed to.");
            return;
        }
        List<string> differences = [];
        if (committed.Kind != entry.Kind)
        {
            differences.Add($"its kind is {entry.Kind}, the leaf says {committed.Kind}");
        }
        if (committed.Id != $"{entry.Type}/{entry.Id}" || committed.EntityVersion != (uint)entry.Version)
        {
            differences.Add($"the leaf tells of {committed.Id} version {committed.EntityVersion}");
        }
        if (committed.UnixTimeMicroseconds != SealedStore.Microseconds(entry.Written))
        {
            differences.Add($"its time is {entry.Written:O}, the leaf says {DateTimeOffset.UnixEpoch.AddMicroseconds(committed.UnixTimeMicroseconds):O}");
        }
        if (!committed.Content.Span.SequenceEqual(entry.Content))
        {
            differences.Add("the commitment to its content was replaced");
        }
        if (!committed.Sealed.Span.SequenceEqual(entry.HashAsStored()))
        {
            differences.Add("its ciphertext, owner, patient or deletion mark was changed");
        }
        Add(FindingKind.Changed, Name(leaf), leaf.Position, $"In the row, {string.Join("; ", differences)}.");
    }

    void CheckHeads(string what, IReadOnlyList<(long Size, byte[] Root)> heads, long leaves)
    {
        var agreed = 0L;
        foreach (var (size, root) in heads.OrderBy(head => head.Size))
        {
            if (size > leaves)
            {
                Add(FindingKind.LogRewritten, null, leaves, $"{what} counts {size} leaves, but the log holds {leaves}: leaves {leaves} to {size - 1} were cut off.");
                return;
            }
            if (!roots[size].AsSpan().SequenceEqual(root))
            {
                Add(FindingKind.LogRewritten, null, null, $"{what} of size {size} does not follow from the log's leaves: one of the leaves {agreed} to {size - 1} was rewritten.");
                return;
            }
            agreed = size;
        }
    }

    /// <summary>Rows that neither a leaf nor a pending leaf tells of, and pending leaves without a row.</summary>
    async Task CheckLooseRowsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        foreach (var name in await connection.QueryAsync(cancellation, row => $"{row.GetString(0)}/{row.GetString(1)} version {row.GetInt32(2)}",
            """
            SELECT type, id, version FROM entry e
            WHERE NOT EXISTS (SELECT 1 FROM leaf l WHERE (l.type, l.id, l.version) = (e.type, e.id, e.version))
              AND NOT EXISTS (SELECT 1 FROM leaf_pending p WHERE (p.type, p.id, p.version) = (e.type, e.id, e.version)) LIMIT $1
            """, FindingsMax))
        {
            Add(FindingKind.Inserted, name, null, "The row stands in the database, but no leaf tells that it was written.");
        }
        foreach (var name in await connection.QueryAsync(cancellation, row => $"{row.GetString(0)}/{row.GetString(1)} version {row.GetInt32(2)}",
            """
            SELECT type, id, version FROM leaf_pending p
            WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE (p.type, p.id, p.version) = (e.type, e.id, e.version)) LIMIT $1
            """, FindingsMax))
        {
            Add(FindingKind.Removed, name, null, "The row is gone; it was waiting for its place in the log.");
        }
    }

    /// <summary>The mirror of consents against the sealed terms whose commitment each must repeat.</summary>
    async Task CheckConsentsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        foreach (var resource in await connection.QueryAsync(cancellation, row => row.GetString(0),
            """
            SELECT c.resource FROM consent c LEFT JOIN entry e ON e.type = 'Consent' AND e.id = c.resource AND e.version = 1
            WHERE e.content IS DISTINCT FROM c.commitment OR e.patient IS DISTINCT FROM c.patient LIMIT $1
            """, FindingsMax))
        {
            Add(FindingKind.Changed, $"Consent/{resource}", null, "The mirror's row does not repeat the commitment and patient of the sealed terms.");
        }
        foreach (var resource in await connection.QueryAsync(cancellation, row => row.GetString(0),
            """
            SELECT c.resource FROM consent c JOIN entry e ON e.type = 'Consent' AND e.id = c.resource AND e.version = 2
            WHERE c.revoked IS NULL LIMIT $1
            """, FindingsMax))
        {
            Add(FindingKind.Changed, $"Consent/{resource}", null, "The mirror calls the consent unrevoked, but its revocation stands in the log.");
        }
    }

    async Task CheckBlobAsync(string record, long leaf, byte[] hash, CancellationToken cancellation)
    {
        var found = await blobs.HashAsync(hash, cancellation);
        if (found is null)
        {
            Add(FindingKind.Removed, record, leaf, "The sealed file of its content is gone.");
        }
        else if (!found.AsSpan().SequenceEqual(hash))
        {
            Add(FindingKind.Changed, record, leaf, "The sealed file of its content was changed.");
        }
    }

    void Add(FindingKind kind, string? record, long? leaf, string difference)
    {
        if (findings.Count < FindingsMax)
        {
            findings.Add(new Finding(kind, record, leaf, difference));
        }
        else
        {
            truncated = true;
        }
    }

    static string Name(StoredLeaf leaf) => $"{leaf.Type}/{leaf.Id} version {leaf.Version}";

    static string Describe(StoredLeaf leaf)
    {
        try
        {
            var envelope = LeafEnvelope.Decode(leaf.Envelope);
            return $"it now tells of {envelope.Id} version {envelope.EntityVersion}, written {DateTimeOffset.UnixEpoch.AddMicroseconds(envelope.UnixTimeMicroseconds):O}";
        }
        catch (FormatException damage)
        {
            return damage.Message;
        }
    }
}
