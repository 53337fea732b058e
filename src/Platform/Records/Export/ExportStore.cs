using Npgsql;
using NpgsqlTypes;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Records.Export;

/// <summary>The SQL of exports.</summary>
static class ExportStore
{
    const string Columns = "id, account, state, reason, asked, ended, request, type, after, records";

    /// <summary>The versions of a type's records that stood at a moment, in the order of ids; without those that were deleted then or since.</summary>
    public static async Task<IReadOnlyList<SealedEntry>> EntriesAsync(
        NpgsqlConnection connection, ExportRange range, IndexReach reach, int countMax, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, SealedStore.Read,
            $"""
            SELECT {SealedStore.Columns} FROM (
                SELECT DISTINCT ON (id) * FROM entry
                WHERE type = $1 AND id > $2 AND ($3::text IS NULL OR id <= $3) AND written <= $4 AND (patient = ANY($5) OR ($6 AND patient IS NULL))
                ORDER BY id, version DESC) e
            WHERE NOT deleted AND ($7::timestamptz IS NULL OR written >= $7)
              AND NOT EXISTS (SELECT FROM entry later WHERE later.type = e.type AND later.id = e.id AND later.version > e.version AND later.deleted)
            ORDER BY id LIMIT $8
            """, range.Type, range.After, range.UpTo, range.At, reach.Patients, reach.SeesNobodys, range.Request.Since?.ToUniversalTime(), countMax);

    /// <summary>What was deleted within a time and stood so at its end, in the order in which it was.</summary>
    public static async Task<IReadOnlyList<SealedEntry>> DeletionsAsync(
        NpgsqlConnection connection, DateTimeOffset since, DateTimeOffset until, IReadOnlyList<string>? types, (DateTimeOffset Written, string Id) after, int countMax,
        CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, SealedStore.Read,
            $"""
            SELECT {SealedStore.Columns} FROM entry e
            WHERE deleted AND written >= $1 AND written <= $2 AND (written, id) > ($3, $4) AND ($5::text[] IS NULL OR type = ANY($5))
              AND NOT EXISTS (SELECT FROM entry later WHERE later.type = e.type AND later.id = e.id AND later.version > e.version AND later.written <= $2)
            ORDER BY written, id LIMIT $6
            """, since.ToUniversalTime(), until, after.Written, after.Id, (object?)types?.ToArray(), countMax);

    /// <summary>Adds a job, unless the account has as many as it may.</summary>
    public static async Task<bool> AddAsync(NpgsqlConnection connection, Guid id, Guid account, byte[] request, DateTimeOffset asked, int jobsMax, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await connection.ExecuteAsync(cancellation, "SELECT pg_advisory_xact_lock(hashtextextended('export ' || $1, 0))", account.ToString());
        var added = await connection.ExecuteAsync(cancellation,
            """
            INSERT INTO export_job (id, account, state, asked, request, touched)
            SELECT $1, $2, $3, $4, $5, $4 WHERE (SELECT count(*) FROM export_job WHERE account = $2) < $6
            """, id, account, (short)ExportState.Open, asked, request, jobsMax);
        await transaction.CommitAsync(cancellation);
        return added == 1;
    }

    public static async Task<ExportJob?> FindAsync(NpgsqlConnection connection, Guid id, Guid account, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, Read, $"SELECT {Columns} FROM export_job WHERE id = $1 AND account = $2", id, account)).SingleOrDefault();

    public static async Task<bool> RemoveAsync(NpgsqlConnection connection, Guid id, Guid account, CancellationToken cancellation) =>
        await connection.ExecuteAsync(cancellation, "DELETE FROM export_job WHERE id = $1 AND account = $2", id, account) == 1;

    /// <summary>Forgets jobs that ended, or that were asked for and did not, before a time.</summary>
    public static Task<int> ForgetAsync(NpgsqlConnection connection, DateTimeOffset endedBefore, DateTimeOffset askedBefore, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "DELETE FROM export_job WHERE ended < $1 OR (ended IS NULL AND asked < $2)", endedBefore, askedBefore);

    public static async Task<IReadOnlyList<ExportFile>> FilesAsync(NpgsqlConnection connection, Guid job, CancellationToken cancellation) =>
        await connection.QueryAsync(cancellation, ReadFile, "SELECT number, type, after, upto, records, altered FROM export_file WHERE job = $1 ORDER BY number", job);

    /// <summary>
    /// Notes for jobs asked for before a time which transactions had begun by now. When those have ended, everything that was written before the job
    /// was asked for can be seen.
    /// </summary>
    public static Task<int> SetBarriersAsync(NpgsqlConnection connection, DateTimeOffset askedBefore, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE export_job SET barrier = pg_snapshot_xmax(pg_current_snapshot()) WHERE barrier IS NULL AND asked <= $1", askedBefore);

    /// <summary>Takes the job whose turn it is, for this transaction. A barrier from before a restoration lies beyond all transactions and counts for nothing.</summary>
    public static async Task<ExportJob?> TakeAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, Read,
            $"""
            SELECT {Columns} FROM export_job
            WHERE state = $1 AND (barrier <= pg_snapshot_xmin(pg_current_snapshot()) OR barrier > pg_snapshot_xmax(pg_current_snapshot()))
            ORDER BY touched LIMIT 1 FOR UPDATE SKIP LOCKED
            """, (short)ExportState.Open)).SingleOrDefault();

    public static async Task<bool> AnyOpenAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => row.GetBoolean(0), "SELECT EXISTS (SELECT FROM export_job WHERE state = $1)", (short)ExportState.Open))[0];

    public static Task MoveAsync(NpgsqlConnection connection, ExportJob job, DateTimeOffset now, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation, "UPDATE export_job SET state = $2, reason = $3, ended = $4, type = $5, after = $6, records = $7, touched = $8 WHERE id = $1",
            job.Id, (short)job.State, job.Reason, job.Ended, job.Type, job.After, job.Records, now);

    public static async Task<ExportFile?> LastFileAsync(NpgsqlConnection connection, Guid job, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, ReadFile,
            "SELECT number, type, after, upto, records, altered FROM export_file WHERE job = $1 ORDER BY number DESC LIMIT 1", job)).SingleOrDefault();

    public static Task SaveFileAsync(NpgsqlConnection connection, Guid job, ExportFile file, CancellationToken cancellation) =>
        connection.ExecuteAsync(cancellation,
            """
            INSERT INTO export_file (job, number, type, after, upto, records, altered) VALUES ($1, $2, $3, $4, $5, $6, $7)
            ON CONFLICT (job, number) DO UPDATE SET upto = excluded.upto, records = excluded.records, altered = excluded.altered
            """, job, file.Number, file.Type, file.After, file.UpTo, file.Records, file.Altered);

    static ExportJob Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetGuid(1), (ExportState)row.GetInt16(2), row.Nullable<string>(3), row.GetFieldValue<DateTimeOffset>(4), row.NullableValue<DateTimeOffset>(5),
        row.GetFieldValue<byte[]>(6), row.Nullable<string>(7), row.GetString(8), row.GetInt64(9));

    static ExportFile ReadFile(NpgsqlDataReader row) =>
        new(row.GetInt32(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetInt32(4), row.GetFieldValue<string[]>(5));
}
