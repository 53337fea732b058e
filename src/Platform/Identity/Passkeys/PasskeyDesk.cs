using Npgsql;

namespace Salus.Platform.Identity.Passkeys;

/// <summary>What became of adding a passkey.</summary>
public abstract record PasskeyOutcome
{
    PasskeyOutcome() { }

    /// <summary>Ask the browser.</summary>
    public sealed record Prepared(PreparedPasskey<CreationOptions> Question) : PasskeyOutcome;

    /// <summary>It signs in from now on.</summary>
    public sealed record Added : PasskeyOutcome;

    /// <summary>The answer was not taken.</summary>
    public sealed record Refused(PasskeyFault Fault) : PasskeyOutcome;

    /// <summary>The name is empty, too long or holds control characters.</summary>
    public sealed record BadName(int LengthMax) : PasskeyOutcome;

    /// <summary>The account has as many as it may.</summary>
    public sealed record TooMany(int CountMax) : PasskeyOutcome;

    /// <summary>The present password was wrong.</summary>
    public sealed record WrongPassword : PasskeyOutcome;

    /// <summary>Too many failures in a row.</summary>
    public sealed record LockedUntil(DateTimeOffset Until) : PasskeyOutcome;
}

/// <summary>Passkeys to sign in with. A passkey with the user verified is two factors in one: no code is asked for beside it.</summary>
public sealed class PasskeyDesk(
    NpgsqlDataSource database, OrganizationDesk organization, IdentityTables tables, SignInDesk signIns, AccountDesk accounts, PasskeyCeremony ceremony,
    ChallengeStore challenges, IdentityHooks hooks, TimeProvider time)
{
    /// <summary>Passkeys of one account.</summary>
    public const int CountMax = 10;

    /// <summary>Characters of a name.</summary>
    public const int NameLengthMax = 60;

    /// <summary>A name as it is kept; null when it is empty, too long or holds control characters.</summary>
    public static string? Normalize(string? name) => name?.Trim() is { Length: > 0 and <= NameLengthMax } trimmed && !trimmed.Any(char.IsControl) ? trimmed : null;

    /// <summary>Asks the browser for a passkey, for who gives the password again: a session that was left open adds none.</summary>
    public async Task<PasskeyOutcome> PrepareAsync(Guid account, string? password, CancellationToken cancellation)
    {
        switch (await signIns.ConfirmAsync(account, password, cancellation))
        {
            case SignInOutcome.SignedIn: break;
            case SignInOutcome.LockedUntil locked: return new PasskeyOutcome.LockedUntil(locked.Until);
            default: return new PasskeyOutcome.WrongPassword();
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var known = await tables.Passkeys.OfAccountAsync(connection, account, cancellation);
        if (known.Count >= CountMax)
        {
            return new PasskeyOutcome.TooMany(CountMax);
        }
        var holder = (await accounts.FindAsync(account, cancellation))!;
        var challenge = ChallengeStore.NewChallenge();
        var (attempt, expires) = (await challenges.AddAsync(ChallengeKind.SignInPasskey, account, challenge, [], cancellation))!.Value;
        return new PasskeyOutcome.Prepared(new PreparedPasskey<CreationOptions>(attempt, expires, ceremony.Creation(
            account.ToByteArray(bigEndian: true), holder.Email, $"{holder.DisplayName}, sign-in", organization.Current.Name, known.Select(row => row.Credential), challenge)));
    }

    /// <summary>Adds the passkey that the browser has made.</summary>
    public async Task<PasskeyOutcome> AddAsync(Guid account, string? attempt, string? name, AttestationMessage? message, CancellationToken cancellation)
    {
        if (Normalize(name) is not { } kept)
        {
            return new PasskeyOutcome.BadName(NameLengthMax);
        }
        if (await challenges.TakeAsync(ChallengeKind.SignInPasskey, account, attempt, cancellation) is not var (challenge, _))
        {
            return new PasskeyOutcome.Refused(PasskeyFault.Expired);
        }
        var check = ceremony.Register(message, challenge);
        if (check is not RegistrationCheck.Good { Credential: var credential })
        {
            return new PasskeyOutcome.Refused(((RegistrationCheck.Bad)check).Fault);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await tables.Accounts.FindToChangeAsync(connection, account, cancellation) is not { MayEnter: true }
            || (await tables.Passkeys.OfAccountAsync(connection, account, cancellation)).Count >= CountMax)
        {
            return new PasskeyOutcome.TooMany(CountMax);
        }
        if (!await tables.Passkeys.AddAsync(connection, account, credential, kept, time.GetUtcNow(), cancellation))
        {
            return new PasskeyOutcome.Refused(PasskeyFault.KnownPasskey);
        }
        await RecordAsync(connection, SecurityEventKind.PasskeyAdded, account, cancellation);
        await transaction.CommitAsync(cancellation);
        return new PasskeyOutcome.Added();
    }

    /// <summary>An account's passkeys, in the order they were added.</summary>
    public async Task<IReadOnlyList<Passkey>> ListAsync(Guid account, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return [.. (await tables.Passkeys.OfAccountAsync(connection, account, cancellation)).Select(tables.Passkeys.View)];
    }

    /// <summary>Names a passkey anew; false when the account has none of that id or the name is none.</summary>
    public async Task<bool> RenameAsync(Guid account, Guid id, string? name, CancellationToken cancellation)
    {
        if (Normalize(name) is not { } kept)
        {
            return false;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var isRenamed = await tables.Passkeys.RenameAsync(connection, account, id, kept, cancellation);
        await transaction.CommitAsync(cancellation);
        return isRenamed;
    }

    /// <summary>Removes a passkey, and ends all sessions and tokens, lest one that it opened lives on; null when the account has none of that id.</summary>
    public async Task<Entrance?> RemoveAsync(Guid account, Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await tables.Accounts.FindToChangeAsync(connection, account, cancellation) is not { MayEnter: true } holder
            || !await PasskeyStore.DeleteAsync(connection, account, id, cancellation))
        {
            return null;
        }
        holder = holder with { Stamp = AccountDesk.NewStamp() };
        await tables.Accounts.SaveAsync(connection, holder, cancellation);
        await AccessStore.DeleteAllAsync(connection, account, cancellation);
        await RecordAsync(connection, SecurityEventKind.PasskeyRemoved, account, cancellation);
        await transaction.CommitAsync(cancellation);
        return holder.Entrance;
    }

    /// <summary>Asks the browser for any passkey of this site; null when too many sign-ins are open.</summary>
    public async Task<PreparedPasskey<RequestOptions>?> PrepareSignInAsync(CancellationToken cancellation)
    {
        var challenge = ChallengeStore.NewChallenge();
        return await challenges.AddAsync(ChallengeKind.SignIn, null, challenge, [], cancellation) is var (attempt, expires)
            ? new PreparedPasskey<RequestOptions>(attempt, expires, ceremony.Request([], challenge))
            : null;
    }

    /// <summary>Judges what a passkey has signed. A lock-out after wrong passwords does not shut it out: else anyone could shut out anyone.</summary>
    public async Task<SignInOutcome> SignInAsync(string? attempt, AssertionMessage? message, CancellationToken cancellation)
    {
        if (await challenges.TakeAsync(ChallengeKind.SignIn, null, attempt, cancellation) is not var (challenge, _))
        {
            return new SignInOutcome.PasskeyRefused(PasskeyFault.Expired);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (PasskeyCeremony.CredentialId(message) is not { } id || await tables.Passkeys.FindToUseAsync(connection, id, cancellation) is not { } passkey)
        {
            return await RefuseAsync(connection, null, PasskeyFault.UnknownPasskey, cancellation);
        }
        var check = ceremony.Verify(message, passkey.Credential, challenge);
        if (check is not AssertionCheck.Good good)
        {
            return await RefuseAsync(connection, passkey.Account, ((AssertionCheck.Bad)check).Fault, cancellation);
        }
        if (passkey.Credential.WentBack(good.Counter))
        {
            return await RefuseAsync(connection, passkey.Account, PasskeyFault.CounterWentBack, cancellation);
        }
        var account = await tables.Accounts.FindAsync(connection, passkey.Account, cancellation);
        if (account is not { MayEnter: true })
        {
            return account is { Disabled: null } ? new SignInOutcome.NotApproved() : new SignInOutcome.Refused();
        }
        await PasskeyStore.UsedAsync(connection, passkey.Id, good.Counter, time.GetUtcNow(), cancellation);
        await RecordAsync(connection, SecurityEventKind.SignedIn, account.Id, cancellation);
        await transaction.CommitAsync(cancellation);
        return new SignInOutcome.SignedIn(account.Entrance);

        async Task<SignInOutcome> RefuseAsync(NpgsqlConnection connection, Guid? account, PasskeyFault fault, CancellationToken cancellation)
        {
            var kind = fault is PasskeyFault.CounterWentBack ? SecurityEventKind.PasskeyCounterWentBack : SecurityEventKind.SignInFailed;
            await RecordAsync(connection, kind, account, cancellation);
            await transaction.CommitAsync(cancellation);
            return new SignInOutcome.PasskeyRefused(fault);
        }
    }

    Task RecordAsync(NpgsqlConnection connection, SecurityEventKind kind, Guid? account, CancellationToken cancellation) =>
        hooks.RecordEvent(connection, new SecurityEvent(kind, account, null, time.GetUtcNow()), cancellation);
}
