using System.Text;
using Npgsql;
using NpgsqlTypes;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

/// <summary>What one search may see: the patients whose records of a type the caller may read, and whether what is about nobody is theirs to see.</summary>
sealed record IndexReach(string[] Patients, bool SeesNobodys)
{
    public bool IsEmpty => Patients.Length == 0 && !SeesNobodys;
}

/// <summary>A row that matches.</summary>
sealed record IndexMatch(string Id, DateTimeOffset Written);

/// <summary>The SQL of the search index.</summary>
static class IndexStore
{
    /// <summary>Rows up to which all matches are counted when nobody asks for the exact number.</summary>
    public const int CountedMax = 10_000;

    /// <summary>Consents are written behind another door and found by opening them.</summary>
    const string Unindexed =
        "(SELECT DISTINCT ON (id) type, id, patient, written, 0 AS key, '{}'::integer[] AS marks, '{}'::uuid[] AS hashes, deleted FROM entry WHERE type = 'Consent' ORDER BY id, version DESC)";

    /// <summary>Whether resources of a type have rows here.</summary>
    public static bool IsIndexed(string type) => type != "Consent";

    /// <summary>The matches of a page in the order of ids or of times, and how many there are in all as far as counted.</summary>
    /// <param name="connection">Where.</param>
    /// <param name="type">The resource type.</param>
    /// <param name="reach">What may be seen; null for the one question that may see all, whether an identity is taken.</param>
    /// <param name="plan">The condition.</param>
    /// <param name="order">Id, or time and id; which way; and after which match.</param>
    /// <param name="countMax">Matches on the page.</param>
    /// <param name="totalMax">Matches counted; null for no count.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public static async Task<(List<IndexMatch> Matches, int Total)> MatchAsync(
        NpgsqlConnection connection, string type, IndexReach? reach, IndexPlan plan, IndexOrder order, int countMax, int? totalMax, CancellationToken cancellation)
    {
        var values = new SqlValues();
        var sql = new StringBuilder();
        // Materialized where something is asked for: to walk the records in their order until enough of them match would read every one when few do.
        sql.Append("WITH matched AS ").Append(plan is IndexPlan.Everything ? "" : "MATERIALIZED ").Append("(SELECT s.id, s.written FROM ")
            .Append(IsIndexed(type) ? "search_value" : Unindexed).Append(" s WHERE s.type = ").Append(values.Add(type))
            .Append(IsIndexed(type) ? "" : " AND NOT s.deleted").Append(Seen(reach, values)).Append(" AND ").Append(plan.ToSql(values)).Append(") ");
        var total = totalMax is { } most ? $"(SELECT count(*) FROM (SELECT 1 FROM matched LIMIT {values.Add(most)}) c)" : "0::bigint";
        sql.Append($"SELECT t.total, m.id, m.written FROM (SELECT {total} AS total) t LEFT JOIN (SELECT id, written FROM matched");
        var key = order.ByTime ? "(written, id)" : "id";
        if (order.After is { } after)
        {
            sql.Append($" WHERE {key} {(order.IsDescending ? "<" : ">")} {(order.ByTime ? $"({values.Add(after.Written.ToUniversalTime())}, {values.Add(after.Id)})" : values.Add(after.Id))}");
        }
        var way = order.IsDescending ? "DESC" : "ASC";
        sql.Append($" ORDER BY {(order.ByTime ? $"written {way}, " : "")}id {way} LIMIT {values.Add(countMax)}) m ON true");
        sql.Append($" ORDER BY {(order.ByTime ? $"m.written {way}, " : "")}m.id {way}");
        var rows = await connection.QueryAsync(cancellation,
            row => (Total: row.GetInt64(0), Match: row.IsDBNull(1) ? null : new IndexMatch(row.GetString(1), row.GetFieldValue<DateTimeOffset>(2))), sql.ToString(), values.All);
        return ([.. rows.Select(row => row.Match).OfType<IndexMatch>()], (int)Math.Min(int.MaxValue, rows[0].Total));
    }

    /// <summary>For each record, the least or the greatest bound of a range; those without one are left out.</summary>
    public static async Task<Dictionary<string, double>> BoundsAsync(NpgsqlConnection connection, int[] names, IReadOnlyList<string> ids, bool isGreatest, CancellationToken cancellation) =>
        (await connection.QueryAsync(cancellation, row => (Id: row.GetString(0), Bound: row.GetDouble(1)),
            $"SELECT id, {(isGreatest ? "max(high)" : "min(low)")} FROM search_range WHERE name = ANY($1) AND id = ANY($2) GROUP BY id", names, ids.ToArray()))
            .ToDictionary(row => row.Id, row => row.Bound);

    /// <summary>Those of some hashes that stand in rows that match.</summary>
    public static async Task<HashSet<Guid>> MetAsync(
        NpgsqlConnection connection, string type, IndexReach reach, IndexPlan plan, Guid[] hashes, CancellationToken cancellation)
    {
        var values = new SqlValues();
        var (ofType, any) = (values.Add(type), values.Add(hashes));
        var sql = $"""
            WITH matched AS MATERIALIZED (SELECT s.hashes FROM search_value s WHERE s.type = {ofType}{Seen(reach, values)} AND {plan.ToSql(values)})
            SELECT DISTINCT h FROM matched, unnest(matched.hashes) h WHERE h = ANY({any})
            """;
        return [.. await connection.QueryAsync(cancellation, row => row.GetGuid(0), sql, values.All)];
    }

    public static async Task AddAsync(NpgsqlConnection connection, IReadOnlyList<IndexRow> rows, CancellationToken cancellation)
    {
        await using (var writer = await connection.BeginBinaryImportAsync("COPY search_value (type, id, patient, written, key, marks, hashes) FROM STDIN (FORMAT binary)", cancellation))
        {
            foreach (var row in rows)
            {
                await writer.StartRowAsync(cancellation);
                await writer.WriteAsync(row.Type, NpgsqlDbType.Text, cancellation);
                await writer.WriteAsync(row.Id, NpgsqlDbType.Text, cancellation);
                if (row.Patient is { } patient)
                {
                    await writer.WriteAsync(patient, NpgsqlDbType.Text, cancellation);
                }
                else
                {
                    await writer.WriteNullAsync(cancellation);
                }
                await writer.WriteAsync(row.Written, NpgsqlDbType.TimestampTz, cancellation);
                await writer.WriteAsync(row.Key, NpgsqlDbType.Integer, cancellation);
                await writer.WriteAsync(row.Marks, NpgsqlDbType.Array | NpgsqlDbType.Integer, cancellation);
                await writer.WriteAsync(row.Hashes, NpgsqlDbType.Array | NpgsqlDbType.Uuid, cancellation);
            }
            await writer.CompleteAsync(cancellation);
        }
        await AddRangesAsync(connection, rows, cancellation);
    }

    /// <summary>Makes rows that are there, and that the caller's transaction holds, anew.</summary>
    public static async Task ReplaceAsync(NpgsqlConnection connection, IReadOnlyList<IndexRow> rows, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var row in rows)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand("UPDATE search_value SET key = $3, marks = $4, hashes = $5 WHERE type = $1 AND id = $2")
            {
                Parameters = { new() { Value = row.Type }, new() { Value = row.Id }, new() { Value = row.Key }, new() { Value = row.Marks }, new() { Value = row.Hashes } },
            });
        }
        batch.BatchCommands.Add(new NpgsqlBatchCommand("DELETE FROM search_range WHERE id = ANY($1)") { Parameters = { new() { Value = rows.Select(row => row.Id).ToArray() } } });
        await batch.ExecuteNonQueryAsync(cancellation);
        await AddRangesAsync(connection, rows, cancellation);
    }

    static async Task AddRangesAsync(NpgsqlConnection connection, IReadOnlyList<IndexRow> rows, CancellationToken cancellation)
    {
        if (rows.All(row => row.Ranges.Count == 0))
        {
            return;
        }
        await using var ranges = await connection.BeginBinaryImportAsync("COPY search_range (name, id, low, high, units) FROM STDIN (FORMAT binary)", cancellation);
        foreach (var row in rows)
        {
            foreach (var range in row.Ranges)
            {
                await ranges.StartRowAsync(cancellation);
                await ranges.WriteAsync(range.Name, NpgsqlDbType.Integer, cancellation);
                await ranges.WriteAsync(row.Id, NpgsqlDbType.Text, cancellation);
                await ranges.WriteAsync(range.Low, NpgsqlDbType.Double, cancellation);
                await ranges.WriteAsync(range.High, NpgsqlDbType.Double, cancellation);
                if (range.Units is { } units)
                {
                    await ranges.WriteAsync(units, NpgsqlDbType.Array | NpgsqlDbType.Integer, cancellation);
                }
                else
                {
                    await ranges.WriteNullAsync(cancellation);
                }
            }
        }
        await ranges.CompleteAsync(cancellation);
    }

    /// <summary>Forgets what resources were found by.</summary>
    public static async Task RemoveAsync(NpgsqlConnection connection, IReadOnlyList<(string Type, string Id)> records, CancellationToken cancellation)
    {
        if (records.Count == 0)
        {
            return;
        }
        var (types, ids) = (records.Select(record => record.Type).ToArray(), records.Select(record => record.Id).ToArray());
        await connection.ExecuteAsync(cancellation, "DELETE FROM search_value s USING unnest($1::text[], $2::text[]) AS gone (type, id) WHERE (s.type, s.id) = (gone.type, gone.id)", types, ids);
        await connection.ExecuteAsync(cancellation, "DELETE FROM search_range WHERE id = ANY($1)", (object)ids);
    }

    static string Seen(IndexReach? reach, SqlValues values) => reach switch
    {
        null => "",
        { SeesNobodys: true, Patients.Length: 0 } => " AND s.patient IS NULL",
        { SeesNobodys: true } => $" AND (s.patient IS NULL OR s.patient = ANY({values.Add(reach.Patients)}))",
        _ => $" AND s.patient = ANY({values.Add(reach.Patients)})",
    };
}

/// <summary>The order of matches.</summary>
/// <param name="ByTime">By the time of the newest version and then by id; by id alone otherwise, which no write changes.</param>
/// <param name="IsDescending">Newest first.</param>
/// <param name="After">The match after which the page begins.</param>
sealed record IndexOrder(bool ByTime, bool IsDescending, IndexMatch? After);
