using Salus.Learning.Tables;

namespace Salus.Learning.Forest;

/// <summary>What the trees that did not see a row say of it (Breiman 2001, sections 3.1 and 10).</summary>
sealed class OutOfBag(RandomForest forest, FeatureMatrix features, int[] labels, int[][] drawn, ParallelOptions parallel)
{
    public double[]?[] Probabilities()
    {
        var probabilities = new double[]?[features.RowCount];
        // Rows run side by side, the trees of a row in their order: the sums do not depend on threads.
        Parallel.For(0, probabilities.Length, parallel, row =>
        {
            var values = features.Row(row);
            var sums = new double[forest.ClassCount];
            var voters = 0;
            for (var t = 0; t < forest.TreeCount; t++)
            {
                if (drawn[t][row] > 0)
                    continue;
                voters++;
                var tree = forest.Trees[t];
                var leaf = tree.ProbabilitiesAt(tree.LeafFor(values));
                for (var c = 0; c < sums.Length; c++)
                    sums[c] += leaf[c];
            }
            if (voters == 0)
                return;
            for (var c = 0; c < sums.Length; c++)
                sums[c] /= voters;
            probabilities[row] = sums;
        });
        return probabilities;
    }

    public double Accuracy(double[]?[] probabilities)
    {
        int right = 0, known = 0;
        for (var row = 0; row < probabilities.Length; row++)
        {
            if (probabilities[row] is not { } sums)
                continue;
            known++;
            right += Likeliest(sums) == labels[row] ? 1 : 0;
        }
        return known == 0 ? double.NaN : (double)right / known;
    }

    public double[] Importance(ulong seed)
    {
        var losses = new long[forest.TreeCount][];
        var counts = new int[forest.TreeCount];
        Parallel.For(0, losses.Length, parallel, t => losses[t] = Losses(t, seed, out counts[t]));
        var importance = new double[forest.FeatureCount];
        for (var t = 0; t < losses.Length; t++)
        {
            for (var f = 0; f < importance.Length && counts[t] > 0; f++)
                importance[f] += (double)losses[t][f] / counts[t];
        }
        for (var f = 0; f < importance.Length; f++)
            importance[f] /= losses.Length;
        return importance;
    }

    long[] Losses(int t, ulong seed, out int count)
    {
        var tree = forest.Trees[t];
        var rows = Enumerable.Range(0, features.RowCount).Where(row => drawn[t][row] == 0).ToArray();
        count = rows.Length;
        var losses = new long[forest.FeatureCount];
        var values = Array.ConvertAll(rows, features.Row);
        var right = values.Select((row, i) => Votes(tree, row, rows[i])).Sum();
        foreach (var f in tree.Feature.ToArray().Where(f => f >= 0).Distinct().Order())
        {
            var permuted = Array.ConvertAll(values, row => row[f]);
            SeededGenerator.For(SeededGenerator.Derive(seed ^ 0x696D706F7274, (ulong)t), (ulong)f).Shuffle<double>(permuted);
            long still = 0;
            for (var i = 0; i < rows.Length; i++)
            {
                (values[i][f], permuted[i]) = (permuted[i], values[i][f]);
                still += Votes(tree, values[i], rows[i]);
                values[i][f] = permuted[i];
            }
            losses[f] = right - still;
        }
        return losses;
    }

    int Votes(DecisionTree tree, double[] row, int index) =>
        Likeliest(tree.ProbabilitiesAt(tree.LeafFor(row))) == labels[index] ? 1 : 0;

    static int Likeliest(ReadOnlySpan<double> probabilities)
    {
        var best = 0;
        for (var c = 1; c < probabilities.Length; c++)
        {
            if (probabilities[c] > probabilities[best])
                best = c;
        }
        return best;
    }
}
