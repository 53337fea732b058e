using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Salus.Host.Engines;
using Salus.Platform.Schema;

[assembly: AssemblyFixture(typeof(Salus.Tests.Engines.EngineFixture))]
// Tests with nodes of their own wait for the chain a third of their time: one more than there are processors, for two
[assembly: CollectionBehavior(CollectionBehavior.CollectionPerClass, MaxParallelThreads = 3)]

namespace Salus.Tests.Engines;

/// <summary>The one PostgreSQL and the one chain of a test run; each test takes a database of its own.</summary>
public sealed class EngineFixture : IAsyncLifetime
{
    static EmbeddedPostgres? postgres;
    static EmbeddedChain? chain;
    static int databases;
    static readonly Lazy<Task<string>> Migrated = new(MigrateAsync);
    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("salus-tests-");

    /// <summary>The shared chain. Whoever sends to it uses a fresh key of its own and funds it.</summary>
    public static EmbeddedChain Chain => chain ?? throw new InvalidOperationException("the chain has not started");

    /// <summary>A fresh, empty database; answers its connection string.</summary>
    public static Task<string> NewDatabaseAsync() => CreateAsync("template1");

    /// <summary>A fresh database with the node's tables; answers its connection string.</summary>
    public static async Task<string> NewNodeDatabaseAsync() => await CreateAsync(await Migrated.Value);

    /// <summary>The tables are made once and copied: they take longer to make than most tests.</summary>
    static async Task<string> MigrateAsync()
    {
        var made = new NpgsqlConnectionStringBuilder(await NewDatabaseAsync()) { Pooling = false };
        await using var database = NpgsqlDataSource.Create(made.ConnectionString);
        await Migrations.ApplyAsync(database, CancellationToken.None);
        return made.Database!;
    }

    static async Task<string> CreateAsync(string template)
    {
        var name = $"test_{Interlocked.Increment(ref databases)}";
        await ExecuteAsync($"CREATE DATABASE {name} TEMPLATE {template}");
        return new NpgsqlConnectionStringBuilder(Server.ConnectionString)
        {
            Database = name,
            MaxPoolSize = 15,
            ConnectionIdleLifetime = 5,
            ConnectionPruningInterval = 2,
        }.ConnectionString;
    }

    static EmbeddedPostgres Server => postgres ?? throw new InvalidOperationException("PostgreSQL has not started");

    static async Task ExecuteAsync(string sql)
    {
        await using var admin = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Server.ConnectionString) { Pooling = false }.ConnectionString);
        await admin.OpenAsync();
        await using var command = new NpgsqlCommand(sql, admin);
        await command.ExecuteNonQueryAsync();
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        postgres = await EmbeddedPostgres.StartAsync(Path.Combine(folder.FullName, "postgres"), NullLogger.Instance, CancellationToken.None);
        // Tests kill processes, never the machine: what the kernel has taken is not lost.
        await ExecuteAsync("ALTER SYSTEM SET fsync = off");
        await ExecuteAsync("SELECT pg_reload_conf()");
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
