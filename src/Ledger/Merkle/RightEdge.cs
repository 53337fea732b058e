using System.Numerics;

namespace Salus.Ledger.Merkle;

/// <summary>
/// All that a log must remember in order to grow: its size and the hashes of the complete subtrees along its right
/// edge, largest first, one for each bit set in the size. Immutable.
/// </summary>
public sealed class RightEdge
{
    readonly byte[][] peaks;

    /// <summary>The edge of a tree of <paramref name="size"/> leaves.</summary>
    /// <exception cref="ArgumentException">The peaks are not one hash of 32 bytes for each bit of the size.</exception>
    public RightEdge(long size, IReadOnlyList<byte[]> peaks)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        ArgumentNullException.ThrowIfNull(peaks);
        if (peaks.Count != BitOperations.PopCount((ulong)size))
            throw new ArgumentException($"A tree of {size} leaves has {BitOperations.PopCount((ulong)size)} peaks, not {peaks.Count}.", nameof(peaks));
        if (peaks.Any(peak => peak.Length != MerkleHash.Size))
            throw new ArgumentException("Every peak is a hash of 32 bytes.", nameof(peaks));
        Size = size;
        this.peaks = [.. peaks];
    }

    /// <summary>The edge of the empty tree.</summary>
    public static RightEdge Empty { get; } = new(0, []);

    /// <summary>Number of leaves.</summary>
    public long Size { get; }

    /// <summary>The hashes, largest subtree first.</summary>
    public IReadOnlyList<byte[]> Peaks => peaks;

    /// <summary>The subtrees whose hashes make the edge of a tree of <paramref name="size"/> leaves, in the order of the peaks.</summary>
    public static IReadOnlyList<NodeId> PeakIds(long size) => NodeId.Covering(0, size);

    /// <summary>The tree's root (RFC 9162 section 2.1.1).</summary>
    public byte[] Root() => peaks.Length == 0 ? MerkleHash.EmptyRoot() : Fold(peaks);

    /// <summary>Appends leaf hashes; gives the new edge and every complete subtree that came into being, leaves included.</summary>
    public Growth Append(IReadOnlyList<byte[]> leafHashes)
    {
        ArgumentNullException.ThrowIfNull(leafHashes);
        var edge = new List<byte[]>(peaks);
        var added = new List<StoredHash>(2 * leafHashes.Count);
        var size = Size;
        foreach (var leafHash in leafHashes)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(leafHash.Length, MerkleHash.Size, nameof(leafHashes));
            var (hash, level, index) = (leafHash, 0, size);
            added.Add(new StoredHash(new NodeId(level, index), hash));
            for (; (index & 1) == 1; index >>= 1)
            {
                hash = MerkleHash.Node(edge[^1], hash);
                edge.RemoveAt(edge.Count - 1);
                added.Add(new StoredHash(new NodeId(++level, index >> 1), hash));
            }
            edge.Add(hash);
            size = checked(size + 1);
        }
        return new Growth(new RightEdge(size, edge), added);
    }

    /// <summary>The root over subtrees that stand side by side, largest first.</summary>
    internal static byte[] Fold(IReadOnlyList<byte[]> subtrees)
    {
        var root = (byte[])subtrees[^1].Clone();
        for (var i = subtrees.Count - 2; i >= 0; i--)
            MerkleHash.Node(subtrees[i], root, root);
        return root;
    }
}

/// <summary>What an append made: the edge after it, and the hashes to store.</summary>
public sealed record Growth(RightEdge Edge, IReadOnlyList<StoredHash> Added);
