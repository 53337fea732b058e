using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Salus.Host.Engines;

/// <summary>The chain's snapshots on disk: the newest and the one before it, each the gzipped state that anvil dumps.</summary>
sealed class ChainSnapshots(string folder)
{
    readonly string newest = Path.Combine(folder, "chain.state.gz");
    readonly string older = Path.Combine(folder, "chain.state.1.gz");

    /// <summary>The snapshots that exist, the newest first.</summary>
    public IReadOnlyList<string> Existing => [.. new[] { newest, older }.Where(File.Exists)];

    /// <summary>Makes <paramref name="state"/> the newest snapshot. It survives a power cut once this returns.</summary>
    public async Task WriteAsync(byte[] state, CancellationToken cancellation)
    {
        var fresh = Path.Combine(folder, "chain.state.new");
        await using (var file = EngineFolders.CreateFile(fresh))
        {
            await file.WriteAsync(state, cancellation);
            file.Flush(flushToDisk: true);
        }

        // Between the two renames only the older one has its name, and that one is whole.
        if (File.Exists(newest))
        {
            File.Move(newest, older, overwrite: true);
        }

        File.Move(fresh, newest, overwrite: true);
        FlushFolder(folder);
    }

    /// <summary>Unpacks a snapshot into the plain JSON that anvil loads; null when it is damaged.</summary>
    public async Task<string?> UnpackAsync(string snapshot, CancellationToken cancellation)
    {
        var plain = Path.Combine(folder, "chain.state.json");
        try
        {
            await using var packed = new GZipStream(File.OpenRead(snapshot), CompressionMode.Decompress);
            await using var file = EngineFolders.CreateFile(plain);
            await packed.CopyToAsync(file, cancellation);

            // A cut stream can end without a complaint, and an empty one is no state.
            return file.Length > 0 && await EndsAsync(snapshot, file.Length, cancellation) ? plain : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    // RFC 1952 section 2.3.1: the last four bytes hold the length of what was packed, modulo 2^32.
    static async Task<bool> EndsAsync(string snapshot, long length, CancellationToken cancellation)
    {
        await using var file = File.OpenRead(snapshot);
        file.Seek(-4, SeekOrigin.End);
        var tail = new byte[4];
        await file.ReadExactlyAsync(tail, cancellation);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(tail) == (uint)length;
    }

    static void FlushFolder(string folder)
    {
        var descriptor = Open(Encoding.UTF8.GetBytes(folder + "\0"), 0);
        if (descriptor < 0)
        {
            throw new IOException($"{folder} cannot be opened to be flushed");
        }

        var failed = Flush(descriptor) != 0;
        _ = Close(descriptor);
        if (failed)
        {
            throw new IOException($"{folder} cannot be flushed to disk");
        }
    }

    [DllImport("libc", EntryPoint = "open")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Flush(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Close(int descriptor);
}
