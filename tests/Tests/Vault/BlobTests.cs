using System.Security.Cryptography;
using Salus.Vault.Blobs;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Tests.Vault;

public sealed class BlobTests : IDisposable
{
    const int Chunk = 256 * 1024;
    const int SealedChunk = Chunk + 16;
    const int Header = 1 + 121 + 7;
    const long AnyLength = long.MaxValue;

    static readonly SealContext Context = new("Binary", "b-1", 1);

    readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("salus-blobs-");

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(Chunk - 1)]
    [InlineData(Chunk)]
    [InlineData(Chunk + 1)]
    [InlineData(2 * Chunk)]
    [InlineData(3 * Chunk + 7)]
    public async Task Content_of_any_length_comes_back(int length)
    {
        await using var ground = await VaultGround.NewAsync();
        var (store, key) = (new BlobStore(folder.FullName), await ground.NewOwnerAsync());
        var content = RandomNumberGenerator.GetBytes(length);
        var stored = await WriteAsync(store, key, content);
        Assert.Equal(length, stored.Length);
        Assert.Equal(SHA256.HashData(content), stored.ContentHash);
        Assert.Equal(stored.SealedLength, new FileInfo(PathOf(stored)).Length);
        Assert.Equal(stored.SealedHash, await store.HashAsync(stored.SealedHash, default));
        await using var read = store.OpenRead(key, Context, stored.SealedHash)!;
        Assert.Equal(length, read.Length);
        Assert.Equal(content, await AllAsync(read));
    }

    [Fact]
    public async Task A_file_with_a_bit_flipped_in_any_part_gives_out_no_wrong_byte()
    {
        await using var ground = await VaultGround.NewAsync();
        var (store, key) = (new BlobStore(folder.FullName), await ground.NewOwnerAsync());
        var content = RandomNumberGenerator.GetBytes(2 * Chunk + 100);
        var stored = await WriteAsync(store, key, content);
        var whole = await File.ReadAllBytesAsync(PathOf(stored), TestContext.Current.CancellationToken);
        int[] places = [0, 1, 60, 121, 122, Header - 1, Header, Header + Chunk, Header + SealedChunk - 1, Header + SealedChunk, whole.Length - 17, whole.Length - 1];
        foreach (var place in places)
        {
            var bent = (byte[])whole.Clone();
            bent[place] ^= 4;
            await RefusedAsync(store, key, stored, bent, content, $"byte {place} may not change");
        }
    }

    public static TheoryData<string, int[]> Rearranged => new()
    {
        { "the first two swapped", [1, 0, 2] },
        { "the last two swapped", [0, 2, 1] },
        { "the middle dropped", [0, 2] },
        { "the first dropped", [1, 2] },
        { "the last dropped: cut at a chunk's edge", [0, 1] },
        { "all but the first dropped", [0] },
        { "all dropped", [] },
        { "the first repeated", [0, 0, 1, 2] },
        { "the last repeated", [0, 1, 2, 2] },
    };

    [Theory]
    [MemberData(nameof(Rearranged))]
    public async Task Rearranged_chunks_give_out_no_wrong_byte(string how, int[] order)
    {
        await using var ground = await VaultGround.NewAsync();
        var (store, key) = (new BlobStore(folder.FullName), await ground.NewOwnerAsync());
        var content = RandomNumberGenerator.GetBytes(3 * Chunk);
        var stored = await WriteAsync(store, key, content);
        var whole = await File.ReadAllBytesAsync(PathOf(stored), TestContext.Current.CancellationToken);
        byte[] bent = [.. whole[..Header], .. order.SelectMany(chunk => whole.AsSpan(Header + chunk * SealedChunk, SealedChunk).ToArray())];
        await RefusedAsync(store, key, stored, bent, content, how);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(SealedChunk + 1)]
    public async Task A_file_cut_short_gives_out_no_wrong_byte(int cut)
    {
        await using var ground = await VaultGround.NewAsync();
        var (store, key) = (new BlobStore(folder.FullName), await ground.NewOwnerAsync());
        var content = RandomNumberGenerator.GetBytes(2 * Chunk + 100);
        var stored = await WriteAsync(store, key, content);
        var whole = await File.ReadAllBytesAsync(PathOf(stored), TestContext.Current.CancellationToken);
        await RefusedAsync(store, key, stored, whole[..^cut], content, $"cut by {cut}");
        await RefusedAsync(store, key, stored, whole[..50], content, "cut inside the header");
    }

    [Fact]
    public async Task Another_owner_or_context_opens_nothing()
    {
        await using var ground = await VaultGround.NewAsync();
        var (store, key, other) = (new BlobStore(folder.FullName), await ground.NewOwnerAsync(), await ground.NewOwnerAsync());
        var stored = await WriteAsync(store, key, [1, 2, 3]);
        Assert.Null(store.OpenRead(other, Context, stored.SealedHash));
        Assert.Null(store.OpenRead(key, Context with { Id = "b-2" }, stored.SealedHash));
        Assert.Null(store.OpenRead(key, Context, RandomNumberGenerator.GetBytes(32)));
    }

    [Fact]
    public async Task Any_part_can_be_read_alone()
    {
        await using var ground = await VaultGround.NewAsync();
        var (store, key) = (new BlobStore(folder.FullName), await ground.NewOwnerAsync());
        var content = RandomNumberGenerator.GetBytes(3 * Chunk + 7);
        var stored = await WriteAsync(store, key, content);
        await using var read = store.OpenRead(key, Context, stored.SealedHash)!;
        foreach (var start in new[] { 2 * Chunk - 3, 0, 3 * Chunk, Chunk, content.Length - 1, Chunk - 1, 17 })
        {
            read.Seek(start, SeekOrigin.Begin);
            var part = new byte[Math.Min(40, content.Length - start)];
            await read.ReadExactlyAsync(part, TestContext.Current.CancellationToken);
            Assert.Equal(content[start..(start + part.Length)], part);
        }
        Assert.Equal(content.Length - 5, read.Seek(-5, SeekOrigin.End));
        Assert.Equal(0, read.Seek(0, SeekOrigin.Begin));
        read.Position = content.Length + 10;
        Assert.Equal(0, await read.ReadAsync(new byte[1], TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Content_that_is_too_long_keeps_nothing()
    {
        await using var ground = await VaultGround.NewAsync();
        var (store, key) = (new BlobStore(folder.FullName), await ground.NewOwnerAsync());
        using var content = new MemoryStream(new byte[Chunk + 1]);
        Assert.Equal(new BlobOutcome.TooLong(Chunk), await store.WriteAsync(key, Context, content, Chunk, default));
        Assert.Empty(folder.GetFiles("*", SearchOption.AllDirectories));
        content.SetLength(Chunk);
        content.Position = 0;
        Assert.IsType<BlobOutcome.Stored>(await store.WriteAsync(key, Context, content, Chunk, default));
    }

    [Fact]
    public async Task Content_whose_sender_breaks_off_keeps_nothing()
    {
        await using var ground = await VaultGround.NewAsync();
        var (store, key) = (new BlobStore(folder.FullName), await ground.NewOwnerAsync());
        await using var content = new GeneratedStream(10 * Chunk, () => 0) { BreaksAt = 4 * Chunk };
        await Assert.ThrowsAsync<IOException>(() => store.WriteAsync(key, Context, content, AnyLength, default));
        Assert.Empty(folder.GetFiles("*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Two_hundred_megabytes_never_lie_in_memory()
    {
        const long length = 200L << 20;
        await using var ground = await VaultGround.NewAsync();
        var (store, key) = (new BlobStore(folder.FullName), await ground.NewOwnerAsync());
        // What was taken and does not lie in the file yet is in memory: never more than the chunk at hand, the next, and the file's own buffer.
        await using var content = new GeneratedStream(length, () => folder.GetFiles(".*.part").Single().Length);
        var stored = Assert.IsType<BlobOutcome.Stored>(await store.WriteAsync(key, Context, content, AnyLength, default));
        Assert.Equal(length, stored.Length);
        Assert.InRange(content.HeldMax, 1, 3 * Chunk);
        await using var read = store.OpenRead(key, Context, stored.SealedHash)!;
        Assert.Equal(stored.ContentHash, await SHA256.HashDataAsync(read, TestContext.Current.CancellationToken));
    }

    static async Task<BlobOutcome.Stored> WriteAsync(BlobStore store, OwnerKey key, byte[] content)
    {
        using var stream = new MemoryStream(content);
        return Assert.IsType<BlobOutcome.Stored>(await store.WriteAsync(key, Context, stream, AnyLength, default));
    }

    /// <summary>Whatever comes out before the refusal is the beginning of the true content.</summary>
    async Task RefusedAsync(BlobStore store, OwnerKey key, BlobOutcome.Stored stored, byte[] bent, byte[] content, string why)
    {
        await File.WriteAllBytesAsync(PathOf(stored), bent, TestContext.Current.CancellationToken);
        await using var read = store.OpenRead(key, Context, stored.SealedHash);
        if (read is null)
        {
            return;
        }
        using var given = new MemoryStream();
        var refusal = await Record.ExceptionAsync(() => read.CopyToAsync(given, TestContext.Current.CancellationToken));
        Assert.True(refusal is InvalidDataException, $"{why}: {given.Length} bytes were given out and no word said");
        Assert.Equal(content[..(int)given.Length], given.ToArray());
    }

    string PathOf(BlobOutcome.Stored stored)
    {
        var name = Convert.ToHexStringLower(stored.SealedHash);
        return Path.Combine(folder.FullName, name[..2], name);
    }

    static async Task<byte[]> AllAsync(Stream stream)
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, TestContext.Current.CancellationToken);
        return all.ToArray();
    }

    /// <summary>Bytes made as they are asked for; notes how many were taken beyond those that have arrived.</summary>
    sealed class GeneratedStream(long length, Func<long> arrived) : Stream
    {
        long position;

        public long BreaksAt { get; init; } = long.MaxValue;

        public long HeldMax { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get => position; set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (position >= BreaksAt)
            {
                throw new IOException("The sender broke off.");
            }
            var count = (int)Math.Min(buffer.Length, length - position);
            buffer.Span[..count].Fill((byte)(position / Chunk));
            position += count;
            HeldMax = Math.Max(HeldMax, position - arrived());
            return ValueTask.FromResult(count);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
