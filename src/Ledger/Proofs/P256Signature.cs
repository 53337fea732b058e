using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;

namespace Salus.Ledger.Proofs;

/// <summary>ECDSA signatures on P-256 as they are exchanged: a DER sequence of two integers (RFC 3279 section 2.2.3).</summary>
/// <remarks>The platform reads a negative integer as a positive one; here a signature has one encoding alone.</remarks>
public static class P256Signature
{
    const int WordBytes = 32;

    /// <summary>The signature as r ‖ s, 64 bytes.</summary>
    /// <exception cref="FormatException">Not strict DER, or a number that is not positive or too long.</exception>
    public static byte[] FromDer(ReadOnlySpan<byte> der)
    {
        try
        {
            var reader = new AsnReader(der.ToArray(), AsnEncodingRules.DER);
            var sequence = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            var signature = new byte[2 * WordBytes];
            Write(sequence.ReadInteger(), signature.AsSpan(0, WordBytes));
            Write(sequence.ReadInteger(), signature.AsSpan(WordBytes));
            sequence.ThrowIfNotEmpty();
            return signature;
        }
        catch (AsnContentException cause)
        {
            throw new FormatException("The signature is not a DER sequence of two integers.", cause);
        }
    }

    /// <summary>Whether a DER signature of a hash is the key's.</summary>
    public static bool Verify(ECDsa key, ReadOnlySpan<byte> hash, ReadOnlySpan<byte> der)
    {
        ArgumentNullException.ThrowIfNull(key);
        try
        {
            return key.VerifyHash(hash, FromDer(der), DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    static void Write(BigInteger number, Span<byte> word)
    {
        var length = number.Sign > 0 ? number.GetByteCount(isUnsigned: true) : 0;
        if (length is 0 or > WordBytes)
            throw new FormatException($"A signature's numbers are positive and at most {WordBytes} bytes long.");
        number.TryWriteBytes(word[(WordBytes - length)..], out _, isUnsigned: true, isBigEndian: true);
    }
}
