using Salus.Learning.Trees;

namespace Salus.Learning.Forest;

/// <summary>Grows one tree after the other over bootstrap samples, in buffers of its own; nothing is shared but what is read.</summary>
sealed class ForestGrower(BinnedMatrix data, int[]? labels, ForestSplitter splitter, int tries, int depthMax)
{
    readonly int[] order = new int[data.FeatureCount];
    readonly ulong[] entries = new ulong[data.RowCount];
    readonly ulong[] spare = new ulong[data.RowCount];
    readonly TreeBuilder tree = new(splitter.Width);

    /// <summary>How often each row was drawn for the tree grown last; 0 is out of bag.</summary>
    public ushort[] Drawn { get; } = new ushort[data.RowCount];

    public Tree Grow(SeededGenerator generator)
    {
        Draw(generator);
        var count = 0;
        for (var row = 0; row < Drawn.Length; row++)
        {
            if (Drawn[row] > 0)
                entries[count++] = ForestSplitter.Entry(row, Drawn[row], labels?[row] ?? 0);
        }
        // The order that another tree left behind must not show in this one.
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        return Grow(count, generator);
    }

    void Draw(SeededGenerator generator)
    {
        Drawn.AsSpan().Clear();
        for (var i = 0; i < Drawn.Length; i++)
            Drawn[generator.NextInt(Drawn.Length)]++;
    }

    Tree Grow(int count, SeededGenerator generator)
    {
        tree.Clear();
        Span<double> leaf = new double[splitter.Width];
        // An explicit stack: depth is bounded, but a thread's own stack should not have to be.
        var work = new Stack<(int Node, int Start, int Count, int Depth)>();
        splitter.Enter(entries.AsSpan(0, count));
        work.Push((tree.Add(splitter.Cover), 0, count, 0));
        while (work.TryPop(out var job))
        {
            var rows = entries.AsSpan(job.Start, job.Count);
            var split = splitter.Enter(rows) && job.Depth < depthMax ? Choose(rows, generator) : ForestSplit.None;
            if (split.Feature < 0)
            {
                splitter.Leaf(leaf);
                tree.Leaf(job.Node, leaf);
                continue;
            }
            var cover = splitter.Cover;
            var leftCount = Partition(rows, split, out var anyMissing);
            splitter.Enter(rows[..leftCount]);
            var left = tree.Add(splitter.Cover);
            var right = tree.Add(cover - splitter.Cover);
            // Where training saw no missing value here, one met later follows the heavier side.
            var missingLeft = anyMissing ? split.MissingLeft : splitter.Cover * 2 >= cover;
            tree.Split(job.Node, new NodeSplit(split.Feature, split.Bin, missingLeft), left);
            work.Push((right, job.Start + leftCount, job.Count - leftCount, job.Depth + 1));
            work.Push((left, job.Start, leftCount, job.Depth + 1));
        }
        return tree.Build();
    }

    ForestSplit Choose(ReadOnlySpan<ulong> rows, SeededGenerator generator)
    {
        // Features are drawn without replacement; one that is constant here does not count as a try.
        var best = ForestSplit.None;
        for (int drawn = 0, tried = 0; drawn < order.Length && tried < tries; drawn++)
        {
            var pick = drawn + generator.NextInt(order.Length - drawn);
            (order[drawn], order[pick]) = (order[pick], order[drawn]);
            var split = splitter.Best(order[drawn], rows, out var constant);
            if (constant)
                continue;
            tried++;
            if (split.Score > best.Score)
                best = split;
        }
        return best.Score >= splitter.Unsplit ? best : ForestSplit.None;
    }

    int Partition(Span<ulong> rows, ForestSplit split, out bool anyMissing)
    {
        var (codes, stride) = (data.Codes, (long)data.FeatureCount);
        var missing = data.Bins[split.Feature].Bins;
        int kept = 0, moved = 0;
        anyMissing = false;
        foreach (var entry in rows)
        {
            int bin = codes[((long)(entry >> 32) * stride) + split.Feature];
            anyMissing |= bin == missing;
            var left = bin == missing ? split.MissingLeft : bin <= split.Bin;
            // Both are written and one is kept: rows fall left and right too evenly for a branch.
            rows[kept] = entry;
            spare[moved] = entry;
            kept += left ? 1 : 0;
            moved += left ? 0 : 1;
        }
        spare.AsSpan(0, moved).CopyTo(rows[kept..]);
        return kept;
    }
}
