using System.Numerics;

namespace Salus.Ledger.Evm;

/// <summary>
/// Reads signed transactions of the two kinds that Salus sends: type 0 with replay protection (EIP-155) and type 2
/// without an access list (EIP-1559); recovers the sender. Exactly one encoding of each is accepted.
/// </summary>
public static class TransactionDecoder
{
    const int LegacyFields = 9;
    const int DynamicFields = 12;

    /// <summary>Reads the bytes of eth_sendRawTransaction.</summary>
    /// <exception cref="FormatException">Not such a transaction; the message says why.</exception>
    public static SignedTransaction Decode(ReadOnlySpan<byte> raw)
    {
        if (raw.IsEmpty)
            throw new FormatException("A transaction is not empty.");
        var isDynamic = raw[0] == Transaction.DynamicType;
        var fields = Rlp.Decode(isDynamic ? raw[1..] : raw) is RlpItem.List list ? list.Items : throw new FormatException("A transaction is an RLP list.");
        if (fields.Count != (isDynamic ? DynamicFields : LegacyFields))
            throw new FormatException($"A transaction does not have {fields.Count} fields.");

        var (transaction, parity) = isDynamic ? Dynamic(fields) : Legacy(fields);
        var signature = new RecoverableSignature(Number(fields[^2], 256), Number(fields[^1], 256), parity);
        var from = signature.Signer(transaction.SigningHash()) ?? throw new FormatException("The transaction's signature belongs to nobody.");
        return new SignedTransaction(transaction, signature, from);
    }

    static (Transaction, int Parity) Legacy(IReadOnlyList<RlpItem> fields)
    {
        var v = Number(fields[6], 256) - Transaction.LegacyChainOffset;
        if (v.Sign < 0 || v >> 1 > ulong.MaxValue)
            throw new FormatException("The transaction has no replay protection (EIP-155).");
        return (Common((ulong)(v >> 1), fields[0], new GasPrice.Legacy(Number(fields[1], 256)), fields.Skip(2).Take(4).ToArray()), (int)(v & 1));
    }

    static (Transaction, int Parity) Dynamic(IReadOnlyList<RlpItem> fields)
    {
        var price = new GasPrice.Dynamic(Number(fields[2], 256), Number(fields[3], 256));
        if (price.PriorityMax > price.Max)
            throw new FormatException("The transaction's tip is above its maximum.");
        if (fields[8] is not RlpItem.List { Items.Count: 0 })
            throw new FormatException("The transaction has an access list.");
        var parity = Number(fields[9], 8);
        if (parity > 1)
            throw new FormatException($"A signature's parity is 0 or 1, not {parity}.");
        return (Common((ulong)Number(fields[0], 64), fields[1], price, fields.Skip(4).Take(4).ToArray()), (int)parity);
    }

    static Transaction Common(ulong chainId, RlpItem nonce, GasPrice price, RlpItem[] call)
    {
        var to = Bytes(call[1]);
        if (to.Length is not (0 or Address.Size))
            throw new FormatException($"A transaction's recipient is not {to.Length} bytes long.");
        var gasMax = Number(call[0], 64);
        var perGas = price switch { GasPrice.Legacy legacy => legacy.PerGas, GasPrice.Dynamic dynamic => dynamic.Max, _ => 0 };
        if ((gasMax * perGas).GetBitLength() > 256)
            throw new FormatException("The transaction's gas costs more than there can be.");
        var count = Number(nonce, 64);
        if (count == ulong.MaxValue)
            throw new FormatException("A transaction's nonce is below 2^64-1 (EIP-2681).");
        return new Transaction(chainId, (ulong)count, price, (ulong)gasMax, to.Length == 0 ? null : new Address(to), Number(call[2], 256), Bytes(call[3]));
    }

    static byte[] Bytes(RlpItem item) => item is RlpItem.Bytes bytes ? bytes.Value : throw new FormatException("A list stands where a transaction has bytes.");

    static BigInteger Number(RlpItem item, int bits)
    {
        var bytes = Bytes(item);
        if (bytes is [0, ..] || bytes.Length > bits / 8)
            throw new FormatException($"A number has leading zeros or more than {bits} bits.");
        return new BigInteger(bytes, isUnsigned: true, isBigEndian: true);
    }
}
