using System.Numerics;
using Salus.Ledger.Evm;

namespace Salus.Tests.Ledger;

/// <summary>Headers as Besu's QBFT makes them, from a header of another chain: its roots stay, what consensus adds is put in.</summary>
static class QbftHeader
{
    const int ExtraDataField = 12;
    const int MixHashField = 13;
    const int RoundPart = 3;
    const int SealsPart = 4;

    static readonly byte[] MixHash = "ctical byzantine fault tolerance"u8.ToArray();

    /// <summary>Sealed by these.</summary>
    public static byte[] From(byte[] header, IEnumerable<Secp256k1Key> validators, IEnumerable<Secp256k1Key> sealers, int round = 0)
    {
        var marked = With(header, MixHashField, MixHash);
        RlpItem.List Parts(params RlpItem[] seals) => new(
            RlpItem.Of(new byte[32]), new RlpItem.List([.. validators.Select(key => RlpItem.Of(key.Address.ToArray()))]), new RlpItem.List(), RlpItem.Of(new BigInteger(round)), new RlpItem.List(seals));
        var hash = Keccak256.Hash(WithExtraData(marked, Rlp.Encode(Parts())));
        return WithExtraData(marked, Rlp.Encode(Parts([.. sealers.Select(key => RlpItem.Of(Bytes(key.Sign(hash))))])));
    }

    /// <summary>The same said to be of another round.</summary>
    public static byte[] InRound(byte[] header, int round)
    {
        var extra = ((RlpItem.Bytes)((RlpItem.List)Rlp.Decode(header)).Items[ExtraDataField]).Value;
        var parts = ((RlpItem.List)Rlp.Decode(extra)).Items.ToArray();
        parts[RoundPart] = RlpItem.Of(new BigInteger(round));
        Assert.NotEmpty(((RlpItem.List)parts[SealsPart]).Items);
        return WithExtraData(header, Rlp.Encode(new RlpItem.List(parts)));
    }

    public static byte[] WithExtraData(byte[] header, byte[] extraData) => With(header, ExtraDataField, extraData);

    static byte[] With(byte[] header, int field, byte[] value)
    {
        var fields = ((RlpItem.List)Rlp.Decode(header)).Items.ToArray();
        fields[field] = RlpItem.Of(value);
        return Rlp.Encode(new RlpItem.List(fields));
    }

    static byte[] Bytes(RecoverableSignature signature)
    {
        var bytes = new byte[65];
        signature.R.ToByteArray(isUnsigned: true, isBigEndian: true).CopyTo(bytes, 32 - signature.R.GetByteCount(isUnsigned: true));
        signature.S.ToByteArray(isUnsigned: true, isBigEndian: true).CopyTo(bytes, 64 - signature.S.GetByteCount(isUnsigned: true));
        bytes[64] = (byte)signature.YParity;
        return bytes;
    }
}
