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
    public const int CountedMax = 1_000;

    /// <summary>Consents are written behind another door and found by opening them.</summary>
    const string Unindexed =
        "(SELECT DISTINCT ON (id) type, id, patient, written, 0 AS key, '{}'::integer[] AS marks, '{}'::uuid[] AS hashes, deleted FROM entry WHERE type = 'Consent' ORDER BY id, version DESC)";

    /// <summary>Whether resources of a type have rows here.</summary>
    public static bool IsIndexed(string type) => type != "Consent";

    /// <summary>Matches in the order of ids, newest first.</summary>
    /// <param name="connection">Where.</param>
    /// <param name="type">The resource type.</param>
    /// <param name="reach">What may be seen; null for the one question that may see all, whether an identity is taken.</param>
    /// <param name="plan">The condition.</param>
    /// <param name="countMax">Matches wanted.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <param name="byTime">Whether the order is that of the newest versions' times.</param>
    public static Task<List<IndexMatch>> MatchAsync(
        NpgsqlConnection connection, string type, IndexReach? reach, IndexPlan plan, int countMax, CancellationToken cancellation, bool byTime = false)
    {
        var values = new SqlValues();
        // Materialized: to walk the records in their order until enough of them match would read every one when few do.
        return connection.QueryAsync(cancellation, ReadMatch,
            $"""
            WITH matched AS {(plan is IndexPlan.Everything ? "" : "MATERIALIZED ")}(SELECT s.id, s.written FROM {Matching(type, reach, plan, values)})
            SELECT id, written FROM matched ORDER BY {new IndexOrder(byTime, true, null).Of("matched")} LIMIT {values.Add(countMax)}
            """, values.All);
    }

    /// <summary>The matches of a page, each with its newest version.</summary>
    /// <param name="type">The resource type.</param>
    /// <param name="reach">What may be seen.</param>
    /// <param name="plan">The condition.</param>
    /// <param name="order">Id, or time and id; which way; and after which match.</param>
    /// <param name="way">How they are found.</param>
    /// <param name="countMax">Matches on the page.</param>
    public static PageQuestion Page(string type, IndexReach reach, IndexPlan plan, IndexOrder order, IndexWay way, int countMax)
    {
        var values = new SqlValues();
        string Looked(string matching) => $"matched AS MATERIALIZED (SELECT s.id, s.written FROM {matching}) SELECT s.id, s.written FROM matched s WHERE true";
        var (page, planning) = way switch
        {
            IndexWay.Walked => ($"SELECT s.id, s.written FROM {Matching(type, reach, plan, values)}", IsIndexed(type) ? Planning.OnceInOrder : Planning.ByValues),
            IndexWay.ByHashes(var hashes, var rest) when IsIndexed(type) =>
                ($"WITH hashed AS MATERIALIZED (SELECT {(rest is IndexPlan.And { Plans: [] } ? "s.type, s.id, s.patient, s.written" : "s.*")} FROM search_value s WHERE {hashes.ToSql(values)}), {Looked($"hashed s WHERE {Conditions(type, reach, rest, values)}")}", Planning.OnceByCondition),
            _ => ($"WITH {Looked(Matching(type, reach, plan, values))}", way is IndexWay.ByIds && IsIndexed(type) ? Planning.OnceByCondition : Planning.ByValues),
        };
        return new PageQuestion(
            $"""
            SELECT m.id, m.written, {SealedStore.Columns} FROM ({page}{order.After(values)} ORDER BY {order.Of("s")} LIMIT {countMax}) m
            LEFT JOIN LATERAL (SELECT * FROM entry WHERE entry.type = {values.Add(type)} AND entry.id = m.id ORDER BY version DESC LIMIT 1) e ON NOT e.deleted
            ORDER BY {order.Of("m")}
            """, values.All, planning);
    }

    /// <summary>How many match, as far as counted.</summary>
    public static async Task<int> CountAsync(NpgsqlConnection connection, string type, IndexReach reach, IndexPlan plan, int countMax, CancellationToken cancellation)
    {
        var values = new SqlValues();
        var matching = Matching(type, reach, plan, values);
        var sql = countMax == int.MaxValue ? $"SELECT count(*) FROM {matching}" : $"SELECT count(*) FROM (SELECT 1 FROM {matching} LIMIT {values.Add(countMax)}) c";
        return (int)Math.Min(int.MaxValue, (await connection.QueryAsync(cancellation, row => row.GetInt64(0), sql, values.All))[0]);
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

    /// <summary>Writes rows: few of them with the batch, many at once on its connection.</summary>
    public static async Task AddAsync(NpgsqlBatch batch, IReadOnlyList<IndexRow> rows, CancellationToken cancellation)
    {
        if (rows.Count >= SealedStore.StreamedMin)
        {
            await StreamAsync(batch.Connection!, rows, cancellation);
            await AddRangesAsync(batch.Connection!, rows, cancellation);
            return;
        }
        Add(batch, rows);
    }

    /// <summary>Adds few rows to a batch.</summary>
    public static void Add(NpgsqlBatch batch, IReadOnlyList<IndexRow> rows)
    {
        if (rows.Count > 0)
        {
            var (marks, hashes) = (Slices.Of(rows, row => row.Marks), Slices.Of(rows, row => row.Hashes));
            batch.Add(
                """
                INSERT INTO search_value (type, id, patient, written, key, marks, hashes)
                SELECT type, id, patient, written, key, $6[marks_from:marks_to], $9[hashes_from:hashes_to]
                FROM unnest($1, $2, $3, $4, $5, $7, $8, $10, $11) u (type, id, patient, written, key, marks_from, marks_to, hashes_from, hashes_to)
                """,
                rows.Select(row => row.Type).ToArray(), rows.Select(row => row.Id).ToArray(), rows.Select(row => row.Patient).ToArray(), rows.Select(row => row.Written).ToArray(),
                rows.Select(row => row.Key).ToArray(), marks.All, marks.From, marks.To, hashes.All, hashes.From, hashes.To);
        }
        var ranges = rows.SelectMany(row => row.Ranges.Select(range => (row.Id, Range: range))).ToList();
        if (ranges.Count > 0)
        {
            var units = Slices.Of(ranges, row => row.Range.Units ?? []);
            batch.Add(
                """
                INSERT INTO search_range (name, id, low, high, units)
                SELECT name, id, low, high, CASE WHEN has_units THEN $6[units_from:units_to] END
                FROM unnest($1, $2, $3, $4, $5, $7, $8) u (name, id, low, high, has_units, units_from, units_to)
                """,
                ranges.Select(row => row.Range.Name).ToArray(), ranges.Select(row => row.Id).ToArray(), ranges.Select(row => row.Range.Low).ToArray(),
                ranges.Select(row => row.Range.High).ToArray(), ranges.Select(row => row.Range.Units is not null).ToArray(), units.All, units.From, units.To);
        }
    }

    /// <summary>The arrays of many rows as one, which a statement can be given, and where each begins and ends in it, counted from 1.</summary>
    sealed record Slices<T>(T[] All, int[] From, int[] To);

    static class Slices
    {
        public static Slices<T> Of<TRow, T>(IReadOnlyList<TRow> rows, Func<TRow, T[]> arrayOf)
        {
            var arrays = rows.Select(arrayOf).ToList();
            var to = new int[arrays.Count];
            for (var (i, end) = (0, 0); i < to.Length; i++)
            {
                to[i] = end += arrays[i].Length;
            }
            return new Slices<T>([.. arrays.SelectMany(array => array)], [.. to.Zip(arrays, (last, array) => last - array.Length + 1)], to);
        }
    }

    static async Task StreamAsync(NpgsqlConnection connection, IReadOnlyList<IndexRow> rows, CancellationToken cancellation)
    {
        await NodeDatabase.PrepareForMuchAsync(connection, cancellation);
        await using var writer = await connection.BeginBinaryImportAsync("COPY search_value (type, id, patient, written, key, marks, hashes) FROM STDIN (FORMAT binary)", cancellation);
        writer.Timeout = SealedStore.StreamedPatience;
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
    public static void Remove(NpgsqlBatch batch, IReadOnlyList<(string Type, string Id)> records)
    {
        if (records.Count == 0)
        {
            return;
        }
        var (types, ids) = (records.Select(record => record.Type).ToArray(), records.Select(record => record.Id).ToArray());
        batch.Add("DELETE FROM search_value s USING unnest($1, $2) AS gone (type, id) WHERE (s.type, s.id) = (gone.type, gone.id)", types, ids);
        batch.Add("DELETE FROM search_range WHERE id = ANY($1)", (object)ids);
    }

    static IndexMatch ReadMatch(NpgsqlDataReader row) => new(row.GetString(0), row.GetFieldValue<DateTimeOffset>(1));

    static string Matching(string type, IndexReach? reach, IndexPlan plan, SqlValues values) =>
        $"{(IsIndexed(type) ? "search_value" : Unindexed)} s WHERE {Conditions(type, reach, plan, values)}";

    static string Conditions(string type, IndexReach? reach, IndexPlan plan, SqlValues values) =>
        $"s.type = {values.Add(type)}{(IsIndexed(type) ? "" : " AND NOT s.deleted")}{Seen(reach, values)} AND {plan.ToSql(values)}";

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
/// <param name="Last">The match after which the page begins.</param>
sealed record IndexOrder(bool ByTime, bool IsDescending, IndexMatch? Last)
{
    /// <summary>The order of a table's rows in SQL.</summary>
    public string Of(string table) => (ByTime, IsDescending) switch
    {
        (true, true) => $"{table}.written DESC, {table}.id DESC",
        (true, false) => $"{table}.written, {table}.id",
        (false, true) => $"{table}.id DESC",
        _ => $"{table}.id",
    };

    /// <summary>The condition on the row <c>s</c> that it comes after the last match.</summary>
    public string After(SqlValues values) => Last is null
        ? ""
        : $" AND {(ByTime ? "(s.written, s.id)" : "s.id")} {(IsDescending ? "<" : ">")} {(ByTime ? $"({values.Add(Last.Written.ToUniversalTime())}, {values.Add(Last.Id)})" : values.Add(Last.Id))}";
}
