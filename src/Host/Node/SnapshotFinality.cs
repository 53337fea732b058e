using Salus.Host.Engines;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;

namespace Salus.Host.Node;

/// <summary>The embedded chain: a block is durable once a snapshot on disk holds it. At most two snapshots a second are taken.</summary>
sealed class SnapshotFinality(EmbeddedChain chain, TimeProvider time) : IChainFinality
{
    static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    // Owned by the last caller; a race costs one snapshot more.
    long lastSnapshot;

    /// <summary>Any number: the chain goes back to a snapshot, whose age is the node's own matter.</summary>
    public ulong ReorganizationMax => ulong.MaxValue;

    /// <inheritdoc/>
    public async ValueTask<ulong> DurableBlockAsync(EvmRpc rpc, CancellationToken cancellation)
    {
        var last = Interlocked.Read(ref lastSnapshot);
        if ((last != 0 && time.GetElapsedTime(last) < Pause) || await rpc.BlockNumberAsync(cancellation) <= chain.DurableBlock)
        {
            return chain.DurableBlock;
        }

        try
        {
            var block = await chain.SnapshotAsync(cancellation);
            Interlocked.Exchange(ref lastSnapshot, time.GetTimestamp());
            return block;
        }
        catch (EngineException away)
        {
            // A passing fault: the chain is being started again, or the disk is full.
            throw new HttpRequestException(away.Message, away);
        }
    }
}
