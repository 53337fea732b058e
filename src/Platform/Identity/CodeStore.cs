using System.Security.Cryptography;
using Npgsql;
using Salus.Platform.Schema;
using Salus.Vault.Keys;

namespace Salus.Platform.Identity;

/// <summary>One-time codes: enrolment, invitation, recovery. Tables hold their keyed hashes.</summary>
sealed class CodeStore(KeyVault vault)
{
    const string Alphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"; // without 0 O 1 I L, which people confuse
    const int CodeLength = 12; // 31^12: 59 bits

    /// <summary>A fresh code, in groups of four.</summary>
    public static string Create()
    {
        var code = RandomNumberGenerator.GetString(Alphabet, CodeLength);
        return $"{code[..4]}-{code[4..8]}-{code[8..]}";
    }

    public Task AddEnrolmentAsync(NpgsqlConnection connection, string code, string patient, Guid by, DateTimeOffset now, DateTimeOffset expires, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "INSERT INTO enrolment_code (code, patient, made_by, created, expires) VALUES ($1, $2, $3, $4, $5)",
            Blind("enrolment", code), patient, by, now, expires);

    /// <summary>Uses up an enrolment code; the patient it stands for, or null when it is unknown, used or expired.</summary>
    public async Task<string?> UseEnrolmentAsync(NpgsqlConnection connection, string code, Guid account, DateTimeOffset now, CancellationToken cancellation)
    {
        var used = await connection.QueryAsync(cancellation, row => row.GetString(0),
            "UPDATE enrolment_code SET used = $3, used_by = $2 WHERE code = $1 AND used IS NULL AND expires > $3 RETURNING patient",
            Blind("enrolment", code), account, now);
        return used.SingleOrDefault();
    }

    public Task AddInvitationAsync(NpgsqlConnection connection, string code, Role role, Guid by, DateTimeOffset now, DateTimeOffset expires, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "INSERT INTO invitation (code, role, made_by, created, expires) VALUES ($1, $2, $3, $4, $5)",
            Blind("invitation", code), (short)role, by, now, expires);

    /// <summary>Uses up an invitation to a role; false when it is unknown, used, expired or for another role.</summary>
    public async Task<bool> UseInvitationAsync(NpgsqlConnection connection, string code, Role role, Guid account, DateTimeOffset now, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation,
            "UPDATE invitation SET used = $3, used_by = $2 WHERE code = $1 AND role = $4 AND used IS NULL AND expires > $3",
            Blind("invitation", code), account, now, (short)role) == 1;

    /// <summary>Puts these recovery codes in place of earlier ones.</summary>
    public async Task ReplaceRecoveryAsync(NpgsqlConnection connection, Guid account, IReadOnlyList<string> codes, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "DELETE FROM recovery_code WHERE account = $1", account);
        foreach (var code in codes)
        {
            await connection.ExecuteAsync(cancellation, "INSERT INTO recovery_code (account, code) VALUES ($1, $2)", account, RecoveryHash(account, code));
        }
    }

    public async Task<bool> UseRecoveryAsync(NpgsqlConnection connection, Guid account, string code, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation, "DELETE FROM recovery_code WHERE account = $1 AND code = $2",
            account, RecoveryHash(account, code)) == 1;

    byte[] Blind(string purpose, string code) => vault.Blind($"code.{purpose}", Normalize(code));

    byte[] RecoveryHash(Guid account, string code) => vault.Blind("code.recovery", $"{account} {Normalize(code)}");

    static string Normalize(string code) =>
        string.Concat(code.Where(char.IsAsciiLetterOrDigit)).ToUpperInvariant();
}
