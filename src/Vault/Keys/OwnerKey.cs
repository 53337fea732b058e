using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using Salus.Vault.Envelopes;

namespace Salus.Vault.Keys;

/// <summary>What a key belongs to. Erasing the owner's key erases all that was sealed under it.</summary>
public enum OwnerKind : short
{
    /// <summary>One patient: their records, consents and predictions.</summary>
    Patient = 1,
    /// <summary>The hospital's own directory: organisations, practitioners, accounts.</summary>
    Organization = 2,
    /// <summary>One data set.</summary>
    DataSet = 3,
    /// <summary>The audit trail.</summary>
    Audit = 4,
    /// <summary>The blind index.</summary>
    Index = 5,
}

/// <summary>The key of one owner. It seals and opens; its bytes never leave the vault.</summary>
public sealed class OwnerKey
{
    const byte FormatVersion = 1;
    const int WrappedBytes = Aead.KeyBytes + Aead.Overhead;
    const int HeaderBytes = 1 + WrappedBytes;

    readonly byte[] key;

    internal OwnerKey(Guid id, OwnerKind kind, byte[] key)
    {
        Id = id;
        Kind = kind;
        this.key = key;
    }

    /// <summary>The owner.</summary>
    public Guid Id { get; }

    /// <summary>What the owner is.</summary>
    public OwnerKind Kind { get; }

    internal ReadOnlySpan<byte> Bytes => key;

    /// <summary>Bytes that sealing adds to a plaintext.</summary>
    public const int SealOverhead = HeaderBytes + Aead.Overhead;

    /// <summary>A pseudonym of this owner for one purpose (16 bytes, hexadecimal): it cannot be computed once the key is erased.</summary>
    public string Alias(string purpose) =>
        Convert.ToHexStringLower(HKDF.DeriveKey(HashAlgorithmName.SHA256, key, 16, info: Encoding.UTF8.GetBytes($"salus alias {purpose}")));

    /// <summary>The keyed hash of a blind index under this key, for many values and one thread at a time.</summary>
    /// <exception cref="InvalidOperationException">The key is not made for an index.</exception>
    public BlindHash OpenBlindHash() => Kind == OwnerKind.Index
        ? new BlindHash(HKDF.DeriveKey(HashAlgorithmName.SHA256, key, Aead.KeyBytes, info: "salus search index"u8.ToArray()))
        : throw new InvalidOperationException($"A key of the kind {Kind} indexes nothing.");

    /// <summary>
    /// The keyed hash (HMAC-SHA-256) of a message, under a key of its own for each purpose: who does not hold this key can neither make nor
    /// change it.
    /// </summary>
    public byte[] Authenticate(string purpose, ReadOnlySpan<byte> message)
    {
        Span<byte> derived = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, key, derived, salt: [], info: Encoding.UTF8.GetBytes($"salus authenticate {purpose}"));
        var hash = HMACSHA256.HashData(derived, message);
        CryptographicOperations.ZeroMemory(derived);
        return hash;
    }

    /// <summary>
    /// Seals under a fresh data key, itself wrapped by this key:
    /// <c>version(1) ‖ wrapped data key(60) ‖ nonce(12) ‖ ciphertext ‖ tag(16)</c>. Both layers are bound to the context and the owner.
    /// </summary>
    public byte[] Seal(SealContext context, ReadOnlySpan<byte> plaintext)
    {
        var associated = context.Encode(Id);
        Span<byte> dataKey = stackalloc byte[Aead.KeyBytes];
        RandomNumberGenerator.Fill(dataKey);
        var target = new byte[SealOverhead + plaintext.Length];
        target[0] = FormatVersion;
        Aead.Seal(key, dataKey, associated, target.AsSpan(1, WrappedBytes));
        Aead.Seal(dataKey, plaintext, associated, target.AsSpan(HeaderBytes));
        CryptographicOperations.ZeroMemory(dataKey);
        return target;
    }

    /// <summary>Opens what <see cref="Seal"/> made; false when one bit, the context or the owner differs.</summary>
    public bool TryOpen(SealContext context, ReadOnlySpan<byte> sealedBytes, [NotNullWhen(true)] out byte[]? plaintext)
    {
        plaintext = null;
        if (sealedBytes.Length < SealOverhead || sealedBytes[0] != FormatVersion)
        {
            return false;
        }
        var associated = context.Encode(Id);
        Span<byte> dataKey = stackalloc byte[Aead.KeyBytes];
        if (!Aead.TryOpen(key, sealedBytes.Slice(1, WrappedBytes), associated, dataKey))
        {
            return false;
        }
        var opened = new byte[sealedBytes.Length - SealOverhead];
        var intact = Aead.TryOpen(dataKey, sealedBytes[HeaderBytes..], associated, opened);
        CryptographicOperations.ZeroMemory(dataKey);
        plaintext = intact ? opened : null;
        return intact;
    }
}
