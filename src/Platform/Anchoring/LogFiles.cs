using Microsoft.Win32.SafeHandles;
using Salus.Ledger.Merkle;

namespace Salus.Platform.Anchoring;

/// <summary>
/// The hashes of the log's complete subtrees, a file a level, 32 bytes each in the order of their index. The first <c>size</c> leaves of a
/// committed head are always here; what lies beyond is overwritten by the next append. Written by the sequencer alone.
/// </summary>
public sealed class LogFiles(string folder) : IDisposable
{
    const int LevelsMax = 48;

    readonly SafeFileHandle?[] levels = new SafeFileHandle?[LevelsMax];
    readonly Lock opening = new();

    /// <summary>The largest size of the log whose hashes all lie here: no level ends before it.</summary>
    public long LeafCount
    {
        get
        {
            var size = long.MaxValue;
            for (var level = 0; level < LevelsMax && 1L << level <= size; level++)
            {
                var hashes = RandomAccess.GetLength(Level(level)) / MerkleHash.Size;
                size = Math.Min(size, ((hashes + 1) << level) - 1);
            }
            return size;
        }
    }

    /// <summary>Writes the hashes of an append and makes them durable.</summary>
    public void Write(IReadOnlyList<HashRun> added)
    {
        foreach (var run in added)
        {
            var file = Level(run.Level);
            RandomAccess.Write(file, run.Hashes.Span, run.First * MerkleHash.Size);
            RandomAccess.FlushToDisk(file);
        }
    }

    /// <summary>Reads hashes for a proof.</summary>
    public ValueTask<IReadOnlyDictionary<NodeId, byte[]>> ReadAsync(IReadOnlyCollection<NodeId> ids, CancellationToken cancellation)
    {
        var found = new Dictionary<NodeId, byte[]>(ids.Count);
        foreach (var id in ids)
        {
            cancellation.ThrowIfCancellationRequested();
            found[id] = Read(id) ?? throw new InvalidDataException($"The log file of level {id.Level} ends before index {id.Index}.");
        }
        return ValueTask.FromResult<IReadOnlyDictionary<NodeId, byte[]>>(found);
    }

    /// <summary>The stored hash of one leaf, or null beyond the end.</summary>
    public byte[]? Leaf(long position) => Read(new NodeId(0, position));

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var level in levels)
        {
            level?.Dispose();
        }
    }

    byte[]? Read(NodeId id)
    {
        var hash = new byte[MerkleHash.Size];
        return RandomAccess.Read(Level(id.Level), hash, id.Index * MerkleHash.Size) == hash.Length ? hash : null;
    }

    SafeFileHandle Level(int level)
    {
        lock (opening)
        {
            if (levels[level] is { } open)
            {
                return open;
            }
            Directory.CreateDirectory(folder);
            return levels[level] = File.OpenHandle(
                Path.Combine(folder, $"level-{level:00}"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite, FileOptions.None);
        }
    }
}
