using Salus.Learning.Forest;
using Salus.Learning.Tables;

namespace Salus.Learning.Evaluate;

/// <summary>How a model is cross-validated.</summary>
/// <param name="Folds">Parts, each held out once a repeat.</param>
/// <param name="Repeats">How often rows are split anew.</param>
/// <param name="Seed">The same seed gives the same folds.</param>
/// <param name="Threshold">A score not below this is predicted positive.</param>
/// <param name="Resamples">Bootstrap resamples behind each interval.</param>
public sealed record CrossValidationOptions(int Folds = 5, int Repeats = 3, ulong Seed = 1, double Threshold = 0.5, int Resamples = 1_000)
{
    /// <summary>What is wrong with these options and the mend, or null.</summary>
    public string? Objection() => this switch
    {
        { Folds: < 2 or > 100 } => $"Folds is {Folds}; give 2 to 100",
        { Repeats: < 1 or > 100 } => $"Repeats is {Repeats}; give 1 to 100",
        { Threshold: not (> 0 and < 1) } => $"Threshold is {Threshold}; give a number between 0 and 1",
        { Resamples: < 1 or > 100_000 } => $"Resamples is {Resamples}; give 1 to 100000",
        _ => null,
    };
}

/// <summary>What cross-validation found. Every figure is of rows that the model which scored them had not seen.</summary>
public sealed record CrossValidationReport
{
    /// <summary>Parts, each held out once a repeat.</summary>
    public required int Folds { get; init; }

    /// <summary>How often rows were split anew.</summary>
    public required int Repeats { get; init; }

    /// <summary>The seed of the folds and resamples.</summary>
    public required ulong Seed { get; init; }

    /// <summary>The number of rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows of class 1.</summary>
    public required int Positives { get; init; }

    /// <summary>The number of groups kept whole, or null where rows stood alone.</summary>
    public int? Groups { get; init; }

    /// <summary>ROC-AUC of all held-out rows of a repeat, averaged over repeats, with its 95 % bootstrap interval.</summary>
    public required Interval Auc { get; init; }

    /// <summary>The mean over folds and repeats of each fold's own ROC-AUC.</summary>
    public required double FoldAucMean { get; init; }

    /// <summary>The standard deviation of the folds' ROC-AUC.</summary>
    public required double FoldAucDeviation { get; init; }

    /// <summary>Accuracy at the threshold, with its 95 % bootstrap interval.</summary>
    public required Interval Accuracy { get; init; }

    /// <summary>The accuracy of always saying the more frequent class.</summary>
    public required double Majority { get; init; }

    /// <summary>Average precision.</summary>
    public required double PrAuc { get; init; }

    /// <summary>The mean squared error of the probability.</summary>
    public required double Brier { get; init; }

    /// <summary>The mean negative log likelihood in nats.</summary>
    public required double LogLoss { get; init; }

    /// <summary>A score not below this was predicted positive.</summary>
    public required double Threshold { get; init; }

    /// <summary>The share of positives found at the threshold.</summary>
    public required double Sensitivity { get; init; }

    /// <summary>The share of negatives left alone at the threshold.</summary>
    public required double Specificity { get; init; }

    /// <summary>Predictions of the first repeat at the threshold.</summary>
    public required Confusion Confusion { get; init; }

    /// <summary>How predicted and observed shares agree, over all repeats.</summary>
    public required IReadOnlyList<CalibrationBin> Calibration { get; init; }
}

/// <summary>The report with the score of each row in each repeat.</summary>
public sealed record CrossValidationRun(CrossValidationReport Report, IReadOnlyList<double[]> Scores);

/// <summary>Repeated, stratified and, where rows have groups, grouped k-fold cross-validation of preparation and forest together.</summary>
public static class CrossValidation
{
    /// <summary>Runs it: the preparation is fitted anew on the training rows of each fold. Labels are 0 or 1; <paramref name="groups"/> keeps rows of one patient on one side.</summary>
    public static CrossValidationRun Run(Table table, int[] labels, int[]? groups, PreparationOptions preparation, ForestOptions forest, CrossValidationOptions options, CancellationToken cancellation = default)
    {
        if ((options.Objection() ?? Folds.Objection(labels, groups, options.Folds)) is { } objection)
            throw new ArgumentException(objection);
        if (labels.Length != table.RowCount)
            throw new ArgumentException($"there are {table.RowCount} rows and {labels.Length} labels; give one label a row");
        var scores = new List<double[]>();
        var foldAucs = new List<double>();
        for (var repeat = 0; repeat < options.Repeats; repeat++)
        {
            var seed = SeededGenerator.Derive(options.Seed, (ulong)repeat);
            var folds = groups is null ? Folds.Stratified(labels, options.Folds, seed) : Folds.StratifiedGrouped(labels, groups, options.Folds, seed);
            var repeated = new double[labels.Length];
            for (var fold = 0; fold < options.Folds; fold++)
            {
                cancellation.ThrowIfCancellationRequested();
                var held = Score(table, labels, folds, fold, preparation, forest with { Seed = SeededGenerator.Derive(seed, (ulong)fold), Importance = false, OutOfBag = false }, repeated);
                foldAucs.Add(Metrics.RocAuc(Array.ConvertAll(held, row => repeated[row]), Array.ConvertAll(held, row => labels[row])));
            }
            scores.Add(repeated);
        }
        return new CrossValidationRun(Report(scores, foldAucs, labels, groups, options), scores);
    }

    static int[] Score(Table table, int[] labels, int[] folds, int fold, PreparationOptions preparation, ForestOptions forest, double[] scores)
    {
        var rows = Enumerable.Range(0, folds.Length).ToLookup(row => folds[row] == fold);
        int[] training = [.. rows[false]], held = [.. rows[true]];
        var trainingTable = table.Take(training);
        var fitted = Preparation.Fit(trainingTable, preparation);
        var fit = ForestTrainer.Train(fitted.Transform(trainingTable), Array.ConvertAll(training, row => labels[row]), 2, forest);
        var predicted = fit.Forest.Predict(fitted.Transform(table.Take(held)), 1);
        for (var i = 0; i < held.Length; i++)
            scores[held[i]] = predicted[i];
        return held;
    }

    static CrossValidationReport Report(List<double[]> scores, List<double> foldAucs, int[] labels, int[]? groups, CrossValidationOptions options)
    {
        // A fold of few groups may lack a class and so have no AUC of its own.
        var known = foldAucs.Where(auc => !double.IsNaN(auc)).ToArray();
        var mean = known.Length == 0 ? double.NaN : known.Average();
        double Mean(Func<double[], double> figure) => scores.Select(figure).Average();
        var allScores = scores.SelectMany(set => set).ToArray();
        var allLabels = scores.SelectMany(_ => labels).ToArray();
        var all = Metrics.Confusion(allScores, allLabels, options.Threshold);
        return new CrossValidationReport
        {
            Folds = options.Folds,
            Repeats = options.Repeats,
            Seed = options.Seed,
            Rows = labels.Length,
            Positives = labels.Sum(),
            Groups = groups?.Distinct().Count(),
            Auc = Bootstrap.RocAuc(scores, labels, groups, options.Resamples, options.Seed),
            FoldAucMean = mean,
            FoldAucDeviation = known.Length < 2 ? 0 : Math.Sqrt(known.Sum(auc => (auc - mean) * (auc - mean)) / (known.Length - 1)),
            Accuracy = Bootstrap.Accuracy(scores, labels, groups, options.Threshold, options.Resamples, options.Seed),
            Majority = Metrics.MajorityBaseline(labels),
            PrAuc = Mean(set => Metrics.PrAuc(set, labels)),
            Brier = Mean(set => Metrics.Brier(set, labels)),
            LogLoss = Mean(set => Metrics.LogLoss(set, labels)),
            Threshold = options.Threshold,
            Sensitivity = all.Sensitivity,
            Specificity = all.Specificity,
            Confusion = Metrics.Confusion(scores[0], labels, options.Threshold),
            Calibration = Metrics.Calibration(allScores, allLabels),
        };
    }
}
