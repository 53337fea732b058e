using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Consent.Delegates;

/// <summary>A row of table <c>consent_delegate</c>.</summary>
/// <param name="Id">Its id, which the outbox refers to.</param>
/// <param name="Patient">For whom is signed.</param>
/// <param name="Delegate">Who signs.</param>
/// <param name="Key">With which of their passkeys.</param>
/// <param name="NotAfter">The last moment.</param>
/// <param name="Sequence">The patient's sequence number that it was signed with.</param>
/// <param name="Sealed">All that, and in what relation, under the patient's key.</param>
/// <param name="Created">When it was signed.</param>
/// <param name="Withdrawn">Since when it is over.</param>
/// <param name="AddedBlock">The block that has it.</param>
/// <param name="Refused">Whether the contract has refused it.</param>
sealed record DelegateRow(
    Guid Id, string Patient, string Delegate, byte[] Key, DateTimeOffset NotAfter, ulong Sequence, byte[] Sealed, DateTimeOffset Created, DateTimeOffset? Withdrawn = null,
    long? AddedBlock = null, bool Refused = false);

/// <summary>The SQL of delegates.</summary>
static class DelegateStore
{
    public const string AddPurpose = "add-delegate";
    public const string RemovePurpose = "remove-delegate";

    const int CountMax = 200;
    const string Select =
        $"""
        SELECT d.id, d.patient, d.delegate, d.key, d.not_after, d.sequence, d.sealed, d.created, d.withdrawn, d.added_block, t.state = 4
        FROM consent_delegate d LEFT JOIN chain_transaction t ON t.purpose = '{AddPurpose}' AND t.reference = d.id::text
        """;

    public static Task AddAsync(NpgsqlConnection connection, DelegateRow row, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            "INSERT INTO consent_delegate (id, patient, delegate, key, not_after, sequence, sealed, created) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            row.Id, row.Patient, row.Delegate, row.Key, row.NotAfter, (long)row.Sequence, row.Sealed, row.Created);

    public static async Task<IReadOnlyList<DelegateRow>> OfPatientAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, Read, $"{Select} WHERE d.patient = $1 ORDER BY d.created DESC LIMIT $2", patient, CountMax);

    public static async Task<IReadOnlyList<DelegateRow>> OfDelegateAsync(NpgsqlConnection connection, string @delegate, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, Read, $"{Select} WHERE d.delegate = $1 ORDER BY d.created DESC LIMIT $2", @delegate, CountMax);

    public static async Task<DelegateRow?> FindAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, Read, $"{Select} WHERE d.id = $1", id)).SingleOrDefault();

    /// <summary>From this moment the delegate signs nothing more here, whatever the chain has heard.</summary>
    public static Task WithdrawAsync(NpgsqlConnection connection, Guid id, DateTimeOffset now, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE consent_delegate SET withdrawn = coalesce(withdrawn, $2) WHERE id = $1", id, now);

    public static Task AddedAsync(NpgsqlConnection connection, byte[] subject, byte[] key, DateTimeOffset notAfter, ulong sequence, long block, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            """
            UPDATE consent_delegate d SET added_block = $5 FROM consent_subject s
            WHERE s.patient = d.patient AND s.subject = $1 AND d.key = $2 AND d.not_after = $3 AND d.sequence = $4
            """, subject, key, notAfter, (long)sequence, block);

    public static Task RemovedAsync(NpgsqlConnection connection, byte[] subject, byte[] key, ulong sequence, DateTimeOffset now, long block, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            """
            UPDATE consent_delegate d SET removed_block = $5, withdrawn = coalesce(d.withdrawn, $4) FROM consent_subject s
            WHERE s.patient = d.patient AND s.subject = $1 AND d.key = $2 AND d.sequence < $3 AND d.removed_block IS NULL
            """, subject, key, (long)sequence, now, block);

    /// <summary>Ends all delegates of a patient who were named before a recovery took effect.</summary>
    public static Task EndedAsync(NpgsqlConnection connection, string patient, DateTimeOffset before, DateTimeOffset now, long block, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            "UPDATE consent_delegate SET removed_block = $4, withdrawn = coalesce(withdrawn, $3) WHERE patient = $1 AND created < $2 AND removed_block IS NULL", patient, before, now, block);

    /// <summary>Forgets what the chain has said after a block. A withdrawal stands all the same.</summary>
    public static async Task RewindAsync(NpgsqlConnection connection, long block, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "UPDATE consent_delegate SET added_block = NULL WHERE added_block > $1", block);
        await connection.ExecuteAsync(cancellation, "UPDATE consent_delegate SET removed_block = NULL WHERE removed_block > $1", block);
    }

    /// <summary>Forgets who signs for a patient, and for whom they sign.</summary>
    public static Task RemoveOfPatientAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "DELETE FROM consent_delegate WHERE patient = $1 OR delegate = $1", patient);

    static DelegateRow Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetString(2), row.GetFieldValue<byte[]>(3), row.GetFieldValue<DateTimeOffset>(4), (ulong)row.GetInt64(5),
        row.GetFieldValue<byte[]>(6), row.GetFieldValue<DateTimeOffset>(7), row.NullableValue<DateTimeOffset>(8), row.NullableValue<long>(9), row.NullableValue<bool>(10) == true);
}
