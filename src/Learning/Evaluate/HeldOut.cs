namespace Salus.Learning.Evaluate;

/// <summary>Predictions of rows by models that had not seen them, one set a repeat, and the figures of any part of them.</summary>
sealed class HeldOut
{
    const int Accuracy = 2;
    const int Sensitivity = 6;
    const int Specificity = 7;

    readonly double[][][] probabilities;
    readonly int[] labels;
    readonly int classes;
    readonly double threshold;
    readonly int[][] predicted;

    public HeldOut(double[][][] probabilities, int[] labels, int classes, double threshold)
    {
        (this.probabilities, this.labels, this.classes, this.threshold) = (probabilities, labels, classes, threshold);
        predicted = Array.ConvertAll(probabilities, repeat => Array.ConvertAll(repeat, Decide));
    }

    /// <summary>The class that a row's probabilities say.</summary>
    public int Decide(double[] row) => classes == 2 ? (row[1] >= threshold ? 1 : 0) : ClassMetrics.Likeliest(row);

    /// <summary>Predictions of one repeat: labels by row, what was predicted by column.</summary>
    public int[][] Confusion(int repeat) => ClassMetrics.Confusion(predicted[repeat], labels, classes);

    /// <summary>AUC, average precision, accuracy, Brier, log loss, macro-F1, sensitivity, specificity of some rows, each with its interval.</summary>
    public Interval[] Figures(int[] rows, int[]? groups, int resamples, ulong seed)
    {
        var known = Array.ConvertAll(rows, row => labels[row]);
        var sets = probabilities.Select(repeat => new RepeatFigures(Array.ConvertAll(rows, row => repeat[row]), known, classes)).ToArray();
        var said = Array.ConvertAll(predicted, repeat => Array.ConvertAll(rows, row => repeat[row]));
        var (brier, loss) = (new double[rows.Length], new double[rows.Length]);
        for (var i = 0; i < rows.Length; i++)
        {
            brier[i] = probabilities.Average(repeat => ClassMetrics.Brier(repeat[rows[i]], known[i]));
            loss[i] = probabilities.Average(repeat => ClassMetrics.LogLoss(repeat[rows[i]], known[i]));
        }
        var figures = Bootstrap.Run(rows.Length, groups is null ? null : Array.ConvertAll(rows, row => groups[row]), resamples, seed,
            probabilities.Length * (classes == 2 ? 3 : classes + 1), counts => Weighted(counts, sets, said, known, brier, loss));
        if (classes == 2)
        {
            // Where nothing went wrong, or nothing right, resampling finds no other share: what so few rows can tell is Wilson's interval.
            figures[Accuracy] = Widened(figures[Accuracy], _ => true);
            figures[Sensitivity] = Widened(figures[Sensitivity], label => label == 1);
            figures[Specificity] = Widened(figures[Specificity], label => label == 0);
        }
        return figures;

        Interval Widened(Interval figure, Func<int, bool> counts)
        {
            if (figure.Low != figure.High)
                return figure;
            var counted = Enumerable.Range(0, rows.Length).Where(i => counts(known[i])).ToArray();
            var units = groups is null ? counted.Length : counted.Select(i => groups[rows[i]]).Distinct().Count();
            return units == 0 ? figure : ObservedShare.Wilson(figure.Estimate, units);
        }
    }

    double[] Weighted(int[] counts, RepeatFigures[] sets, int[][] said, int[] known, double[] brier, double[] loss)
    {
        long total = 0;
        var (brierSum, lossSum) = (0.0, 0.0);
        for (var i = 0; i < counts.Length; i++)
        {
            total += counts[i];
            brierSum += counts[i] * brier[i];
            lossSum += counts[i] * loss[i];
        }
        double right = 0, macro = 0, sensitivity = 0, specificity = 0;
        foreach (var repeat in said)
        {
            var confusion = new long[classes][];
            for (var c = 0; c < classes; c++)
                confusion[c] = new long[classes];
            for (var i = 0; i < counts.Length; i++)
                confusion[known[i]][repeat[i]] += counts[i];
            right += (double)Enumerable.Range(0, classes).Sum(c => confusion[c][c]) / total;
            macro += ClassMetrics.MacroF1(confusion);
            if (classes > 2)
                continue;
            sensitivity += (double)confusion[1][1] / (confusion[1][0] + confusion[1][1]);
            specificity += (double)confusion[0][0] / (confusion[0][0] + confusion[0][1]);
        }
        double repeats = said.Length;
        return
        [
            sets.Average(set => set.Auc(counts)), classes == 2 ? sets.Average(set => set.AveragePrecision(counts)) : double.NaN,
            right / repeats, brierSum / total, lossSum / total, macro / repeats,
            classes == 2 ? sensitivity / repeats : double.NaN, classes == 2 ? specificity / repeats : double.NaN,
        ];
    }

    /// <summary>One repeat's scores, sorted once for all resamples.</summary>
    sealed class RepeatFigures
    {
        readonly (double[] Scores, int[] Labels, int[] Order)[] each;

        public RepeatFigures(double[][] probabilities, int[] labels, int classes)
        {
            var positives = classes == 2 ? [1] : Enumerable.Range(0, classes).ToArray();
            each = Array.ConvertAll(positives, c =>
            {
                var scores = Array.ConvertAll(probabilities, row => row[c]);
                return (scores, Array.ConvertAll(labels, label => label == c ? 1 : 0), Metrics.AscendingOrder(scores));
            });
        }

        public double Auc(int[] counts)
        {
            var (sum, known) = (0.0, 0);
            foreach (var (scores, labels, order) in each)
            {
                var auc = Metrics.RocAuc(scores, labels, order, counts);
                if (double.IsNaN(auc))
                    continue;
                sum += auc;
                known++;
            }
            return known == 0 ? double.NaN : sum / known;
        }

        public double AveragePrecision(int[] counts) => Metrics.PrAuc(each[0].Scores, each[0].Labels, each[0].Order, counts);
    }
}
