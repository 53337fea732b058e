using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Platform.Schema;

namespace Salus.Platform.Anchoring;

/// <summary>Where a node's heads are anchored, found without the node's keys.</summary>
public sealed record ChainPlace(Address Anchor, byte[] LogId, ulong FromBlock)
{
    /// <summary>Reads the deployment from the database and the log's id from an anchoring event; null before the log is known there.</summary>
    /// <exception cref="SetupException">The chain is not the one that the deployment stands on.</exception>
    public static async Task<ChainPlace?> FindAsync(NpgsqlDataSource database, EvmRpc rpc, byte[]? logId, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var known = await connection.QueryAsync(cancellation, row => (Address: new Address(row.GetFieldValue<byte[]>(0)), Block: row.GetInt64(1), ChainId: row.GetInt64(2)),
            "SELECT address, block, chain_id FROM chain_deployment WHERE contract = 'Anchor'");
        if (known.Count == 0 || logId is null)
        {
            return null;
        }
        if (await rpc.ChainIdAsync(cancellation) is var chainId && chainId != (ulong)known[0].ChainId)
        {
            throw new SetupException($"The heads are anchored on the chain {known[0].ChainId}, but the endpoint answers for {chainId}. Name the right network with --ledger.");
        }
        if ((await rpc.CodeAsync(known[0].Address, default, cancellation)).Length == 0)
        {
            throw new SetupException($"The chain {chainId} does not hold the contract Anchor at {known[0].Address}: it has lost its state, or is another with the same id. Restore the chain from a backup, or name the right network with --ledger.");
        }
        var head = await AnchorContract.HeadAsync(rpc, known[0].Address, logId, cancellationToken: cancellation);
        return head.Owner == 0 ? null : new ChainPlace(known[0].Address, logId, (ulong)known[0].Block);
    }
}
