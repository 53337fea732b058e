using Npgsql;
using Salus.Tests.Engines;

namespace Salus.Tests.Platform;

/// <summary>Databases of the tests' PostgreSQL.</summary>
static class TestDatabase
{
    public static Task<string> NewAsync() => EngineFixture.NewNodeDatabaseAsync();

    /// <summary>A copy of a database that nobody is connected to.</summary>
    public static async Task<string> CopyAsync(string connectionString)
    {
        var source = new NpgsqlConnectionStringBuilder(connectionString);
        var copy = $"{source.Database}_{Guid.NewGuid():n}";
        var admin = new NpgsqlConnectionStringBuilder(connectionString) { Database = "postgres", Pooling = false };
        await using var connection = new NpgsqlConnection(admin.ConnectionString);
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"CREATE DATABASE {copy} TEMPLATE {source.Database}", connection);
        await create.ExecuteNonQueryAsync();
        source.Database = copy;
        return source.ConnectionString;
    }

    /// <summary>Puts another database in the place of one that nobody is connected to.</summary>
    public static async Task RestoreAsync(string connectionString, string backup)
    {
        NpgsqlConnection.ClearAllPools();
        var (target, source) = (new NpgsqlConnectionStringBuilder(connectionString), new NpgsqlConnectionStringBuilder(backup));
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(backup) { Database = "postgres", Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        foreach (var sql in new[] { $"DROP DATABASE {target.Database} WITH (FORCE)", $"CREATE DATABASE {target.Database} TEMPLATE {source.Database}" })
        {
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 300 };
            await command.ExecuteNonQueryAsync();
        }
    }

    /// <summary>Runs statements; answers how many rows they changed.</summary>
    public static async Task<int> ExecuteAsync(this NpgsqlDataSource database, string sql, params object[] values)
    {
        await using var command = Command(database, sql, values);
        return await command.ExecuteNonQueryAsync();
    }

    /// <summary>The first value of the first row.</summary>
    public static async Task<T> ValueAsync<T>(this NpgsqlDataSource database, string sql, params object[] values)
    {
        await using var command = Command(database, sql, values);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>Every row, read by <paramref name="read"/>.</summary>
    public static async Task<List<T>> RowsAsync<T>(this NpgsqlDataSource database, Func<NpgsqlDataReader, T> read, string sql, params object[] values)
    {
        await using var command = Command(database, sql, values);
        await using var rows = await command.ExecuteReaderAsync();
        List<T> found = [];
        while (await rows.ReadAsync())
        {
            found.Add(read(rows));
        }
        return found;
    }

    static NpgsqlCommand Command(NpgsqlDataSource database, string sql, object[] values)
    {
        var command = database.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }
        return command;
    }
}
