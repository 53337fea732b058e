namespace Salus.Learning.Evaluate;

/// <summary>Two models on the same rows, which neither had seen: each one's figures, and the difference with its 95 % interval (the second less the first).</summary>
/// <param name="Rows">The number of rows.</param>
/// <param name="Positives">Rows of class 1; of many classes 0.</param>
/// <param name="Auc">ROC-AUC of each, and the difference; of many classes the mean over those that are there of each against the rest.</param>
/// <param name="Brier">Mean squared error of each, and the difference: below zero the second is better.</param>
public sealed record PairedComparison(int Rows, int Positives, PairedFigure Auc, PairedFigure Brier)
{
    /// <summary>Fewer rows of either class say nothing.</summary>
    public const int ClassRowsMin = 10;

    /// <summary>Of many classes, fewer rows say nothing.</summary>
    public const int RowsMin = 2 * ClassRowsMin;

    /// <summary>Of many classes, how often each was right; null of two, where that hangs on the threshold.</summary>
    public PairedFigure? Accuracy { get; init; }

    /// <summary>Compares the probabilities that two models gave class 1; null where a class has too few rows. Groups are drawn whole.</summary>
    public static PairedComparison? Of(double[] first, double[] second, int[] labels, int[]? groups, int resamples, ulong seed)
    {
        var positives = labels.Sum();
        if (Math.Min(positives, labels.Length - positives) < ClassRowsMin)
            return null;
        var (before, after) = (Side.Of(Rows(first), labels, 2), Side.Of(Rows(second), labels, 2));
        var found = Bootstrap.Run(labels.Length, groups, resamples, seed, 2, counts => Told(before.Figures(counts), after.Figures(counts)));
        return new PairedComparison(labels.Length, positives, Figure(found, 0), Figure(found, 1));

        static double[][] Rows(double[] scores) => Array.ConvertAll(scores, score => new[] { 1 - score, score });
    }

    /// <summary>
    /// Compares the probabilities that two models gave each of many classes, by row; null where there are too few rows, or all are of one class. A class that one of them
    /// does not know has the probability 0 there.
    /// </summary>
    public static PairedComparison? OfMany(double[][] first, double[][] second, int[] labels, int[]? groups, int resamples, ulong seed)
    {
        if (labels.Length < RowsMin || labels.Distinct().Count() < 2)
            return null;
        var classes = first[0].Length;
        var (before, after) = (Side.Of(first, labels, classes), Side.Of(second, labels, classes));
        var found = Bootstrap.Run(labels.Length, groups, resamples, seed, 2 * classes, counts => Told(before.Figures(counts), after.Figures(counts)));
        return new PairedComparison(labels.Length, 0, Figure(found, 0), Figure(found, 1)) { Accuracy = Figure(found, 2) };
    }

    static double[] Told(double[] first, double[] second) => [.. first.Zip(second, (before, after) => (double[])[before, after, after - before]).SelectMany(figure => figure)];

    static PairedFigure Figure(Interval[] found, int place) => new(found[3 * place], found[(3 * place) + 1], found[(3 * place) + 2]);

    /// <summary>What one model said, sorted once for all resamples.</summary>
    sealed class Side
    {
        readonly (double[] Scores, int[] Labels, int[] Order)[] each;
        readonly double[] errors;
        readonly bool[] right;

        Side((double[] Scores, int[] Labels, int[] Order)[] each, double[] errors, bool[] right) => (this.each, this.errors, this.right) = (each, errors, right);

        public static Side Of(double[][] said, int[] labels, int classes)
        {
            int[] told = classes == 2 ? [1] : [.. labels.Distinct().Order()];
            return new Side(
                Array.ConvertAll(told, c =>
                {
                    var scores = Array.ConvertAll(said, row => row[c]);
                    return (scores, Array.ConvertAll(labels, label => label == c ? 1 : 0), Metrics.AscendingOrder(scores));
                }),
                [.. said.Zip(labels, (row, label) => ClassMetrics.Brier(row, label))],
                [.. said.Zip(labels, (row, label) => ClassMetrics.Likeliest(row) == label)]);
        }

        /// <summary>ROC-AUC, mean squared error, share right.</summary>
        public double[] Figures(int[] counts)
        {
            var (error, correct, rows) = (0.0, 0L, 0L);
            for (var i = 0; i < counts.Length; i++)
            {
                error += counts[i] * errors[i];
                correct += right[i] ? counts[i] : 0;
                rows += counts[i];
            }
            double[] areas = [.. each.Select(one => Metrics.RocAuc(one.Scores, one.Labels, one.Order, counts)).Where(area => !double.IsNaN(area))];
            return [areas.Length == 0 ? double.NaN : areas.Average(), error / rows, (double)correct / rows];
        }
    }
}

/// <summary>One figure of two models, and the second less the first.</summary>
public sealed record PairedFigure(Interval First, Interval Second, Interval Difference);
