using System.Security.Cryptography;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Vault.Blobs;

/// <summary>What became of a write.</summary>
public abstract record BlobOutcome
{
    BlobOutcome() { }

    /// <summary>Durable under its sealed hash.</summary>
    /// <param name="SealedHash">SHA-256 of the sealed file, which also names it.</param>
    /// <param name="ContentHash">SHA-256 of the content.</param>
    /// <param name="Length">Bytes of content.</param>
    /// <param name="SealedLength">Bytes at rest.</param>
    public sealed record Stored(byte[] SealedHash, byte[] ContentHash, long Length, long SealedLength) : BlobOutcome;

    /// <summary>Nothing was kept: the content is longer than allowed.</summary>
    public sealed record TooLong(long BytesMax) : BlobOutcome;
}

/// <summary>Sealed content in files named by the hash of their sealed bytes. Memory in use does not grow with the content.</summary>
public sealed class BlobStore(string folder)
{
    /// <summary>Reads content to its end, sealing as it goes, and makes it durable before it returns.</summary>
    public async Task<BlobOutcome> WriteAsync(OwnerKey owner, SealContext context, Stream content, long bytesMax, CancellationToken cancellation)
    {
        Directory.CreateDirectory(folder);
        var temporary = Path.Combine(folder, $".{Guid.NewGuid():n}.part");
        try
        {
            BlobOutcome outcome;
            await using (var file = new FileStream(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16, FileOptions.Asynchronous))
            {
                outcome = await SealAsync(owner, context, content, file, bytesMax, cancellation);
                file.Flush(flushToDisk: true);
            }
            if (outcome is BlobOutcome.Stored stored)
            {
                var path = PathOf(stored.SealedHash);
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                File.Move(temporary, path, overwrite: true);
            }
            return outcome;
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    /// <summary>The content as a seekable stream that opens chunks on demand; null when the file is missing or not this owner's.</summary>
    public Stream? OpenRead(OwnerKey owner, SealContext context, ReadOnlySpan<byte> sealedHash)
    {
        var path = PathOf(sealedHash);
        if (!File.Exists(path))
        {
            return null;
        }
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1, FileOptions.Asynchronous);
        var header = new byte[BlobFormat.HeaderBytes];
        if (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length
            && BlobFormat.Open(owner, context, header) is { } format)
        {
            return new BlobReader(file, format);
        }
        file.Dispose();
        return null;
    }

    /// <summary>SHA-256 of the file as it lies there, for the keyless check; null when it is missing.</summary>
    public async Task<byte[]?> HashAsync(byte[] sealedHash, CancellationToken cancellation)
    {
        var path = PathOf(sealedHash);
        if (!File.Exists(path))
        {
            return null;
        }
        await using var file = File.OpenRead(path);
        return await SHA256.HashDataAsync(file, cancellation);
    }

    /// <summary>Removes the file, if it is there.</summary>
    public void Delete(ReadOnlySpan<byte> sealedHash) => File.Delete(PathOf(sealedHash));

    string PathOf(ReadOnlySpan<byte> sealedHash)
    {
        var name = Convert.ToHexStringLower(sealedHash);
        return Path.Combine(folder, name[..2], name);
    }

    static async Task<BlobOutcome> SealAsync(
        OwnerKey owner, SealContext context, Stream content, Stream target, long bytesMax, CancellationToken cancellation)
    {
        var (format, header) = BlobFormat.Create(owner, context);
        using var owned = format;
        using var contentHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var sealedHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await target.WriteAsync(header, cancellation);
        sealedHash.AppendData(header);
        var (current, next, sealedChunk) = (new byte[BlobFormat.ChunkBytes], new byte[BlobFormat.ChunkBytes], new byte[BlobFormat.SealedChunkBytes]);
        var length = 0L;
        var sealedLength = (long)header.Length;
        var count = await content.ReadAtLeastAsync(current, current.Length, throwOnEndOfStream: false, cancellation);
        for (uint index = 0; ; index++)
        {
            length += count;
            if (length > bytesMax)
            {
                return new BlobOutcome.TooLong(bytesMax);
            }
            var nextCount = count < current.Length ? 0 : await content.ReadAtLeastAsync(next, next.Length, throwOnEndOfStream: false, cancellation);
            contentHash.AppendData(current, 0, count);
            format.SealChunk(index, last: nextCount == 0, current.AsSpan(0, count), sealedChunk);
            await target.WriteAsync(sealedChunk.AsMemory(0, count + Aead.TagBytes), cancellation);
            sealedHash.AppendData(sealedChunk, 0, count + Aead.TagBytes);
            sealedLength += count + Aead.TagBytes;
            if (nextCount == 0)
            {
                return new BlobOutcome.Stored(sealedHash.GetHashAndReset(), contentHash.GetHashAndReset(), length, sealedLength);
            }
            (current, next, count) = (next, current, nextCount);
        }
    }
}
