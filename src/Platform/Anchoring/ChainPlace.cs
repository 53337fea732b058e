using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Platform.Schema;

namespace Salus.Platform.Anchoring;

/// <summary>Where a node's heads are anchored, found without the node's keys.</summary>
public sealed record ChainPlace(Address Anchor, byte[] LogId, ulong FromBlock)
{
    /// <summary>Reads the deployment from the database and the log's id from an anchoring event; null before the first one.</summary>
    public static async Task<ChainPlace?> FindAsync(NpgsqlDataSource database, EvmRpc rpc, byte[]? logId, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var known = await connection.QueryAsync(cancellation, row => (Address: new Address(row.GetFieldValue<byte[]>(0)), Block: row.GetInt64(1)),
            "SELECT address, block FROM chain_deployment WHERE contract = 'Anchor'");
        if (known.Count == 0 || logId is null)
        {
            return null;
        }
        var head = await AnchorContract.HeadAsync(rpc, known[0].Address, logId, cancellationToken: cancellation);
        return head.Size == 0 ? null : new ChainPlace(known[0].Address, logId, (ulong)known[0].Block);
    }
}
