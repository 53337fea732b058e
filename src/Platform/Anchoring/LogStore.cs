using Npgsql;
using NpgsqlTypes;
using Salus.Ledger.Merkle;
using Salus.Platform.Schema;

namespace Salus.Platform.Anchoring;

/// <summary>A signed size of the log, and how many witnesses have cosigned it.</summary>
public sealed record LogHead(long Size, byte[] Root, string? Checkpoint, DateTimeOffset Written, int Cosigned);

/// <summary>A head the contract has accepted.</summary>
public sealed record AnchoredHead(long Size, byte[] TransactionHash, long BlockNumber, byte[] BlockHash, long GasUsed, DateTimeOffset Mined, bool Durable);

/// <summary>A leaf in its place.</summary>
public sealed record StoredLeaf(long Position, string Type, string Id, int Version, byte[] Envelope);

/// <summary>Leaves whose rows were lost; of them their hashes are kept.</summary>
/// <param name="From">The first position.</param>
/// <param name="To">The position after the last.</param>
/// <param name="LeafHashes">Their hashes one after the other, 32 bytes each.</param>
/// <param name="Notice">The signed notice that the log gives of it in a leaf.</param>
public sealed record LogGap(long From, long To, byte[] LeafHashes, string Notice)
{
    /// <summary>The hashes in their order.</summary>
    public IEnumerable<byte[]> Hashes() => LeafHashes.Chunk(MerkleHash.Size);
}

sealed record PendingLeaf(long Number, string Type, string Id, int Version, byte[] Envelope);

/// <summary>The SQL of the log: pending leaves, leaves, heads, anchors.</summary>
static class LogStore
{
    /// <summary>Takes the oldest pending leaves out of the queue, in their order.</summary>
    /// <remarks>Each holds its envelope as it was when its row was written, so that no row is read again and a later change of it is seen.</remarks>
    public static async Task<List<PendingLeaf>> TakePendingAsync(NpgsqlConnection connection, int countMax, CancellationToken cancellation)
    {
        var taken = await connection.QueryAsync(cancellation, row =>
            new PendingLeaf(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetFieldValue<byte[]>(4)),
            """
            DELETE FROM leaf_pending WHERE number = ANY(ARRAY(SELECT number FROM leaf_pending ORDER BY number LIMIT $1))
            RETURNING number, type, id, version, envelope
            """, countMax);
        taken.Sort((one, other) => one.Number.CompareTo(other.Number));
        return taken;
    }

    public static async Task PlaceAsync(NpgsqlConnection connection, long size, IReadOnlyList<PendingLeaf> leaves, CancellationToken cancellation)
    {
        await using var writer = await connection.BeginBinaryImportAsync(
            "COPY leaf (position, type, id, version, envelope) FROM STDIN (FORMAT binary)", cancellation);
        for (var i = 0; i < leaves.Count; i++)
        {
            await writer.StartRowAsync(cancellation);
            await writer.WriteAsync(size + i, NpgsqlDbType.Bigint, cancellation);
            await writer.WriteAsync(leaves[i].Type, NpgsqlDbType.Text, cancellation);
            await writer.WriteAsync(leaves[i].Id, NpgsqlDbType.Text, cancellation);
            await writer.WriteAsync(leaves[i].Version, NpgsqlDbType.Integer, cancellation);
            await writer.WriteAsync(leaves[i].Envelope, NpgsqlDbType.Bytea, cancellation);
        }
        await writer.CompleteAsync(cancellation);
    }

    /// <summary>Adds the head that follows one of size <paramref name="after"/>; false when the newest is another.</summary>
    public static async Task<bool> AddHeadAsync(NpgsqlConnection connection, long after, long size, byte[] root, DateTimeOffset written, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation,
            "INSERT INTO log_head (size, root, written) SELECT $2, $3, $4 WHERE coalesce((SELECT max(size) FROM log_head), 0) = $1",
            after, size, root, written) == 1;

    public static Task SignHeadAsync(NpgsqlConnection connection, long size, string checkpoint, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE log_head SET checkpoint = $2 WHERE size = $1", size, checkpoint);

    public static Task CosignHeadAsync(NpgsqlConnection connection, long size, string checkpoint, int count, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE log_head SET checkpoint = $2, cosigned = $3 WHERE size = $1 AND cosigned < $3", size, checkpoint, count);

    public static async Task<LogHead?> HeadAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, ReadHead, "SELECT size, root, checkpoint, written, cosigned FROM log_head ORDER BY size DESC LIMIT 1")).SingleOrDefault();

    public static async Task<LogHead?> HeadAsync(NpgsqlConnection connection, long size, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, ReadHead, "SELECT size, root, checkpoint, written, cosigned FROM log_head WHERE size = $1", size)).SingleOrDefault();

    public static async Task<IReadOnlyList<StoredLeaf>> LeavesAsync(NpgsqlConnection connection, long from, long count, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, ReadLeaf,
            "SELECT position, type, id, version, envelope FROM leaf WHERE position >= $1 AND position < $2 ORDER BY position", from, from + count);

    /// <summary>The hashes of leaves from a position on without a hole, from their rows or from what is kept of a gap; empty where nothing tells the next.</summary>
    public static async Task<List<byte[]>> LeafHashesAsync(NpgsqlConnection connection, long from, long countMax, CancellationToken cancellation)
    {
        var hashes = (await LeavesAsync(connection, from, countMax, cancellation)).TakeWhile((leaf, i) => leaf.Position == from + i)
            .Select(leaf => MerkleHash.Leaf(leaf.Envelope)).ToList();
        if (hashes.Count > 0)
        {
            return hashes;
        }
        var gap = (await connection.QueryAsync(cancellation, ReadGap,
            "SELECT from_position, to_position, leaf_hashes, notice FROM log_gap WHERE from_position <= $1 AND to_position > $1", from)).SingleOrDefault();
        return gap is null ? [] : [.. gap.Hashes().Skip((int)(from - gap.From)).Take((int)countMax)];
    }

    public static async Task<IReadOnlyList<LogGap>> GapsAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, ReadGap, "SELECT from_position, to_position, leaf_hashes, notice FROM log_gap ORDER BY from_position");

    public static async Task<StoredLeaf?> LeafAsync(NpgsqlConnection connection, string type, string id, int version, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, ReadLeaf,
            "SELECT position, type, id, version, envelope FROM leaf WHERE type = $1 AND id = $2 AND version = $3", type, id, version)).SingleOrDefault();

    public static async Task<AnchoredHead?> AnchorOfAsync(NpgsqlConnection connection, long position, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, ReadAnchor,
            "SELECT size, transaction_hash, block_number, block_hash, gas_used, mined, durable FROM anchor WHERE size > $1 ORDER BY size LIMIT 1", position)).SingleOrDefault();

    public static async Task<IReadOnlyList<AnchoredHead>> AnchorsAsync(NpgsqlConnection connection, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, ReadAnchor,
            "SELECT size, transaction_hash, block_number, block_hash, gas_used, mined, durable FROM anchor ORDER BY size DESC LIMIT $1", countMax);

    /// <summary>Whether the log has this head, but no row of its anchor.</summary>
    public static async Task<bool> LacksAnchorAsync(NpgsqlConnection connection, long size, byte[] root, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetBoolean(0),
            "SELECT EXISTS (SELECT FROM log_head WHERE size = $1 AND root = $2) AND NOT EXISTS (SELECT FROM anchor WHERE size = $1)", size, root))[0];

    public static Task AddAnchorAsync(NpgsqlConnection connection, AnchoredHead head, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            """
            INSERT INTO anchor (size, transaction_hash, block_number, block_hash, gas_used, mined, durable) VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (size) DO UPDATE SET transaction_hash = excluded.transaction_hash, block_number = excluded.block_number,
                block_hash = excluded.block_hash, gas_used = excluded.gas_used, mined = excluded.mined, durable = excluded.durable
            """, head.Size, head.TransactionHash, head.BlockNumber, head.BlockHash, head.GasUsed, head.Mined, head.Durable);

    public static Task AddEvidenceAsync(NpgsqlConnection connection, long size, byte[] evidence, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            "INSERT INTO anchor_evidence (size, evidence) VALUES ($1, $2) ON CONFLICT (size) DO UPDATE SET evidence = excluded.evidence", size, evidence);

    /// <summary>The newest anchored head, if its evidence is missing.</summary>
    public static async Task<AnchoredHead?> UnevidencedAnchorAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, ReadAnchor,
            """
            SELECT size, transaction_hash, block_number, block_hash, gas_used, mined, durable FROM anchor a
            WHERE size = (SELECT max(size) FROM anchor) AND NOT EXISTS (SELECT FROM anchor_evidence e WHERE e.size = a.size)
            """)).SingleOrDefault();

    /// <summary>
    /// The smallest anchored head that covers a position and of which evidence was captured: one that enough witnesses have cosigned, if
    /// there is any.
    /// </summary>
    public static async Task<(LogHead Head, byte[] Evidence)?> EvidenceOfAsync(NpgsqlConnection connection, long position, int witnesses, CancellationToken cancellation)
    {
        var found = await connection.QueryAsync(cancellation, row => (ReadHead(row), row.GetFieldValue<byte[]>(5)),
            """
            SELECT h.size, h.root, h.checkpoint, h.written, h.cosigned, e.evidence FROM anchor_evidence e JOIN anchor a USING (size) JOIN log_head h USING (size)
            WHERE h.size > $1 AND a.durable ORDER BY h.cosigned >= $2 DESC, h.size LIMIT 1
            """, position, witnesses);
        return found.Count == 0 ? null : found[0];
    }

    public static async Task<LogHead?> SignedHeadAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, ReadHead,
            "SELECT size, root, checkpoint, written, cosigned FROM log_head WHERE checkpoint IS NOT NULL ORDER BY size DESC LIMIT 1")).SingleOrDefault();

    static LogGap ReadGap(NpgsqlDataReader row) => new(row.GetInt64(0), row.GetInt64(1), row.GetFieldValue<byte[]>(2), row.GetString(3));

    static LogHead ReadHead(NpgsqlDataReader row) =>
        new(row.GetInt64(0), row.GetFieldValue<byte[]>(1), row.Nullable<string>(2), row.GetFieldValue<DateTimeOffset>(3), row.GetInt32(4));

    static StoredLeaf ReadLeaf(NpgsqlDataReader row) =>
        new(row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetFieldValue<byte[]>(4));

    internal static AnchoredHead ReadAnchor(NpgsqlDataReader row) => new(
        row.GetInt64(0), row.GetFieldValue<byte[]>(1), row.GetInt64(2), row.GetFieldValue<byte[]>(3), row.GetInt64(4),
        row.GetFieldValue<DateTimeOffset>(5), row.GetBoolean(6));
}
