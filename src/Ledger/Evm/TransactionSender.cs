namespace Salus.Ledger.Evm;

/// <summary>How a transaction is followed until a block holds it.</summary>
/// <param name="WaitPerTry">How long one price is given before it is raised.</param>
/// <param name="TriesMax">How many prices are waited for.</param>
public sealed record SendPolicy(TimeSpan WaitPerTry, int TriesMax = 6)
{
    /// <summary>Half a minute a price, six prices.</summary>
    public static SendPolicy Default { get; } = new(TimeSpan.FromSeconds(30));
}

/// <summary>
/// The one nonce lane of a signer: sends a call, raises its price when no block takes it, hands it in again when the network has dropped it, and
/// answers with the receipt of whichever of its transactions was taken. One call at a time: two would share a nonce, so the second waits.
/// </summary>
public sealed class TransactionSender(EvmRpc rpc, Secp256k1Key key, FeePolicy fees, SendPolicy policy, TimeProvider time) : IDisposable
{
    static readonly TimeSpan PollMin = TimeSpan.FromMilliseconds(20);
    static readonly TimeSpan PollMax = TimeSpan.FromSeconds(1);

    readonly TransactionBuilder builder = new(rpc, fees);
    readonly SemaphoreSlim lane = new(1, 1);

    /// <summary>Sends a call and waits for its receipt.</summary>
    /// <param name="to">The contract called; null creates one.</param>
    /// <param name="data">The call.</param>
    /// <param name="before">Told each transaction before the network is, so that whoever comes after a kill can look for it.</param>
    /// <param name="cancellationToken">Gives up waiting; what was sent may still be taken.</param>
    /// <exception cref="EvmRpcException">The network refused it; with revert data when the contract did.</exception>
    /// <exception cref="TimeoutException">No block took it at any price allowed, another transaction took its nonce, or the chain lost one before it.</exception>
    public async Task<Receipt> SendAsync(
        Address? to, ReadOnlyMemory<byte> data, Func<SignedTransaction, CancellationToken, Task>? before, CancellationToken cancellationToken)
    {
        await lane.WaitAsync(cancellationToken);
        try
        {
            return await SendAtNextNonceAsync(to, data, before, cancellationToken);
        }
        finally
        {
            lane.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => lane.Dispose();

    async Task<Receipt> SendAtNextNonceAsync(
        Address? to, ReadOnlyMemory<byte> data, Func<SignedTransaction, CancellationToken, Task>? before, CancellationToken cancellationToken)
    {
        // The first nonce that no block has: what an earlier process left waiting there is replaced, not queued behind.
        var nonce = await rpc.TransactionCountAsync(key.Address, BlockTag.Latest, cancellationToken);
        var signed = await builder.BuildAsync(key, nonce, to, data, cancellationToken);
        List<SignedTransaction> tries = [];
        for (var waits = 0; ;)
        {
            if (await HandInAsync(signed, before, cancellationToken))
            {
                if (!tries.Contains(signed))
                    tries.Add(signed);
                if (await FollowAsync(tries, nonce, cancellationToken) is { } receipt)
                    return receipt;
                waits++;
            }
            var raised = await builder.RaiseAsync(key, signed.Transaction, cancellationToken);
            if (waits >= policy.TriesMax || (tries.Count == 0 && raised is null))
                throw new TimeoutException($"No block has taken a transaction; {Words(signed.Transaction.Price)}. It is tried again.");
            // Without a raise the same is handed in again: the network may have dropped it.
            signed = raised ?? tries[^1];
        }
    }

    /// <summary>Whether the network has it now; not when one that waits at its nonce pays nearly as much.</summary>
    async Task<bool> HandInAsync(SignedTransaction signed, Func<SignedTransaction, CancellationToken, Task>? before, CancellationToken cancellationToken)
    {
        if (before is not null)
            await before(signed, cancellationToken);
        try
        {
            await rpc.SendRawTransactionAsync(signed.Raw, cancellationToken);
            return true;
        }
        catch (EvmRpcException refused) when (refused.RevertData is null && IsAny(refused, "already known", "already imported", "known transaction", "nonce too low", "nonce_too_low"))
        {
            // It is there, or one of its nonce is in a block: which one, the receipts tell.
            return true;
        }
        catch (EvmRpcException refused) when (refused.RevertData is null && IsAny(refused, "underpriced", "fee too low"))
        {
            return false;
        }
    }

    /// <summary>Waits for the receipt of any try; null when the time for one price is over.</summary>
    async Task<Receipt?> FollowAsync(List<SignedTransaction> tries, ulong nonce, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var poll = PollMin; time.GetElapsedTime(started) < policy.WaitPerTry; poll = poll < PollMax ? poll * 1.5 : PollMax)
        {
            if (await ReceiptAsync(tries, cancellationToken) is { } receipt)
                return receipt;
            if (poll >= PollMax)
            {
                var count = await rpc.TransactionCountAsync(key.Address, BlockTag.Latest, cancellationToken);
                if (count < nonce)
                    // No block can take it before one that is gone: whoever sent that one has to send it again first.
                    throw new TimeoutException($"The chain no longer holds a transaction of {key.Address} from before the nonce {nonce}; what it lost is sent again.");
                if (count > nonce)
                    // Asked once more: the block may have come between the two questions.
                    return await ReceiptAsync(tries, cancellationToken)
                        ?? throw new TimeoutException($"Another transaction of {key.Address} has taken the nonce {nonce}; the call is tried again.");
                if (await rpc.TransactionCountAsync(key.Address, BlockTag.Pending, cancellationToken) <= nonce)
                    await ResendAsync(tries[^1], cancellationToken);
            }
            await Task.Delay(poll, time, cancellationToken);
        }
        return null;
    }

    async Task ResendAsync(SignedTransaction dropped, CancellationToken cancellationToken)
    {
        try
        {
            await rpc.SendRawTransactionAsync(dropped.Raw, cancellationToken);
        }
        catch (EvmRpcException refused) when (refused.RevertData is null)
        {
            // A network without a count of what waits says this of one that it still has; the price is raised in its time.
        }
    }

    async Task<Receipt?> ReceiptAsync(List<SignedTransaction> tries, CancellationToken cancellationToken)
    {
        for (var i = tries.Count - 1; i >= 0; i--)
        {
            if (await rpc.ReceiptAsync(tries[i].Hash, cancellationToken) is { } receipt)
                return receipt;
        }
        return null;
    }

    static bool IsAny(EvmRpcException refused, params IEnumerable<string> words) =>
        words.Any(word => refused.NodeMessage.Contains(word, StringComparison.OrdinalIgnoreCase));

    static string Words(GasPrice price) => price switch
    {
        GasPrice.Legacy legacy => $"the last offered {legacy.PerGas} wei for a unit of gas",
        GasPrice.Dynamic offered => $"the last offered {offered.Max} wei for a unit of gas, {offered.PriorityMax} of it as a tip",
        _ => "",
    };
}
