using System.Security.Cryptography;
using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Identity;

/// <summary>A row of table <c>account</c>.</summary>
sealed record AccountRow(
    Guid Id, byte[] SignIn, byte[] Profile, int ProfileVersion, Role Role, DateTimeOffset? Approved, DateTimeOffset? Disabled, string PasswordHash,
    byte[] Stamp, byte[]? SecondFactor, int SecondFactorVersion, bool SecondFactorOn, DateTimeOffset? SecondFactorReset, string? Patient,
    DateTimeOffset Created, DateTimeOffset? LockedUntil)
{
    public bool MayEnter => Approved is not null && Disabled is null;

    public Caller Caller => new(Id, Role, Patient);

    public Entrance Entrance => new(Caller) { Stamp = Stamp, SecondFactorReset = SecondFactorReset };

    public bool HasStamp(ReadOnlySpan<byte> stamp) => CryptographicOperations.FixedTimeEquals(Stamp, stamp);

    /// <summary>All that gives the account its authority. Counters of failures are left out: they only ever slow a caller down.</summary>
    public object?[] Bound() =>
    [
        Id, SignIn, Profile, ProfileVersion, Role, Approved, Disabled, PasswordHash, Stamp, SecondFactor, SecondFactorVersion, SecondFactorOn,
        SecondFactorReset, Patient, Created,
    ];
}

/// <summary>
/// The statements on table <c>account</c>, each in whatever transaction the connection is in. A row whose binding does not hold is reported
/// and then is as good as none.
/// </summary>
sealed class AccountStore(RowBinding binding, AlteredRows altered)
{
    /// <summary>The columns of table <c>account</c>, here called <c>a</c>, that <see cref="Read"/> reads.</summary>
    internal const string Columns =
        "a.id, a.sign_in, a.profile, a.profile_version, a.role, a.approved, a.disabled, a.password_hash, a.security_stamp, " +
        "a.second_factor, a.second_factor_version, a.second_factor_on, a.second_factor_reset, a.patient, a.created, a.locked_until, a.binding";

    internal const int ColumnCount = 17;
    const string Table = "account";

    /// <summary>False when the sign-in name is taken.</summary>
    public async Task<bool> InsertAsync(NpgsqlConnection connection, AccountRow account, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation,
            """
            INSERT INTO account (id, sign_in, profile, profile_version, role, approved, password_hash, security_stamp, created, binding)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (sign_in) DO NOTHING
            """,
            account.Id, account.SignIn, account.Profile, account.ProfileVersion, (short)account.Role, account.Approved,
            account.PasswordHash, account.Stamp, account.Created, binding.Of(Table, account.Bound())) == 1;

    /// <summary>Writes what may change of an account. Read it <see cref="FindToChangeAsync"/> in the same transaction.</summary>
    public Task SaveAsync(NpgsqlConnection connection, AccountRow account, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            """
            UPDATE account SET approved = $2, disabled = $3, password_hash = $4, security_stamp = $5, second_factor = $6,
                second_factor_version = $7, second_factor_on = $8, second_factor_reset = $9, patient = $10, binding = $11
            WHERE id = $1
            """,
            account.Id, account.Approved, account.Disabled, account.PasswordHash, account.Stamp, account.SecondFactor,
            account.SecondFactorVersion, account.SecondFactorOn, account.SecondFactorReset, account.Patient, binding.Of(Table, account.Bound()));

    /// <summary>Puts nothing in the place of who had the account: its id remains, which the audit trail names.</summary>
    public Task BlankAsync(NpgsqlConnection connection, AccountRow account, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            """
            UPDATE account SET sign_in = $2, profile = $3, profile_version = $4, disabled = $5, password_hash = $6, security_stamp = $7, second_factor = NULL,
                second_factor_on = false, second_factor_reset = NULL, second_factor_last_step = NULL, patient = NULL, binding = $8
            WHERE id = $1
            """,
            account.Id, account.SignIn, account.Profile, account.ProfileVersion, account.Disabled, account.PasswordHash, account.Stamp, binding.Of(Table, account.Bound()));

    /// <summary>The account of a patient's record, which nobody else changes until the transaction ends.</summary>
    public Task<AccountRow?> FindOfPatientAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        OneAsync(connection, "patient = $1 FOR UPDATE", patient, cancellation);

    public Task<AccountRow?> OfPatientAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        OneAsync(connection, "patient = $1", patient, cancellation);

    public Task<AccountRow?> FindAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation) =>
        OneAsync(connection, "id = $1", id, cancellation);

    /// <summary>The account, which nobody else changes until the transaction ends.</summary>
    public Task<AccountRow?> FindToChangeAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation) =>
        OneAsync(connection, "id = $1 FOR UPDATE", id, cancellation);

    public Task<AccountRow?> FindAsync(NpgsqlConnection connection, byte[] signIn, CancellationToken cancellation) =>
        OneAsync(connection, "sign_in = $1", signIn, cancellation);

    /// <summary>Accounts in the order they were made, on one side of a place in that order, the nearest first, each with whether its binding holds.</summary>
    public Task<List<(AccountRow Account, bool Intact)>> ListAsync(NpgsqlConnection connection, PageCursor? from, bool back, int countMax, CancellationToken cancellation) =>
        connection.QueryAsync(cancellation, Read,
            $"""
            SELECT {Columns} FROM account a WHERE $1::timestamptz IS NULL OR (a.created, a.id) {(back ? "<" : ">")} ($1, $2)
            ORDER BY a.created {(back ? "DESC" : "ASC")}, a.id {(back ? "DESC" : "ASC")} LIMIT $3
            """, from?.At.ToUniversalTime(), from is null ? null : Guid.Parse(from.Id), countMax);

    public static async Task<long> CountWaitingAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetInt64(0), "SELECT count(*) FROM account WHERE approved IS NULL AND disabled IS NULL")).Single();

    /// <summary>Accounts in the order they were made, each with whether its binding holds.</summary>
    public Task<List<(AccountRow Account, bool Intact)>> ListAsync(NpgsqlConnection connection, int offset, int countMax, CancellationToken cancellation) =>
        connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM account a ORDER BY a.created, a.id OFFSET $1 LIMIT $2", offset, countMax);

    public async Task<IEnumerable<AlteredRow>> AlteredAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var rows = await connection.QueryAsync(cancellation, row =>
        {
            var (account, intact) = Read(row);
            return intact ? null : new AlteredRow(Table, account.Id);
        }, $"SELECT {Columns} FROM account a ORDER BY a.created, a.id");
        return rows.OfType<AlteredRow>();
    }

    /// <summary>The account that a query found, unless its binding does not hold.</summary>
    public async Task<AccountRow?> IntactAsync((AccountRow Account, bool Intact) found, CancellationToken cancellation)
    {
        if (found.Intact)
        {
            return found.Account;
        }
        await altered.ReportAsync(Table, found.Account.Id, cancellation);
        return null;
    }

    public (AccountRow Account, bool Intact) Read(NpgsqlDataReader row)
    {
        var account = new AccountRow(
            row.GetGuid(0), row.GetFieldValue<byte[]>(1), row.GetFieldValue<byte[]>(2), row.GetInt32(3), (Role)row.GetInt16(4),
            row.NullableValue<DateTimeOffset>(5), row.NullableValue<DateTimeOffset>(6), row.GetString(7), row.GetFieldValue<byte[]>(8),
            row.Nullable<byte[]>(9), row.GetInt32(10), row.GetBoolean(11), row.NullableValue<DateTimeOffset>(12), row.Nullable<string>(13),
            row.GetFieldValue<DateTimeOffset>(14), row.NullableValue<DateTimeOffset>(15));
        return (account, binding.Holds(row.GetFieldValue<byte[]>(16), Table, account.Bound()));
    }

    async Task<AccountRow?> OneAsync(NpgsqlConnection connection, string where, object value, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM account a WHERE a.{where}", value) is [var found]
            ? await IntactAsync(found, cancellation)
            : null;

    /// <summary>
    /// Counts an attempt as failed before it is judged, so that parallel guesses share one count. Null while the account is locked;
    /// otherwise the lock this attempt leaves behind if it fails.
    /// </summary>
    public static async Task<(bool Counted, DateTimeOffset? LockedUntil)> CountFailureAsync(
        NpgsqlConnection connection, Guid id, DateTimeOffset now, IdentityOptions options, CancellationToken cancellation)
    {
        var counted = await connection.QueryAsync(cancellation, row => row.NullableValue<DateTimeOffset>(0),
            """
            UPDATE account SET
                failed_count = failed_count + 1,
                locked_until = CASE WHEN (failed_count + 1) % $3 = 0
                    THEN $2 + make_interval(mins => LEAST($4 * (2 ^ LEAST((failed_count + 1) / $3 - 1, 20)), $5)::integer) END
            WHERE id = $1 AND (locked_until IS NULL OR locked_until <= $2)
            RETURNING locked_until
            """,
            id, now, options.FailuresMax, options.LockoutMinutes, options.LockoutMinutesMax);
        return counted is [var until] ? (true, until) : (false, null);
    }

    /// <summary>Takes one attempt back: the password was right, and the second factor is yet to come.</summary>
    public static Task RefundFailureAsync(NpgsqlConnection connection, Guid id, int failuresMax, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            """
            UPDATE account SET
                failed_count = GREATEST(failed_count - 1, 0),
                locked_until = CASE WHEN failed_count % $2 = 0 THEN NULL ELSE locked_until END
            WHERE id = $1
            """, id, failuresMax);

    public static Task ClearFailuresAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE account SET failed_count = 0, locked_until = NULL WHERE id = $1", id);

    /// <summary>Uses up a time step; false when it, or a later one, was used before.</summary>
    public static async Task<bool> UseStepAsync(NpgsqlConnection connection, Guid id, long step, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation,
            """
            UPDATE account SET second_factor_last_step = $2
            WHERE id = $1 AND (second_factor_last_step IS NULL OR second_factor_last_step < $2)
            """, id, step) == 1;

    /// <summary>A new secret has had no steps yet.</summary>
    public static Task ForgetStepsAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE account SET second_factor_last_step = NULL WHERE id = $1", id);
}
