using System.Security.Cryptography;
using System.Text;

namespace Salus.Vault.Keys;

/// <summary>HMAC-SHA-256 of <c>parameter ‖ NUL ‖ value</c> in UTF-8, its first 16 bytes, under the key of the blind index.</summary>
/// <remarks>One incremental hash for many values: setting up the key costs more than hashing a short text.</remarks>
public sealed class BlindHash : IDisposable
{
    /// <summary>How long a blinded value is.</summary>
    public const int Size = 16;

    const int OnStackMax = 512;

    readonly IncrementalHash hash;

    internal BlindHash(byte[] key) => hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);

    /// <summary>The hash of a value of a parameter.</summary>
    public byte[] Of(string parameter, ReadOnlySpan<char> value)
    {
        Span<byte> full = stackalloc byte[32];
        Fill(parameter, value, full);
        return full[..Size].ToArray();
    }

    /// <summary>The same as a UUID, which the database holds and compares without a length.</summary>
    public Guid UuidOf(string parameter, ReadOnlySpan<char> value)
    {
        Span<byte> full = stackalloc byte[32];
        Fill(parameter, value, full);
        return new Guid(full[..Size], bigEndian: true);
    }

    /// <inheritdoc/>
    public void Dispose() => hash.Dispose();

    void Fill(string parameter, ReadOnlySpan<char> value, Span<byte> full)
    {
        var bytesMax = Encoding.UTF8.GetMaxByteCount(parameter.Length + 1 + value.Length);
        var message = bytesMax <= OnStackMax ? stackalloc byte[OnStackMax] : new byte[bytesMax];
        var length = Encoding.UTF8.GetBytes(parameter, message);
        message[length++] = 0;
        length += Encoding.UTF8.GetBytes(value, message[length..]);
        hash.AppendData(message[..length]);
        hash.GetHashAndReset(full);
    }
}
