using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Identity;

/// <summary>A row of table <c>account</c>.</summary>
sealed record AccountRow(
    Guid Id, byte[] Profile, int ProfileVersion, Role Role, DateTimeOffset? Approved, DateTimeOffset? Disabled, string PasswordHash, byte[] Stamp,
    byte[]? SecondFactor, int SecondFactorVersion, bool SecondFactorOn, string? Patient, DateTimeOffset Created, DateTimeOffset? LockedUntil)
{
    public bool MayEnter => Approved is not null && Disabled is null;

    public Caller Caller => new(Id, Role, Patient);
}

/// <summary>The statements on table <c>account</c>, each in whatever transaction the connection is in.</summary>
static class AccountStore
{
    const string Columns =
        "id, profile, profile_version, role, approved, disabled, password_hash, security_stamp, " +
        "second_factor, second_factor_version, second_factor_on, patient, created, locked_until";

    /// <summary>False when the sign-in name is taken.</summary>
    public static async Task<bool> InsertAsync(NpgsqlConnection connection, AccountRow account, byte[] signIn, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation,
            """
            INSERT INTO account (id, sign_in, profile, profile_version, role, approved, password_hash, security_stamp, created)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (sign_in) DO NOTHING
            """,
            account.Id, signIn, account.Profile, account.ProfileVersion, (short)account.Role, account.Approved,
            account.PasswordHash, account.Stamp, account.Created) == 1;

    public static async Task<AccountRow?> FindAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM account WHERE id = $1", id)).SingleOrDefault();

    public static async Task<AccountRow?> FindAsync(NpgsqlConnection connection, byte[] signIn, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM account WHERE sign_in = $1", signIn)).SingleOrDefault();

    /// <summary>Accounts in the order they were made, on one side of a place in that order, the nearest first.</summary>
    public static Task<List<AccountRow>> ListAsync(NpgsqlConnection connection, PageCursor? from, bool back, int countMax, CancellationToken cancellation) =>
        connection.QueryAsync(cancellation, Read,
            $"""
            SELECT {Columns} FROM account WHERE $1::timestamptz IS NULL OR (created, id) {(back ? "<" : ">")} ($1, $2)
            ORDER BY created {(back ? "DESC" : "ASC")}, id {(back ? "DESC" : "ASC")} LIMIT $3
            """, from?.At.ToUniversalTime(), from is null ? null : Guid.Parse(from.Id), countMax);

    public static async Task<long> CountWaitingAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetInt64(0), "SELECT count(*) FROM account WHERE approved IS NULL AND disabled IS NULL")).Single();

    public static Task<List<AccountRow>> ListAsync(NpgsqlConnection connection, int offset, int countMax, CancellationToken cancellation) =>
        connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM account ORDER BY created, id OFFSET $1 LIMIT $2", offset, countMax);

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

    /// <summary>A changed stamp ends every session made under the last one.</summary>
    public static Task SetPasswordAsync(NpgsqlConnection connection, Guid id, string passwordHash, byte[] stamp, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE account SET password_hash = $2, security_stamp = $3 WHERE id = $1", id, passwordHash, stamp);

    public static async Task<bool> ApproveAsync(NpgsqlConnection connection, Guid id, DateTimeOffset now, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation, "UPDATE account SET approved = $2 WHERE id = $1 AND approved IS NULL", id, now) == 1;

    public static async Task<bool> DisableAsync(NpgsqlConnection connection, Guid id, DateTimeOffset now, byte[] stamp, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation,
            "UPDATE account SET disabled = $2, security_stamp = $3 WHERE id = $1 AND disabled IS NULL", id, now, stamp) == 1;

    /// <summary>False when the account is no patient's or has a record, or the record has another account.</summary>
    public static async Task<bool> LinkAsync(NpgsqlConnection connection, Guid id, string patient, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation,
            """
            UPDATE account SET patient = $2 WHERE id = $1 AND patient IS NULL AND role = $3
                AND NOT EXISTS (SELECT FROM account WHERE patient = $2)
            """, id, patient, (short)Role.Patient) == 1;

    /// <summary>Puts a second factor that is not confirmed yet; false when one is on, or another request came between.</summary>
    public static async Task<bool> BeginSecondFactorAsync(
        NpgsqlConnection connection, Guid id, byte[] sealedSecret, int version, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation,
            """
            UPDATE account SET second_factor = $2, second_factor_version = $3, second_factor_last_step = NULL
            WHERE id = $1 AND NOT second_factor_on AND second_factor_version = $3 - 1
            """, id, sealedSecret, version) == 1;

    public static async Task<bool> SwitchSecondFactorOnAsync(NpgsqlConnection connection, Guid id, int version, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation,
            "UPDATE account SET second_factor_on = true WHERE id = $1 AND NOT second_factor_on AND second_factor_version = $2", id, version) == 1;

    public static Task RemoveSecondFactorAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            "UPDATE account SET second_factor = NULL, second_factor_on = false, second_factor_last_step = NULL WHERE id = $1", id);

    /// <summary>Uses up a time step; false when it, or a later one, was used before.</summary>
    public static async Task<bool> UseStepAsync(NpgsqlConnection connection, Guid id, long step, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation,
            """
            UPDATE account SET second_factor_last_step = $2
            WHERE id = $1 AND (second_factor_last_step IS NULL OR second_factor_last_step < $2)
            """, id, step) == 1;

    static AccountRow Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetFieldValue<byte[]>(1), row.GetInt32(2), (Role)row.GetInt16(3),
        row.NullableValue<DateTimeOffset>(4), row.NullableValue<DateTimeOffset>(5), row.GetString(6), row.GetFieldValue<byte[]>(7),
        row.Nullable<byte[]>(8), row.GetInt32(9), row.GetBoolean(10), row.Nullable<string>(11),
        row.GetFieldValue<DateTimeOffset>(12), row.NullableValue<DateTimeOffset>(13));
}
