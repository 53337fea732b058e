using System.Numerics;

namespace Salus.Ledger.Merkle;

/// <summary>
/// A complete subtree: the node at <paramref name="Level"/> (0 = leaves) and <paramref name="Index"/> from the left
/// covers the leaves [Index·2^Level, (Index+1)·2^Level). Once written it never changes.
/// </summary>
public readonly record struct NodeId(int Level, long Index)
{
    /// <summary>The complete subtrees, largest first, that tile the leaves [start, end); start is a multiple of the largest.</summary>
    internal static List<NodeId> Covering(long start, long end)
    {
        var nodes = new List<NodeId>();
        while (start < end)
        {
            var level = BitOperations.Log2((ulong)(end - start));
            nodes.Add(new NodeId(level, start >> level));
            start += 1L << level;
        }
        return nodes;
    }
}

/// <summary>The hashes of complete subtrees of one level that stand side by side, 32 bytes each.</summary>
/// <param name="Level">Their level; 0 are leaves.</param>
/// <param name="First">The index of the first.</param>
/// <param name="Hashes">One behind the other.</param>
public sealed record HashRun(int Level, long First, ReadOnlyMemory<byte> Hashes)
{
    /// <summary>How many there are.</summary>
    public int Count => Hashes.Length / MerkleHash.Size;

    /// <summary>The hash of the node <paramref name="offset"/> behind the first.</summary>
    public ReadOnlySpan<byte> this[int offset] => Hashes.Span.Slice(offset * MerkleHash.Size, MerkleHash.Size);
}

/// <summary>Reads the stored hashes of complete subtrees in one batch; every id asked for must be answered.</summary>
public delegate ValueTask<IReadOnlyDictionary<NodeId, byte[]>> HashReader(
    IReadOnlyCollection<NodeId> ids, CancellationToken cancellationToken);
