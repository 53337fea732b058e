using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Platform.Schema;
using Salus.Vault.Envelopes;

namespace Salus.Platform.Identity.Passkeys;

/// <summary>What a challenge was made for; an answer to one kind is none to another.</summary>
enum ChallengeKind
{
    /// <summary>To add a passkey to sign in with.</summary>
    SignInPasskey,
    /// <summary>To sign in.</summary>
    SignIn,
    /// <summary>To add a passkey that signs consents.</summary>
    ConsentPasskey,
    /// <summary>To sign a consent, its revocation, or a change of the keys that may.</summary>
    Consent,
    /// <summary>To let somebody else sign consents, or no more.</summary>
    Delegates,
    /// <summary>To sign a consent, or its revocation, for somebody else.</summary>
    ForAnother,
    /// <summary>To name recovery contacts, or to cancel a recovery.</summary>
    Recovery,
    /// <summary>To make the passkey that replaces lost ones.</summary>
    RecoveryPasskey,
    /// <summary>To confirm somebody else's recovery.</summary>
    Confirmation,
    /// <summary>To release a model, or to withdraw it.</summary>
    Release,
}

/// <summary>
/// Keeps what authenticators are asked to sign: each row for one kind, one account (or, at a sign-in, whoever holds the attempt's secret) and
/// some minutes. Taking a row deletes it, so that an answer counts once whatever becomes of it. Rows are sealed whole: one that was made,
/// changed or prolonged without the key is as good as none.
/// </summary>
public sealed class ChallengeStore(NpgsqlDataSource database, OrganizationDesk organization, IOptions<PasskeyOptions> options, TimeProvider time)
{
    const int ChallengeBytes = 32;
    const int PerAccountMax = 20;
    const int SignInsOpenMax = 10_000;
    const string SealKind = "PasskeyChallenge";

    sealed record Content(ChallengeKind Kind, Guid? Account, byte[] Challenge, byte[] Deed, DateTimeOffset Expires);

    /// <summary>A fresh challenge of 32 random bytes.</summary>
    internal static byte[] NewChallenge() => RandomNumberGenerator.GetBytes(ChallengeBytes);

    /// <summary>Keeps a challenge; null when too many sign-ins are open.</summary>
    /// <param name="kind">What it is for.</param>
    /// <param name="account">Whose answer counts; null at a sign-in.</param>
    /// <param name="challenge">What is signed.</param>
    /// <param name="deed">What the answer will bring about.</param>
    /// <param name="cancellation">Gives up.</param>
    internal async Task<(string Attempt, DateTimeOffset Expires)?> AddAsync(
        ChallengeKind kind, Guid? account, byte[] challenge, byte[] deed, CancellationToken cancellation)
    {
        var (attempt, now) = (AccessStore.NewSecret(), time.GetUtcNow());
        var expires = now.AddMinutes(options.Value.ChallengeMinutes);
        var hash = Hash(attempt);
        var content = JsonSerializer.SerializeToUtf8Bytes(new Content(kind, account, challenge, deed, expires));
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await connection.ExecuteAsync(cancellation, "DELETE FROM passkey_challenge WHERE expires <= $1", now);
        if (account is null && (await connection.QueryAsync(cancellation, row => row.GetInt64(0), "SELECT count(*) FROM passkey_challenge WHERE account IS NULL"))[0] >= SignInsOpenMax)
        {
            return null;
        }
        await connection.ExecuteAsync(cancellation, "INSERT INTO passkey_challenge (attempt, account, sealed, expires) VALUES ($1, $2, $3, $4)",
            hash, account, organization.Key.Seal(Context(hash), content), expires);
        await connection.ExecuteAsync(cancellation,
            "DELETE FROM passkey_challenge WHERE account = $1 AND attempt IN (SELECT attempt FROM passkey_challenge WHERE account = $1 ORDER BY expires DESC OFFSET $2)",
            account, PerAccountMax);
        return (attempt, expires);
    }

    /// <summary>Uses a challenge up, at once and whatever becomes of the answer; null when there is none of this kind and account, or it is too old.</summary>
    internal async Task<(byte[] Challenge, byte[] Deed)?> TakeAsync(ChallengeKind kind, Guid? account, string? attempt, CancellationToken cancellation)
    {
        var hash = Hash(attempt ?? "");
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var taken = await connection.QueryAsync(cancellation, row => row.GetFieldValue<byte[]>(0), "DELETE FROM passkey_challenge WHERE attempt = $1 RETURNING sealed", hash);
        return taken is [var row] && organization.Key.TryOpen(Context(hash), row, out var json) && JsonSerializer.Deserialize<Content>(json) is { } content
            && content.Kind == kind && content.Account == account && content.Expires > time.GetUtcNow()
            ? (content.Challenge, content.Deed)
            : null;
    }

    byte[] Hash(string attempt) => new RowBinding(organization).Hash("passkey_challenge", attempt);

    static SealContext Context(byte[] hash) => new(SealKind, Convert.ToHexStringLower(hash), 1);
}
