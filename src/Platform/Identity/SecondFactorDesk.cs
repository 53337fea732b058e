using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Identity;

/// <summary>Sets up, checks and removes authenticator apps and recovery codes.</summary>
public sealed class SecondFactorDesk(
    NpgsqlDataSource database, KeyVault vault, OrganizationDesk organization, IdentityHooks hooks, IOptions<IdentityOptions> options, TimeProvider time)
{
    const int RecoveryCodes = 10;
    readonly CodeStore codes = new(vault);

    internal async Task<SecondFactorOutcome> BeginAsync(AccountRow account, string label, CancellationToken cancellation)
    {
        var secret = RandomNumberGenerator.GetBytes(Totp.SecretBytes);
        var version = account.SecondFactorVersion + 1;
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (!await AccountStore.BeginSecondFactorAsync(connection, account.Id, organization.Key.Seal(Context(account.Id, version), secret), version, cancellation))
        {
            return new SecondFactorOutcome.NotNow("A second factor is on already; remove it before setting up another.");
        }
        var uri = Totp.Uri(secret, options.Value.Issuer, label);
        return new SecondFactorOutcome.Begun(Totp.Base32(secret), uri, Totp.Svg(uri));
    }

    /// <summary>Switches the second factor on with a code of the app that scanned it.</summary>
    public async Task<SecondFactorOutcome> ConfirmAsync(Guid id, string? code, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await AccountStore.FindAsync(connection, id, cancellation) is not { MayEnter: true, SecondFactorOn: false, SecondFactor: not null } account)
        {
            return new SecondFactorOutcome.NotNow("There is no second factor waiting to be confirmed.");
        }
        if (!await UseStepAsync(connection, account, code ?? "", cancellation)
            || !await AccountStore.SwitchSecondFactorOnAsync(connection, id, account.SecondFactorVersion, cancellation))
        {
            return new SecondFactorOutcome.Refused();
        }
        string[] recovery = [.. Enumerable.Range(0, RecoveryCodes).Select(_ => CodeStore.Create())];
        await codes.ReplaceRecoveryAsync(connection, id, recovery, cancellation);
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.SecondFactorEnabled, id, null, time.GetUtcNow()), cancellation);
        await transaction.CommitAsync(cancellation);
        return new SecondFactorOutcome.Enabled(recovery);
    }

    /// <summary>Whether the code is one of the app, of a step not used before, or an unused recovery code; either is used up.</summary>
    internal async Task<bool> UseAsync(AccountRow account, string code, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (await UseStepAsync(connection, account, code.Trim(), cancellation))
        {
            return true;
        }
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (!await codes.UseRecoveryAsync(connection, account.Id, code, cancellation))
        {
            return false;
        }
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.RecoveryCodeUsed, account.Id, null, time.GetUtcNow()), cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    internal async Task RemoveAsync(Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await AccountStore.RemoveSecondFactorAsync(connection, id, cancellation);
        await codes.ReplaceRecoveryAsync(connection, id, [], cancellation);
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.SecondFactorRemoved, id, null, time.GetUtcNow()), cancellation);
        await transaction.CommitAsync(cancellation);
    }

    async Task<bool> UseStepAsync(NpgsqlConnection connection, AccountRow account, string code, CancellationToken cancellation)
    {
        if (account.SecondFactor is null)
        {
            return false;
        }
        if (!organization.Key.TryOpen(Context(account.Id, account.SecondFactorVersion), account.SecondFactor, out var secret))
        {
            throw new VaultException($"The second factor of account {account.Id} was altered in the database. Restore table account from a backup.");
        }
        var step = Totp.Match(secret, code, time.GetUtcNow());
        CryptographicOperations.ZeroMemory(secret);
        return step is { } matched && await AccountStore.UseStepAsync(connection, account.Id, matched, cancellation);
    }

    static SealContext Context(Guid account, int version) => new("SecondFactor", account.ToString(), version);
}
