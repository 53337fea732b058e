using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Consent;

/// <summary>A patient's pseudonym at the contracts.</summary>
/// <param name="Subject">The pseudonym.</param>
/// <param name="Sequence">What the next change of its keys is signed with.</param>
/// <param name="NodeKey">What the contract calls the key that this node keeps, or kept, for the patient.</param>
/// <param name="SealedKey">That key; null where the patient signs.</param>
sealed record ConsentSubject(byte[] Subject, ulong Sequence, byte[]? NodeKey, byte[]? SealedKey);

/// <summary>A row of table <c>consent_key</c>.</summary>
sealed record ConsentKeyRow(byte[] Key, byte[] Sealed, uint Counter, DateTimeOffset Created, DateTimeOffset? Removed, long? AddedBlock);

/// <summary>The SQL of the keys that sign for patients.</summary>
static class ConsentKeyStore
{
    /// <summary>False when the patient has a pseudonym already.</summary>
    public static async Task<bool> AddSubjectAsync(NpgsqlConnection connection, string patient, ConsentSubject subject, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation, "INSERT INTO consent_subject (patient, subject, node_key, sealed_key) VALUES ($1, $2, $3, $4) ON CONFLICT (patient) DO NOTHING",
            patient, subject.Subject, subject.NodeKey, subject.SealedKey) == 1;

    public static async Task<ConsentSubject?> SubjectAsync(NpgsqlConnection connection, string patient, bool forUpdate, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation,
            row => new ConsentSubject(row.GetFieldValue<byte[]>(0), (ulong)row.GetInt64(1), row.Nullable<byte[]>(2), row.Nullable<byte[]>(3)),
            $"SELECT subject, sequence, node_key, sealed_key FROM consent_subject WHERE patient = $1{(forUpdate ? " FOR UPDATE" : "")}", patient)).SingleOrDefault();

    public static Task AdvanceAsync(NpgsqlConnection connection, string patient, ulong sequence, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE consent_subject SET sequence = $2 WHERE patient = $1", patient, (long)sequence);

    public static Task AddKeyAsync(
        NpgsqlConnection connection, string patient, byte[] key, byte[] sealedKey, uint counter, DateTimeOffset now, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "INSERT INTO consent_key (key, patient, sealed, counter, created) VALUES ($1, $2, $3, $4, $5)",
            key, patient, sealedKey, (long)counter, now);

    public static async Task<IReadOnlyList<ConsentKeyRow>> KeysAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation,
            row => new ConsentKeyRow(row.GetFieldValue<byte[]>(0), row.GetFieldValue<byte[]>(1), (uint)row.GetInt64(2), row.GetFieldValue<DateTimeOffset>(3),
                row.NullableValue<DateTimeOffset>(4), row.NullableValue<long>(5)),
            "SELECT key, sealed, counter, created, removed, added_block FROM consent_key WHERE patient = $1 ORDER BY created", patient);

    /// <summary>Whether anybody has, or had, this passkey.</summary>
    public static async Task<bool> IsKnownAsync(NpgsqlConnection connection, byte[] key, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetBoolean(0), "SELECT EXISTS (SELECT FROM consent_key WHERE key = $1) OR EXISTS (SELECT FROM recovery_request WHERE key = $1)", key))[0];

    public static Task CountAsync(NpgsqlConnection connection, byte[] key, uint counter, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE consent_key SET counter = $2 WHERE key = $1", key, (long)counter);

    /// <summary>A removed key signs nothing more here from this moment, whatever the chain has heard.</summary>
    public static Task RemoveAsync(NpgsqlConnection connection, byte[] key, DateTimeOffset now, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE consent_key SET removed = coalesce(removed, $2) WHERE key = $1", key, now);

    public static Task AddedAsync(NpgsqlConnection connection, byte[] key, long block, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE consent_key SET added_block = $2 WHERE key = $1", key, block);

    public static Task RemovedAsync(NpgsqlConnection connection, byte[] key, long block, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE consent_key SET removed_block = $2 WHERE key = $1", key, block);

    /// <summary>Ends all keys of a patient that were enrolled before a recovery took effect, and takes the one it was for, as it was kept with the request.</summary>
    public static async Task ReplacedAsync(
        NpgsqlConnection connection, string patient, byte[] key, DateTimeOffset before, DateTimeOffset now, long block, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation,
            "UPDATE consent_key SET removed = coalesce(removed, $4), removed_block = $5 WHERE patient = $1 AND key <> $2 AND created < $3 AND removed_block IS NULL",
            patient, key, before, now, block);
        await connection.ExecuteAsync(cancellation,
            """
            INSERT INTO consent_key (key, patient, sealed, counter, created, added_block)
            SELECT key, patient, sealed, counter, $3, $4 FROM recovery_request WHERE patient = $1 AND key = $2 AND sealed IS NOT NULL AND completed_block = $4
            ON CONFLICT (key) DO UPDATE SET added_block = $4 WHERE consent_key.patient = $1
            """, patient, key, now > before ? now : before, block);
        await connection.ExecuteAsync(cancellation, "UPDATE consent_subject SET sealed_key = NULL WHERE patient = $1", patient);
    }

    /// <summary>Destroys the key that the node kept for a patient, once the contract takes nothing more from it.</summary>
    public static Task ForgetNodeKeyAsync(NpgsqlConnection connection, byte[] subject, byte[] key, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE consent_subject SET sealed_key = NULL WHERE subject = $1 AND node_key = $2", subject, key);

    /// <summary>Forgets what the chain has said after a block.</summary>
    public static async Task RewindAsync(NpgsqlConnection connection, long block, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "UPDATE consent_key SET added_block = NULL WHERE added_block > $1", block);
        await connection.ExecuteAsync(cancellation, "UPDATE consent_key SET removed_block = NULL WHERE removed_block > $1", block);
    }

    /// <summary>Forgets a patient's passkeys.</summary>
    public static Task RemoveOfPatientAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "DELETE FROM consent_key WHERE patient = $1", patient);
}
