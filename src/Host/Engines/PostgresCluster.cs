using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Salus.Host.Engines;

/// <summary>The files of one PostgreSQL cluster: where they lie, how they are made, and who may connect.</summary>
/// <param name="Folder">The cluster folder, owned by the account that runs PostgreSQL.</param>
/// <param name="Native">The folder of PostgreSQL's own <c>bin</c>, <c>lib</c> and <c>share</c>.</param>
/// <param name="LogPath">What PostgreSQL prints; no statement is ever in it.</param>
/// <param name="Account">The account to change to, or null to run as the caller.</param>
sealed record PostgresCluster(string Folder, string Native, string LogPath, Unprivileged? Account)
{
    /// <summary>The cluster of <paramref name="dataFolder"/>, made when it does not exist.</summary>
    /// <remarks>It is the folder <c>cluster</c>; a half-made one never has that name.</remarks>
    public static async Task<PostgresCluster> OpenAsync(string dataFolder, CancellationToken cancellation)
    {
        var account = Unprivileged.ForThisProcess();
        var cluster = new PostgresCluster(
            Path.Combine(dataFolder, "cluster"), await EngineFiles.PostgresAsync(account, cancellation), Path.Combine(dataFolder, "postgres.log"), account);
        if (!Directory.Exists(cluster.Folder))
        {
            await (cluster with { Folder = cluster.Folder + ".new" }).CreateAsync(cluster.Folder, cancellation);
        }

        await cluster.StopLeftoverAsync(cancellation);
        await cluster.WriteAccessAsync(cancellation);
        return cluster;
    }

    /// <summary>The command line of a server of this cluster on a socket in <paramref name="socketFolder"/>.</summary>
    /// <remarks>Durability settings are spelled out, so that an edited configuration file cannot quietly weaken them.</remarks>
    public IEnumerable<string> ServerCommand(string socketFolder) => As(
    [
        Path.Combine(Native, "bin", "postgres"), "-D", ToldFolder,
        "-c", "listen_addresses=", "-c", "port=5432", "-c", $"unix_socket_directories={socketFolder}", "-c", "unix_socket_permissions=0700",
        "-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on", "-c", "wal_compression=on",
        "-c", "shared_buffers=256MB", "-c", "max_connections=200", "-c", "max_wal_size=4GB", "-c", "autovacuum_naptime=10s", "-c", "password_encryption=scram-sha-256",
        "-c", "log_destination=stderr", "-c", "logging_collector=off", "-c", "log_checkpoints=off",
        "-c", "log_statement=none", "-c", "log_min_duration_statement=-1", "-c", "log_min_error_statement=panic",
        "-c", "log_parameter_max_length=0", "-c", "log_parameter_max_length_on_error=0", "-c", "log_error_verbosity=terse",
        "-c", "timezone=UTC", "-c", "log_timezone=UTC",
    ]);

    /// <summary>The last complaint in the log, for an error's one line.</summary>
    public static string LastComplaint(string logPath)
    {
        if (!File.Exists(logPath))
        {
            return "it printed nothing";
        }

        var lines = File.ReadLines(logPath).Where(line => line.Length > 0).TakeLast(40).ToList();
        return lines.FindLast(IsFullDisk) ?? lines.FindLast(line => line.Contains("FATAL") || line.Contains("PANIC") || line.Contains("rror")) ?? lines.LastOrDefault() ?? "it printed nothing";
    }

    /// <summary>An exception for a failed start that names a full disk as such.</summary>
    public static EngineException Failure(string what, string complaint, string logPath) =>
        IsFullDisk(complaint)
            ? new($"{what}: the disk is full; free some and start Salus again")
            : new($"{what}: {complaint.Trim()}; the whole story is in {logPath}");

    static bool IsFullDisk(string line) => line.Contains("No space left") || line.Contains("Check free disk space");

    async Task CreateAsync(string place, CancellationToken cancellation)
    {
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }

        EngineFolders.Create(Folder, EngineFolders.Private);
        if (Account is not null)
        {
            await Account.OwnAsync(Folder, cancellation);
        }

        var initdb = As([Path.Combine(Native, "bin", "initdb"), "-D", ToldFolder, "-U", "salus", "--encoding=UTF8", "--locale=C", "--data-checksums", "--auth=peer"]);
        var (exitCode, output) = await Command.RunAsync(["sh", "-c", "exec 9<\"$1\"; shift; exec \"$@\"", "salus-initdb", Folder, .. initdb], cancellation);
        if (exitCode != 0)
        {
            await File.AppendAllTextAsync(LogPath, output, cancellation);
            Directory.Delete(Folder, recursive: true);
            throw Failure("PostgreSQL's cluster cannot be made", LastComplaint(LogPath), LogPath);
        }

        Directory.Move(Folder, place);
    }

    /// <summary>Stops a server that outlived a killed node on this very folder.</summary>
    async Task StopLeftoverAsync(CancellationToken cancellation)
    {
        var pidFile = Path.Combine(Folder, "postmaster.pid");
        if (!File.Exists(pidFile))
        {
            return;
        }

        var lines = await File.ReadAllLinesAsync(pidFile, cancellation);
        if (lines.Length > 0 && int.TryParse(lines[0], NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
        {
            foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGQUIT })
            {
                for (var tries = 0; tries < 100 && IsServerHere(pid); tries++)
                {
                    if (tries == 0)
                    {
                        Signals.Send(pid, signal);
                    }

                    await Task.Delay(50, cancellation);
                }
            }

            if (IsServerHere(pid))
            {
                throw new EngineException($"a PostgreSQL (pid {pid}) still runs on {Folder} and does not stop: end it with `kill -QUIT {pid}`");
            }
        }
    }

    // A server's working folder is its cluster; a process number alone may by now belong to anything.
    bool IsServerHere(int pid)
    {
        try
        {
            return new FileInfo($"/proc/{pid}/cwd").LinkTarget == Folder;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Only this account and the server's own may connect, and only over the socket.</summary>
    async Task WriteAccessAsync(CancellationToken cancellation)
    {
        await File.WriteAllTextAsync(Path.Combine(Folder, "pg_hba.conf"), "local all all peer map=node\n", cancellation);
        var accounts = new[] { Environment.UserName, Account?.Name ?? Environment.UserName }.Distinct();
        await File.WriteAllLinesAsync(Path.Combine(Folder, "pg_ident.conf"), accounts.Select(name => $"node \"{name}\" salus"), cancellation);
    }

    // An account that root lends may not be able to enter the parents of the folder.
    string ToldFolder => Account is null ? Folder : EngineProcess.OpenedFolder;

    IEnumerable<string> As(IEnumerable<string> command) => Account?.Wrap(command) ?? command;
}

/// <summary>A private folder with a short path: a socket's path may have 107 bytes at most.</summary>
static class SocketFolder
{
    const string Prefix = "/tmp/salus-";

    /// <summary>A new one; <paramref name="noteFile"/> remembers it, so that a killed node's is removed by the next.</summary>
    public static async Task<string> CreateAsync(string noteFile, Unprivileged? account, CancellationToken cancellation)
    {
        if (File.Exists(noteFile))
        {
            Remove(await File.ReadAllTextAsync(noteFile, cancellation));
        }

        var folder = Prefix + RandomNumberGenerator.GetHexString(16, lowercase: true);
        EngineFolders.Create(folder, EngineFolders.Private);
        await File.WriteAllTextAsync(noteFile, folder, cancellation);
        if (account is not null)
        {
            await account.OwnAsync(folder, cancellation);
        }

        return folder;
    }

    public static void Remove(string folder)
    {
        if (folder.StartsWith(Prefix, StringComparison.Ordinal) && !folder.Contains("..") && Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
