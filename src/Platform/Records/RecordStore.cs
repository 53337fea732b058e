using Npgsql;
using NpgsqlTypes;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

/// <summary>The SQL of records: patients, newest versions, search values.</summary>
static class RecordStore
{
    public static Task AddPatientAsync(NpgsqlConnection connection, string id, Guid owner, string alias, DateTimeOffset created, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "INSERT INTO patient (id, owner, alias, created) VALUES ($1, $2, $3, $4)", id, owner, alias, created);

    public static async Task<bool> PatientExistsAsync(NpgsqlConnection connection, string id, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetInt32(0), "SELECT 1 FROM patient WHERE id = $1", id)).Count == 1;

    /// <summary>Whether the patient is known, and stays so until the transaction ends: who writes into a record holds it.</summary>
    public static async Task<bool> HoldPatientAsync(NpgsqlConnection connection, string id, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetInt32(0), "SELECT 1 FROM patient WHERE id = $1 FOR KEY SHARE", id)).Count == 1;

    /// <summary>Adds the same for all of these, distinct: where one of them is not known, the transaction is refused (P0002).</summary>
    public static void HoldPatients(NpgsqlBatch batch, string[] ids)
    {
        if (ids.Length > 0)
        {
            batch.Add("SELECT hold_patients($1)", (object)ids);
        }
    }

    /// <summary>The key of a patient's record, into which nobody writes until the transaction ends; null when there is no such patient.</summary>
    public static async Task<Guid?> LockPatientAsync(NpgsqlConnection connection, string id, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => (Guid?)row.GetGuid(0), "SELECT owner FROM patient WHERE id = $1 FOR UPDATE", id)).SingleOrDefault();

    /// <summary>Forgets what a patient's records are found by, and the patient. Before the records themselves are removed.</summary>
    public static async Task RemovePatientAsync(NpgsqlConnection connection, string id, Guid owner, CancellationToken cancellation)
    {
        await connection.ExecuteAsync(cancellation, "DELETE FROM search_range r USING entry e WHERE e.owner = $1 AND r.id = e.id", owner);
        await connection.ExecuteAsync(cancellation, "DELETE FROM search_value s USING entry e WHERE e.owner = $1 AND (s.type, s.id) = (e.type, e.id)", owner);
        await connection.ExecuteAsync(cancellation, "DELETE FROM patient WHERE id = $1", id);
    }

    /// <summary>Whether what stood under this name was erased.</summary>
    public static async Task<bool> IsErasedAsync(NpgsqlConnection connection, string type, string id, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetBoolean(0),
            "SELECT EXISTS (SELECT FROM leaf l JOIN erasure e ON e.positions @> l.position WHERE l.type = $1 AND l.id = $2)", type, id))[0];

    public static async Task<IReadOnlyList<SealedEntry>> NewestOfPatientAsync(
        NpgsqlConnection connection, string patient, IReadOnlyList<string>? types, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, SealedStore.Read,
            $"""
            SELECT {SealedStore.Columns} FROM (
                SELECT DISTINCT ON (type, id) * FROM entry
                WHERE patient = $1 AND type <> 'AuditEvent' AND ($2::text[] IS NULL OR type = ANY($2))
                ORDER BY type, id, version DESC) e
            WHERE NOT deleted ORDER BY written, type, id LIMIT $3
            """, patient, types?.ToArray(), countMax);

    public static async Task<IReadOnlyList<SealedEntry>> VersionsAsync(NpgsqlConnection connection, string type, string id, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, SealedStore.Read,
            $"SELECT {SealedStore.Columns} FROM entry e WHERE type = $1 AND id = $2 ORDER BY version DESC LIMIT $3", type, id, countMax);

    /// <summary>Newest versions by name; the order is that of the database.</summary>
    public static async Task<IReadOnlyList<SealedEntry>> NewestAsync(NpgsqlConnection connection, string type, IReadOnlyList<string> ids, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, SealedStore.Read,
            $"""
            SELECT {SealedStore.Columns} FROM (
                SELECT DISTINCT ON (id) * FROM entry WHERE type = $1 AND id = ANY($2) ORDER BY id, version DESC) e
            WHERE NOT deleted
            """, type, ids.ToArray());

    /// <summary>Versions of records of some patients and of nobody, newest first. Who may see which is decided on what comes back.</summary>
    public static async Task<IReadOnlyList<SealedEntry>> HistoryAsync(
        NpgsqlConnection connection, string? type, string? id, string[] patients, DateTimeOffset? since, HistoryPlace? after, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, SealedStore.Read,
            $"""
            SELECT {SealedStore.Columns} FROM entry e
            WHERE {(type is null ? "$1::text IS NULL AND type <> 'AuditEvent'" : "type = $1")} AND {(id is null ? "$2::text IS NULL" : "id = $2")}
              AND (patient IS NULL OR patient = ANY($3)) AND ($4::timestamptz IS NULL OR written >= $4)
              AND ($5::timestamptz IS NULL OR (written, id, version) < ($5, $6, $7))
            ORDER BY written DESC, id DESC, version DESC LIMIT $8
            """, type, id, patients, since?.ToUniversalTime(), after?.Written.ToUniversalTime(), after?.Id, after?.Version, countMax);

    public static async Task<int> CountVersionsAsync(NpgsqlConnection connection, string type, string id, CancellationToken cancellation) =>
        (int)(await connection.QueryAsync(cancellation, row => row.GetInt64(0), "SELECT count(*) FROM entry WHERE type = $1 AND id = $2", type, id))[0];

    /// <summary>Newest versions of a patient's records in the order of type and id, which no write changes.</summary>
    public static async Task<IReadOnlyList<SealedEntry>> EverythingAsync(
        NpgsqlConnection connection, string patient, IReadOnlyList<string>? types, DateTimeOffset? since, (string Type, string Id)? after, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, SealedStore.Read,
            $"""
            SELECT {SealedStore.Columns} FROM (
                SELECT DISTINCT ON (type, id) * FROM entry
                WHERE patient = $1 AND type <> 'AuditEvent' AND ($2::text[] IS NULL OR type = ANY($2)) AND ($3::text IS NULL OR (type, id) > ($3, $4))
                ORDER BY type, id, version DESC) e
            WHERE NOT deleted AND ($5::timestamptz IS NULL OR written >= $5) ORDER BY type, id LIMIT $6
            """, patient, types?.ToArray(), after?.Type, after?.Id, since?.ToUniversalTime(), countMax);
}

/// <summary>A place in a history.</summary>
sealed record HistoryPlace(DateTimeOffset Written, string Id, int Version);
