using System.Buffers.Text;
using System.Security.Cryptography;
using Npgsql;

namespace Salus.Platform.Identity.Passkeys;

/// <summary>A statement, and what shows that the holder of a sign-in passkey signed it: the challenge is its SHA-256.</summary>
/// <param name="Statement">What was signed.</param>
/// <param name="X">The passkey's point: x, 32 bytes.</param>
/// <param name="Y">y, 32 bytes.</param>
/// <param name="AuthenticatorData">The authenticator's answer.</param>
/// <param name="ClientDataJson">What the browser said of page and challenge.</param>
/// <param name="Signature">ECDSA over both, DER.</param>
public sealed record SignedStatement(byte[] Statement, byte[] X, byte[] Y, byte[] AuthenticatorData, byte[] ClientDataJson, byte[] Signature);

/// <summary>What became of asking for a signed statement.</summary>
abstract record StatementOutcome
{
    StatementOutcome() { }

    /// <summary>Signed by a passkey of the account.</summary>
    public sealed record Signed(SignedStatement Statement) : StatementOutcome;

    /// <summary>The answer was not taken.</summary>
    public sealed record Refused(PasskeyFault Fault) : StatementOutcome;
}

/// <summary>Has statements signed by the passkeys with which professionals sign in, so that not the node alone vouches for who made them.</summary>
public sealed class PasskeyStatements(NpgsqlDataSource database, IdentityTables tables, PasskeyCeremony ceremony, ChallengeStore challenges, TimeProvider time)
{
    /// <summary>Whether an account has a passkey to sign with.</summary>
    public async Task<bool> MaySignAsync(Guid account, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return (await tables.Passkeys.OfAccountAsync(connection, account, cancellation)).Count > 0;
    }

    /// <summary>Asks the browser to have a statement signed; null where the account has no passkey.</summary>
    internal async Task<PreparedPasskey<RequestOptions>?> PrepareAsync(Guid account, ChallengeKind kind, byte[] statement, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (await tables.Passkeys.OfAccountAsync(connection, account, cancellation) is not { Count: > 0 } known)
        {
            return null;
        }
        await connection.CloseAsync();
        var challenge = SHA256.HashData(statement);
        var (attempt, expires) = (await challenges.AddAsync(kind, account, challenge, statement, cancellation))!.Value;
        return new PreparedPasskey<RequestOptions>(attempt, expires, ceremony.Request(known.Select(row => row.Credential), challenge));
    }

    /// <summary>Takes the browser's answer, once.</summary>
    internal async Task<StatementOutcome> TakeAsync(Guid account, ChallengeKind kind, string? attempt, AssertionMessage? message, CancellationToken cancellation)
    {
        if (await challenges.TakeAsync(kind, account, attempt, cancellation) is not var (challenge, statement))
        {
            return new StatementOutcome.Refused(PasskeyFault.Expired);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (PasskeyCeremony.CredentialId(message) is not { } id || await tables.Passkeys.FindToUseAsync(connection, id, cancellation) is not { } passkey || passkey.Account != account)
        {
            return new StatementOutcome.Refused(PasskeyFault.UnknownPasskey);
        }
        var check = ceremony.Verify(message, passkey.Credential, challenge);
        if (check is not AssertionCheck.Good good)
        {
            return new StatementOutcome.Refused(((AssertionCheck.Bad)check).Fault);
        }
        if (passkey.Credential.WentBack(good.Counter))
        {
            return new StatementOutcome.Refused(PasskeyFault.CounterWentBack);
        }
        await PasskeyStore.UsedAsync(connection, passkey.Id, good.Counter, time.GetUtcNow(), cancellation);
        await transaction.CommitAsync(cancellation);
        return new StatementOutcome.Signed(new SignedStatement(
            statement, passkey.Credential.X, passkey.Credential.Y, Base64Url.DecodeFromChars(message!.AuthenticatorData), Base64Url.DecodeFromChars(message.ClientDataJson),
            Base64Url.DecodeFromChars(message.Signature)));
    }

    /// <summary>Whether a statement bears the signature of its passkey, made on a page of this node.</summary>
    public bool Holds(SignedStatement statement) =>
        ceremony.Verify(
            new AssertionMessage(null, Base64Url.EncodeToString(statement.ClientDataJson), Base64Url.EncodeToString(statement.AuthenticatorData), Base64Url.EncodeToString(statement.Signature)),
            new PasskeyCredential([], statement.X, statement.Y, 0), SHA256.HashData(statement.Statement)) is AssertionCheck.Good;
}
