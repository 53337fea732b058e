using System.Numerics;

namespace Salus.Ledger.Evm;

/// <summary>How much a transaction may use and pay.</summary>
/// <param name="GasMax">The most gas of one transaction; 2^24 is EIP-7825's limit.</param>
/// <param name="PriorityWei">The tip per gas where there is a base fee.</param>
/// <param name="PerGasMaxWei">The most that is paid for a unit of gas, however long a transaction waits.</param>
public sealed record FeePolicy(ulong GasMax = 16_777_216, ulong PriorityWei = 1_000_000_000, ulong PerGasMaxWei = 500_000_000_000)
{
    // Nodes ask for a tenth more before they let a transaction take another's place; some for an eighth.
    const int RaiseDivisor = 8;

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
        ? new GasPrice.Dynamic(BigInteger.Min(PriorityWei, PerGasMaxWei), BigInteger.Min(2 * fee + PriorityWei, PerGasMaxWei))
        : new GasPrice.Legacy(BigInteger.Min(suggested, PerGasMaxWei));

    /// <summary>
    /// The price at which a transaction takes the place of one that waits at <paramref name="last"/>: an eighth above it and not below what is
    /// asked <paramref name="now"/>. Null when that is above the most allowed, or when <paramref name="last"/> is nothing at all.
    /// </summary>
    public GasPrice? Raise(GasPrice last, GasPrice now)
    {
        GasPrice raised = (last, now) switch
        {
            (GasPrice.Legacy { PerGas.IsZero: true }, _) => last,
            (GasPrice.Legacy one, GasPrice.Legacy other) => new GasPrice.Legacy(BigInteger.Max(Raise(one.PerGas), other.PerGas)),
            (GasPrice.Dynamic one, GasPrice.Dynamic other) => new GasPrice.Dynamic(
                BigInteger.Max(Raise(one.PriorityMax), other.PriorityMax), BigInteger.Max(Raise(one.Max), other.Max)),
            // The network has begun or ceased to ask a base fee
            (GasPrice.Legacy one, GasPrice.Dynamic other) => new GasPrice.Dynamic(
                BigInteger.Max(Raise(one.PerGas), other.PriorityMax), BigInteger.Max(Raise(one.PerGas), other.Max)),
            (GasPrice.Dynamic one, GasPrice.Legacy other) => new GasPrice.Legacy(BigInteger.Max(Raise(one.Max), other.PerGas)),
            _ => last,
        };
        var highest = raised is GasPrice.Legacy legacy ? legacy.PerGas : ((GasPrice.Dynamic)raised).Max;
        return raised == last || highest > PerGasMaxWei ? null : raised;
    }

    static BigInteger Raise(BigInteger wei) => wei + wei / RaiseDivisor + 1;
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
        var price = await PriceAsync(cancellationToken);
        var estimate = await rpc.EstimateGasAsync(new EvmCall(to, data, from.Address), cancellationToken);
        return new Transaction(chainId, nonce, price, policy.Gas(estimate), to, BigInteger.Zero, data).Sign(from);
    }

    /// <summary>What a transaction pays now.</summary>
    public async Task<GasPrice> PriceAsync(CancellationToken cancellationToken = default)
    {
        var latest = await rpc.BlockAsync(BlockTag.Latest, cancellationToken) ?? throw new FormatException("The chain has no latest block.");
        var hasBaseFee = latest.BaseFee is { Sign: > 0 };
        return policy.Price(latest.BaseFee, hasBaseFee ? BigInteger.Zero : await rpc.GasPriceAsync(cancellationToken));
    }

    /// <summary>The same call at the same nonce for more; null where nothing more may or need be paid.</summary>
    public async Task<SignedTransaction?> RaiseAsync(Secp256k1Key from, Transaction last, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(last);
        return policy.Raise(last.Price, await PriceAsync(cancellationToken)) is { } price ? (last with { Price = price }).Sign(from) : null;
    }
}
