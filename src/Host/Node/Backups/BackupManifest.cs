using System.Security.Cryptography;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Salus.Host.Node.Backups;

/// <summary>A file of a backup.</summary>
/// <param name="Path">Its place in the backup, with slashes.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Sha256">The hash of them, hexadecimal.</param>
sealed record BackupFile(string Path, long Length, string Sha256);

/// <summary>A table as it was copied.</summary>
sealed record BackupTable(string Name, IReadOnlyList<string> Columns, long Rows);

/// <summary>What a backup holds, each file with its hash. Without the master key, which is never in it, it opens nothing.</summary>
sealed partial record BackupManifest(
    string Format, DateTimeOffset Made, string VerifierKey, long LogSize, string? LogRoot, IReadOnlyDictionary<string, string> Scripts,
    IReadOnlyList<BackupTable> Tables, IReadOnlyList<BackupFile> Files)
{
    public const string FileName = "manifest.json";
    public const string CurrentFormat = "salus-backup/1";

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Writes the manifest; its own hash, to be kept elsewhere.</summary>
    public async Task<string> WriteAsync(string folder, CancellationToken cancellation)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(this, Json);
        await using var file = new FileStream(Path.Combine(folder, FileName), FileMode.CreateNew, FileAccess.Write);
        await file.WriteAsync(bytes, cancellation);
        file.Flush(flushToDisk: true);
        return Convert.ToHexStringLower(SHA256.HashData(bytes));
    }

    /// <summary>Reads a manifest and compares every file of the backup with it.</summary>
    /// <param name="folder">The backup.</param>
    /// <param name="expected">The manifest's own hash, kept elsewhere; null when none was.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="NodeException">It is no backup, or not what it was: the file is named.</exception>
    public static async Task<BackupManifest> VerifyAsync(string folder, string? expected, CancellationToken cancellation)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new NodeException($"{folder} is no backup: it has no {FileName}. Name the folder that salus backup made.");
        }
        var bytes = await File.ReadAllBytesAsync(path, cancellation);
        if (!string.IsNullOrEmpty(expected) && !Convert.ToHexStringLower(SHA256.HashData(bytes)).Equals(expected, StringComparison.OrdinalIgnoreCase))
        {
            throw new NodeException($"The manifest of {folder} is not the one whose hash you have kept. Take another copy of the backup.");
        }
        var manifest = Parse(bytes, folder);
        var present = Directory.GetFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/')).Where(file => file != FileName).ToHashSet();
        foreach (var file in manifest.Files)
        {
            if (!present.Remove(file.Path))
            {
                throw new NodeException($"The backup lacks {file.Path}. Take another copy of it.");
            }
            var (length, hash) = await HashAsync(Path.Combine(folder, file.Path), cancellation);
            if (length != file.Length || hash != file.Sha256)
            {
                throw new NodeException($"The backup's {file.Path} is not what it was when the backup was made. Take another copy of it.");
            }
        }
        return present.Count == 0 ? manifest : throw new NodeException($"The backup holds {present.Order(StringComparer.Ordinal).First()}, which its manifest does not name. Remove it if you put it there.");
    }

    /// <summary>Length and hash of a file.</summary>
    public static async Task<(long Length, string Sha256)> HashAsync(string path, CancellationToken cancellation)
    {
        await using var file = File.OpenRead(path);
        return (file.Length, Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation)));
    }

    static BackupManifest Parse(byte[] bytes, string folder)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<BackupManifest>(bytes, Json);
            if (manifest is not { Format: CurrentFormat, Files: not null, Tables: not null, Scripts: not null, VerifierKey: not null })
            {
                throw new NodeException($"The manifest of {folder} is of another form than {CurrentFormat}. Use the Salus that made the backup.");
            }
            return manifest.Files.FirstOrDefault(file => !PathPattern().IsMatch(file.Path) || file.Path.Contains("..", StringComparison.Ordinal)) is { } wrong
                ? throw new NodeException($"The manifest names '{wrong.Path}', which is no place in a backup.")
                : manifest;
        }
        catch (JsonException damage)
        {
            throw new NodeException($"The manifest of {folder} cannot be read (line {damage.LineNumber + 1}). Take another copy of the backup.");
        }
    }

    [GeneratedRegex("^(tables|log|blobs|chain)(/[A-Za-z0-9_.-]+)+$|^checkpoint$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex PathPattern();
}
