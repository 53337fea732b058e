using System.Security.Cryptography;
using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Identity;

/// <summary>
/// One-time codes: enrolment, invitation, recovery. Tables hold their keyed hashes, and what a code stands for is bound to it: a code of one's
/// own cannot be made to stand for another record or role.
/// </summary>
sealed class CodeStore(RowBinding binding, AlteredRows altered)
{
    const string Alphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"; // without 0 O 1 I L, which people confuse
    const int CodeLength = 12; // 31^12: 59 bits
    const string Enrolment = "enrolment_code";
    const string Invitation = "invitation";

    /// <summary>A fresh code, in groups of four.</summary>
    public static string Create()
    {
        var code = RandomNumberGenerator.GetString(Alphabet, CodeLength);
        return $"{code[..4]}-{code[4..8]}-{code[8..]}";
    }

    public Task AddEnrolmentAsync(NpgsqlConnection connection, string code, string patient, Guid by, DateTimeOffset now, DateTimeOffset expires, CancellationToken cancellation)
    {
        var hash = Hash(Enrolment, code);
        return connection.ExecuteAsync(cancellation, "INSERT INTO enrolment_code (code, patient, made_by, created, expires, binding) VALUES ($1, $2, $3, $4, $5, $6)",
            hash, patient, by, now, expires, binding.Of(Enrolment, hash, patient, by, now, expires));
    }

    /// <summary>Uses up an enrolment code; the patient it stands for, or null when it is unknown, used, expired or altered: then roll back.</summary>
    public async Task<string?> UseEnrolmentAsync(NpgsqlConnection connection, string code, Guid account, DateTimeOffset now, CancellationToken cancellation)
    {
        var hash = Hash(Enrolment, code);
        var used = await connection.QueryAsync(cancellation,
            row => (Patient: row.GetString(0), Intact: binding.Holds(row.GetFieldValue<byte[]>(4), Enrolment,
                hash, row.GetString(0), row.GetGuid(1), row.GetFieldValue<DateTimeOffset>(2), row.GetFieldValue<DateTimeOffset>(3))),
            """
            UPDATE enrolment_code SET used = $3, used_by = $2 WHERE code = $1 AND used IS NULL AND expires > $3
            RETURNING patient, made_by, created, expires, binding
            """, hash, account, now);
        return used is [var (patient, intact)] && await IsIntactAsync(Enrolment, intact, cancellation) ? patient : null;
    }

    /// <summary>Takes back what was handed out for a record.</summary>
    public static Task RemoveEnrolmentsAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "DELETE FROM enrolment_code WHERE patient = $1", patient);

    public Task AddInvitationAsync(NpgsqlConnection connection, string code, Role role, Guid by, DateTimeOffset now, DateTimeOffset expires, CancellationToken cancellation)
    {
        var hash = Hash(Invitation, code);
        return connection.ExecuteAsync(cancellation, "INSERT INTO invitation (code, role, made_by, created, expires, binding) VALUES ($1, $2, $3, $4, $5, $6)",
            hash, (short)role, by, now, expires, binding.Of(Invitation, hash, role, by, now, expires));
    }

    /// <summary>Uses up an invitation to a role; false when it is unknown, used, expired, for another role or altered: then roll back.</summary>
    public async Task<bool> UseInvitationAsync(NpgsqlConnection connection, string code, Role role, Guid account, DateTimeOffset now, CancellationToken cancellation)
    {
        var hash = Hash(Invitation, code);
        var used = await connection.QueryAsync(cancellation,
            row => binding.Holds(row.GetFieldValue<byte[]>(3), Invitation,
                hash, role, row.GetGuid(0), row.GetFieldValue<DateTimeOffset>(1), row.GetFieldValue<DateTimeOffset>(2)),
            """
            UPDATE invitation SET used = $3, used_by = $2 WHERE code = $1 AND role = $4 AND used IS NULL AND expires > $3
            RETURNING made_by, created, expires, binding
            """, hash, account, now, (short)role);
        return used is [var intact] && await IsIntactAsync(Invitation, intact, cancellation);
    }

    /// <summary>Puts these recovery codes in place of earlier ones. They belong to one setting-up of the second factor and die with it.</summary>
    public async Task ReplaceRecoveryAsync(NpgsqlConnection connection, AccountRow account, IReadOnlyList<string> codes, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "DELETE FROM recovery_code WHERE account = $1", account.Id);
        foreach (var code in codes)
        {
            await connection.ExecuteAsync(cancellation, "INSERT INTO recovery_code (account, code) VALUES ($1, $2)", account.Id, RecoveryHash(account, code));
        }
    }

    public async Task<bool> UseRecoveryAsync(NpgsqlConnection connection, AccountRow account, string code, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation, "DELETE FROM recovery_code WHERE account = $1 AND code = $2",
            account.Id, RecoveryHash(account, code)) == 1;

    public async Task<IEnumerable<AlteredRow>> AlteredAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var enrolments = await connection.QueryAsync(cancellation, row => Altered(Enrolment, row, row.GetString(1)),
            "SELECT code, patient, made_by, created, expires, binding FROM enrolment_code");
        var invitations = await connection.QueryAsync(cancellation, row => Altered(Invitation, row, (Role)row.GetInt16(1)),
            "SELECT code, role, made_by, created, expires, binding FROM invitation");
        return enrolments.Concat(invitations).OfType<AlteredRow>();

        AlteredRow? Altered(string table, NpgsqlDataReader row, object standsFor) =>
            binding.Holds(row.GetFieldValue<byte[]>(5), table, row.GetFieldValue<byte[]>(0), standsFor, row.GetGuid(2),
                row.GetFieldValue<DateTimeOffset>(3), row.GetFieldValue<DateTimeOffset>(4))
                ? null
                : new AlteredRow(table, row.GetGuid(2));
    }

    async Task<bool> IsIntactAsync(string table, bool intact, CancellationToken cancellation)
    {
        if (!intact)
        {
            await altered.ReportAsync(table, null, cancellation);
        }
        return intact;
    }

    byte[] RecoveryHash(AccountRow account, string code) => Hash($"recovery {account.Id} {account.SecondFactorVersion}", code);

    byte[] Hash(string purpose, string code) => binding.Hash(purpose, Normalize(code));

    static string Normalize(string code) =>
        string.Concat(code.Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
}
