using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Consent.Recovery;

/// <summary>A row of table <c>recovery_terms</c>.</summary>
sealed record RecoveryTermsRow(Guid Id, string Patient, byte[] Commitment, byte[] Sealed, DateTimeOffset Created, long? SetBlock = null);

/// <summary>A row of table <c>recovery_request</c>.</summary>
/// <param name="Id">Its id, which the outbox refers to.</param>
/// <param name="Patient">Whose passkeys are replaced.</param>
/// <param name="Key">By which, as the contract calls it.</param>
/// <param name="Sealed">That passkey; null where the request did not come from here.</param>
/// <param name="Sequence">The sequence number that the contacts sign over.</param>
/// <param name="Asked">When it began.</param>
/// <param name="Relayed">When enough contacts had signed.</param>
/// <param name="RequestedBlock">The block that has the request.</param>
/// <param name="EffectiveAt">When it takes effect, as the contract says.</param>
/// <param name="Cancelled">When a passkey of the patient's signed that it is off.</param>
/// <param name="CancelledBlock">The block that has that.</param>
/// <param name="CompletedBlock">The block in which the passkeys were replaced.</param>
/// <param name="Ended">When it was given up before the chain had it.</param>
/// <param name="Refused">Whether the contract has refused it.</param>
sealed record RecoveryRow(
    Guid Id, string Patient, byte[] Key, byte[]? Sealed, ulong Sequence, DateTimeOffset Asked, DateTimeOffset? Relayed = null, long? RequestedBlock = null,
    DateTimeOffset? EffectiveAt = null, DateTimeOffset? Cancelled = null, long? CancelledBlock = null, long? CompletedBlock = null, DateTimeOffset? Ended = null, bool Refused = false)
{
    /// <summary>How long contacts may take.</summary>
    public const int CollectingDaysMax = 7;

    public RecoveryState StateAt(DateTimeOffset now) =>
        CompletedBlock is not null ? RecoveryState.Completed
        : CancelledBlock is not null ? RecoveryState.Cancelled
        : Ended is not null ? RecoveryState.Withdrawn
        : Refused ? RecoveryState.Refused
        : EffectiveAt <= now ? RecoveryState.Due
        : Cancelled is not null ? RecoveryState.Cancelling
        : RequestedBlock is not null ? RecoveryState.Pending
        : Relayed is not null ? RecoveryState.Relayed
        : Asked.AddDays(CollectingDaysMax) < now ? RecoveryState.Expired
        : RecoveryState.Collecting;
}

/// <summary>The SQL of recovery contacts and of the requests they sign.</summary>
static class RecoveryStore
{
    public const string SetPurpose = "set-recovery";
    public const string RequestPurpose = "request-recovery";
    public const string CancelPurpose = "cancel-recovery";
    public const string CompletePurpose = "complete-recovery";

    const string Pending = "requested_block IS NOT NULL AND completed_block IS NULL AND cancelled_block IS NULL";
    const string Select =
        $"""
        SELECT r.id, r.patient, r.key, r.sealed, r.sequence, r.asked, r.relayed, r.requested_block, r.effective_at, r.cancelled, r.cancelled_block, r.completed_block, r.ended, t.state = 4
        FROM recovery_request r LEFT JOIN chain_transaction t ON t.purpose = '{RequestPurpose}' AND t.reference = r.id::text
        """;

    public static Task AddTermsAsync(NpgsqlConnection connection, RecoveryTermsRow row, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "INSERT INTO recovery_terms (id, patient, commitment, sealed, created) VALUES ($1, $2, $3, $4, $5)",
            row.Id, row.Patient, row.Commitment, row.Sealed, row.Created);

    /// <summary>The newest terms of a patient that the contract has not refused.</summary>
    public static async Task<RecoveryTermsRow?> TermsAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation,
            row => new RecoveryTermsRow(row.GetGuid(0), row.GetString(1), row.GetFieldValue<byte[]>(2), row.GetFieldValue<byte[]>(3), row.GetFieldValue<DateTimeOffset>(4), row.NullableValue<long>(5)),
            $"""
            SELECT r.id, r.patient, r.commitment, r.sealed, r.created, r.set_block
            FROM recovery_terms r LEFT JOIN chain_transaction t ON t.purpose = '{SetPurpose}' AND t.reference = r.id::text
            WHERE r.patient = $1 AND t.state IS DISTINCT FROM 4 ORDER BY r.created DESC LIMIT 1
            """, patient)).SingleOrDefault();

    public static async Task AddAsync(NpgsqlConnection connection, RecoveryRow row, uint counter, IReadOnlyList<byte[]> contacts, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "INSERT INTO recovery_request (id, patient, key, sealed, counter, sequence, asked) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            row.Id, row.Patient, row.Key, row.Sealed, (long)counter, (long)row.Sequence, row.Asked);
        for (var number = 0; number < contacts.Count; number++)
        {
            await connection.ExecuteAsync(cancellation, "INSERT INTO recovery_contact (request, number, contact) VALUES ($1, $2, $3)", row.Id, (short)number, contacts[number]);
        }
    }

    /// <summary>A patient's requests, newest first.</summary>
    public static async Task<IReadOnlyList<RecoveryRow>> OfPatientAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, Read, $"{Select} WHERE r.patient = $1 ORDER BY r.asked DESC LIMIT 20", patient);

    public static async Task<RecoveryRow?> FindAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, Read, $"{Select} WHERE r.id = $1", id)).SingleOrDefault();

    /// <summary>The requests that wait for a contact, by the keyed hash of who they are, with their number among the contacts and whether they have signed.</summary>
    public static async Task<IReadOnlyList<(Guid Request, int Number, bool Signed)>> OfContactAsync(NpgsqlConnection connection, byte[] contact, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => (row.GetGuid(0), (int)row.GetInt16(1), row.GetBoolean(2)),
            """
            SELECT c.request, c.number, c.sealed IS NOT NULL FROM recovery_contact c JOIN recovery_request r ON r.id = c.request
            WHERE c.contact = $1 AND r.relayed IS NULL AND r.ended IS NULL ORDER BY r.asked DESC LIMIT 50
            """, contact);

    /// <summary>Begins anew: the patient's sequence number has gone on, and what was signed over the old one counts no more.</summary>
    public static async Task RestartAsync(NpgsqlConnection connection, Guid id, ulong sequence, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "UPDATE recovery_contact SET sealed = NULL WHERE request = $1", id);
        await connection.ExecuteAsync(cancellation, "UPDATE recovery_request SET sequence = $2 WHERE id = $1", id, (long)sequence);
    }

    public static Task ConfirmAsync(NpgsqlConnection connection, Guid id, int number, byte[] signature, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE recovery_contact SET sealed = $3 WHERE request = $1 AND number = $2", id, (short)number, signature);

    /// <summary>What contacts have signed, in the order of their numbers.</summary>
    public static async Task<IReadOnlyList<(int Number, byte[] Sealed)>> ConfirmationsAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => ((int)row.GetInt16(0), row.GetFieldValue<byte[]>(1)),
            "SELECT number, sealed FROM recovery_contact WHERE request = $1 AND sealed IS NOT NULL ORDER BY number", id);

    public static Task RelayAsync(NpgsqlConnection connection, Guid id, DateTimeOffset now, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE recovery_request SET relayed = $2 WHERE id = $1", id, now);

    public static Task CancelAsync(NpgsqlConnection connection, Guid id, DateTimeOffset now, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE recovery_request SET cancelled = $2 WHERE id = $1", id, now);

    /// <summary>Gives up what the chain has not heard of yet.</summary>
    public static async Task<bool> EndAsync(NpgsqlConnection connection, string patient, DateTimeOffset now, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation, "UPDATE recovery_request SET ended = $2 WHERE patient = $1 AND relayed IS NULL AND ended IS NULL", patient, now) > 0;

    /// <summary>Whether a recovery has taken effect and the contract still waits to be told: nobody signs for the patient until then.</summary>
    public static async Task<bool> IsDueAsync(NpgsqlConnection connection, string patient, DateTimeOffset now, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetBoolean(0), $"SELECT EXISTS (SELECT FROM recovery_request WHERE patient = $1 AND effective_at <= $2 AND {Pending})", patient, now))[0];

    /// <summary>Recoveries that are due, with the pseudonym, where no change of the patient's keys is still on its way.</summary>
    public static async Task<IReadOnlyList<(Guid Id, string Patient, byte[] Subject)>> DueAsync(NpgsqlConnection connection, DateTimeOffset now, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => (row.GetGuid(0), row.GetString(1), row.GetFieldValue<byte[]>(2)),
            $"""
            SELECT r.id, r.patient, s.subject FROM recovery_request r JOIN consent_subject s ON s.patient = r.patient
            WHERE r.effective_at <= $1 AND r.ended IS NULL AND {Pending}
            AND NOT EXISTS (SELECT FROM chain_transaction t WHERE t.contract = 'Subjects' AND substring(t.data FROM 5 FOR 32) = s.subject AND t.state < 2)
            ORDER BY r.effective_at LIMIT 100
            """, now);

    /// <summary>How often the completion of a recovery was sent, and when the last time, if none is under way.</summary>
    public static async Task<(long Count, DateTimeOffset? Last, bool UnderWay)> CompletionsAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => (row.GetInt64(0), row.NullableValue<DateTimeOffset>(1), row.GetBoolean(2)),
            $"SELECT count(*), max(created), coalesce(bool_or(state < 4), false) FROM chain_transaction WHERE purpose = '{CompletePurpose}' AND reference LIKE $1", $"{id}/%"))[0];

    public static Task SetAsync(NpgsqlConnection connection, byte[] commitment, long block, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE recovery_terms SET set_block = $2 WHERE commitment = $1", commitment, block);

    /// <summary>A request that nobody made here is kept too: the patient must hear of it.</summary>
    public static async Task RequestedAsync(
        NpgsqlConnection connection, byte[] subject, byte[] key, ulong sequence, DateTimeOffset effectiveAt, DateTimeOffset now, long block, CancellationToken cancellation)
    {
        var known = await connection.ExecuteAsync(cancellation,
            """
            UPDATE recovery_request r SET requested_block = $4, effective_at = $5, relayed = coalesce(r.relayed, $6) FROM consent_subject s
            WHERE s.patient = r.patient AND s.subject = $1 AND r.key = $2 AND r.sequence = $3
            """, subject, key, (long)sequence, block, effectiveAt, now);
        if (known == 0)
        {
            await connection.ExecuteAsync(cancellation,
                """
                INSERT INTO recovery_request (id, patient, key, sequence, asked, relayed, requested_block, effective_at)
                SELECT $7, patient, $2, $3, $6, $6, $4, $5 FROM consent_subject WHERE subject = $1
                """, subject, key, (long)sequence, block, effectiveAt, now, Guid.CreateVersion7());
        }
    }

    public static Task CancelledAsync(NpgsqlConnection connection, byte[] subject, DateTimeOffset now, long block, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            $"""
            UPDATE recovery_request SET cancelled_block = $3, cancelled = coalesce(cancelled, $2)
            WHERE patient = (SELECT patient FROM consent_subject WHERE subject = $1) AND {Pending}
            """, subject, now, block);

    /// <summary>The patient, and when the recovery took effect; null where there is none such here.</summary>
    public static async Task<(string Patient, DateTimeOffset EffectiveAt)?> CompletedAsync(
        NpgsqlConnection connection, byte[] subject, byte[] key, long block, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => ((string Patient, DateTimeOffset EffectiveAt)?)(row.GetString(0), row.GetFieldValue<DateTimeOffset>(1)),
            $"""
            UPDATE recovery_request SET completed_block = $3 WHERE patient = (SELECT patient FROM consent_subject WHERE subject = $1) AND key = $2 AND {Pending}
            RETURNING patient, effective_at
            """, subject, key, block)).SingleOrDefault();

    /// <summary>Forgets what the chain has said after a block.</summary>
    public static async Task RewindAsync(NpgsqlConnection connection, long block, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "UPDATE recovery_terms SET set_block = NULL WHERE set_block > $1", block);
        await connection.ExecuteAsync(cancellation, "UPDATE recovery_request SET completed_block = NULL WHERE completed_block > $1", block);
        await connection.ExecuteAsync(cancellation, "UPDATE recovery_request SET cancelled_block = NULL WHERE cancelled_block > $1", block);
        await connection.ExecuteAsync(cancellation, "UPDATE recovery_request SET requested_block = NULL, effective_at = NULL WHERE requested_block > $1", block);
    }

    /// <summary>Pseudonyms of which the contract has refused a change, and of which none is on its way, with the sequence number that is next here and the newest refusal.</summary>
    public static async Task<IReadOnlyList<(string Patient, byte[] Subject, ulong Sequence, long Refused)>> RefusedAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, row => (row.GetString(0), row.GetFieldValue<byte[]>(1), (ulong)row.GetInt64(2), row.GetInt64(3)),
            """
            SELECT s.patient, s.subject, s.sequence, max(t.id) FROM chain_transaction t JOIN consent_subject s ON s.subject = substring(t.data FROM 5 FOR 32)
            WHERE t.state = 4 AND t.contract = 'Subjects' AND NOT EXISTS (
                SELECT FROM chain_transaction o WHERE o.contract = 'Subjects' AND substring(o.data FROM 5 FOR 32) = s.subject AND o.state < 2)
            GROUP BY s.patient, s.subject, s.sequence ORDER BY max(t.id) DESC LIMIT 100
            """);

    /// <summary>Sets the next sequence number to the contract's, if nobody has changed it meanwhile.</summary>
    public static Task RealignAsync(NpgsqlConnection connection, string patient, ulong from, ulong to, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE consent_subject SET sequence = $3 WHERE patient = $1 AND sequence = $2", patient, (long)from, (long)to);

    /// <summary>Forgets a patient's contacts and requests.</summary>
    public static async Task RemoveOfPatientAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "DELETE FROM recovery_request WHERE patient = $1", patient);
        await connection.ExecuteAsync(cancellation, "DELETE FROM recovery_terms WHERE patient = $1", patient);
    }

    /// <summary>Forgets for whose recovery somebody is called on.</summary>
    public static Task RemoveOfContactAsync(NpgsqlConnection connection, byte[] contact, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "DELETE FROM recovery_contact WHERE contact = $1", contact);

    static RecoveryRow Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), row.GetFieldValue<byte[]>(2), row.Nullable<byte[]>(3), (ulong)row.GetInt64(4), row.GetFieldValue<DateTimeOffset>(5),
        row.NullableValue<DateTimeOffset>(6), row.NullableValue<long>(7), row.NullableValue<DateTimeOffset>(8), row.NullableValue<DateTimeOffset>(9), row.NullableValue<long>(10),
        row.NullableValue<long>(11), row.NullableValue<DateTimeOffset>(12), row.NullableValue<bool>(13) == true);
}
