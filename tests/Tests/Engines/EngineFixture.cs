using System.Security.Cryptography;
using Npgsql;
using Salus.Host.Engines;

[assembly: AssemblyFixture(typeof(Salus.Tests.Engines.EngineFixture))]

namespace Salus.Tests.Engines;

/// <summary>One PostgreSQL and one chain for all tests; each test takes a database of its own.</summary>
public sealed class EngineFixture : IAsyncLifetime
{
    static EmbeddedPostgres? postgres;
    static EmbeddedChain? chain;
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("salus-tests-");

    /// <summary>The shared chain.</summary>
    public static EmbeddedChain Chain => chain ?? throw new InvalidOperationException("the chain has not started");

    /// <summary>A new empty database; answers its connection string.</summary>
    public static async Task<string> NewDatabaseAsync()
    {
        var server = postgres ?? throw new InvalidOperationException("PostgreSQL has not started");
        var name = $"t_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync();
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        await create.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = name, MaxPoolSize = 10 }.ConnectionString;
    }

    /// <summary>Both start.</summary>
    public async ValueTask InitializeAsync()
    {
        postgres = await EmbeddedPostgres.StartAsync(Path.Combine(folder.FullName, "postgres"));
        chain = await EmbeddedChain.StartAsync(Path.Combine(folder.FullName, "chain"));
    }

    /// <summary>Both stop, and leave nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        await (chain?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (postgres?.DisposeAsync() ?? ValueTask.CompletedTask);
        folder.Delete(recursive: true);
    }
}
