namespace Salus.Learning.Evaluate;

/// <summary>How predictions at a threshold fall: predicted positive is a score not below it.</summary>
public sealed record Confusion(int TruePositives, int FalsePositives, int TrueNegatives, int FalseNegatives)
{
    /// <summary>The share of positives found; NaN where there is none.</summary>
    public double Sensitivity => (double)TruePositives / (TruePositives + FalseNegatives);

    /// <summary>The share of negatives left alone; NaN where there is none.</summary>
    public double Specificity => (double)TrueNegatives / (TrueNegatives + FalsePositives);
}

/// <summary>Rows whose score lies in [From, To): what was predicted on average, and what was so.</summary>
public sealed record CalibrationBin(double From, double To, int Count, double MeanPredicted, double ShareObserved);

/// <summary>A point of the receiver operating characteristic.</summary>
public sealed record RocPoint(double FalsePositiveRate, double TruePositiveRate, double Threshold);

/// <summary>Figures for binary predictions: scores are probabilities of class 1, labels are 0 or 1.</summary>
public static class Metrics
{
    // A probability of exactly 0 or 1 that is wrong would make the log loss infinite.
    const double LogFloor = 1e-15;

    /// <summary>The probability that a positive scores above a negative, ties counting half (Hanley and McNeil 1982); NaN for one class.</summary>
    public static double RocAuc(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels)
    {
        Check(scores, labels);
        var order = AscendingOrder(scores);
        return RocAuc(scores, labels, order, default);
    }

    /// <summary>Average precision: the mean over positives of the precision at their score (ties share one point); NaN without positives.</summary>
    public static double PrAuc(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels)
    {
        Check(scores, labels);
        return PrAuc(scores, labels, AscendingOrder(scores), default);
    }

    /// <summary>The mean squared difference between score and label (Brier 1950).</summary>
    public static double Brier(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels)
    {
        Check(scores, labels);
        var sum = 0.0;
        for (var i = 0; i < scores.Length; i++)
            sum += (scores[i] - labels[i]) * (scores[i] - labels[i]);
        return sum / scores.Length;
    }

    /// <summary>The mean negative log likelihood in nats.</summary>
    public static double LogLoss(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels)
    {
        Check(scores, labels);
        var sum = 0.0;
        for (var i = 0; i < scores.Length; i++)
            sum -= Math.Log(Math.Clamp(labels[i] == 1 ? scores[i] : 1 - scores[i], LogFloor, 1));
        return sum / scores.Length;
    }

    /// <summary>Counts right and wrong predictions at a threshold.</summary>
    public static Confusion Confusion(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels, double threshold = 0.5)
    {
        Check(scores, labels);
        Span<int> counts = stackalloc int[4];
        counts.Clear();
        for (var i = 0; i < scores.Length; i++)
            counts[(labels[i] * 2) + (scores[i] >= threshold ? 1 : 0)]++;
        return new Confusion(counts[3], counts[1], counts[0], counts[2]);
    }

    /// <summary>Scores in bins of equal width over 0 to 1; empty bins are left out.</summary>
    public static IReadOnlyList<CalibrationBin> Calibration(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels, int bins = 10)
    {
        Check(scores, labels);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bins);
        var (counts, sums, positives) = (new int[bins], new double[bins], new int[bins]);
        for (var i = 0; i < scores.Length; i++)
        {
            var bin = Math.Clamp((int)(scores[i] * bins), 0, bins - 1);
            counts[bin]++;
            sums[bin] += scores[i];
            positives[bin] += labels[i];
        }
        return
        [
            .. Enumerable.Range(0, bins)
                .Where(bin => counts[bin] > 0)
                .Select(bin => new CalibrationBin((double)bin / bins, (double)(bin + 1) / bins, counts[bin], sums[bin] / counts[bin], (double)positives[bin] / counts[bin])),
        ];
    }

    /// <summary>The curve from (0, 0) to (1, 1), one point per distinct score, for charts.</summary>
    public static IReadOnlyList<RocPoint> RocCurve(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels)
    {
        Check(scores, labels);
        var order = AscendingOrder(scores);
        var total = 0;
        foreach (var label in labels)
            total += label;
        var curve = new List<RocPoint> { new(0, 0, double.PositiveInfinity) };
        int positives = 0, negatives = 0;
        for (var i = order.Length - 1; i >= 0;)
        {
            var tied = scores[order[i]];
            for (; i >= 0 && scores[order[i]] == tied; i--)
            {
                positives += labels[order[i]];
                negatives += 1 - labels[order[i]];
            }
            curve.Add(new RocPoint((double)negatives / (labels.Length - total), (double)positives / total, tied));
        }
        return curve;
    }

    internal static int[] AscendingOrder(ReadOnlySpan<double> scores)
    {
        var order = new int[scores.Length];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        Array.Sort(scores.ToArray(), order);
        return order;
    }

    /// <summary>ROC-AUC with each row counted <paramref name="counts"/> times (once where empty), exact in integers until the division.</summary>
    internal static double RocAuc(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels, ReadOnlySpan<int> order, ReadOnlySpan<int> counts)
    {
        long positives = 0, negatives = 0, doubled = 0;
        for (var i = 0; i < order.Length;)
        {
            var tied = scores[order[i]];
            long tiedPositives = 0, tiedNegatives = 0;
            for (; i < order.Length && scores[order[i]] == tied; i++)
            {
                var weight = counts.IsEmpty ? 1 : counts[order[i]];
                if (labels[order[i]] == 1)
                    tiedPositives += weight;
                else
                    tiedNegatives += weight;
            }
            doubled += tiedPositives * ((2 * negatives) + tiedNegatives);
            positives += tiedPositives;
            negatives += tiedNegatives;
        }
        return doubled / (2.0 * positives * negatives);
    }

    /// <summary>Average precision with each row counted <paramref name="counts"/> times (once where empty).</summary>
    internal static double PrAuc(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels, ReadOnlySpan<int> order, ReadOnlySpan<int> counts)
    {
        long positives = 0, seen = 0;
        var area = 0.0;
        for (var i = order.Length - 1; i >= 0;)
        {
            var tied = scores[order[i]];
            var before = positives;
            for (; i >= 0 && scores[order[i]] == tied; i--)
            {
                var weight = counts.IsEmpty ? 1 : counts[order[i]];
                seen += weight;
                positives += labels[order[i]] * weight;
            }
            if (positives > before)
                area += (double)positives / seen * (positives - before);
        }
        return area / positives;
    }

    static void Check(ReadOnlySpan<double> scores, ReadOnlySpan<int> labels)
    {
        if (scores.Length != labels.Length || scores.IsEmpty)
            throw new ArgumentException($"{scores.Length} scores and {labels.Length} labels; give as many of each, at least one");
        foreach (var score in scores)
        {
            if (double.IsNaN(score))
                throw new ArgumentException("a score is not a number");
        }
        foreach (var label in labels)
        {
            if (label is not (0 or 1))
                throw new ArgumentException($"the label {label} is neither 0 nor 1");
        }
    }
}
