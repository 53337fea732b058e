using System.Globalization;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Salus.Host.Engines;

/// <summary>PostgreSQL as a child process: a private folder, a private Unix socket, no network.</summary>
public sealed class EmbeddedPostgres : IAsyncDisposable
{
    const string Owner = "salus";
    readonly FolderLock held;
    readonly string socketFolder;
    readonly NpgsqlDataSource probe;
    EngineProcess? engine;

    EmbeddedPostgres(FolderLock held, string socketFolder, string password)
    {
        (this.held, this.socketFolder) = (held, socketFolder);
        var connection = new NpgsqlConnectionStringBuilder
        {
            Host = socketFolder,
            Username = Owner,
            Password = password,
            Database = Owner,
        };
        ConnectionString = connection.ConnectionString;
        connection.Database = "postgres";
        connection.Pooling = false;
        probe = NpgsqlDataSource.Create(connection);
    }

    /// <summary>Opens the database <c>salus</c>; the same for the life of this engine, restarts included.</summary>
    public string ConnectionString { get; }

    /// <summary>The process id of the postmaster.</summary>
    public int ProcessId => engine!.ProcessId;

    /// <summary>Starts PostgreSQL on <paramref name="folder"/>, which is created at first use.</summary>
    /// <exception cref="EngineException">It cannot run; the message names the mend.</exception>
    public static async Task<EmbeddedPostgres> StartAsync(
        string folder, ILogger? logger = null, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        folder = Path.GetFullPath(folder);
        time ??= TimeProvider.System;
        var native = await NativePostgres.PrepareAsync(cancellation);
        var held = FolderLock.Take(folder);
        EmbeddedPostgres? postgres = null;
        try
        {
            var cluster = Path.Combine(folder, "cluster");
            var socket = await SocketFolderAsync(folder, native, cancellation);
            if (!Directory.Exists(cluster))
            {
                await CreateClusterAsync(folder, cluster, native, cancellation);
            }

            var password = await File.ReadAllTextAsync(Path.Combine(folder, "password"), cancellation);
            postgres = new EmbeddedPostgres(held, socket, password);
            postgres.engine = await EngineProcess.StartAsync(
                "PostgreSQL", cluster,
                async stop =>
                {
                    await StopStaleAsync(cluster, time, stop);
                    return native.Command("postgres", ["-D", native.DataPath(cluster), .. Settings(socket)]);
                },
                postgres.AnswersAsync, logger ?? NullLogger.Instance, time, cancellation);
            await postgres.CreateDatabaseAsync(cancellation);
            return postgres;
        }
        catch
        {
            await (postgres?.DisposeAsync() ?? ValueTask.CompletedTask);
            held.Dispose();
            throw;
        }
    }

    static IEnumerable<string> Settings(string socketFolder) =>
        new[]
        {
            "listen_addresses=", $"unix_socket_directories={socketFolder}", "unix_socket_permissions=0700",
            "fsync=on", "synchronous_commit=on", "full_page_writes=on",
            "shared_buffers=128MB", "max_connections=200", "max_wal_size=512MB",
            // A failed statement may hold a patient's words: it stays out of the log.
            "log_min_error_statement=panic", "log_checkpoints=off", "log_error_verbosity=terse",
        }.SelectMany(setting => new[] { "-c", setting });

    // A socket's path may have 107 bytes at most, so it stays out of the data folder, in a private one made by mkdtemp.
    static async Task<string> SocketFolderAsync(string folder, NativePostgres native, CancellationToken cancellation)
    {
        var note = Path.Combine(folder, "socket");
        if (File.Exists(note) && await File.ReadAllTextAsync(note, cancellation) is { Length: > 0 } left
            && Path.GetFileName(left).StartsWith("salus-", StringComparison.Ordinal) && Directory.Exists(left))
        {
            return left;
        }

        var made = Directory.CreateTempSubdirectory("salus-").FullName;
        await native.GiveAsync(made, cancellation);
        await File.WriteAllTextAsync(note, made, cancellation);
        return made;
    }

    static async Task CreateClusterAsync(string folder, string cluster, NativePostgres native, CancellationToken cancellation)
    {
        var part = cluster + ".new";
        if (Directory.Exists(part))
        {
            Directory.Delete(part, recursive: true);
        }

        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        await WritePrivateAsync(Path.Combine(folder, "password"), password, cancellation);
        FolderLock.CreatePrivate(part);
        await native.GiveAsync(part, cancellation);
        var secret = Directory.CreateTempSubdirectory("salus-init-");
        try
        {
            var passwordFile = Path.Combine(secret.FullName, "password");
            await WritePrivateAsync(passwordFile, password, cancellation);
            await native.GiveAsync(secret.FullName, cancellation);
            var initdb = native.Command(
                "initdb", "-D", native.DataPath(part), "-U", Owner, "--encoding=UTF8", "--locale=C", "--data-checksums",
                "--auth=scram-sha-256", $"--pwfile={passwordFile}");
            await Shell.MustAsync(
                "creating the database", "sh", ["-c", "exec 9<\"$1\"; shift; exec \"$@\"", "salus-initdb", part, .. initdb], cancellation);
        }
        finally
        {
            secret.Delete(recursive: true);
        }

        Directory.Move(part, cluster);
    }

    static async Task WritePrivateAsync(string path, string text, CancellationToken cancellation)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var writer = new StreamWriter(path, options);
        await writer.WriteAsync(text.AsMemory(), cancellation);
    }

    // After kill -9 of a node its guard stops PostgreSQL, which may still be at it; the folder's lock says it is ours alone.
    static async Task StopStaleAsync(string cluster, TimeProvider time, CancellationToken cancellation)
    {
        var file = Path.Combine(cluster, "postmaster.pid");
        foreach (var signal in (string[])["INT", "QUIT", "KILL"])
        {
            for (var look = 0; look < 50; look++)
            {
                if (!File.Exists(file)
                    || !int.TryParse((await File.ReadAllLinesAsync(file, cancellation)).FirstOrDefault(), CultureInfo.InvariantCulture, out var id)
                    || new DirectoryInfo($"/proc/{id}/cwd").LinkTarget != cluster)
                {
                    return;
                }

                if (look == 0)
                {
                    await Shell.RunAsync("sh", ["-c", $"kill -{signal} {id}"], cancellation);
                }

                await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancellation);
            }
        }
    }

    async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        try
        {
            await using var connection = await probe.OpenConnectionAsync(cancellation);
            return true;
        }
        catch (PostgresException refusal) when (refusal.SqlState is "28P01" or "28000")
        {
            throw new EngineException("PostgreSQL refuses the password kept beside it: restore the data folder's file postgres/password");
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    async Task CreateDatabaseAsync(CancellationToken cancellation)
    {
        await using var find = probe.CreateCommand("SELECT count(*) FROM pg_database WHERE datname = 'salus'");
        if (await find.ExecuteScalarAsync(cancellation) is 0L)
        {
            await using var create = probe.CreateCommand("CREATE DATABASE salus");
            await create.ExecuteNonQueryAsync(cancellation);
        }
    }

    /// <summary>Stops PostgreSQL fast: sessions are ended, what was committed is on disk.</summary>
    public async ValueTask DisposeAsync()
    {
        await probe.DisposeAsync();
        if (engine is not null)
        {
            await engine.DisposeAsync();
        }

        if (Directory.Exists(socketFolder))
        {
            Directory.Delete(socketFolder, recursive: true);
        }

        held.Dispose();
    }
}
