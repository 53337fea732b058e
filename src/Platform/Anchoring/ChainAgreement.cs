using Salus.Ledger.Evm;

namespace Salus.Platform.Anchoring;

/// <summary>Two endpoints of one network tell of different blocks where none may change any more: one of them lies or follows a fork.</summary>
public sealed class ChainSplitException(string message) : Exception(message);

/// <summary>
/// Compares what the endpoints say of the newest block that all have and that can no longer be lost. As long as they disagree, nothing is
/// anchored and no consent is read: nobody here can tell which of them is right.
/// </summary>
public sealed class ChainAgreement(EvmRpc rpc, IChainFinality finality, TimeProvider time)
{
    static readonly TimeSpan Every = TimeSpan.FromSeconds(2);
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    // Owned by the last caller; two at once ask once more than needed.
    volatile Verdict? last;

    /// <summary>Compares, if the last comparison is not of a moment ago.</summary>
    /// <exception cref="ChainSplitException">They disagree.</exception>
    public async Task RequireAsync(CancellationToken cancellation)
    {
        if (rpc.Each.Count < 2)
        {
            return;
        }
        if (last is not { } verdict || time.GetElapsedTime(verdict.At) > Every)
        {
            last = verdict = new Verdict(await CompareAsync(cancellation), time.GetTimestamp());
        }
        if (verdict.Split is { } split)
        {
            throw new ChainSplitException(split);
        }
    }

    async Task<string?> CompareAsync(CancellationToken cancellation)
    {
        var newest = await Task.WhenAll(rpc.Each.Select(each => OrNullAsync(async patience => (ulong?)await each.BlockNumberAsync(patience), cancellation)));
        var answering = rpc.Each.Where((_, i) => newest[i] is not null).ToList();
        if (answering.Count < 2)
        {
            return null;
        }
        // One that lags is compared at what it has.
        var height = Math.Min(await finality.DurableBlockAsync(rpc, cancellation), newest.Min()!.Value);
        var blocks = await Task.WhenAll(answering.Select(each => OrNullAsync(patience => each.BlockAsync(BlockTag.At(height), patience), cancellation)));
        var told = answering.Zip(blocks, (each, block) => (each.Endpoints[0].Address.Authority, Hash: block is null ? null : Hex.Of(block.Hash))).Where(pair => pair.Hash is not null).ToList();
        return told.Select(pair => pair.Hash).Distinct().Count() < 2
            ? null
            : $"The endpoints tell of different chains: of block {height}, {string.Join("; ", told.Select(pair => $"{pair.Authority} says {pair.Hash}"))}. " +
              "Nothing is anchored and no consent is read until they agree. Find out which is right, and take the other out of --ledger.";
    }

    /// <summary>An endpoint that does not answer is not compared; the other ones are asked in its place anyway.</summary>
    static async Task<T?> OrNullAsync<T>(Func<CancellationToken, Task<T?>> ask, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        try
        {
            return await ask(patience.Token);
        }
        catch (Exception away) when (away is HttpRequestException or EvmRpcException or FormatException
            || (away is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return default;
        }
    }

    sealed record Verdict(string? Split, long At);
}
