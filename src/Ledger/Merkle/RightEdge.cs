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
        var run = new byte[leafHashes.Count * MerkleHash.Size];
        for (var i = 0; i < leafHashes.Count; i++)
        {
            ArgumentOutOfRangeException.ThrowIfNotEqual(leafHashes[i].Length, MerkleHash.Size, nameof(leafHashes));
            leafHashes[i].CopyTo(run, i * MerkleHash.Size);
        }
        return Append(run);
    }

    /// <summary>Appends leaf hashes that stand one behind the other; gives the new edge and every complete subtree that came into being.</summary>
    /// <param name="leafHashes">32 bytes each; the growth keeps them, so they must not change any more.</param>
    public Growth Append(byte[] leafHashes)
    {
        ArgumentNullException.ThrowIfNull(leafHashes);
        if (leafHashes.Length % MerkleHash.Size != 0)
            throw new ArgumentException($"Hashes of {MerkleHash.Size} bytes do not make {leafHashes.Length} bytes.", nameof(leafHashes));
        var size = checked(Size + leafHashes.Length / MerkleHash.Size);
        var (run, added, edge) = (new HashRun(0, Size, leafHashes), new List<HashRun>(), new Stack<byte[]>());
        // Level by level, as they are stored: all pairs of one level before the next.
        for (var level = 0; size >> level > 0; level++, run = Parents(run))
        {
            if (run.Count > 0)
                added.Add(run);
            if ((size >> level & 1) == 1)
                edge.Push(run.Count > 0 ? run[run.Count - 1].ToArray() : Peak(level));
        }
        return new Growth(new RightEdge(size, [.. edge]), added);
    }

    /// <summary>The hashes above a run, the edge's own peak being the left one of the first pair where the run begins at a right one.</summary>
    HashRun Parents(HashRun run)
    {
        var (first, end) = (run.First >> 1, (run.First + run.Count) >> 1);
        var parents = new byte[(end - first) * MerkleHash.Size];
        Span<byte> pair = stackalloc byte[2 * MerkleHash.Size];
        for (var parent = first; parent < end; parent++)
        {
            var at = (int)(2 * parent - run.First);
            var destination = parents.AsSpan((int)(parent - first) * MerkleHash.Size, MerkleHash.Size);
            if (at < 0)
            {
                Peak(run.Level).CopyTo(pair);
                run[0].CopyTo(pair[MerkleHash.Size..]);
                MerkleHash.Pair(pair, destination);
            }
            else
                MerkleHash.Pair(run.Hashes.Span.Slice(at * MerkleHash.Size, 2 * MerkleHash.Size), destination);
        }
        return new HashRun(run.Level + 1, first, parents);
    }

    /// <summary>The peak of the bit at <paramref name="level"/>, which is set.</summary>
    byte[] Peak(int level) => peaks[BitOperations.PopCount((ulong)(Size >> level)) - 1];

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
/// <param name="Edge">What the next append needs.</param>
/// <param name="Added">A run a level, the leaves first; none where a level has not grown.</param>
public sealed record Growth(RightEdge Edge, IReadOnlyList<HashRun> Added);
