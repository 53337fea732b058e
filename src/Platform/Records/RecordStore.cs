using Npgsql;
using NpgsqlTypes;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

/// <summary>What a record is found by, already blinded.</summary>
sealed record BlindValues(string Type, string Id, Guid[] Hashes);

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

    /// <summary>The key of a patient's record, into which nobody writes until the transaction ends; null when there is no such patient.</summary>
    public static async Task<Guid?> LockPatientAsync(NpgsqlConnection connection, string id, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => (Guid?)row.GetGuid(0), "SELECT owner FROM patient WHERE id = $1 FOR UPDATE", id)).SingleOrDefault();

    /// <summary>Forgets what a patient's records are found by, and the patient. Before the records themselves are removed.</summary>
    public static async Task RemovePatientAsync(NpgsqlConnection connection, string id, Guid owner, CancellationToken cancellation)
    {
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

    /// <summary>Records of a type that match every criterion: in each, any of the values.</summary>
    public static async Task<IReadOnlyList<string>> MatchAsync(
        NpgsqlConnection connection, string type, IReadOnlyList<IReadOnlyList<Guid>> criteria, int countMax, CancellationToken cancellation)
    {
        var matched = "SELECT DISTINCT id FROM entry WHERE type = $1";
        List<object?> values = [type];
        if (criteria.Count > 0)
        {
            List<string> parts = ["type = $1"];
            foreach (var any in criteria)
            {
                parts.Add($"hashes && ${values.Count + 1}");
                values.Add(any.ToArray());
            }
            matched = $"SELECT id FROM search_value WHERE {string.Join(" AND ", parts)}";
        }
        values.Add(countMax);
        // Materialized: to walk the records by id until enough of them match would read every one when few do.
        return await connection.QueryAsync(cancellation, row => row.GetString(0),
            $"WITH matched AS MATERIALIZED ({matched}) SELECT id FROM matched ORDER BY id DESC LIMIT ${values.Count}", [.. values]);
    }

    public static async Task IndexAsync(NpgsqlConnection connection, IReadOnlyList<BlindValues> records, CancellationToken cancellation)
    {
        if (records.Count == 0)
        {
            return;
        }
        await using var writer = await connection.BeginBinaryImportAsync("COPY search_value (type, id, hashes) FROM STDIN (FORMAT binary)", cancellation);
        foreach (var record in records)
        {
            await writer.StartRowAsync(cancellation);
            await writer.WriteAsync(record.Type, NpgsqlDbType.Text, cancellation);
            await writer.WriteAsync(record.Id, NpgsqlDbType.Text, cancellation);
            await writer.WriteAsync(record.Hashes, NpgsqlDbType.Array | NpgsqlDbType.Uuid, cancellation);
        }
        await writer.CompleteAsync(cancellation);
    }

    public static Task RemoveIndexAsync(NpgsqlConnection connection, string type, string id, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "DELETE FROM search_value WHERE type = $1 AND id = $2", type, id);
}
