using Npgsql;
using Salus.Ledger.Evm;
using Salus.Platform.Schema;

namespace Salus.Platform.Anchoring;

/// <summary>One transaction of this node on the chain, with what it did.</summary>
/// <param name="Block">The block's number.</param>
/// <param name="BlockHash">The block's hash, hexadecimal.</param>
/// <param name="Transaction">The transaction's hash, hexadecimal.</param>
/// <param name="GasUsed">The gas it took.</param>
/// <param name="Mined">The block's time.</param>
/// <param name="Durable">Whether the block can no longer be lost.</param>
/// <param name="Purpose"><c>anchor</c>, <c>register</c>, <c>enroll</c>, <c>grant</c> or <c>revoke</c>.</param>
/// <param name="Leaves">For an anchor, how many leaves it put on the chain for the first time.</param>
/// <param name="Size">For an anchor, the size of the head.</param>
public sealed record BlockLogLine(
    long Block, string BlockHash, string Transaction, long GasUsed, DateTimeOffset Mined, bool Durable, string Purpose, long? Leaves, long? Size);

/// <summary>The state of log and chain.</summary>
/// <param name="LogSize">Leaves in the newest signed head.</param>
/// <param name="Root">Its root, hexadecimal.</param>
/// <param name="AnchoredSize">Leaves that the contract's head covers.</param>
/// <param name="PendingLeaves">Versions that wait for their place in the log.</param>
/// <param name="WaitingTransactions">Transactions that wait for the chain.</param>
/// <param name="RefusedTransactions">Transactions that a contract refused.</param>
/// <param name="ChainBlock">The newest block seen.</param>
/// <param name="ChainAnsweredAt">When the chain last answered.</param>
/// <param name="ChainFault">What stands in the way.</param>
public sealed record AnchoringStatus(
    long LogSize, string? Root, long AnchoredSize, long PendingLeaves, long WaitingTransactions, long RefusedTransactions, ulong ChainBlock,
    DateTimeOffset? ChainAnsweredAt, string? ChainFault);

/// <summary>What this node has put on the chain, for pages and the API. It names nobody.</summary>
public sealed class BlockLog(NpgsqlDataSource database, ChainHealth health, ChainLink link, NodeKeys keys)
{
    /// <summary>The log's name, its verifier key and where the contracts stand.</summary>
    public (string Origin, string VerifierKey, string WitnessKey, string LogId, ulong ChainId, IReadOnlyDictionary<ChainContract, Address> Contracts) Place =>
        (keys.Origin, keys.VerifierKey, keys.Witness.Verifier.ToString(), "0x" + Convert.ToHexStringLower(keys.LogId), link.ChainId, link.Contracts);

    /// <summary>The logs that this one took the place of, oldest first: nothing of them is rewritten, and what was lost of them stays visible.</summary>
    public IReadOnlyList<LogName> Earlier => [.. keys.Logs.SkipLast(1)];

    /// <summary>How many leaves of the last of them this log begins with.</summary>
    public long Kept => keys.Logs[^1].Kept;

    /// <summary>Leaves of which only the hashes are kept.</summary>
    public async Task<IReadOnlyList<(long From, long To)>> GapsAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return [.. (await LogStore.GapsAsync(connection, cancellation)).Select(gap => (gap.From, gap.To))];
    }

    /// <summary>The ways to the chain, with what is wrong with them.</summary>
    public IReadOnlyList<RpcEndpoint> Endpoints => link.Rpc.Endpoints;

    /// <summary>The newest transactions, newest first.</summary>
    public async Task<IReadOnlyList<BlockLogLine>> ListAsync(int countMax, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await connection.QueryAsync(cancellation, row => new BlockLogLine(
            row.GetInt64(0), "0x" + Convert.ToHexStringLower(row.GetFieldValue<byte[]>(1)), "0x" + Convert.ToHexStringLower(row.GetFieldValue<byte[]>(2)), row.GetInt64(3),
            row.GetFieldValue<DateTimeOffset>(4), row.GetBoolean(5), row.GetString(6), row.NullableValue<long>(7), row.NullableValue<long>(8)),
            """
            SELECT block_number, block_hash, transaction_hash, gas_used, mined, durable, 'anchor',
                size - coalesce(lag(size) OVER (ORDER BY size), 0), size FROM anchor
            UNION ALL
            SELECT block_number, block_hash, transaction_hash, gas_used, mined, state = 3, purpose, NULL, NULL FROM chain_transaction WHERE state IN (2, 3)
            ORDER BY 1 DESC LIMIT $1
            """, countMax);
    }

    /// <summary>The newest signed checkpoint, or null before the first leaf.</summary>
    public async Task<string?> CheckpointAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return (await LogStore.SignedHeadAsync(connection, cancellation))?.Checkpoint;
    }

    /// <summary>How far log and chain are.</summary>
    public async Task<AnchoringStatus> StatusAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var head = await LogStore.HeadAsync(connection, cancellation);
        var counts = (await connection.QueryAsync(cancellation, row => (row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3)),
            """
            SELECT coalesce((SELECT max(size) FROM anchor), 0), (SELECT count(*) FROM leaf_pending),
                (SELECT count(*) FROM chain_transaction WHERE state < 2), (SELECT count(*) FROM chain_transaction WHERE state = 4)
            """))[0];
        return new AnchoringStatus(
            head?.Size ?? 0, head is null ? null : "0x" + Convert.ToHexStringLower(head.Root), counts.Item1, counts.Item2, counts.Item3, counts.Item4,
            health.Block, health.AnsweredAt, health.Fault);
    }
}
