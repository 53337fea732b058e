namespace Salus.Learning.Evaluate;

/// <summary>An estimate with the interval that holds it at the stated confidence.</summary>
public sealed record Interval(double Estimate, double Low, double High);

/// <summary>Percentile bootstrap (Efron 1979) of out-of-fold figures. Whole groups are drawn where rows belong to groups, since their rows are not independent.</summary>
public static class Bootstrap
{
    /// <summary>The interval of the ROC-AUC averaged over the score sets (one per repeat of cross-validation).</summary>
    public static Interval RocAuc(IReadOnlyList<double[]> scoreSets, int[] labels, int[]? groups, int resamples, ulong seed, double confidence = 0.95)
    {
        var orders = scoreSets.Select(scores => Metrics.AscendingOrder(scores)).ToArray();
        return Percentile(labels, groups, resamples, seed, confidence, counts =>
            scoreSets.Select((scores, i) => Metrics.RocAuc(scores, labels, orders[i], counts)).Average());
    }

    /// <summary>The interval of the accuracy averaged over the score sets.</summary>
    public static Interval Accuracy(IReadOnlyList<double[]> scoreSets, int[] labels, int[]? groups, double threshold, int resamples, ulong seed, double confidence = 0.95)
    {
        var right = new int[labels.Length];
        foreach (var scores in scoreSets)
        {
            for (var row = 0; row < right.Length; row++)
                right[row] += scores[row] >= threshold == (labels[row] == 1) ? 1 : 0;
        }
        return Percentile(labels, groups, resamples, seed, confidence, counts =>
        {
            long sum = 0, rows = 0;
            for (var row = 0; row < counts.Length; row++)
            {
                sum += (long)counts[row] * right[row];
                rows += counts[row];
            }
            return (double)sum / (rows * scoreSets.Count);
        });
    }

    static Interval Percentile(int[] labels, int[]? groups, int resamples, ulong seed, double confidence, Func<int[], double> figure)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(resamples, 1);
        var units = groups is null
            ? [.. Enumerable.Range(0, labels.Length).Select(row => new[] { row })]
            : Enumerable.Range(0, labels.Length).GroupBy(row => groups[row]).OrderBy(group => group.Key).Select(group => group.ToArray()).ToArray();
        var figures = new double[resamples];
        Parallel.For(0, resamples, resample =>
        {
            var generator = SeededGenerator.For(seed, (ulong)resample);
            var counts = new int[labels.Length];
            for (var draw = 0; draw < units.Length; draw++)
            {
                foreach (var row in units[generator.NextInt(units.Length)])
                    counts[row]++;
            }
            figures[resample] = figure(counts);
        });
        var sorted = figures.Where(value => !double.IsNaN(value)).Order().ToArray();
        var once = new int[labels.Length];
        Array.Fill(once, 1);
        var estimate = figure(once);
        return sorted.Length == 0
            ? new Interval(estimate, double.NaN, double.NaN)
            : new Interval(estimate, Quantile(sorted, (1 - confidence) / 2), Quantile(sorted, (1 + confidence) / 2));
    }

    internal static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        return below + 1 >= sorted.Length ? sorted[^1] : sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below]));
    }
}
