using System.Security.Cryptography;
using Npgsql;

namespace Salus.Platform.Schema;

/// <summary>Brings a database to the schema of this program: the embedded scripts, in order of name, each once, in one transaction.</summary>
public static class Migrations
{
    const string Prefix = "Salus.Platform.Schema.";
    const long LockKey = 0x53616c7573; // "Salus": two nodes starting together take turns

    /// <summary>Applies the scripts that are missing.</summary>
    /// <exception cref="SetupException">A script that was applied has since been changed, or the database belongs to a newer Salus.</exception>
    public static async Task ApplyAsync(NpgsqlDataSource database, CancellationToken cancellation)
    {
        var scripts = Scripts();
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({LockKey})", cancellation);
        await ExecuteAsync(connection, "CREATE TABLE IF NOT EXISTS schema_script (name text PRIMARY KEY, hash bytea NOT NULL)", cancellation);
        var applied = await AppliedAsync(connection, cancellation);
        if (applied.Keys.Except(scripts.Select(script => script.Name)).FirstOrDefault() is { } newer)
        {
            throw new SetupException($"The database has the script {newer}, which this Salus does not know. Start the newer Salus that made it.");
        }
        foreach (var (name, sql, hash) in scripts)
        {
            if (!applied.TryGetValue(name, out var before))
            {
                await ExecuteAsync(connection, sql, cancellation);
                await using var insert = new NpgsqlCommand("INSERT INTO schema_script (name, hash) VALUES ($1, $2)", connection)
                {
                    Parameters = { new() { Value = name }, new() { Value = hash } },
                };
                await insert.ExecuteNonQueryAsync(cancellation);
            }
            else if (!hash.AsSpan().SequenceEqual(before))
            {
                throw new SetupException($"The script {name} differs from the one this database was made with. Start the Salus that made it, or begin with an empty data folder.");
            }
        }
        await transaction.CommitAsync(cancellation);
    }

    static List<(string Name, string Sql, byte[] Hash)> Scripts()
    {
        var assembly = typeof(Migrations).Assembly;
        var scripts = new List<(string, string, byte[])>();
        foreach (var resource in assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using var stream = assembly.GetManifestResourceStream(resource)!;
            using var reader = new StreamReader(stream);
            var sql = reader.ReadToEnd();
            scripts.Add((resource[Prefix.Length..], sql, SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(sql))));
        }
        return scripts;
    }

    static async Task<Dictionary<string, byte[]>> AppliedAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var applied = new Dictionary<string, byte[]>();
        await using var read = new NpgsqlCommand("SELECT name, hash FROM schema_script", connection);
        await using var rows = await read.ExecuteReaderAsync(cancellation);
        while (await rows.ReadAsync(cancellation))
        {
            applied[rows.GetString(0)] = rows.GetFieldValue<byte[]>(1);
        }
        return applied;
    }

    static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
