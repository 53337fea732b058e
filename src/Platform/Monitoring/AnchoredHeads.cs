using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;

namespace Salus.Platform.Monitoring;

/// <summary>The heads that a chain holds of a log and of those that it took the place of, as far as it took them over.</summary>
static class AnchoredHeads
{
    const ulong BlocksPerReadMax = 5_000;

    /// <summary>Reads every event of the contract.</summary>
    /// <returns>The heads, and for each earlier log how many leaves were kept of how many.</returns>
    public static async Task<(List<(long Size, byte[] Root)> Heads, List<(long Kept, long Size)> Lost)> ReadAsync(ChainEvidence chain, CancellationToken cancellation)
    {
        List<AnchorEvent> events = [];
        var latest = await chain.Rpc.BlockNumberAsync(cancellation);
        for (var from = chain.FromBlock; from <= latest; from += BlocksPerReadMax)
        {
            var logs = await chain.Rpc.LogsAsync(new LogFilter([chain.Anchor], from, Math.Min(latest, from + BlocksPerReadMax - 1)), cancellation);
            events.AddRange(logs.Select(AnchorContract.TryDecode).OfType<AnchorEvent>());
        }
        List<(long, byte[])> heads = [];
        List<(long, long)> lost = [];
        var (log, kept) = (chain.LogId, long.MaxValue);
        while (true)
        {
            heads.AddRange(events.OfType<AnchorEvent.Anchored>()
                .Where(head => head.Log.AsSpan().SequenceEqual(log) && (long)head.NewSize <= kept).Select(head => ((long)head.NewSize, head.NewRoot)));
            if (events.OfType<AnchorEvent.Succeeded>().FirstOrDefault(next => next.NewLog.AsSpan().SequenceEqual(log)) is not { } before)
            {
                return (heads, lost);
            }
            (log, kept) = (before.OldLog, Math.Min(kept, (long)before.Kept));
            if (before.OldSize > before.Kept)
            {
                lost.Add(((long)before.Kept, (long)before.OldSize));
            }
        }
    }
}
