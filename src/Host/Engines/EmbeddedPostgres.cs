using System.Runtime.InteropServices;
using Npgsql;

namespace Salus.Host.Engines;

/// <summary>PostgreSQL as a child process: a cluster in its folder, reached over a private Unix socket alone.</summary>
public sealed class EmbeddedPostgres : IAsyncDisposable
{
    const long LogBytesMax = 10 << 20;
    static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);

    readonly FolderLock folderLock;
    readonly PostgresCluster cluster;
    readonly string socketFolder;
    readonly EngineSupervisor supervisor;

    EmbeddedPostgres(FolderLock folderLock, PostgresCluster cluster, string socketFolder, ILogger logger)
    {
        this.folderLock = folderLock;
        this.cluster = cluster;
        this.socketFolder = socketFolder;
        supervisor = new("PostgreSQL", LaunchAsync, logger, TimeProvider.System);
        ConnectionString = ConnectionStringTo("salus");
    }

    /// <summary>How Npgsql reaches the database <c>salus</c>; it stays the same when the server restarts.</summary>
    public string ConnectionString { get; }

    /// <summary>The server's process number.</summary>
    public int Pid => supervisor.Current.Pid;

    /// <summary>Ends after a stop, or with an <see cref="EngineException"/> when the server stays down.</summary>
    public Task Completion => supervisor.Completion;

    /// <summary>Starts the server of <paramref name="dataFolder"/>; the first start makes its cluster and the database <c>salus</c>.</summary>
    /// <exception cref="EngineException">The engine is missing or cannot start, or another node uses the folder.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(string dataFolder, ILogger logger, CancellationToken cancellation)
    {
        dataFolder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(dataFolder));
        EngineFolders.Create(dataFolder, EngineFolders.Private);
        var folderLock = FolderLock.Take(dataFolder, "postgres.lock");
        EmbeddedPostgres? postgres = null;
        try
        {
            var cluster = await PostgresCluster.OpenAsync(dataFolder, cancellation);
            TurnLog(cluster.LogPath);
            var socketFolder = await SocketFolder.CreateAsync(Path.Combine(dataFolder, "postgres.socket"), cluster.Account, cancellation);
            postgres = new(folderLock, cluster, socketFolder, logger);
            await postgres.supervisor.StartAsync(cancellation);
            await postgres.CreateDatabaseAsync(cancellation);
            return postgres;
        }
        catch
        {
            if (postgres is not null)
            {
                await postgres.DisposeAsync();
            }

            folderLock.Dispose();
            throw;
        }
    }

    /// <summary>Stops the server in order: open transactions roll back, everything committed is on disk.</summary>
    public async ValueTask DisposeAsync()
    {
        if (await supervisor.ReleaseAsync() is { } process)
        {
            await process.StopAsync(TimeSpan.FromSeconds(20), PosixSignal.SIGINT, PosixSignal.SIGQUIT);
        }

        supervisor.Dispose();
        SocketFolder.Remove(socketFolder);
        folderLock.Dispose();
    }

    async Task<EngineProcess> LaunchAsync(CancellationToken cancellation)
    {
        var process = EngineProcess.Start("QUIT", cluster.LogPath, cluster.Folder, cluster.ServerCommand(socketFolder));
        try
        {
            await ReadyAsync(process, cancellation);
            return process;
        }
        catch
        {
            await process.StopAsync(TimeSpan.FromSeconds(5), PosixSignal.SIGQUIT);
            throw;
        }
    }

    async Task ReadyAsync(EngineProcess process, CancellationToken cancellation)
    {
        var since = TimeProvider.System.GetTimestamp();
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(ConnectionStringTo("postgres", pooling: false));
                await connection.OpenAsync(cancellation);
                return;
            }
            catch (NpgsqlException error)
            {
                if (process.Exited.IsCompleted)
                {
                    throw PostgresCluster.Failure("PostgreSQL does not start", PostgresCluster.LastComplaint(cluster.LogPath), cluster.LogPath);
                }

                if (TimeProvider.System.GetElapsedTime(since) > StartPatience)
                {
                    throw new EngineException($"PostgreSQL does not answer within {StartPatience.TotalSeconds:0} seconds: {error.Message}; see {cluster.LogPath}", error);
                }
            }

            await Task.WhenAny(process.Exited, Task.Delay(50, cancellation));
            cancellation.ThrowIfCancellationRequested();
        }
    }

    async Task CreateDatabaseAsync(CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(ConnectionStringTo("postgres", pooling: false));
        await connection.OpenAsync(cancellation);
        await using var look = new NpgsqlCommand("SELECT 1 FROM pg_database WHERE datname = 'salus'", connection);
        if (await look.ExecuteScalarAsync(cancellation) is null)
        {
            await using var create = new NpgsqlCommand("CREATE DATABASE salus", connection);
            await create.ExecuteNonQueryAsync(cancellation);
        }
    }

    string ConnectionStringTo(string database, bool pooling = true) => new NpgsqlConnectionStringBuilder
    {
        Host = socketFolder,
        Port = 5432,
        Username = "salus",
        Database = database,
        Pooling = pooling,
        MaxPoolSize = 80,
    }.ConnectionString;

    static void TurnLog(string path)
    {
        if (File.Exists(path) && new FileInfo(path).Length > LogBytesMax)
        {
            File.Move(path, path + ".1", overwrite: true);
        }
    }
}
