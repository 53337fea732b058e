using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Salus.Host.Engines;

/// <summary>The durable snapshots of a chain: two generations, each named by its block and the hash of its bytes.</summary>
internal sealed class ChainSnapshots(string folder)
{
    const int Generations = 2;

    /// <summary>The newest snapshot whose bytes are whole, and its block.</summary>
    public async Task<(string Path, ulong Block)?> NewestAsync(CancellationToken cancellation)
    {
        foreach (var (path, block, hash) in Kept())
        {
            await using var file = File.OpenRead(path);
            if (Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation)) == hash)
            {
                return (path, block);
            }
        }

        return null;
    }

    /// <summary>Makes what <c>anvil_dumpState</c> answered durable: written aside, synced, renamed, the folder synced.</summary>
    public async Task WriteAsync(ulong block, byte[] dump, CancellationToken cancellation)
    {
        var part = Path.Combine(folder, "snapshot.part");
        string hash;
        await using (var file = new FileStream(part, FileMode.Create, FileAccess.ReadWrite))
        {
            await using var state = new GZipStream(new MemoryStream(dump), CompressionMode.Decompress);
            await state.CopyToAsync(file, cancellation);
            file.Flush(flushToDisk: true);
            file.Position = 0;
            hash = Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
        }

        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"snapshot-{block}-{hash}.json"));
        File.Move(part, path, overwrite: true);
        File.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime);
        SyncFolder(folder);
        foreach (var (old, _, _) in Kept().Skip(Generations))
        {
            File.Delete(old);
        }
    }

    IEnumerable<(string Path, ulong Block, string Hash)> Kept() =>
        from path in Directory.EnumerateFiles(folder, "snapshot-*.json")
        let parts = Path.GetFileNameWithoutExtension(path).Split('-')
        where parts.Length == 3 && ulong.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out _)
        let block = ulong.Parse(parts[1], CultureInfo.InvariantCulture)
        orderby block descending, File.GetLastWriteTimeUtc(path) descending
        select (path, block, parts[2]);

    static void SyncFolder(string path)
    {
        var descriptor = Open(path, 0);
        if (descriptor < 0)
        {
            throw new IOException($"the folder {path} cannot be opened to sync it");
        }

        var synced = Sync(descriptor);
        _ = Close(descriptor);
        if (synced != 0)
        {
            throw new IOException($"the folder {path} cannot be synced");
        }
    }

    // .NET opens no folders, and a rename is durable only once its folder is synced.
    [DllImport("libc", EntryPoint = "open", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Open([MarshalAs(UnmanagedType.LPStr)] string path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Close(int descriptor);
}
