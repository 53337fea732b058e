using Salus.Learning.Trees;

namespace Salus.Learning.Forest;

/// <summary>
/// What the trees that did not see a row say of it (Breiman 2001, sections 3.1 and 10). Votes are added in fixed point,
/// so that it does not matter in which order trees are grown, or by which thread.
/// </summary>
sealed class OutOfBag(BinnedMatrix data, int outputs, Func<double, long> unitsOf)
{
    readonly long[] sums = new long[(long)data.RowCount * outputs];
    readonly int[] voters = new int[outputs == 0 ? 0 : data.RowCount];

    public ReadOnlySpan<long> Sums => sums;

    public ReadOnlySpan<int> Voters => voters;

    public void Vote(Tree tree, ReadOnlySpan<ushort> drawn)
    {
        var units = new long[tree.Values.Length];
        for (var i = 0; i < units.Length; i++)
            units[i] = unitsOf(tree.Values[i]);
        for (var row = 0; row < drawn.Length; row++)
        {
            if (drawn[row] > 0)
                continue;
            voters[row]++;
            var leaf = tree.Next[LeafOf(tree, row)] * outputs;
            for (var i = 0; i < outputs; i++)
                sums[(row * outputs) + i] += units[leaf + i];
        }
    }

    public void Add(OutOfBag other)
    {
        for (var i = 0; i < sums.Length; i++)
            sums[i] += other.sums[i];
        for (var row = 0; row < voters.Length; row++)
            voters[row] += other.voters[row];
    }

    /// <summary>By feature, the mean growth of a loss over the rows that the tree did not see when their values of that feature are permuted.</summary>
    public double[] Losses(Tree tree, ReadOnlySpan<ushort> drawn, ulong seed, Func<int, ReadOnlySpan<double>, double> lossOf)
    {
        var losses = new double[data.FeatureCount];
        var count = 0;
        foreach (var times in drawn)
            count += times == 0 ? 1 : 0;
        if (count == 0)
            return losses;
        var rows = new int[count];
        for (int row = 0, at = 0; row < drawn.Length; row++)
        {
            if (drawn[row] == 0)
                rows[at++] = row;
        }
        var before = 0.0;
        foreach (var row in rows)
            before += lossOf(row, tree.ValuesAt(LeafOf(tree, row)));
        foreach (var feature in tree.Feature.ToArray().Where(feature => feature >= 0).Distinct().Order())
        {
            var permuted = Array.ConvertAll(rows, row => data.Codes[((long)row * data.FeatureCount) + feature]);
            SeededGenerator.For(seed, (ulong)feature).Shuffle<byte>(permuted);
            var after = 0.0;
            for (var i = 0; i < rows.Length; i++)
                after += lossOf(rows[i], tree.ValuesAt(LeafOf(tree, rows[i], feature, permuted[i])));
            losses[feature] = (after - before) / count;
        }
        return losses;
    }

    int LeafOf(Tree tree, int row, int exchanged = -1, int bin = 0)
    {
        var codes = data.Codes.AsSpan((int)((long)row * data.FeatureCount), data.FeatureCount);
        var node = 0;
        for (var feature = tree.Feature[0]; feature >= 0; feature = tree.Feature[node])
            node = tree.ChildFor(node, feature == exchanged ? bin : codes[feature], data.Bins[feature].Bins);
        return node;
    }
}
