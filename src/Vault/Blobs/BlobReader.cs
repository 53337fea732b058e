using Salus.Vault.Envelopes;

namespace Salus.Vault.Blobs;

/// <summary>A seekable view of sealed content; a chunk that was altered, moved or cut off ends the read with an error, never with wrong bytes.</summary>
sealed class BlobReader : Stream
{
    readonly FileStream file;
    readonly BlobFormat format;
    readonly byte[] sealedChunk = new byte[BlobFormat.SealedChunkBytes];
    readonly byte[] chunk = new byte[BlobFormat.ChunkBytes];
    readonly long chunks;
    long chunkIndex = -1;
    int chunkLength;
    long position;

    public BlobReader(FileStream file, BlobFormat format)
    {
        this.file = file;
        this.format = format;
        var body = file.Length - BlobFormat.HeaderBytes;
        chunks = Math.Max(1, (body + BlobFormat.SealedChunkBytes - 1) / BlobFormat.SealedChunkBytes);
        Length = Math.Max(0, body - chunks * Aead.TagBytes);
    }

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length { get; }

    public override long Position
    {
        get => position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            position = value;
        }
    }

    public override int Read(Span<byte> buffer)
    {
        if (buffer.IsEmpty || !Load(position / BlobFormat.ChunkBytes))
        {
            return 0;
        }
        var offset = (int)(position % BlobFormat.ChunkBytes);
        var count = Math.Min(buffer.Length, chunkLength - offset);
        if (count <= 0)
        {
            return 0;
        }
        chunk.AsSpan(offset, count).CopyTo(buffer);
        position += count;
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(buffer.Span));
    }

    public override long Seek(long offset, SeekOrigin origin) => Position = origin switch
    {
        SeekOrigin.Begin => offset,
        SeekOrigin.Current => position + offset,
        _ => Length + offset,
    };

    public override void Flush() { }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            format.Dispose();
            file.Dispose();
        }
        base.Dispose(disposing);
    }

    bool Load(long index)
    {
        if (index == chunkIndex)
        {
            return true;
        }
        if (index >= chunks)
        {
            return false;
        }
        file.Position = BlobFormat.HeaderBytes + index * BlobFormat.SealedChunkBytes;
        var count = file.ReadAtLeast(sealedChunk, sealedChunk.Length, throwOnEndOfStream: false);
        if (!format.TryOpenChunk((uint)index, last: index == chunks - 1, sealedChunk.AsSpan(0, count), chunk))
        {
            throw new InvalidDataException("The sealed content was altered on disk; restore the file from a backup.");
        }
        (chunkIndex, chunkLength) = (index, count - Aead.TagBytes);
        return true;
    }
}
