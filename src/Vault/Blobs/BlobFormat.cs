using System.Buffers.Binary;
using System.Security.Cryptography;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Vault.Blobs;

/// <summary>
/// Large content sealed in chunks by the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015) over AES-256-GCM.
/// Header: <c>version(1) ‖ wrapped data key(121) ‖ nonce prefix(7)</c>; chunk i: <c>ciphertext ‖ tag(16)</c> under the nonce
/// <c>prefix ‖ i(4) ‖ last(1)</c>, so that chunks cannot be reordered, dropped, repeated or cut off at the end.
/// </summary>
sealed class BlobFormat : IDisposable
{
    public const int ChunkBytes = 256 * 1024;
    public const int SealedChunkBytes = ChunkBytes + Aead.TagBytes;
    public const int HeaderBytes = 1 + WrappedBytes + PrefixBytes;
    const byte FormatVersion = 1;
    const int WrappedBytes = OwnerKey.SealOverhead + Aead.KeyBytes;
    const int PrefixBytes = 7;

    readonly AesGcm gcm;
    readonly byte[] nonce = new byte[Aead.NonceBytes];

    BlobFormat(ReadOnlySpan<byte> key, ReadOnlySpan<byte> prefix)
    {
        gcm = new AesGcm(key, Aead.TagBytes);
        prefix.CopyTo(nonce);
    }

    public static (BlobFormat Format, byte[] Header) Create(OwnerKey owner, SealContext context)
    {
        Span<byte> key = stackalloc byte[Aead.KeyBytes];
        RandomNumberGenerator.Fill(key);
        var header = new byte[HeaderBytes];
        header[0] = FormatVersion;
        owner.Seal(context, key).CopyTo(header, 1);
        RandomNumberGenerator.Fill(header.AsSpan(1 + WrappedBytes));
        var format = new BlobFormat(key, header.AsSpan(1 + WrappedBytes));
        CryptographicOperations.ZeroMemory(key);
        return (format, header);
    }

    /// <summary>Null when the header was altered or belongs to another owner or context.</summary>
    public static BlobFormat? Open(OwnerKey owner, SealContext context, ReadOnlySpan<byte> header) =>
        header.Length == HeaderBytes && header[0] == FormatVersion && owner.TryOpen(context, header.Slice(1, WrappedBytes), out var key)
            ? new BlobFormat(key, header[(1 + WrappedBytes)..])
            : null;

    public void SealChunk(uint index, bool last, ReadOnlySpan<byte> plaintext, Span<byte> target)
    {
        SetNonce(index, last);
        gcm.Encrypt(nonce, plaintext, target[..plaintext.Length], target.Slice(plaintext.Length, Aead.TagBytes));
    }

    public bool TryOpenChunk(uint index, bool last, ReadOnlySpan<byte> sealedChunk, Span<byte> plaintext)
    {
        if (sealedChunk.Length < Aead.TagBytes)
        {
            return false;
        }
        SetNonce(index, last);
        try
        {
            gcm.Decrypt(nonce, sealedChunk[..^Aead.TagBytes], sealedChunk[^Aead.TagBytes..], plaintext[..(sealedChunk.Length - Aead.TagBytes)]);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    public void Dispose() => gcm.Dispose();

    void SetNonce(uint index, bool last)
    {
        BinaryPrimitives.WriteUInt32BigEndian(nonce.AsSpan(PrefixBytes), index);
        nonce[^1] = last ? (byte)1 : (byte)0;
    }
}
