namespace Salus.Learning.Evaluate;

/// <summary>Figures for predictions of any number of classes: a row's probabilities, and its label among them.</summary>
public static class ClassMetrics
{
    const double LogFloor = 1e-15;

    /// <summary>The likeliest class, the first of equals.</summary>
    public static int Likeliest(ReadOnlySpan<double> probabilities)
    {
        var best = 0;
        for (var c = 1; c < probabilities.Length; c++)
        {
            if (probabilities[c] > probabilities[best])
                best = c;
        }
        return best;
    }

    /// <summary>How often each label (row) was predicted as each class (column).</summary>
    public static int[][] Confusion(ReadOnlySpan<int> predicted, ReadOnlySpan<int> labels, int classes)
    {
        var counts = new int[classes][];
        for (var c = 0; c < classes; c++)
            counts[c] = new int[classes];
        for (var row = 0; row < labels.Length; row++)
            counts[labels[row]][predicted[row]]++;
        return counts;
    }

    /// <summary>The mean over classes of the harmonic mean of precision and recall; a class neither had nor predicted is left out.</summary>
    public static double MacroF1(IReadOnlyList<int[]> confusion) => MacroF1(confusion.Select(row => Array.ConvertAll(row, count => (long)count)).ToArray());

    internal static double MacroF1(long[][] confusion)
    {
        var (sum, classes) = (0.0, 0);
        for (var c = 0; c < confusion.Length; c++)
        {
            long had = 0, said = 0;
            for (var other = 0; other < confusion.Length; other++)
            {
                had += confusion[c][other];
                said += confusion[other][c];
            }
            if (had + said == 0)
                continue;
            classes++;
            sum += 2.0 * confusion[c][c] / (had + said);
        }
        return classes == 0 ? double.NaN : sum / classes;
    }

    /// <summary>The mean negative log likelihood in nats.</summary>
    public static double LogLoss(ReadOnlySpan<double> probabilities, int label) => -Math.Log(Math.Clamp(probabilities[label], LogFloor, 1));

    /// <summary>The squared distance to the label: of the positive class for two classes, summed over all for more (Brier 1950).</summary>
    public static double Brier(ReadOnlySpan<double> probabilities, int label)
    {
        if (probabilities.Length == 2)
            return (probabilities[1] - label) * (probabilities[1] - label);
        var sum = 0.0;
        for (var c = 0; c < probabilities.Length; c++)
        {
            var gap = probabilities[c] - (c == label ? 1 : 0);
            sum += gap * gap;
        }
        return sum;
    }

    /// <summary>The ROC-AUC of class 1 of two, or the mean over classes of each against the rest.</summary>
    public static double RocAuc(IReadOnlyList<double[]> probabilities, int[] labels, int classes)
    {
        if (classes == 2)
            return Metrics.RocAuc([.. probabilities.Select(row => row[1])], labels);
        var each = Enumerable.Range(0, classes)
            .Select(c => Metrics.RocAuc([.. probabilities.Select(row => row[c])], Array.ConvertAll(labels, label => label == c ? 1 : 0)))
            .Where(auc => !double.IsNaN(auc)).ToArray();
        return each.Length == 0 ? double.NaN : each.Average();
    }
}
