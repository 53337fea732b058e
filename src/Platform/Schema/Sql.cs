using System.Buffers;
using System.Text;
using Npgsql;

namespace Salus.Platform.Schema;

/// <summary>Short forms for positional-parameter SQL on a connection, inside whatever transaction it is in.</summary>
static class Sql
{
    // A plan that is kept must not be one of a table that was small when it was made: no table is read whole
    static readonly Dictionary<Planning, string[]> Settings = new()
    {
        [Planning.Once] = ["enable_seqscan"],
        [Planning.OnceInOrder] = ["enable_seqscan", "enable_bitmapscan", "enable_sort"],
        [Planning.OnceByCondition] = ["enable_seqscan", "enable_indexscan", "enable_indexonlyscan"],
    };

    static readonly Dictionary<Planning, string> Told = Settings.ToDictionary(pair => pair.Key,
        pair => $"SELECT set_config('plan_cache_mode', 'force_generic_plan', true), {string.Join(", ", pair.Value.Select(off => $"set_config('{off}', 'off', true)"))}");

    static readonly SearchValues<char> Doubtful = SearchValues.Create(['\0', .. Enumerable.Range(0xD800, 0x800).Select(code => (char)code)]);

    /// <summary>
    /// A connection of its own, for who holds a lock of the session: closing it ends the session, and the lock with it. A pooled one would keep
    /// the lock while it waits to be used again.
    /// </summary>
    public static Task<NpgsqlConnection> OpenUnpooledAsync(this NpgsqlDataSource database, CancellationToken cancellation) => OpenAsync(database, null, cancellation);

    /// <summary>A connection of its own that plans every statement in some way.</summary>
    public static Task<NpgsqlConnection> OpenPlanningAsync(this NpgsqlDataSource database, Planning planning, CancellationToken cancellation) =>
        OpenAsync(database, $"-c plan_cache_mode=force_generic_plan {string.Join(' ', Settings[planning].Select(off => $"-c {off}=off"))}", cancellation);

    static async Task<NpgsqlConnection> OpenAsync(NpgsqlDataSource database, string? options, CancellationToken cancellation)
    {
        await using var pooled = database.CreateConnection();
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false };
        if (options is not null)
        {
            settings.Options = $"{settings.Options} {options}".Trim();
        }
        var connection = pooled.CloneWith(settings.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellation);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public static NpgsqlCommand Command(this NpgsqlConnection connection, string sql, params ReadOnlySpan<object?> values)
    {
        var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values)
        {
            command.Parameters.Add(ParameterOf(value));
        }
        return command;
    }

    public static Task<int> ExecuteAsync(this NpgsqlConnection connection, CancellationToken cancellation, string sql, params ReadOnlySpan<object?> values)
    {
        var command = connection.Command(sql, values);
        return Run(command, cancellation);

        static async Task<int> Run(NpgsqlCommand command, CancellationToken cancellation)
        {
            await using (command)
            {
                return await command.ExecuteNonQueryAsync(cancellation);
            }
        }
    }

    public static Task<List<T>> QueryAsync<T>(
        this NpgsqlConnection connection, CancellationToken cancellation, Func<NpgsqlDataReader, T> read, string sql, params ReadOnlySpan<object?> values)
    {
        var command = connection.Command(sql, values);
        return Run(command, read, cancellation);

        static async Task<List<T>> Run(NpgsqlCommand command, Func<NpgsqlDataReader, T> read, CancellationToken cancellation)
        {
            await using (command)
            {
                await using var rows = await command.ExecuteReaderAsync(cancellation);
                return await rows.ReadAllAsync(read, cancellation);
            }
        }
    }

    /// <summary>Asks on a connection that is in no transaction, for a statement that is planned in some way.</summary>
    public static Task<List<T>> QueryAsync<T>(
        this NpgsqlConnection connection, CancellationToken cancellation, Planning planning, Func<NpgsqlDataReader, T> read, string sql, params ReadOnlySpan<object?> values)
    {
        var batch = new NpgsqlBatch(connection);
        var isTold = batch.Plan(planning);
        batch.Add(sql, values);
        return Run(batch, isTold, read, cancellation);

        static async Task<List<T>> Run(NpgsqlBatch batch, bool isTold, Func<NpgsqlDataReader, T> read, CancellationToken cancellation)
        {
            await using (batch)
            {
                await using var rows = await batch.ExecuteReaderAsync(cancellation);
                if (isTold)
                {
                    await rows.NextResultAsync(cancellation);
                }
                return await rows.ReadAllAsync(read, cancellation);
            }
        }
    }

    static bool Plan(this NpgsqlBatch batch, Planning planning)
    {
        if (planning == Planning.ByValues)
        {
            return false;
        }
        // The batch is a transaction of its own, with which what is told ends
        batch.Add(Told[planning]);
        return true;
    }

    /// <summary>The rows of one result.</summary>
    public static async Task<List<T>> ReadAllAsync<T>(this NpgsqlDataReader rows, Func<NpgsqlDataReader, T> read, CancellationToken cancellation)
    {
        List<T> found = [];
        while (await rows.ReadAsync(cancellation))
        {
            found.Add(read(rows));
        }
        return found;
    }

    /// <summary>A value that may be missing, with its type all the same: a statement is prepared for the types that it was first given.</summary>
    public static NpgsqlParameter Typed<T>(T? value) where T : class => new NpgsqlParameter<T?> { TypedValue = value };

    static NpgsqlParameter ParameterOf(object? value)
    {
        var parameter = value as NpgsqlParameter ?? new NpgsqlParameter { Value = value ?? DBNull.Value };
        switch (parameter.Value)
        {
            case string text:
                RequireText(text);
                break;
            case IEnumerable<string?> texts:
                foreach (var text in texts)
                {
                    RequireText(text);
                }
                break;
            default:
                break;
        }
        return parameter;
    }

    /// <summary>
    /// Refuses what is no text to a database before any of a message is written: Npgsql would stop in the middle of it, and whoever used the connection next
    /// would get the answers of others.
    /// </summary>
    static void RequireText(ReadOnlySpan<char> text)
    {
        while (text.IndexOfAny(Doubtful) is >= 0 and var at)
        {
            if (text[at] == '\0' || Rune.DecodeFromUtf16(text[at..], out _, out var read) != OperationStatus.Done)
            {
                throw new ArgumentException("A text holds a character that a database cannot: U+0000, or half of a pair of surrogates.");
            }
            text = text[(at + read)..];
        }
    }

    /// <summary>Adds a statement to those that go to the database in one message, and outside a transaction are one.</summary>
    public static void Add(this NpgsqlBatch batch, string sql, params ReadOnlySpan<object?> values)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(ParameterOf(value));
        }
        batch.BatchCommands.Add(command);
    }

    /// <summary>Sends the statements that were added, if there are any.</summary>
    public static async Task RunAsync(this NpgsqlBatch batch, CancellationToken cancellation)
    {
        if (batch.BatchCommands.Count > 0)
        {
            await batch.ExecuteNonQueryAsync(cancellation);
        }
    }

    public static T? Nullable<T>(this NpgsqlDataReader rows, int column) where T : class =>
        rows.IsDBNull(column) ? null : rows.GetFieldValue<T>(column);

    public static T? NullableValue<T>(this NpgsqlDataReader rows, int column) where T : struct =>
        rows.IsDBNull(column) ? null : rows.GetFieldValue<T>(column);
}
