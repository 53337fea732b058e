using System.Security.Cryptography;
using System.Text;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evidence;
using Salus.Ledger.Evm;

namespace Salus.Cli.Proofs;

/// <summary>A log that took the place of another, as the chain says it.</summary>
/// <param name="Policy">The node's policy, whose first log is the successor.</param>
/// <param name="Kept">How many leaves of the log that was known the successor begins with.</param>
/// <param name="EndedSize">Leaves under the last head of the log that was known.</param>
/// <param name="EndedRoot">The root of that head.</param>
/// <param name="PolicyBytes">The policy as the node gave it.</param>
sealed record LogSuccession(ProofPolicy Policy, long Kept, long EndedSize, byte[] EndedRoot, byte[] PolicyBytes)
{
    const int StepsMax = 16;

    /// <summary>
    /// Finds the way from a log that is known to the one that a node shows now. The contract binds each log's id, which is the hash of its key,
    /// to that of its predecessor: the node's word for the new key is not taken.
    /// </summary>
    /// <returns>Null when the chain knows of no such succession.</returns>
    public static async Task<LogSuccession?> FindAsync(ProofPolicy known, byte[] offered, EvmRpc rpc, CancellationToken cancellation)
    {
        var policy = ProofPolicy.Read(offered);
        if (known.Chain is not { } chain || known.Logs[0].AnchorId is not { } target || policy.Logs[0] is not { AnchorId: { } newest, Keys: [{ Key: var key }] }
            || !SHA256.HashData(Encoding.UTF8.GetBytes(key.ToString())).AsSpan().SequenceEqual(newest))
        {
            return null;
        }
        var kept = long.MaxValue;
        var current = newest;
        for (var step = 0; step < StepsMax; step++)
        {
            var predecessor = (await AnchorContract.LineageAsync(rpc, chain.Anchor, current, cancellationToken: cancellation)).Predecessor;
            if (predecessor.All(each => each == 0) || await EventAsync(rpc, chain.Anchor, predecessor, current, cancellation) is not { } succeeded)
            {
                return null;
            }
            kept = Math.Min(kept, (long)succeeded.Kept);
            if (predecessor.AsSpan().SequenceEqual(target))
            {
                return new LogSuccession(policy with { Chain = chain }, kept, (long)succeeded.OldSize, succeeded.OldRoot, offered);
            }
            current = predecessor;
        }
        return null;
    }

    static async Task<AnchorEvent.Succeeded?> EventAsync(EvmRpc rpc, Address contract, byte[] oldLog, byte[] newLog, CancellationToken cancellation)
    {
        // The old log's last head stands at the block before which it cannot have been succeeded.
        var ended = await AnchorContract.HeadAsync(rpc, contract, oldLog, cancellationToken: cancellation);
        var logs = await rpc.LogsAsync(new LogFilter([contract], ended.BlockNumber, await rpc.BlockNumberAsync(cancellation), [null, [oldLog], [newLog]]), cancellation);
        return logs.Select(AnchorContract.TryDecode).OfType<AnchorEvent.Succeeded>().SingleOrDefault();
    }
}
