using Npgsql;
using Salus.Host.Engines;
using Salus.Platform.Schema;

namespace Salus.Host.Node.Backups;

/// <summary>
/// Makes a data folder from a backup. What has been anchored since is not in it: when the node starts, it compares, and the log goes on after
/// a gap or under a successor's name.
/// </summary>
static class NodeRestore
{
    /// <summary>Verifies the backup, restores it, and tells of it.</summary>
    public static async Task<int> RestoreAsync(string[] args)
    {
        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().AddCommandLine(args).Build();
        var (options, _) = NodeSettings.Read(configuration);
        var source = Path.GetFullPath(configuration["Salus:From"] ?? throw new NodeException("Name the backup with --from."));
        var log = configuration["Salus:Log"] is { Length: > 0 } named ? Path.GetFullPath(named) : null;
        if (Path.Exists(options.Data) && (!Directory.Exists(options.Data) || Directory.EnumerateFileSystemEntries(options.Data).Any()))
        {
            throw new NodeException($"{options.Data} is not empty; a backup is restored into an empty folder alone. Name another with --data.");
        }
        if (log is not null && !File.Exists(Path.Combine(log, "level-00")))
        {
            throw new NodeException($"{log} holds no log files (level-00 and so on). Name the folder log of the old data folder with --log, or leave it away.");
        }
        Progress.Write(new { Event = "progress", What = "Verifying the backup" });
        var manifest = await BackupManifest.VerifyAsync(source, configuration["Salus:ManifestHash"], CancellationToken.None);
        Directory.CreateDirectory(options.Data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        try
        {
            await RestoreDatabaseAsync(options, manifest, source, CancellationToken.None);
            foreach (var file in manifest.Files.Where(file => !file.Path.StartsWith("tables/", StringComparison.Ordinal) && file.Path != "checkpoint"
                && !(log is not null && file.Path.StartsWith("log/", StringComparison.Ordinal))))
            {
                Copy(Path.Combine(source, file.Path), Path.Combine(options.Data, file.Path));
            }
            Directory.CreateDirectory(options.LogFolder);
            foreach (var level in log is null ? [] : Directory.GetFiles(log, "level-*"))
            {
                Copy(level, Path.Combine(options.LogFolder, Path.GetFileName(level)));
            }
            await RunningNode.KeepVerifierKeyAsync(options.Data, manifest.VerifierKey, CancellationToken.None);
        }
        catch
        {
            // It was empty, and half a node would be taken for a whole one.
            Directory.Delete(options.Data, recursive: true);
            throw;
        }
        Progress.Write(new { Event = "result", Folder = options.Data, manifest.LogSize, Rows = manifest.Tables.Sum(table => table.Rows), Files = manifest.Files.Count, manifest.Made });
        return 0;
    }

    static async Task RestoreDatabaseAsync(NodeOptions options, BackupManifest manifest, string source, CancellationToken cancellation)
    {
        if (options.Database.ConnectionString.Length > 0)
        {
            var external = ExternalDatabase.Parse(options.Database.ConnectionString);
            await ExternalDatabase.RequireAsync(external, ExternalDatabase.VersionMin, cancellation);
            await ImportAsync(external, manifest, source, cancellation);
            return;
        }
        using var loggers = LoggerFactory.Create(logging => logging.SetMinimumLevel(LogLevel.None));
        await using var postgres = await Progress.StepAsync("Starting PostgreSQL", () =>
            EmbeddedPostgres.StartAsync(options.PostgresFolder, loggers.CreateLogger<EmbeddedPostgres>(), cancellation));
        await ImportAsync(postgres.ConnectionString, manifest, source, cancellation);
    }

    static async Task ImportAsync(string connectionString, BackupManifest manifest, string source, CancellationToken cancellation)
    {
        await using var database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await using (var look = await database.OpenConnectionAsync(cancellation))
        {
            if (await TableCopies.HasTablesAsync(look, cancellation))
            {
                throw new NodeException("The database is not empty; a backup is restored into an empty one alone. Make one, and name it with --database.");
            }
        }
        await Migrations.ApplyAsync(database, cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var scripts = await TableCopies.ScriptsAsync(connection, cancellation);
        if (!scripts.OrderBy(pair => pair.Key).SequenceEqual(manifest.Scripts.OrderBy(pair => pair.Key)))
        {
            throw new NodeException("The backup was made by a Salus with another schema. Restore it with that one; a newer one takes the folder over when it is started.");
        }
        await TableCopies.ImportAsync(connection, manifest.Tables, Path.Combine(source, "tables"),
            table => Progress.Write(new { Event = "progress", What = $"Restoring table {table}" }), cancellation);
    }

    static void Copy(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Copy(from, to);
    }
}
