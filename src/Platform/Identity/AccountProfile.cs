using System.Security.Cryptography;
using System.Text.Json;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Identity;

/// <summary>What is sealed of an account.</summary>
/// <param name="Email">As it was given.</param>
/// <param name="DisplayName">The name shown.</param>
/// <param name="RegistrationSalt">The salt of the commitment on the chain, 32 bytes.</param>
public sealed record AccountProfile(string Email, string DisplayName, byte[] RegistrationSalt)
{
    /// <summary>
    /// The commitment registered on the chain: <c>SHA-256(salt(32) ‖ account id(16, big-endian) ‖ role(1))</c>.
    /// Without the salt, which lies in the sealed profile, it says nothing of the account.
    /// </summary>
    public static byte[] Commitment(ReadOnlySpan<byte> salt, Guid account, Role role)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(salt.Length, 32, nameof(salt));
        Span<byte> input = stackalloc byte[32 + 16 + 1];
        salt.CopyTo(input);
        account.TryWriteBytes(input[32..], bigEndian: true, out _);
        input[^1] = (byte)role;
        return SHA256.HashData(input);
    }

    internal byte[] Seal(OwnerKey key, Guid account, int version) => key.Seal(Context(account, version), JsonSerializer.SerializeToUtf8Bytes(this));

    internal static AccountProfile Open(OwnerKey key, AccountRow account) =>
        key.TryOpen(Context(account.Id, account.ProfileVersion), account.Profile, out var json)
            ? JsonSerializer.Deserialize<AccountProfile>(json)!
            : throw new VaultException($"The profile of account {account.Id} was altered in the database. Restore table account from a backup.");

    static SealContext Context(Guid account, int version) => new("Account", account.ToString(), version);
}
