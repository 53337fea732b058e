using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Salus.Ledger.Proofs;

/// <summary>
/// A witness's statement that, at a time, a checkpoint was the largest consistent one it had seen (C2SP tlog-cosignature), made with
/// ECDSA on P-256: the message and the timestamped form are the specification's, the signature type is one of the private range.
/// </summary>
/// <param name="UnixTimeSeconds">When the witness saw it.</param>
/// <param name="Signature">A DER signature of <see cref="Message"/>.</param>
public readonly record struct Cosignature(long UnixTimeSeconds, byte[] Signature)
{
    const int TimeBytes = sizeof(ulong);

    /// <summary>The signature type: 0xff and a name of ours, as signed-note leaves it to types without a number.</summary>
    public static ReadOnlySpan<byte> Type => TypeBytes;

    static readonly byte[] TypeBytes = [0xff, .. "salus/cosignature-p256/v1"u8];

    /// <summary>What is signed: the header and time lines, and the checkpoint's text.</summary>
    public static byte[] Message(string text, long unixTimeSeconds) => Encoding.UTF8.GetBytes($"cosignature/v1\ntime {unixTimeSeconds}\n{text}");

    /// <summary>Reads a note's signature bytes: the time (8 bytes, big-endian), then the signature.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out Cosignature cosignature)
    {
        cosignature = default;
        if (bytes.Length <= TimeBytes || BinaryPrimitives.ReadUInt64BigEndian(bytes) > long.MaxValue)
            return false;
        cosignature = new Cosignature((long)BinaryPrimitives.ReadUInt64BigEndian(bytes), bytes[TimeBytes..].ToArray());
        return true;
    }

    internal byte[] ToBytes()
    {
        var bytes = new byte[TimeBytes + Signature.Length];
        BinaryPrimitives.WriteInt64BigEndian(bytes, UnixTimeSeconds);
        Signature.CopyTo(bytes, TimeBytes);
        return bytes;
    }
}

/// <summary>A witness's key. The ECDSA key stays its owner's.</summary>
public sealed class WitnessSigner(string name, ECDsa key)
{
    /// <summary>The verifier of this witness's cosignatures.</summary>
    public NoteVerifier Verifier { get; } = NoteVerifier.OfWitness(name, key);

    /// <summary>Cosigns a checkpoint's text as of a time. The caller has checked its consistency, and made durable that it did.</summary>
    public NoteSignature Cosign(string text, DateTimeOffset time)
    {
        var seconds = time.ToUnixTimeSeconds();
        var signature = key.SignData(Cosignature.Message(text, seconds), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        return new NoteSignature(Verifier.Name, Verifier.KeyId, new Cosignature(seconds, signature).ToBytes());
    }
}
