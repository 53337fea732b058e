using System.Numerics;

namespace Salus.Ledger.Evm;

/// <summary>
/// What a QBFT block (Hyperledger Besu) says of its making, in its header's extra data: a list of 32 bytes of anything, the validators, a vote,
/// the round, and the validators' seals. The seals are signatures over the header without them.
/// </summary>
sealed class QbftExtraData
{
    const int VanityBytes = 32;
    const int SealBytes = 65;
    const int SealsMax = 512;

    /// <summary>The mixHash of every block of that kind of consensus.</summary>
    static readonly byte[] Marker = Convert.FromHexString("63746963616C2062797A616E74696E65206661756C7420746F6C6572616E6365");

    readonly RlpItem vanity;
    readonly RlpItem validators;
    readonly RlpItem vote;
    readonly RlpItem round;

    QbftExtraData(IReadOnlyList<RlpItem> parts, IReadOnlyList<RecoverableSignature> seals) =>
        (vanity, validators, vote, round, Seals) = (parts[0], parts[1], parts[2], parts[3], seals);

    /// <summary>The seals.</summary>
    public IReadOnlyList<RecoverableSignature> Seals { get; }

    /// <summary>The extra data that the block's hash is taken over: validators of one block may have sealed it in different rounds.</summary>
    public byte[] ForHash() => Encode(RlpItem.Of(BigInteger.Zero));

    /// <summary>The extra data that a seal is made over.</summary>
    public byte[] ForSeals() => Encode(round);

    /// <summary>Null for a block of another kind.</summary>
    /// <exception cref="FormatException">A block of this kind whose extra data is not of its form.</exception>
    public static QbftExtraData? TryRead(ReadOnlySpan<byte> mixHash, ReadOnlySpan<byte> extraData)
    {
        if (!mixHash.SequenceEqual(Marker))
            return null;
        if (Rlp.Decode(extraData) is not RlpItem.List
            {
                Items: [RlpItem.Bytes { Value.Length: VanityBytes }, RlpItem.List, RlpItem.List, RlpItem.Bytes, RlpItem.List seals] parts,
            } || seals.Items.Count > SealsMax)
        {
            throw new FormatException("The header's extra data is not that of a QBFT block: a list of 32 bytes, validators, vote, round and seals.");
        }
        return new QbftExtraData(parts, [.. seals.Items.Select(Seal)]);
    }

    static RecoverableSignature Seal(RlpItem item)
    {
        if (item is not RlpItem.Bytes { Value: { Length: SealBytes } bytes })
            throw new FormatException($"A seal of the header is not {SealBytes} bytes long.");
        static BigInteger Number(ReadOnlySpan<byte> word) => new(word, isUnsigned: true, isBigEndian: true);
        return new RecoverableSignature(Number(bytes.AsSpan(0, 32)), Number(bytes.AsSpan(32, 32)), bytes[64]);
    }

    byte[] Encode(RlpItem inRound) => Rlp.Encode(new RlpItem.List(vanity, validators, vote, inRound, new RlpItem.List()));
}
