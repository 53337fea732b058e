using System.Numerics;

namespace Salus.Ledger.Evm;

/// <summary>How much a transaction may use and pay.</summary>
/// <param name="GasMax">The most gas of one transaction; 2^24 is EIP-7825's limit.</param>
/// <param name="PriorityWei">The tip per gas where there is a base fee.</param>
public sealed record FeePolicy(ulong GasMax = 16_777_216, ulong PriorityWei = 1_000_000_000)
{
    /// <summary>A quarter above the estimate, within the limit.</summary>
    /// <exception cref="InvalidOperationException">The estimate itself is above the limit.</exception>
    public ulong Gas(ulong estimate)
    {
        if (estimate > GasMax)
            throw new InvalidOperationException($"The transaction needs {estimate} gas; at most {GasMax} are allowed.");
        return Math.Min(estimate + estimate / 4, GasMax);
    }

    /// <summary>
    /// Type 2 under a base fee above zero, with room for it to double; type 0 otherwise, at the price the node suggests:
    /// networks without fees do not all take type 2.
    /// </summary>
    public GasPrice Price(BigInteger? baseFee, BigInteger suggested) => baseFee is { Sign: > 0 } fee
        ? new GasPrice.Dynamic(PriorityWei, 2 * fee + PriorityWei)
        : new GasPrice.Legacy(suggested);
}

/// <summary>Makes signed transactions, ready to be stored and sent, for the chain behind <paramref name="rpc"/>.</summary>
public sealed class TransactionBuilder(EvmRpc rpc, FeePolicy policy)
{
    /// <summary>
    /// Estimates, prices and signs. The caller hands out nonces: one lane per signer. A call that would revert throws
    /// <see cref="EvmRpcException"/> here, with the contract's error, and costs nothing.
    /// </summary>
    /// <param name="to">The contract called; null creates one.</param>
    public async Task<SignedTransaction> BuildAsync(
        Secp256k1Key from, ulong nonce, Address? to, ReadOnlyMemory<byte> data, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(from);
        var chainId = await rpc.ChainIdAsync(cancellationToken);
        var latest = await rpc.BlockAsync(BlockTag.Latest, cancellationToken) ?? throw new FormatException("The chain has no latest block.");
        var hasBaseFee = latest.BaseFee is { Sign: > 0 };
        var price = policy.Price(latest.BaseFee, hasBaseFee ? BigInteger.Zero : await rpc.GasPriceAsync(cancellationToken));
        var estimate = await rpc.EstimateGasAsync(new EvmCall(to, data, from.Address), cancellationToken);
        return new Transaction(chainId, nonce, price, policy.Gas(estimate), to, BigInteger.Zero, data).Sign(from);
    }
}
