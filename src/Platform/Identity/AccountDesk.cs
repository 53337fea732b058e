using System.Security.Cryptography;
using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Platform.Anchoring;
using Salus.Platform.Schema;
using Salus.Vault.Keys;

namespace Salus.Platform.Identity;

/// <summary>Who gets an account, in which role, and how it is linked to a record.</summary>
public sealed class AccountDesk(
    NpgsqlDataSource database, KeyVault vault, IdentityTables tables, OrganizationDesk organization, ChainOutbox outbox, Credentials credentials,
    IdentityHooks hooks, IOptions<IdentityOptions> options, TimeProvider time)
{
    /// <summary>The purpose of a registration in the chain outbox; the reference is the account id.</summary>
    public const string RegisterPurpose = "register";

    /// <summary>Accounts on a page of <see cref="ListAsync"/>.</summary>
    public const int PageMax = 200;

    const int DisplayNameLengthMax = 100;
    const int StampBytes = 16;

    /// <summary>
    /// An account for who asks. Patients enter at once; other roles wait for an administrator unless invited;
    /// administrators and auditors come by invitation only.
    /// </summary>
    public async Task<SignUpOutcome> SignUpAsync(SignUp request, CancellationToken cancellation) =>
        request.Role is Role.Administrator or Role.Auditor && string.IsNullOrWhiteSpace(request.InvitationCode)
            ? new SignUpOutcome.RoleNeedsInvitation(request.Role)
            : await AddAsync(request, patient: null, approved: request.Role == Role.Patient, cancellation);

    /// <summary>An approved account in any role, for the program itself: the first administrator, a demonstration.</summary>
    public Task<SignUpOutcome> CreateAsync(string email, string displayName, string password, Role role, string? patient, CancellationToken cancellation) =>
        AddAsync(new SignUp(email, displayName, password, role), patient, approved: true, cancellation);

    async Task<SignUpOutcome> AddAsync(SignUp request, string? patient, bool approved, CancellationToken cancellation)
    {
        if (Refusal(request) is { } refusal)
        {
            return refusal;
        }
        var now = time.GetUtcNow();
        var id = Guid.NewGuid();
        var profile = new AccountProfile(request.Email.Trim(), request.DisplayName.Trim(), RandomNumberGenerator.GetBytes(32));
        var row = new AccountRow(
            id, SignInHash(vault, request.Email)!, profile.Seal(organization.Key, id, 1), 1, request.Role, approved ? now : null, null,
            credentials.Hash(id, request.Password), NewStamp(), null, 0, false, null, null, now, null);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (!await tables.Accounts.InsertAsync(connection, row, cancellation))
        {
            return new SignUpOutcome.EmailTaken();
        }
        if (await ApplyCodesAsync(connection, request, row, patient, cancellation) is { } badCode)
        {
            return badCode;
        }
        var call = hooks.RegisterCall(AccountProfile.Commitment(profile.RegistrationSalt, id, request.Role));
        await outbox.EnqueueAsync(connection, RegisterPurpose, id.ToString(), ChainContract.Members, call, cancellation);
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.SignedUp, id, null, now), cancellation);
        await transaction.CommitAsync(cancellation);
        return new SignUpOutcome.Created(id, approved || !string.IsNullOrWhiteSpace(request.InvitationCode));
    }

    SignUpOutcome? Refusal(SignUp request)
    {
        if (Credentials.NormalizeEmail(request.Email) is not { } email)
        {
            return new SignUpOutcome.BadEmail();
        }
        var name = request.DisplayName?.Trim() ?? "";
        if (name.Length is 0 or > DisplayNameLengthMax || name.Any(char.IsControl))
        {
            return new SignUpOutcome.BadDisplayName(DisplayNameLengthMax);
        }
        return Credentials.Weakness(request.Password, email, name, options.Value.PasswordLengthMin) is { } weakness
            ? new SignUpOutcome.WeakPassword(weakness)
            : null;
    }

    async Task<SignUpOutcome?> ApplyCodesAsync(NpgsqlConnection connection, SignUp request, AccountRow account, string? patient, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        if (!string.IsNullOrWhiteSpace(request.InvitationCode))
        {
            if (!await tables.Codes.UseInvitationAsync(connection, request.InvitationCode, request.Role, account.Id, now, cancellation))
            {
                return new SignUpOutcome.BadCode("invitationCode");
            }
            account = account with { Approved = now };
            await tables.Accounts.SaveAsync(connection, account, cancellation);
        }
        if (!string.IsNullOrWhiteSpace(request.EnrolmentCode))
        {
            patient = request.Role == Role.Patient ? await tables.Codes.UseEnrolmentAsync(connection, request.EnrolmentCode, account.Id, now, cancellation) : null;
            if (patient is null)
            {
                return new SignUpOutcome.BadCode("enrolmentCode");
            }
        }
        return patient is null || await LinkAsync(connection, account, patient, cancellation) ? null : new SignUpOutcome.PatientTaken();
    }

    /// <summary>Links a patient's account to the record an enrolment code stands for.</summary>
    public async Task<RedeemOutcome> RedeemAsync(Guid account, string code, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await tables.Accounts.FindToChangeAsync(connection, account, cancellation) is not { } row)
        {
            return new RedeemOutcome.NotLinkable();
        }
        if (await tables.Codes.UseEnrolmentAsync(connection, code, account, time.GetUtcNow(), cancellation) is not { } patient)
        {
            return new RedeemOutcome.BadCode();
        }
        if (!await LinkAsync(connection, row, patient, cancellation))
        {
            return new RedeemOutcome.NotLinkable();
        }
        await transaction.CommitAsync(cancellation);
        return new RedeemOutcome.Linked(patient);
    }

    /// <summary>False when the account is no patient's or has a record, or the record has another account: then the caller's transaction rolls back.</summary>
    async Task<bool> LinkAsync(NpgsqlConnection connection, AccountRow account, string patient, CancellationToken cancellation)
    {
        if (account is not { Role: Role.Patient, Patient: null })
        {
            return false;
        }
        try
        {
            await tables.Accounts.SaveAsync(connection, account with { Patient = patient }, cancellation);
        }
        catch (PostgresException taken) when (taken.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return false;
        }
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.PatientLinked, account.Id, null, time.GetUtcNow()), cancellation);
        return true;
    }

    /// <summary>A one-time code by which a patient's account is linked to the record; null when there is no such record.</summary>
    public async Task<(string Code, DateTimeOffset Expires)?> CreateEnrolmentCodeAsync(Guid by, string patient, CancellationToken cancellation)
    {
        if (!await hooks.PatientExists(patient, cancellation))
        {
            return null;
        }
        var (code, now) = (CodeStore.Create(), time.GetUtcNow());
        var expires = now.AddDays(options.Value.EnrolmentCodeDays);
        await DoAsync(new SecurityEvent(SecurityEventKind.EnrolmentCodeMade, by, null, now),
            async connection => { await tables.Codes.AddEnrolmentAsync(connection, code, patient, by, now, expires, cancellation); return true; }, cancellation);
        return (code, expires);
    }

    /// <summary>A one-time code by which a new account enters a role without waiting.</summary>
    public async Task<(string Code, DateTimeOffset Expires)> InviteAsync(Guid by, Role role, CancellationToken cancellation)
    {
        var (code, now) = (CodeStore.Create(), time.GetUtcNow());
        var expires = now.AddDays(options.Value.InvitationDays);
        await DoAsync(new SecurityEvent(SecurityEventKind.InvitationMade, by, null, now),
            async connection => { await tables.Codes.AddInvitationAsync(connection, code, role, by, now, expires, cancellation); return true; }, cancellation);
        return (code, expires);
    }

    /// <summary>Lets a waiting account enter; false when it is not waiting.</summary>
    public Task<bool> ApproveAsync(Guid by, Guid account, CancellationToken cancellation) =>
        ChangeAsync(new SecurityEvent(SecurityEventKind.Approved, account, by, time.GetUtcNow()),
            row => row.Approved is null ? row with { Approved = time.GetUtcNow() } : null, cancellation);

    /// <summary>Shuts an account and ends its sessions and tokens at once; false when it is shut already, unknown, or the caller's own.</summary>
    public async Task<bool> DisableAsync(Guid by, Guid account, CancellationToken cancellation) =>
        by != account && await ChangeAsync(new SecurityEvent(SecurityEventKind.Disabled, account, by, time.GetUtcNow()),
            row => row.Disabled is null ? row with { Disabled = time.GetUtcNow(), Stamp = NewStamp() } : null, cancellation);

    /// <summary>Ends every session and every token of the account.</summary>
    public Task EndAllAsync(Guid account, CancellationToken cancellation) =>
        ChangeAsync(new SecurityEvent(SecurityEventKind.SignedOutEverywhere, account, null, time.GetUtcNow()), row => row with { Stamp = NewStamp() }, cancellation);

    /// <summary>Changes the account of the event; a changed stamp ends its sessions and tokens. False when there is nothing to change.</summary>
    Task<bool> ChangeAsync(SecurityEvent what, Func<AccountRow, AccountRow?> change, CancellationToken cancellation) =>
        DoAsync(what, async connection =>
        {
            if (await tables.Accounts.FindToChangeAsync(connection, what.Account!.Value, cancellation) is not { } row || change(row) is not { } changed)
            {
                return false;
            }
            await tables.Accounts.SaveAsync(connection, changed, cancellation);
            if (!row.HasStamp(changed.Stamp))
            {
                await AccessStore.DeleteAllAsync(connection, row.Id, cancellation);
            }
            return true;
        }, cancellation);

    async Task<bool> DoAsync(SecurityEvent what, Func<NpgsqlConnection, Task<bool>> deed, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (!await deed(connection))
        {
            return false;
        }
        await hooks.RecordEvent(connection, what, cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    /// <summary>The account, or null.</summary>
    public async Task<Account?> FindAsync(Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await tables.Accounts.FindAsync(connection, id, cancellation) is { } row ? Show(row) : null;
    }

    /// <summary>The account of a patient's record, or null.</summary>
    public async Task<Account?> FindOfPatientAsync(string patient, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await tables.Accounts.OfPatientAsync(connection, patient, cancellation) is { } row ? Show(row) : null;
    }

    /// <summary>The professional, approved and not shut, who signs in with exactly this e-mail; null for everybody else, so that patients stay unknown.</summary>
    public async Task<Account?> FindProfessionalAsync(string? email, CancellationToken cancellation)
    {
        if (SignInHash(vault, email) is not { } signIn)
        {
            return null;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await tables.Accounts.FindAsync(connection, signIn, cancellation) is
            { MayEnter: true, Role: Role.Practitioner or Role.Laboratory or Role.Pharmacy or Role.Insurer } row
            ? Show(row)
            : null;
    }

    /// <summary>Accounts in the order they were made.</summary>
    public async Task<IReadOnlyList<Account>> ListAsync(int offset, int countMax, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var rows = await tables.Accounts.ListAsync(connection, Math.Max(offset, 0), Math.Clamp(countMax, 1, PageMax), cancellation);
        return [.. rows.Select(row => row.Intact ? Show(row.Account) : ShowAltered(row.Account))];
    }

    /// <summary>A page of accounts in the order they were made, from a place in that order, forwards or back; and where the pages before and after begin.</summary>
    public async Task<(IReadOnlyList<Account> Accounts, PageCursor? Before, PageCursor? After)> PageAsync(PageCursor? from, bool back, int count, CancellationToken cancellation)
    {
        back = back && from is not null;
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var rows = await tables.Accounts.ListAsync(connection, from, back, count + 1, cancellation);
        var isMore = rows.Count > count;
        rows = [.. rows.Take(count)];
        if (back)
        {
            rows.Reverse();
        }
        PageCursor? Before() => rows.Count == 0 ? from : new PageCursor(rows[0].Account.Created, rows[0].Account.Id.ToString());
        PageCursor? After() => rows.Count == 0 ? from : new PageCursor(rows[^1].Account.Created, rows[^1].Account.Id.ToString());
        return ([.. rows.Select(row => row.Intact ? Show(row.Account) : ShowAltered(row.Account))], (back ? isMore : from is not null) ? Before() : null, (back || isMore) ? After() : null);
    }

    /// <summary>How many accounts wait for an administrator.</summary>
    public async Task<long> CountWaitingAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await AccountStore.CountWaitingAsync(connection, cancellation);
    }

    /// <summary>The account that signs in with exactly this e-mail, for those who oversee accounts.</summary>
    public async Task<Account?> FindByEmailAsync(string? email, CancellationToken cancellation)
    {
        if (SignInHash(vault, email) is not { } signIn)
        {
            return null;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await tables.Accounts.FindAsync(connection, signIn, cancellation) is { } row ? Show(row) : null;
    }

    /// <summary>The chain log of the account's registration.</summary>
    public Task<ChainReceipt?> RegistrationAsync(Guid account, CancellationToken cancellation) =>
        outbox.FindAsync(RegisterPurpose, account.ToString(), cancellation);

    Account Show(AccountRow row)
    {
        var profile = AccountProfile.Open(organization.Key, row);
        return new Account(row.Id, profile.Email, profile.DisplayName, row.Role, row.Patient,
            row.Approved is not null, row.Disabled is not null, row.SecondFactorOn, row.Created) { SecondFactorReset = row.SecondFactorReset };
    }

    /// <summary>Nothing that such a row says is to be believed but the profile, which is sealed, and that only if it opens.</summary>
    Account ShowAltered(AccountRow row)
    {
        try
        {
            return Show(row) with { Intact = false };
        }
        catch (VaultException)
        {
            return new Account(row.Id, "unknown", "unknown", row.Role, row.Patient, row.Approved is not null, row.Disabled is not null, row.SecondFactorOn, row.Created)
            {
                Intact = false,
            };
        }
    }

    internal static byte[] NewStamp() => RandomNumberGenerator.GetBytes(StampBytes);

    internal static byte[]? SignInHash(KeyVault vault, string? email) =>
        Credentials.NormalizeEmail(email) is { } normal ? vault.Blind("account.email", normal) : null;
}
