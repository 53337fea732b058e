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
        sums.Sum(root, histogram);
        var first = new Open(root, TotalOf(histogram, features[0], units, rows), 0) { Histogram = histogram };
        Search([first], features, units);
        var leaves = new List<Open> { first };
        while (leaves.Count < options.LeavesMax && leaves.Where(leaf => leaf.Best is not null).MaxBy(leaf => leaf.Best!.Gain) is { } best)
        {
            leaves.Remove(best);
            leaves.AddRange(Split(tree, best, leaves.Count + 2 < options.LeavesMax, features, units));
        }
        foreach (var leaf in leaves)
        {
            Give(leaf);
            tree.Leaf(leaf.Node, [leaf.Sums.Estimate(options.Lambda) * options.LearningRate]);
        }
        return tree.Build();
    }

    Open[] Split(TreeBuilder tree, Open parent, bool mayGoOn, int[] features, GradientUnits units)
    {
        var best = parent.Best!;
        int left = tree.NodeCount, right = left + 1;
        var (leftRows, rightRows) = sums.Split(parent.Node, best.Split, left, right);
        tree.Add(leftRows);
        tree.Add(rightRows);
        tree.Split(parent.Node, best.Split, left);
        Open[] children = [new(left, best.Left with { Rows = leftRows }, parent.Depth + 1), new(right, best.Right with { Rows = rightRows }, parent.Depth + 1)];
        if (!mayGoOn || parent.Depth + 1 == options.DepthMax || !children.Any(child => child.Sums.Second >= 2 * options.LeafWeightMin))
        {
            Give(parent);
            return children;
        }
        var (lighter, heavier) = leftRows <= rightRows ? (children[0], children[1]) : (children[1], children[0]);
        lighter.Histogram = Take();
        sums.Sum(lighter.Node, lighter.Histogram);
        heavier.Histogram = parent.Histogram;
        parent.Histogram = null;
        var (whole, part) = (heavier.Histogram!, lighter.Histogram);
        for (var i = 0; i < whole.Length; i++)
            whole[i] -= part[i];
        Search(children, features, units);
        return children;
    }

    void Search(Open[] nodes, int[] features, GradientUnits units)
    {
        var parts = (features.Length + TaskFeatures - 1) / TaskFeatures;
        var found = new SplitCandidate?[nodes.Length * parts];
        Parallel.For(0, found.Length, parallel, task =>
        {
            var (node, part) = (nodes[task / parts], task % parts);
            if (node.Sums.Second < 2 * options.LeafWeightMin)
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
