using System.Security.Cryptography;

namespace Salus.Vault.Envelopes;

/// <summary>AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces: <c>nonce ‖ ciphertext ‖ tag</c>.</summary>
static class Aead
{
    public const int KeyBytes = 32;
    public const int NonceBytes = 12;
    public const int TagBytes = 16;
    public const int Overhead = NonceBytes + TagBytes;

    public static void Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associated, Span<byte> target)
    {
        RandomNumberGenerator.Fill(target[..NonceBytes]);
        using var gcm = new AesGcm(key, TagBytes);
        gcm.Encrypt(target[..NonceBytes], plaintext, target.Slice(NonceBytes, plaintext.Length),
            target.Slice(NonceBytes + plaintext.Length, TagBytes), associated);
    }

    public static bool TryOpen(ReadOnlySpan<byte> key, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> associated, Span<byte> plaintext)
    {
        if (sealedBytes.Length != plaintext.Length + Overhead)
        {
            return false;
        }
        using var gcm = new AesGcm(key, TagBytes);
        try
        {
            gcm.Decrypt(sealedBytes[..NonceBytes], sealedBytes[NonceBytes..^TagBytes], sealedBytes[^TagBytes..], plaintext, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }
}
