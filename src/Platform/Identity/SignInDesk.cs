using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Vault.Keys;

namespace Salus.Platform.Identity;

/// <summary>Judges credentials: passwords, second factors, lock-outs.</summary>
public sealed class SignInDesk(
    NpgsqlDataSource database, KeyVault vault, IdentityTables tables, Credentials credentials, SecondFactorDesk secondFactors, IDataProtectionProvider protection,
    IdentityHooks hooks, IOptions<IdentityOptions> options, TimeProvider time) : IDisposable
{
    const int TicketMinutes = 5;
    const int StampBytes = 16;
    const int TicketBytes = 16 + StampBytes + 8;

    readonly IDataProtector tickets = protection.CreateProtector("salus second factor ticket");
    readonly PartitionedRateLimiter<string> attempts = PartitionedRateLimiter.Create<string, string>(account =>
        RateLimitPartition.GetFixedWindowLimiter(account, _ => new FixedWindowRateLimiterOptions
        {
            PermitLimit = options.Value.SignInsPerMinutePerAccount,
            Window = TimeSpan.FromMinutes(1),
            QueueLimit = 0,
        }));

    /// <summary>Judges an e-mail and a password, and the code of the second factor where one comes along.</summary>
    public async Task<SignInOutcome> SignInAsync(string? email, string? password, string? code, CancellationToken cancellation)
    {
        var signIn = AccountDesk.SignInHash(vault, email) ?? [];
        using var lease = attempts.AttemptAcquire(Convert.ToHexString(signIn));
        if (!lease.IsAcquired)
        {
            return new SignInOutcome.TooMany(lease.TryGetMetadata(MetadataName.RetryAfter, out var after) ? after : TimeSpan.FromMinutes(1));
        }
        if (await FindAsync(signIn, cancellation) is not { } account)
        {
            credentials.VerifyNobody(password ?? "");
            await RecordAsync(SecurityEventKind.SignInFailed, null, cancellation);
            return new SignInOutcome.Refused();
        }
        switch (await VerifyPasswordAsync(account, password ?? "", cancellation))
        {
            case Verdict.Wrong: return new SignInOutcome.Refused();
            case Verdict.Locked locked: return new SignInOutcome.LockedUntil(locked.Until);
        }
        if (account.Disabled is not null)
        {
            return new SignInOutcome.Refused();
        }
        if (account.SecondFactorOn)
        {
            return string.IsNullOrWhiteSpace(code)
                ? new SignInOutcome.SecondFactorNeeded(IssueTicket(account))
                : await EnterAsync(account, code, cancellation);
        }
        return await EnterAsync(account, cancellation);
    }

    /// <summary>Finishes a sign-in with the code of the second factor, or a recovery code.</summary>
    public async Task<SignInOutcome> CompleteAsync(string? ticket, string? code, CancellationToken cancellation)
    {
        if (OpenTicket(ticket) is not var (id, stamp))
        {
            return new SignInOutcome.Refused();
        }
        var account = await FindAsync(id, cancellation);
        return account is { Disabled: null, SecondFactorOn: true } && account.HasStamp(stamp)
            ? await EnterAsync(account, code ?? "", cancellation)
            : new SignInOutcome.Refused();
    }

    /// <summary>Changes the password, and with it the stamp: all sessions and tokens end at once, those issued in this moment too.</summary>
    public async Task<PasswordOutcome> ChangePasswordAsync(
        Guid id, string? password, string? newPassword, string email, string displayName, CancellationToken cancellation)
    {
        if (await FindAsync(id, cancellation) is not { MayEnter: true } account)
        {
            return new PasswordOutcome.Refused();
        }
        switch (await VerifyPasswordAsync(account, password ?? "", cancellation))
        {
            case Verdict.Wrong: return new PasswordOutcome.Refused();
            case Verdict.Locked locked: return new PasswordOutcome.LockedUntil(locked.Until);
        }
        var normal = Credentials.NormalizeEmail(email) ?? "";
        if (Credentials.Weakness(newPassword, normal, displayName, options.Value.PasswordLengthMin) is { } weakness)
        {
            return new PasswordOutcome.WeakPassword(weakness);
        }
        var hash = credentials.Hash(id, newPassword!);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await tables.Accounts.FindToChangeAsync(connection, id, cancellation) is not { MayEnter: true } now || !now.HasStamp(account.Stamp))
        {
            return new PasswordOutcome.Refused();
        }
        now = now with { PasswordHash = hash, Stamp = AccountDesk.NewStamp() };
        await tables.Accounts.SaveAsync(connection, now, cancellation);
        await AccessStore.DeleteAllAsync(connection, id, cancellation);
        await AccountStore.ClearFailuresAsync(connection, id, cancellation);
        await RecordAsync(connection, SecurityEventKind.PasswordChanged, id, cancellation);
        await transaction.CommitAsync(cancellation);
        return new PasswordOutcome.Changed(now.Entrance);
    }

    /// <summary>Judges the password of who has signed in already, before a deed that a session left open must not do.</summary>
    internal async Task<SignInOutcome> ConfirmAsync(Guid id, string? password, CancellationToken cancellation)
    {
        if (await FindAsync(id, cancellation) is not { MayEnter: true } account)
        {
            return new SignInOutcome.Refused();
        }
        return await VerifyPasswordAsync(account, password ?? "", cancellation) switch
        {
            Verdict.Locked locked => new SignInOutcome.LockedUntil(locked.Until),
            Verdict.Right => new SignInOutcome.SignedIn(account.Entrance),
            _ => new SignInOutcome.Refused(),
        };
    }

    /// <summary>Sets up a second factor for who gives the password again; it is off until confirmed.</summary>
    public async Task<SecondFactorOutcome> BeginSecondFactorAsync(Guid id, string? password, string email, CancellationToken cancellation)
    {
        if (await FindAsync(id, cancellation) is not { MayEnter: true } account)
        {
            return new SecondFactorOutcome.Refused();
        }
        return await VerifyPasswordAsync(account, password ?? "", cancellation) switch
        {
            Verdict.Locked locked => new SecondFactorOutcome.LockedUntil(locked.Until),
            Verdict.Right => await secondFactors.BeginAsync(id, email, cancellation),
            _ => new SecondFactorOutcome.Refused(),
        };
    }

    /// <summary>Takes the second factor off for who gives a code of it.</summary>
    public async Task<SecondFactorOutcome> RemoveSecondFactorAsync(Guid id, string? code, CancellationToken cancellation)
    {
        if (await FindAsync(id, cancellation) is not { MayEnter: true, SecondFactorOn: true } account)
        {
            return new SecondFactorOutcome.NotNow("There is no second factor to remove.");
        }
        return await VerifyCodeAsync(account, code ?? "", cancellation) switch
        {
            Verdict.Locked locked => new SecondFactorOutcome.LockedUntil(locked.Until),
            Verdict.Right => await secondFactors.RemoveAsync(account, cancellation),
            _ => new SecondFactorOutcome.Refused(),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => attempts.Dispose();

    abstract record Verdict
    {
        public sealed record Right : Verdict;
        public sealed record Wrong : Verdict;
        public sealed record Locked(DateTimeOffset Until) : Verdict;
    }

    /// <summary>Judges the password. A right one is not held against the account, and forgives earlier failures only where no second factor is due.</summary>
    async Task<Verdict> VerifyPasswordAsync(AccountRow account, string password, CancellationToken cancellation)
    {
        var (counted, until) = await CountAsync(account.Id, cancellation);
        if (!counted)
        {
            return await LockedAsync(account.Id, cancellation);
        }
        if (!credentials.Verify(account.Id, account.PasswordHash, password, out var rehash))
        {
            return await FailAsync(account.Id, until, cancellation);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (rehash)
        {
            await StrengthenAsync(connection, account, password, cancellation);
        }
        await (account.SecondFactorOn
            ? AccountStore.RefundFailureAsync(connection, account.Id, options.Value.FailuresMax, cancellation)
            : AccountStore.ClearFailuresAsync(connection, account.Id, cancellation));
        return new Verdict.Right();
    }

    /// <summary>Stores the password's hash at the present strength, unless the password was changed meanwhile.</summary>
    async Task StrengthenAsync(NpgsqlConnection connection, AccountRow judged, string password, CancellationToken cancellation)
    {
        var hash = credentials.Hash(judged.Id, password);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await tables.Accounts.FindToChangeAsync(connection, judged.Id, cancellation) is { } account && account.PasswordHash == judged.PasswordHash)
        {
            await tables.Accounts.SaveAsync(connection, account with { PasswordHash = hash }, cancellation);
            await transaction.CommitAsync(cancellation);
        }
    }

    async Task<Verdict> VerifyCodeAsync(AccountRow account, string code, CancellationToken cancellation)
    {
        var (counted, until) = await CountAsync(account.Id, cancellation);
        if (!counted)
        {
            return await LockedAsync(account.Id, cancellation);
        }
        if (!await secondFactors.UseAsync(account, code, cancellation))
        {
            return await FailAsync(account.Id, until, cancellation);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await AccountStore.ClearFailuresAsync(connection, account.Id, cancellation);
        return new Verdict.Right();
    }

    async Task<SignInOutcome> EnterAsync(AccountRow account, string code, CancellationToken cancellation) =>
        await VerifyCodeAsync(account, code, cancellation) switch
        {
            Verdict.Locked locked => new SignInOutcome.LockedUntil(locked.Until),
            Verdict.Right => await EnterAsync(account, cancellation),
            _ => new SignInOutcome.Refused(),
        };

    async Task<SignInOutcome> EnterAsync(AccountRow account, CancellationToken cancellation)
    {
        if (account.Approved is null)
        {
            return new SignInOutcome.NotApproved();
        }
        await RecordAsync(SecurityEventKind.SignedIn, account.Id, cancellation);
        return new SignInOutcome.SignedIn(account.Entrance);
    }

    async Task<(bool Counted, DateTimeOffset? LockedUntil)> CountAsync(Guid account, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await AccountStore.CountFailureAsync(connection, account, time.GetUtcNow(), options.Value, cancellation);
    }

    async Task<Verdict.Locked> LockedAsync(Guid account, CancellationToken cancellation) =>
        new((await FindAsync(account, cancellation))?.LockedUntil ?? time.GetUtcNow());

    async Task<Verdict> FailAsync(Guid account, DateTimeOffset? until, CancellationToken cancellation)
    {
        await RecordAsync(SecurityEventKind.SignInFailed, account, cancellation);
        if (until is not { } lockedUntil)
        {
            return new Verdict.Wrong();
        }
        await RecordAsync(SecurityEventKind.LockedOut, account, cancellation);
        return new Verdict.Locked(lockedUntil);
    }

    string IssueTicket(AccountRow account)
    {
        var ticket = new byte[TicketBytes];
        account.Id.TryWriteBytes(ticket, bigEndian: true, out _);
        account.Stamp.CopyTo(ticket, 16);
        BinaryPrimitives.WriteInt64BigEndian(ticket.AsSpan(16 + StampBytes), time.GetUtcNow().AddMinutes(TicketMinutes).ToUnixTimeSeconds());
        return Convert.ToBase64String(tickets.Protect(ticket));
    }

    (Guid Account, byte[] Stamp)? OpenTicket(string? text)
    {
        try
        {
            var ticket = tickets.Unprotect(Convert.FromBase64String(text ?? ""));
            var expires = DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(ticket.AsSpan(16 + StampBytes)));
            return expires > time.GetUtcNow() ? (new Guid(ticket.AsSpan(0, 16), bigEndian: true), ticket[16..(16 + StampBytes)]) : null;
        }
        catch (Exception exception) when (exception is FormatException or CryptographicException)
        {
            return null;
        }
    }

    async Task<AccountRow?> FindAsync(byte[] signIn, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await tables.Accounts.FindAsync(connection, signIn, cancellation);
    }

    async Task<AccountRow?> FindAsync(Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await tables.Accounts.FindAsync(connection, id, cancellation);
    }

    async Task RecordAsync(SecurityEventKind kind, Guid? account, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await RecordAsync(connection, kind, account, cancellation);
        await transaction.CommitAsync(cancellation);
    }

    Task RecordAsync(NpgsqlConnection connection, SecurityEventKind kind, Guid? account, CancellationToken cancellation) =>
        hooks.RecordEvent(connection, new SecurityEvent(kind, account, null, time.GetUtcNow()), cancellation);
}
