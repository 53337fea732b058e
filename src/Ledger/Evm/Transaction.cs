using System.Numerics;

namespace Salus.Ledger.Evm;

/// <summary>What a transaction pays for a unit of gas, in wei.</summary>
public abstract record GasPrice
{
    GasPrice() { }

    /// <summary>One price: a type 0 transaction (EIP-155).</summary>
    public sealed record Legacy(BigInteger PerGas) : GasPrice;

    /// <summary>A tip within a maximum: a type 2 transaction (EIP-1559).</summary>
    public sealed record Dynamic(BigInteger PriorityMax, BigInteger Max) : GasPrice;
}

/// <summary>A transaction before it is signed.</summary>
/// <param name="To">The account called; null creates a contract from <paramref name="Data"/>.</param>
public sealed record Transaction(
    ulong ChainId, ulong Nonce, GasPrice Price, ulong GasMax, Address? To, BigInteger Value, ReadOnlyMemory<byte> Data)
{
    internal const byte DynamicType = 2;
    internal const int LegacyChainOffset = 35;

    /// <summary>Signs it: type 0 with EIP-155's replay protection, or type 2.</summary>
    public SignedTransaction Sign(Secp256k1Key key)
    {
        ArgumentNullException.ThrowIfNull(key);
        var signature = key.Sign(SigningHash());
        return new SignedTransaction(this, signature, key.Address);
    }

    /// <summary>The hash that is signed.</summary>
    public byte[] SigningHash() => Price is GasPrice.Legacy
        ? Keccak256.Hash(Rlp.Encode(new RlpItem.List([.. Fields(), RlpItem.Of(ChainId), RlpItem.Of(0), RlpItem.Of(0)])))
        : Keccak256.Hash([DynamicType, .. Rlp.Encode(new RlpItem.List([.. Fields()]))]);

    internal byte[] Encode(RecoverableSignature signature)
    {
        var v = Price is GasPrice.Legacy ? 2 * (BigInteger)ChainId + LegacyChainOffset + signature.YParity : signature.YParity;
        var list = Rlp.Encode(new RlpItem.List([.. Fields(), RlpItem.Of(v), RlpItem.Of(signature.R), RlpItem.Of(signature.S)]));
        return Price is GasPrice.Legacy ? list : [DynamicType, .. list];
    }

    IEnumerable<RlpItem> Fields()
    {
        var call = new[] { RlpItem.Of(GasMax), RlpItem.Of(To?.ToArray() ?? []), RlpItem.Of(Value), RlpItem.Of(Data.ToArray()) };
        return Price switch
        {
            GasPrice.Legacy legacy => [RlpItem.Of(Nonce), RlpItem.Of(legacy.PerGas), .. call],
            GasPrice.Dynamic price =>
                [RlpItem.Of(ChainId), RlpItem.Of(Nonce), RlpItem.Of(price.PriorityMax), RlpItem.Of(price.Max), .. call, new RlpItem.List()],
            _ => throw new InvalidOperationException("The price of gas is of no known kind."),
        };
    }
}

/// <summary>A transaction as it is sent: its bytes, its hash and its sender.</summary>
public sealed record SignedTransaction
{
    internal SignedTransaction(Transaction transaction, RecoverableSignature signature, Address from)
    {
        (Transaction, Signature, From) = (transaction, signature, from);
        var raw = transaction.Encode(signature);
        Raw = raw;
        Hash = Keccak256.Hash(raw);
    }

    /// <summary>What was signed.</summary>
    public Transaction Transaction { get; }

    /// <summary>The signature.</summary>
    public RecoverableSignature Signature { get; }

    /// <summary>The account that signed.</summary>
    public Address From { get; }

    /// <summary>The bytes for eth_sendRawTransaction.</summary>
    public ReadOnlyMemory<byte> Raw { get; }

    /// <summary>The transaction's hash, 32 bytes.</summary>
    public ReadOnlyMemory<byte> Hash { get; }

    /// <summary>The address of the contract it creates; null where it calls one.</summary>
    public Address? Creates => Transaction.To is null ? Address.OfContract(From, Transaction.Nonce) : null;
}
