using System.Data;
using Npgsql;
using Salus.Ledger.Merkle;

namespace Salus.Host.Node.Backups;

/// <summary>
/// A copy of a node's state, beside the running node or alone: the chain's newest snapshot where it is embedded, then the database as it is at
/// one moment, then the log's hashes up to there and the sealed files that it names. In this order nothing is in the copy that the database in
/// it does not know. The master key is never in it.
/// </summary>
static class NodeBackup
{
    static readonly string[] ChainSnapshots = ["chain.state.gz", "chain.state.1.gz"];

    /// <summary>Makes the backup and tells of it.</summary>
    public static async Task<int> BackupAsync(string[] args)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        var (options, ledger) = NodeSettings.Read(configuration);
        var target = Path.TrimEndingDirectorySeparator(Path.GetFullPath(configuration["Salus:Out"] ?? throw new NodeException("Name the folder to make with --out.")));
        if (!Directory.Exists(options.Data) || await RunningNode.VerifierKeyAsync(options.Data) is not { } verifierKey)
        {
            throw new NodeException($"{options.Data} is no data folder of a node that was ever started. Name another with --data.");
        }
        if (Path.Exists(target))
        {
            throw new NodeException($"{target} exists already; a backup overwrites nothing. Name a folder that does not exist with --out.");
        }
        var partial = target + ".partial";
        if (Path.Exists(partial))
        {
            throw new NodeException($"{partial} is what an earlier backup left unfinished. Remove it, or name another folder with --out.");
        }
        using var loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.None));
        await using var engines = await NodeCheck.OpenAsync(options, ledger, loggers);
        Directory.CreateDirectory(partial, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var manifest = await CopyAsync(options, engines.ConnectionString, verifierKey, partial, CancellationToken.None);
        var hash = await manifest.WriteAsync(partial, CancellationToken.None);
        Directory.Move(partial, target);
        Progress.Write(new
        {
            Event = "result", Folder = target, ManifestHash = hash, manifest.LogSize, Rows = manifest.Tables.Sum(table => table.Rows),
            Files = manifest.Files.Count, Bytes = manifest.Files.Sum(file => file.Length),
        });
        return 0;
    }

    static async Task<BackupManifest> CopyAsync(NodeOptions options, string connectionString, string verifierKey, string target, CancellationToken cancellation)
    {
        Tell("chain");
        await CopyChainAsync(options.ChainFolder, Path.Combine(target, "chain"), cancellation);
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(cancellation);
        await using var snapshot = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        var (size, root, checkpoint) = await HeadAsync(connection, cancellation);
        var tables = await TableCopies.ExportAsync(connection, Path.Combine(target, "tables"), table => Tell($"table {table}"), cancellation);
        var scripts = await TableCopies.ScriptsAsync(connection, cancellation);
        var blobs = await BlobsAsync(connection, cancellation);
        await snapshot.CommitAsync(cancellation);
        Tell("log");
        await CopyLogAsync(options.LogFolder, Path.Combine(target, "log"), size, cancellation);
        Tell($"{blobs.Count} sealed files");
        foreach (var hash in blobs)
        {
            var name = Path.Combine(hash[..2], hash);
            await CopyBlobAsync(Path.Combine(options.BlobFolder, name), Path.Combine(target, "blobs", name), hash, cancellation);
        }
        if (checkpoint is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(target, "checkpoint"), checkpoint, cancellation);
        }
        List<BackupFile> files = [];
        foreach (var file in Directory.GetFiles(target, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var (length, sha256) = await BackupManifest.HashAsync(file, cancellation);
            files.Add(new BackupFile(Path.GetRelativePath(target, file).Replace('\\', '/'), length, sha256));
        }
        return new BackupManifest(
            BackupManifest.CurrentFormat, TimeProvider.System.GetUtcNow(), verifierKey, size, root is null ? null : Convert.ToHexStringLower(root), scripts, tables, files);
    }

    static async Task CopyChainAsync(string source, string target, CancellationToken cancellation)
    {
        // Between two renames only the older snapshot has its name, and that one is whole.
        foreach (var name in ChainSnapshots)
        {
            try
            {
                await using var from = File.OpenRead(Path.Combine(source, name));
                Directory.CreateDirectory(target);
                await WriteAsync(from, long.MaxValue, Path.Combine(target, ChainSnapshots[0]), cancellation);
                return;
            }
            catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
            {
                // The other one, or an external chain, which its members keep.
            }
        }
    }

    /// <summary>The hashes of the log's first leaves; a level that ends before is made whole by the node from the leaves.</summary>
    static async Task CopyLogAsync(string source, string target, long size, CancellationToken cancellation)
    {
        Directory.CreateDirectory(target);
        for (var level = 0; size >> level > 0; level++)
        {
            var name = $"level-{level:00}";
            if (File.Exists(Path.Combine(source, name)))
            {
                await using var from = new FileStream(Path.Combine(source, name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                await WriteAsync(from, (size >> level) * MerkleHash.Size, Path.Combine(target, name), cancellation);
            }
        }
    }

    static async Task CopyBlobAsync(string source, string target, string hash, CancellationToken cancellation)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            await using var from = File.OpenRead(source);
            await WriteAsync(from, long.MaxValue, target, cancellation);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new NodeException($"The sealed file {hash} is missing: it was just erased, or lost. Try again; if it is missing then too, run: salus verify");
        }
    }

    static async Task WriteAsync(Stream from, long bytesMax, string target, CancellationToken cancellation)
    {
        await using var to = new FileStream(target, FileMode.CreateNew, FileAccess.Write);
        var buffer = new byte[1 << 16];
        for (var left = bytesMax; left > 0;)
        {
            var count = await from.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, left)), cancellation);
            if (count == 0)
            {
                break;
            }
            await to.WriteAsync(buffer.AsMemory(0, count), cancellation);
            left -= count;
        }
        to.Flush(flushToDisk: true);
    }

    static async Task<(long Size, byte[]? Root, string? Checkpoint)> HeadAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT size, root, (SELECT checkpoint FROM log_head WHERE checkpoint IS NOT NULL ORDER BY size DESC LIMIT 1)
            FROM log_head ORDER BY size DESC LIMIT 1
            """, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        return await rows.ReadAsync(cancellation)
            ? (rows.GetInt64(0), rows.GetFieldValue<byte[]>(1), rows.IsDBNull(2) ? null : rows.GetString(2))
            : (0, null, null);
    }

    static async Task<List<string>> BlobsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("SELECT blob FROM entry WHERE blob IS NOT NULL UNION SELECT blob FROM data_set_version", connection);
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        List<string> found = [];
        while (await rows.ReadAsync(cancellation))
        {
            found.Add(Convert.ToHexStringLower(rows.GetFieldValue<byte[]>(0)));
        }
        return found;
    }

    static void Tell(string what) => Progress.Write(new { Event = "progress", What = $"Copying {what}" });
}
