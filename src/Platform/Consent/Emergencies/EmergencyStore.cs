using Npgsql;
using Salus.Platform.Schema;

namespace Salus.Platform.Consent.Emergencies;

/// <summary>A row of table <c>emergency</c>. It leads to the sealed document, which alone says what was opened, by whom and until when.</summary>
sealed record EmergencyRow(byte[] Id, string Patient, Guid Account, string Resource, byte[] Commitment, DateTimeOffset NotAfter, DateTimeOffset? PatientSeen, DateTimeOffset? AuditorSeen);

/// <summary>The SQL of emergency openings.</summary>
static class EmergencyStore
{
    internal const string Columns = "id, patient, account, resource, commitment, not_after, patient_seen, auditor_seen";

    /// <summary>Whether the patient is known, and stays so until the transaction ends.</summary>
    public static async Task<bool> HoldPatientAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetInt32(0), "SELECT 1 FROM patient WHERE id = $1 FOR KEY SHARE", patient)).Count == 1;

    public static Task AddAsync(NpgsqlConnection connection, EmergencyRow row, DateTimeOffset opened, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            "INSERT INTO emergency (id, patient, account, resource, commitment, not_after, opened) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            row.Id, row.Patient, row.Account, row.Resource, row.Commitment, row.NotAfter, opened);

    public static Task CloseAsync(NpgsqlConnection connection, byte[] id, DateTimeOffset now, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE emergency SET closed = coalesce(closed, $2) WHERE id = $1", id, now);

    /// <summary>Nobody else opens for this account until the transaction ends; how many it has opened since a moment.</summary>
    public static async Task<long> CountForAsync(NpgsqlConnection connection, Guid account, DateTimeOffset since, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", $"emergency/{account}");
        return (await connection.QueryAsync(cancellation, row => row.GetInt64(0), "SELECT count(*) FROM emergency WHERE account = $1 AND opened > $2", account, since))[0];
    }

    public static async Task<EmergencyRow?> FindAsync(NpgsqlConnection connection, string resource, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM emergency WHERE resource = $1 FOR UPDATE", resource)).SingleOrDefault();

    /// <summary>The newest, of one patient, by one account, or all.</summary>
    public static async Task<IReadOnlyList<EmergencyRow>> ListAsync(NpgsqlConnection connection, string? patient, Guid? account, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, Read,
            $"SELECT {Columns} FROM emergency WHERE ($1::text IS NULL OR patient = $1) AND ($2::uuid IS NULL OR account = $2) ORDER BY opened DESC LIMIT $3", patient, account, countMax);

    public static async Task<long> CountUnseenAsync(NpgsqlConnection connection, string? patient, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetInt64(0),
            patient is null ? "SELECT count(*) FROM emergency WHERE auditor_seen IS NULL" : "SELECT count(*) FROM emergency WHERE patient_seen IS NULL AND patient = $1",
            patient is null ? [] : [patient]))[0];

    public static Task SeenAsync(NpgsqlConnection connection, string? patient, DateTimeOffset now, CancellationToken cancellation) =>
        patient is null
            ? connection.ExecuteAsync(cancellation, "UPDATE emergency SET auditor_seen = $1 WHERE auditor_seen IS NULL", now)
            : connection.ExecuteAsync(cancellation, "UPDATE emergency SET patient_seen = $1 WHERE patient_seen IS NULL AND patient = $2", now, patient);

    public static Task RemoveOfPatientAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "DELETE FROM emergency WHERE patient = $1", patient);

    static EmergencyRow Read(NpgsqlDataReader row) => Read(row, 0);

    /// <summary>Reads <see cref="Columns"/> from a column on.</summary>
    internal static EmergencyRow Read(NpgsqlDataReader row, int at) => new(
        row.GetFieldValue<byte[]>(at), row.GetString(at + 1), row.GetGuid(at + 2), row.GetString(at + 3), row.GetFieldValue<byte[]>(at + 4),
        row.GetFieldValue<DateTimeOffset>(at + 5), row.NullableValue<DateTimeOffset>(at + 6), row.NullableValue<DateTimeOffset>(at + 7));
}
