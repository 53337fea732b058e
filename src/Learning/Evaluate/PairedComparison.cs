namespace Salus.Learning.Evaluate;

/// <summary>Two models on the same rows, which neither had seen: each one's figures, and the difference with its 95 % interval (the second less the first).</summary>
/// <param name="Rows">The number of rows.</param>
/// <param name="Positives">Rows of class 1.</param>
/// <param name="Auc">ROC-AUC of each, and the difference.</param>
/// <param name="Brier">Mean squared error of each, and the difference: below zero the second is better.</param>
public sealed record PairedComparison(int Rows, int Positives, PairedFigure Auc, PairedFigure Brier)
{
    /// <summary>Fewer rows of either class say nothing.</summary>
    public const int ClassRowsMin = 10;

    /// <summary>Compares the probabilities that two models gave class 1; null where a class has too few rows. Groups are drawn whole.</summary>
    public static PairedComparison? Of(double[] first, double[] second, int[] labels, int[]? groups, int resamples, ulong seed)
    {
        var positives = labels.Sum();
        if (Math.Min(positives, labels.Length - positives) < ClassRowsMin)
            return null;
        var (firstOrder, secondOrder) = (Metrics.AscendingOrder(first), Metrics.AscendingOrder(second));
        var found = Bootstrap.Run(labels.Length, groups, resamples, seed, 2, counts =>
        {
            var (firstAuc, secondAuc) = (Metrics.RocAuc(first, labels, firstOrder, counts), Metrics.RocAuc(second, labels, secondOrder, counts));
            var (firstBrier, secondBrier) = (SquaredError(first, labels, counts), SquaredError(second, labels, counts));
            return [firstAuc, secondAuc, secondAuc - firstAuc, firstBrier, secondBrier, secondBrier - firstBrier];
        });
        return new PairedComparison(labels.Length, positives, new PairedFigure(found[0], found[1], found[2]), new PairedFigure(found[3], found[4], found[5]));
    }

    static double SquaredError(double[] scores, int[] labels, int[] counts)
    {
        var (sum, rows) = (0.0, 0L);
        for (var i = 0; i < scores.Length; i++)
        {
            sum += counts[i] * (scores[i] - labels[i]) * (scores[i] - labels[i]);
            rows += counts[i];
        }
        return sum / rows;
    }
}

/// <summary>One figure of two models, and the second less the first.</summary>
public sealed record PairedFigure(Interval First, Interval Second, Interval Difference);
