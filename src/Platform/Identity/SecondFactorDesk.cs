using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Identity;

/// <summary>Sets up, checks and removes authenticator apps and recovery codes.</summary>
public sealed class SecondFactorDesk(
    NpgsqlDataSource database, IdentityTables tables, OrganizationDesk organization, IdentityHooks hooks, IOptions<IdentityOptions> options, TimeProvider time)
{
    const int RecoveryCodes = 10;

    internal async Task<SecondFactorOutcome> BeginAsync(Guid id, string label, CancellationToken cancellation)
    {
        var secret = RandomNumberGenerator.GetBytes(Totp.SecretBytes);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await tables.Accounts.FindToChangeAsync(connection, id, cancellation) is not { MayEnter: true, SecondFactorOn: false } account)
        {
            return new SecondFactorOutcome.NotNow("A second factor is on already; remove it before setting up another.");
        }
        var version = account.SecondFactorVersion + 1;
        var sealedSecret = organization.Key.Seal(Context(id, version), secret);
        await tables.Accounts.SaveAsync(connection, account with { SecondFactor = sealedSecret, SecondFactorVersion = version }, cancellation);
        await AccountStore.ForgetStepsAsync(connection, id, cancellation);
        await transaction.CommitAsync(cancellation);
        var uri = Totp.Uri(secret, options.Value.Issuer, label);
        return new SecondFactorOutcome.Begun(Totp.Base32(secret), uri, Totp.Svg(uri));
    }

    /// <summary>Switches the second factor on with a code of the app that scanned it. Every session and token ends: none of them has shown it.</summary>
    public async Task<SecondFactorOutcome> ConfirmAsync(Guid id, string? code, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await tables.Accounts.FindToChangeAsync(connection, id, cancellation) is not { MayEnter: true, SecondFactorOn: false, SecondFactor: not null } account)
        {
            return new SecondFactorOutcome.NotNow("There is no second factor waiting to be confirmed.");
        }
        if (!await UseStepAsync(connection, account, code ?? "", cancellation))
        {
            return new SecondFactorOutcome.Refused();
        }
        account = account with { SecondFactorOn = true, SecondFactorReset = null, Stamp = AccountDesk.NewStamp() };
        await tables.Accounts.SaveAsync(connection, account, cancellation);
        await AccessStore.DeleteAllAsync(connection, id, cancellation);
        string[] recovery = [.. Enumerable.Range(0, RecoveryCodes).Select(_ => CodeStore.Create())];
        await tables.Codes.ReplaceRecoveryAsync(connection, account, recovery, cancellation);
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.SecondFactorEnabled, id, null, time.GetUtcNow()), cancellation);
        await transaction.CommitAsync(cancellation);
        return new SecondFactorOutcome.Enabled(recovery, account.Entrance);
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
        if (!await tables.Codes.UseRecoveryAsync(connection, account, code, cancellation))
        {
            return false;
        }
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.RecoveryCodeUsed, account.Id, null, time.GetUtcNow()), cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    /// <summary>Takes the second factor off that the account had when <paramref name="judged"/> was read; what came between is left alone.</summary>
    internal async Task<SecondFactorOutcome> RemoveAsync(AccountRow judged, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await tables.Accounts.FindToChangeAsync(connection, judged.Id, cancellation) is not { MayEnter: true, SecondFactorOn: true } account
            || !account.HasStamp(judged.Stamp))
        {
            return new SecondFactorOutcome.NotNow("There is no second factor to remove.");
        }
        account = await TakeOffAsync(connection, account with { SecondFactorReset = null }, cancellation);
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.SecondFactorRemoved, account.Id, null, time.GetUtcNow()), cancellation);
        await transaction.CommitAsync(cancellation);
        return new SecondFactorOutcome.Removed(account.Entrance);
    }

    /// <summary>
    /// Takes a lost second factor off another's account and ends its sessions and tokens; the holder is told at each sign-in until they say
    /// that they know. False when the account is unknown, shut, without a second factor, or the caller's own.
    /// </summary>
    public async Task<bool> ResetAsync(Guid by, Guid id, CancellationToken cancellation)
    {
        if (by == id)
        {
            return false;
        }
        var now = time.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await tables.Accounts.FindToChangeAsync(connection, id, cancellation) is not { Disabled: null, SecondFactorOn: true } account)
        {
            return false;
        }
        await TakeOffAsync(connection, account with { SecondFactorReset = now }, cancellation);
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.SecondFactorReset, id, by, now), cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    /// <summary>The holder knows that the second factor was reset.</summary>
    public async Task AcknowledgeResetAsync(Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await tables.Accounts.FindToChangeAsync(connection, id, cancellation) is { SecondFactorReset: not null } account)
        {
            await tables.Accounts.SaveAsync(connection, account with { SecondFactorReset = null }, cancellation);
            await transaction.CommitAsync(cancellation);
        }
    }

    /// <summary>The version stays, so that neither the secret nor a recovery code of old can be put back.</summary>
    async Task<AccountRow> TakeOffAsync(NpgsqlConnection connection, AccountRow account, CancellationToken cancellation)
    {
        var without = account with { SecondFactor = null, SecondFactorOn = false, Stamp = AccountDesk.NewStamp() };
        await tables.Accounts.SaveAsync(connection, without, cancellation);
        await tables.Codes.ReplaceRecoveryAsync(connection, without, [], cancellation);
        await AccessStore.DeleteAllAsync(connection, account.Id, cancellation);
        return without;
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
