using Npgsql;

namespace Salus.Host.Node.Backups;

/// <summary>Every table of a database into files and back, in PostgreSQL's binary COPY format.</summary>
static class TableCopies
{
    const string ScriptsTable = "schema_script";
    const int BufferBytes = 1 << 16;

    /// <summary>Copies all tables out, as they were at one moment: the connection is in a transaction that sees one snapshot.</summary>
    public static async Task<List<BackupTable>> ExportAsync(NpgsqlConnection connection, string folder, Action<string> told, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        List<BackupTable> tables = [];
        foreach (var (name, columns) in await ColumnsAsync(connection, cancellation))
        {
            told(name);
            await using (var file = new FileStream(PathOf(folder, name), FileMode.CreateNew, FileAccess.Write, FileShare.None, BufferBytes))
            {
                await using var copy = await connection.BeginRawBinaryCopyAsync($"COPY {Quoted(name)} ({Listed(columns)}) TO STDOUT (FORMAT binary)", cancellation);
                await copy.CopyToAsync(file, cancellation);
                file.Flush(flushToDisk: true);
            }
            await using var count = new NpgsqlCommand($"SELECT count(*) FROM {Quoted(name)}", connection);
            tables.Add(new BackupTable(name, columns, (long)(await count.ExecuteScalarAsync(cancellation))!));
        }
        return tables;
    }

    /// <summary>Copies all tables into a database that has the same ones, empty, in one transaction.</summary>
    /// <exception cref="NodeException">The tables are others.</exception>
    public static async Task ImportAsync(NpgsqlConnection connection, IReadOnlyList<BackupTable> tables, string folder, Action<string> told, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var here = await ColumnsAsync(connection, cancellation);
        var order = await OrderAsync(connection, [.. here.Keys], cancellation);
        if (!here.Keys.Order(StringComparer.Ordinal).SequenceEqual(tables.Select(table => table.Name).Order(StringComparer.Ordinal))
            || tables.FirstOrDefault(table => !here[table.Name].SequenceEqual(table.Columns)) is not null)
        {
            throw new NodeException("The backup's tables are not those of this Salus. Restore it with the Salus that made it.");
        }
        foreach (var table in tables.OrderBy(table => order.IndexOf(table.Name)))
        {
            told(table.Name);
            await using (var file = File.OpenRead(PathOf(folder, table.Name)))
            {
                await using var copy = await connection.BeginRawBinaryCopyAsync($"COPY {Quoted(table.Name)} ({Listed(table.Columns)}) FROM STDIN (FORMAT binary)", cancellation);
                await file.CopyToAsync(copy, cancellation);
            }
            await SetSequencesAsync(connection, table.Name, cancellation);
        }
        await transaction.CommitAsync(cancellation);
    }

    /// <summary>The scripts that a database's schema was made with, by name with their hashes.</summary>
    public static async Task<Dictionary<string, string>> ScriptsAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await RowsAsync(connection, row => (row.GetString(0), Convert.ToHexStringLower(row.GetFieldValue<byte[]>(1))), $"SELECT name, hash FROM {ScriptsTable} ORDER BY name", cancellation))
            .ToDictionary(script => script.Item1, script => script.Item2);

    /// <summary>Whether a database has any table.</summary>
    public static async Task<bool> HasTablesAsync(NpgsqlConnection connection, CancellationToken cancellation) =>
        (await RowsAsync(connection, row => row.GetBoolean(0), "SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r')", cancellation))[0];

    static string PathOf(string folder, string table) => Path.Combine(folder, $"{table}.copy");

    static async Task<SortedDictionary<string, List<string>>> ColumnsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var columns = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        foreach (var (table, column) in await RowsAsync(connection, row => (row.GetString(0), row.GetString(1)),
            """
            SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
            ORDER BY c.relname, a.attnum
            """, cancellation))
        {
            if (table != ScriptsTable)
            {
                (columns.TryGetValue(table, out var known) ? known : columns[table] = []).Add(column);
            }
        }
        return columns;
    }

    /// <summary>Tables in an order in which each comes after those that it refers to.</summary>
    static async Task<List<string>> OrderAsync(NpgsqlConnection connection, List<string> tables, CancellationToken cancellation)
    {
        var references = (await RowsAsync(connection, row => (From: row.GetString(0), To: row.GetString(1)),
            """
            SELECT f.relname, t.relname FROM pg_constraint k JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
            WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace AND f.oid <> t.oid
            """, cancellation)).ToLookup(reference => reference.From, reference => reference.To);
        List<string> order = [];
        while (order.Count < tables.Count)
        {
            var ready = tables.Where(table => !order.Contains(table) && references[table].All(order.Contains)).ToList();
            order.AddRange(ready.Count > 0 ? ready : throw new InvalidOperationException("The tables refer to each other in a circle."));
        }
        return order;
    }

    /// <summary>Lets numbers that the database gives go on after those in the table.</summary>
    static async Task SetSequencesAsync(NpgsqlConnection connection, string table, CancellationToken cancellation)
    {
        foreach (var column in await RowsAsync(connection, row => row.GetString(0),
            $"SELECT attname FROM pg_attribute WHERE attrelid = '{Quoted(table)}'::regclass AND attidentity <> ''", cancellation))
        {
            await using var set = new NpgsqlCommand(
                $"SELECT setval(pg_get_serial_sequence('{Quoted(table)}', '{column}'), coalesce(max({Quoted(column)}), 1), max({Quoted(column)}) IS NOT NULL) FROM {Quoted(table)}", connection);
            await set.ExecuteNonQueryAsync(cancellation);
        }
    }

    static async Task<List<T>> RowsAsync<T>(NpgsqlConnection connection, Func<NpgsqlDataReader, T> read, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        List<T> found = [];
        while (await rows.ReadAsync(cancellation))
        {
            found.Add(read(rows));
        }
        return found;
    }

    static string Listed(IReadOnlyList<string> columns) => string.Join(", ", columns.Select(Quoted));

    static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
