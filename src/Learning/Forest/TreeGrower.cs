namespace Salus.Learning.Forest;

/// <summary>Grows one tree over a bootstrap sample. One instance per tree; nothing is shared but what is read.</summary>
sealed class TreeGrower(BinnedFeatures data, int[] labels, SplitLimits limits, int tries, int depthMax, SeededGenerator generator)
{
    readonly int classes = limits.Units.Length;
    readonly List<int> feature = [];
    readonly List<double> threshold = [];
    readonly List<bool> missingLeft = [];
    readonly List<int> left = [];
    readonly List<int> right = [];
    readonly List<long> nodeWeights = [];
    readonly long[] histogram = new long[256 * limits.Units.Length];
    readonly int[] order = [.. Enumerable.Range(0, data.FeatureCount)];
    readonly long[] weights = new long[data.RowCount];
    int[] spare = [];

    /// <summary>How often each row was drawn; 0 is out of bag.</summary>
    public int[] Drawn { get; } = new int[data.RowCount];

    public DecisionTree Grow()
    {
        for (var i = 0; i < Drawn.Length; i++)
            Drawn[generator.NextInt(Drawn.Length)]++;
        var rows = new List<int>();
        for (var row = 0; row < Drawn.Length; row++)
        {
            weights[row] = Drawn[row] * limits.Units[labels[row]];
            if (Drawn[row] > 0)
                rows.Add(row);
        }
        spare = new int[rows.Count];
        // An explicit stack: depth is bounded, but a thread's own stack should not have to be.
        var work = new Stack<(int Node, int Start, int Count, int Depth)>();
        var all = rows.ToArray();
        work.Push((AddNode(all), 0, all.Length, 0));
        while (work.TryPop(out var job))
        {
            var span = all.AsSpan(job.Start, job.Count);
            var split = job.Depth < depthMax ? Choose(job.Node, span) : Split.None;
            if (split.Feature < 0)
                continue;
            var leftCount = Partition(span, split);
            Record(job.Node, split, span[..leftCount], span[leftCount..]);
            work.Push((right[job.Node], job.Start + leftCount, job.Count - leftCount, job.Depth + 1));
            work.Push((left[job.Node], job.Start, leftCount, job.Depth + 1));
        }
        return new DecisionTree(classes, [.. feature], [.. threshold], [.. missingLeft], [.. left], [.. right], [.. nodeWeights]);
    }

    Split Choose(int node, ReadOnlySpan<int> rows)
    {
        Span<long> totals = stackalloc long[classes];
        var present = 0;
        double pure = 0, sum = 0;
        for (var c = 0; c < classes; c++)
        {
            totals[c] = nodeWeights[(node * classes) + c];
            present += totals[c] > 0 ? 1 : 0;
            pure += (double)totals[c] * totals[c];
            sum += totals[c];
        }
        if (present < 2)
            return Split.None;
        // Features are drawn without replacement; one that is constant here does not count as a try.
        var best = Split.None;
        for (int drawn = 0, tried = 0; drawn < order.Length && tried < tries; drawn++)
        {
            var pick = drawn + generator.NextInt(order.Length - drawn);
            (order[drawn], order[pick]) = (order[pick], order[drawn]);
            var candidate = order[drawn];
            var bins = data.Edges[candidate].Bins;
            if (bins == 1 && !data.Bins[candidate].Contains((byte)1))
                continue;
            var used = histogram.AsSpan(0, (bins + 1) * classes);
            used.Clear();
            ClassHistogram.Accumulate(data.Bins[candidate], rows, labels, weights, classes, used);
            var split = ClassHistogram.Best(candidate, used, bins, totals, limits, out var constant);
            if (constant)
                continue;
            tried++;
            if (split.Score > best.Score)
                best = split;
        }
        return best.Score >= pure / sum ? best : Split.None;
    }

    int Partition(Span<int> rows, Split split)
    {
        var bins = data.Bins[split.Feature];
        var missing = (byte)data.Edges[split.Feature].Bins;
        int kept = 0, moved = 0;
        foreach (var row in rows)
        {
            var bin = bins[row];
            if (bin == missing ? split.MissingLeft : bin <= split.Bin)
                rows[kept++] = row;
            else
                spare[moved++] = row;
        }
        spare.AsSpan(0, moved).CopyTo(rows[kept..]);
        return kept;
    }

    void Record(int node, Split split, ReadOnlySpan<int> leftRows, ReadOnlySpan<int> rightRows)
    {
        var edges = data.Edges[split.Feature];
        feature[node] = split.Feature;
        threshold[node] = split.Bin < edges.Edges.Length ? edges.Edges[split.Bin] : double.MaxValue;
        left[node] = AddNode(leftRows);
        right[node] = AddNode(rightRows);
        // Where training saw no missing value here, one met later follows the heavier side.
        missingLeft[node] = split.MissingLeft || (!HasMissing(split.Feature, rightRows) && Heavier(left[node], right[node]));
    }

    bool HasMissing(int column, ReadOnlySpan<int> rows)
    {
        var missing = (byte)data.Edges[column].Bins;
        foreach (var row in rows)
        {
            if (data.Bins[column][row] == missing)
                return true;
        }
        return false;
    }

    bool Heavier(int one, int other)
    {
        long difference = 0;
        for (var c = 0; c < classes; c++)
            difference += nodeWeights[(one * classes) + c] - nodeWeights[(other * classes) + c];
        return difference >= 0;
    }

    int AddNode(ReadOnlySpan<int> rows)
    {
        Span<long> totals = stackalloc long[classes];
        totals.Clear();
        foreach (var row in rows)
            totals[labels[row]] += weights[row];
        nodeWeights.AddRange(totals);
        feature.Add(-1);
        threshold.Add(0);
        missingLeft.Add(false);
        left.Add(-1);
        right.Add(-1);
        return feature.Count - 1;
    }
}
