using Salus.Learning.Evaluate;
using Salus.Learning.Tables;

namespace Salus.Learning.Linear;

/// <summary>A linear classifier that tells each class apart from all others. Each class is fitted by itself, so threads change nothing.</summary>
public static class OneVersusRest
{
    /// <summary>Fits on rows with labels in [0, <paramref name="classes"/>). Throws ArgumentException with the mend where the data cannot train.</summary>
    public static LinearClassifier Fit(CsrMatrix rows, int[] labels, int classes, OneVersusRestOptions options)
    {
        if ((options.Objection() ?? TrainingRows.Objection(rows, labels, classes)) is { } objection)
            throw new ArgumentException(objection);
        var model = FitSums(rows, labels, classes, options);
        if (options.Loss == LinearLoss.Logistic || options.CalibrationParts == 0)
            return model;
        var fewest = Enumerable.Range(0, classes).Min(c => labels.Count(label => label == c));
        return fewest < 2 ? model : Calibrated(model, rows, labels, classes, options);
    }

    static LinearClassifier FitSums(CsrMatrix rows, int[] labels, int classes, OneVersusRestOptions options)
    {
        var costs = TrainingRows.ClassWeights(labels, classes, options.Balanced);
        var descent = new DualCoordinateDescent(rows, options);
        var vectors = new double[classes == 2 ? 1 : classes][];
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads == 0 ? Environment.ProcessorCount : options.Threads };
        Parallel.For(0, vectors.Length, parallel, c =>
        {
            var own = classes == 2 ? 1 : c;
            // Of two classes each has its own cost; of more, all the others together cost 1 a row.
            var rest = classes == 2 ? costs[0] : 1;
            var targets = Array.ConvertAll(labels, label => (sbyte)(label == own ? 1 : -1));
            vectors[c] = descent.Fit(targets, options.Cost * costs[own], options.Cost * rest, SeededGenerator.Derive(options.Seed, (ulong)c));
        });
        return new LinearClassifier(
            Array.ConvertAll(vectors, vector => vector[..^1]), Array.ConvertAll(vectors, vector => vector[^1]),
            options.Loss == LinearLoss.Logistic ? LinearLink.OneVersusRest : LinearLink.Softmax);
    }

    // The sums of a model that did not see the rows are scaled by one factor (temperature: Guo, Pleiss, Sun and Weinberger 2017), which moves no row to another class.
    static LinearClassifier Calibrated(LinearClassifier model, CsrMatrix rows, int[] labels, int classes, OneVersusRestOptions options)
    {
        var folds = Folds.Stratified(labels, classes, options.CalibrationParts, SeededGenerator.Derive(options.Seed, ulong.MaxValue));
        var parts = Enumerable.Range(0, labels.Length).ToLookup(row => folds[row] == 0);
        int[] training = [.. parts[false]], held = [.. parts[true]];
        var known = Array.ConvertAll(training, row => labels[row]);
        if (held.Length == 0 || Enumerable.Range(0, classes).Any(c => Array.IndexOf(known, c) < 0))
            return model;
        var apart = FitSums(rows.Take(training), known, classes, options);
        var sums = Array.ConvertAll(held, row => apart.Sums(rows, row));
        var factor = Temperature.Fit(sums, Array.ConvertAll(held, row => labels[row]));
        return new LinearClassifier(
            Array.ConvertAll(model.Weights, vector => Array.ConvertAll(vector, weight => weight * factor)),
            Array.ConvertAll(model.Intercepts, intercept => intercept * factor), LinearLink.Softmax);
    }
}
