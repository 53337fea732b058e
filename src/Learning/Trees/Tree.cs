namespace Salus.Learning.Trees;

/// <summary>Which bins of one feature go left: those up to <paramref name="Bin"/>, or of a category those in <paramref name="Set"/>.</summary>
/// <param name="Feature">The feature; -1 where there is no split.</param>
/// <param name="Bin">The last bin that goes left.</param>
/// <param name="MissingLeft">Where missing values go.</param>
/// <param name="Set">256 bits, one for each bin of a category; null for numbers.</param>
readonly record struct NodeSplit(int Feature, int Bin, bool MissingLeft, ulong[]? Set = null)
{
    public static readonly NodeSplit None = new(-1, 0, false);

    public bool GoesLeft(int bin, int missingBin) =>
        bin == missingBin ? MissingLeft : Set is null ? bin <= Bin : (Set[bin >> 6] >> (bin & 63) & 1) != 0;
}

/// <summary>
/// One tree as flat arrays, the root first and every child after its parent, the right child right after the left.
/// <c>Next</c> is the left child of a split and the number of a leaf, whose values begin at that number times the width.
/// <c>Cover</c> is the weight of the training rows at each node.
/// </summary>
sealed class Tree(int width, int[] feature, ushort[] bin, bool[] missingLeft, int[] next, long[] cover, double[] values, ulong[]?[]? sets)
{
    /// <summary>No tree is deeper than this.</summary>
    public const int DepthLimit = 256;

    /// <summary>Values per leaf.</summary>
    public int Width => width;

    public int NodeCount => feature.Length;

    /// <summary>The feature that each node splits; -1 at a leaf.</summary>
    public ReadOnlySpan<int> Feature => feature;

    public ReadOnlySpan<ushort> Bin => bin;

    public ReadOnlySpan<bool> MissingLeft => missingLeft;

    public ReadOnlySpan<int> Next => next;

    public ReadOnlySpan<long> Cover => cover;

    public ReadOnlySpan<double> Values => values;

    public bool HasSets => sets is not null;

    public bool IsLeaf(int node) => feature[node] < 0;

    public ulong[]? SetAt(int node) => sets?[node];

    public ReadOnlySpan<double> ValuesAt(int leafNode) => values.AsSpan(next[leafNode] * width, width);

    /// <summary>The child for a bin of the node's feature.</summary>
    public int ChildFor(int node, int bin, int missingBin) =>
        next[node] + (new NodeSplit(feature[node], this.Bin[node], missingLeft[node], SetAt(node)).GoesLeft(bin, missingBin) ? 0 : 1);
}

/// <summary>A tree while it grows.</summary>
sealed class TreeBuilder(int width)
{
    readonly List<NodeSplit> splits = [];
    readonly List<int> next = [];
    readonly List<long> cover = [];
    readonly List<double> values = [];

    public int NodeCount => splits.Count;

    public long CoverAt(int node) => cover[node];

    /// <summary>Begins another tree in the same room.</summary>
    public void Clear()
    {
        splits.Clear();
        next.Clear();
        cover.Clear();
        values.Clear();
    }

    /// <summary>Adds a node that is no split and has no value yet.</summary>
    public int Add(long weight)
    {
        splits.Add(NodeSplit.None);
        next.Add(-1);
        cover.Add(weight);
        return splits.Count - 1;
    }

    /// <summary>Splits a node; its children are the two nodes added last.</summary>
    public void Split(int node, NodeSplit split, int left)
    {
        splits[node] = split;
        next[node] = left;
    }

    /// <summary>Makes a leaf of a node.</summary>
    public void Leaf(int node, ReadOnlySpan<double> leafValues)
    {
        next[node] = values.Count / width;
        values.AddRange(leafValues);
    }

    public Tree Build()
    {
        var sets = splits.Exists(split => split.Set is not null) ? splits.ConvertAll(split => split.Set).ToArray() : null;
        return new Tree(
            width,
            [.. splits.Select(split => split.Feature)],
            [.. splits.Select(split => (ushort)split.Bin)],
            [.. splits.Select(split => split.MissingLeft)],
            [.. next],
            [.. cover],
            [.. values],
            sets);
    }
}
