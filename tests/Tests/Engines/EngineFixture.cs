using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Salus.Host.Engines;

[assembly: AssemblyFixture(typeof(Salus.Tests.Engines.EngineFixture))]

namespace Salus.Tests.Engines;

/// <summary>The one PostgreSQL and the one chain of a test run; each test takes a database of its own.</summary>
public sealed class EngineFixture : IAsyncLifetime
{
    static EmbeddedPostgres? postgres;
    static EmbeddedChain? chain;
    static int databases;
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("salus-tests-");

    /// <summary>The shared chain. Whoever sends to it uses a fresh key of its own and funds it.</summary>
    public static EmbeddedChain Chain => chain ?? throw new InvalidOperationException("the chain has not started");

    /// <summary>A fresh, empty database; answers its connection string.</summary>
    public static async Task<string> NewDatabaseAsync()
    {
        var server = postgres ?? throw new InvalidOperationException("PostgreSQL has not started");
        var name = $"test_{Interlocked.Increment(ref databases)}";
        await using var admin = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Pooling = false }.ConnectionString);
        await admin.OpenAsync();
        await using var create = new NpgsqlCommand($"CREATE DATABASE {name}", admin);
        await create.ExecuteNonQueryAsync();
        return new NpgsqlConnectionStringBuilder(server.ConnectionString)
        {
            Database = name,
            MaxPoolSize = 15,
            ConnectionIdleLifetime = 5,
            ConnectionPruningInterval = 2,
        }.ConnectionString;
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        postgres = await EmbeddedPostgres.StartAsync(Path.Combine(folder.FullName, "postgres"), NullLogger.Instance, CancellationToken.None);
        chain = await EmbeddedChain.StartAsync(Path.Combine(folder.FullName, "chain"), NullLogger.Instance, CancellationToken.None);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await (chain?.DisposeAsync() ?? ValueTask.CompletedTask);
        await (postgres?.DisposeAsync() ?? ValueTask.CompletedTask);
        folder.Delete(recursive: true);
    }
}
