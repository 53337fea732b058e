using System.Buffers.Binary;
using System.Text;
using Salus.Ledger.Merkle;

namespace Salus.Ledger.Proofs;

/// <summary>What a leaf tells of. The numbers are written into the log and never change.</summary>
public enum LeafKind : byte
{
    /// <summary>No kind; never written.</summary>
    None = 0,

    /// <summary>A version of a health record.</summary>
    Record = 1,

    /// <summary>An entry of the audit trail.</summary>
    Audit = 2,

    /// <summary>A consent, or its end.</summary>
    Consent = 3,

    /// <summary>A trained model.</summary>
    Model = 4,

    /// <summary>A data set.</summary>
    DataSet = 5,

    /// <summary>The erasure of earlier leaves' contents.</summary>
    Erasure = 6,

    /// <summary>Leaves that were lost, or a log that could not be continued.</summary>
    Gap = 7,
}

/// <summary>
/// The preimage of a leaf: version 1 (1 byte), kind (1), id length (2) and id (UTF-8), entity version (4), time in
/// microseconds since 1970 (8), content hash (32), sealed hash (32); numbers big-endian.
/// </summary>
/// <param name="Id">The entity's id, 1 to 65535 bytes of UTF-8.</param>
/// <param name="Content">SHA-256(salt ‖ stored bytes), 32 bytes.</param>
/// <param name="Sealed">SHA-256(ciphertext), 32 bytes: checked without a key.</param>
public sealed record LeafEnvelope(
    LeafKind Kind, string Id, uint EntityVersion, long UnixTimeMicroseconds, ReadOnlyMemory<byte> Content, ReadOnlyMemory<byte> Sealed)
{
    const byte EncodingVersion = 1;
    const int FixedBytes = 1 + 1 + 2 + 4 + 8 + MerkleHash.Size + MerkleHash.Size;

    static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The bytes that the leaf hash is taken of.</summary>
    /// <exception cref="ArgumentException">A field cannot be written: its name and what is allowed are in the message.</exception>
    public byte[] Encode()
    {
        if (Kind is < LeafKind.Record or > LeafKind.Gap)
            throw new ArgumentException($"Kind {Kind} is not one that a log holds.");
        if (Content.Length != MerkleHash.Size || Sealed.Length != MerkleHash.Size)
            throw new ArgumentException("Content and Sealed are hashes of 32 bytes.");
        var id = StrictUtf8.GetBytes(Id);
        if (id.Length is 0 or > ushort.MaxValue)
            throw new ArgumentException($"Id is 1 to {ushort.MaxValue} bytes long, not {id.Length}.");

        var bytes = new byte[FixedBytes + id.Length];
        bytes[0] = EncodingVersion;
        bytes[1] = (byte)Kind;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)id.Length);
        id.CopyTo(bytes.AsSpan(4));
        var rest = bytes.AsSpan(4 + id.Length);
        BinaryPrimitives.WriteUInt32BigEndian(rest, EntityVersion);
        BinaryPrimitives.WriteInt64BigEndian(rest[4..], UnixTimeMicroseconds);
        Content.Span.CopyTo(rest[12..]);
        Sealed.Span.CopyTo(rest[(12 + MerkleHash.Size)..]);
        return bytes;
    }

    /// <summary>Reads an envelope; exactly one encoding is accepted for each.</summary>
    /// <exception cref="FormatException">Not a leaf envelope; the message says why.</exception>
    public static LeafEnvelope Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= FixedBytes)
            throw new FormatException($"A leaf envelope is longer than {FixedBytes} bytes, not {bytes.Length}.");
        if (bytes[0] != EncodingVersion)
            throw new FormatException($"Leaf envelope version {bytes[0]} is not known.");
        var kind = (LeafKind)bytes[1];
        if (kind is < LeafKind.Record or > LeafKind.Gap)
            throw new FormatException($"Leaf kind {bytes[1]} is not known.");
        int idLength = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        if (bytes.Length != FixedBytes + idLength)
            throw new FormatException($"A leaf envelope with an id of {idLength} bytes is {FixedBytes + idLength} bytes long, not {bytes.Length}.");
        var rest = bytes[(4 + idLength)..];
        return new LeafEnvelope(
            kind,
            DecodeId(bytes.Slice(4, idLength)),
            BinaryPrimitives.ReadUInt32BigEndian(rest),
            BinaryPrimitives.ReadInt64BigEndian(rest[4..]),
            rest.Slice(12, MerkleHash.Size).ToArray(),
            rest[(12 + MerkleHash.Size)..].ToArray());
    }

    /// <summary>SHA-256(0x00 ‖ envelope).</summary>
    public byte[] LeafHash() => MerkleHash.Leaf(Encode());

    static string DecodeId(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException cause)
        {
            throw new FormatException("A leaf's id is not valid UTF-8.", cause);
        }
    }

    /// <summary>Equal when every byte of the encoding is.</summary>
    public bool Equals(LeafEnvelope? other) =>
        other is not null && Kind == other.Kind && Id == other.Id && EntityVersion == other.EntityVersion
        && UnixTimeMicroseconds == other.UnixTimeMicroseconds
        && Content.Span.SequenceEqual(other.Content.Span) && Sealed.Span.SequenceEqual(other.Sealed.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Kind, Id, EntityVersion, UnixTimeMicroseconds);
}
