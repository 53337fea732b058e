using System.Numerics;
using System.Runtime.CompilerServices;
using Salus.Learning.Trees;

namespace Salus.Learning.Boosting;

/// <summary>
/// Grows a tree leaf by leaf, the one whose split gains most first. It asks for sums only, never for rows: of two
/// children the lighter is summed and the heavier is what is left of their parent.
/// </summary>
sealed class LeafwiseGrower(IGradientSums sums, HistogramLayout layout, SplitFinder finder, BoostingOptions options, ParallelOptions parallel)
{
    // Fewer features than this for each task are searched sooner than a task is started.
    const int TaskFeatures = 8;

    readonly Stack<long[]> spare = new();

    sealed record Open(int Node, NodeSums Sums, int Depth)
    {
        public long[]? Histogram { get; set; }

        public SplitCandidate? Best { get; set; }
    }

    /// <summary>The tree over <paramref name="rows"/> rows, its leaves' values to be multiplied by the learning rate already.</summary>
    public Tree Grow(long rows, int[] features, GradientUnits units)
    {
        var tree = new TreeBuilder(1);
        var root = tree.Add(rows);
        var histogram = Take();
        sums.Sum([(root, histogram)]);
        var first = new Open(root, TotalOf(histogram, features[0], units, rows), 0) { Histogram = histogram };
        Search([first], features, units);
        var leaves = new List<Open> { first };
        while (Next(leaves) is { Length: > 0 } parents)
        {
            leaves.RemoveAll(leaf => parents.Contains(leaf));
            leaves.AddRange(Split(tree, parents, leaves.Count + (2 * parents.Length) < options.LeavesMax, features, units));
        }
        foreach (var leaf in leaves)
        {
            Give(leaf);
            tree.Leaf(leaf.Node, [leaf.Sums.Estimate(options.Lambda) * options.LearningRate]);
        }
        return tree.Build();
    }

    /// <summary>
    /// The leaves that are split whatever their children gain: the one that gains most, and those for which the limit
    /// leaves room even if all below the ones before them is split first. They can be split together.
    /// </summary>
    Open[] Next(List<Open> leaves)
    {
        var next = new List<Open>();
        var room = (long)options.LeavesMax - leaves.Count;
        foreach (var leaf in leaves.Where(leaf => leaf.Best is not null).OrderByDescending(leaf => leaf.Best!.Gain))
        {
            if (room <= 0)
                break;
            next.Add(leaf);
            room -= (1L << Math.Min(options.DepthMax - leaf.Depth, 32)) - 1;
        }
        return [.. next];
    }

    Open[] Split(TreeBuilder tree, Open[] parents, bool mayGoOn, int[] features, GradientUnits units)
    {
        var first = tree.NodeCount;
        NodeDivision[] divisions = [.. parents.Select((parent, i) => new NodeDivision(parent.Node, parent.Best!.Split, first + (2 * i), first + (2 * i) + 1))];
        var rows = sums.Split(divisions);
        var children = new List<Open>();
        var families = new List<(Open Parent, Open Lighter, Open Heavier)>();
        for (var i = 0; i < parents.Length; i++)
        {
            var (parent, best) = (parents[i], parents[i].Best!);
            var left = new Open(tree.Add(rows[i].Left), best.Left with { Rows = rows[i].Left }, parent.Depth + 1);
            var right = new Open(tree.Add(rows[i].Right), best.Right with { Rows = rows[i].Right }, parent.Depth + 1);
            tree.Split(parent.Node, best.Split, left.Node);
            children.AddRange([left, right]);
            if (mayGoOn && left.Depth < options.DepthMax && (MayBeSplit(left) || MayBeSplit(right)))
                families.Add(rows[i].Left <= rows[i].Right ? (parent, left, right) : (parent, right, left));
            else
                Give(parent);
        }
        foreach (var (_, lighter, _) in families)
            lighter.Histogram = Take();
        sums.Sum([.. families.Select(family => (family.Lighter.Node, family.Lighter.Histogram!))]);
        foreach (var (parent, _, heavier) in families)
            (heavier.Histogram, parent.Histogram) = (parent.Histogram, null);
        Parallel.ForEach(families, parallel, family => Subtract(family.Heavier.Histogram!, family.Lighter.Histogram!));
        Search([.. children.Where(child => child.Histogram is not null)], features, units);
        return [.. children];
    }

    bool MayBeSplit(Open leaf) => leaf.Sums.Second >= 2 * options.LeafWeightMin;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Subtract(Span<long> whole, ReadOnlySpan<long> part)
    {
        var width = Vector<long>.Count;
        var i = 0;
        for (; i + width <= part.Length; i += width)
            (new Vector<long>(whole[i..]) - new Vector<long>(part[i..])).CopyTo(whole[i..]);
        for (; i < part.Length; i++)
            whole[i] -= part[i];
    }

    void Search(Open[] nodes, int[] features, GradientUnits units)
    {
        var parts = (features.Length + TaskFeatures - 1) / TaskFeatures;
        var found = new SplitCandidate?[nodes.Length * parts];
        Parallel.For(0, found.Length, parallel, task =>
        {
            var (node, part) = (nodes[task / parts], task % parts);
            if (!MayBeSplit(node))
                return;
            foreach (var feature in features.AsSpan(part * TaskFeatures, Math.Min(TaskFeatures, features.Length - (part * TaskFeatures))))
            {
                if (finder.Best(feature, node.Histogram, node.Sums, units) is { } candidate && !(candidate.Gain <= found[task]?.Gain))
                    found[task] = candidate;
            }
        });
        // The first of equals, so that it does not matter which task ended first.
        for (var i = 0; i < nodes.Length; i++)
            nodes[i].Best = found.AsSpan(i * parts, parts).ToArray().OfType<SplitCandidate>().MaxBy(candidate => candidate.Gain);
    }

    NodeSums TotalOf(ReadOnlySpan<long> histogram, int feature, GradientUnits units, long rows)
    {
        long first = 0, second = 0;
        var from = 2 * layout.OffsetOf(feature);
        var upto = feature + 1 < layout.FeatureCount ? 2 * layout.OffsetOf(feature + 1) : histogram.Length;
        for (var at = from; at < upto; at += 2)
        {
            first += histogram[at];
            second += histogram[at + 1];
        }
        return new NodeSums(first * units.First, second * units.Second, rows, double.NegativeInfinity, double.PositiveInfinity);
    }

    long[] Take() => spare.TryPop(out var histogram) ? histogram : new long[2 * layout.BinCount];

    void Give(Open leaf)
    {
        if (leaf.Histogram is { } histogram)
            spare.Push(histogram);
        leaf.Histogram = null;
    }
}
