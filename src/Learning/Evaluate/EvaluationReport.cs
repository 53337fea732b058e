using Salus.Learning.Calibration;

namespace Salus.Learning.Evaluate;

/// <summary>How a learner is judged.</summary>
public sealed record EvaluationOptions
{
    /// <summary>Parts, each held out once a repeat.</summary>
    public int Folds { get; init; } = 5;

    /// <summary>How often rows are split anew.</summary>
    public int Repeats { get; init; } = 10;

    /// <summary>The same seed gives the same folds, models and intervals.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>A probability not below this is predicted positive, where there are two classes.</summary>
    public double Threshold { get; init; } = 0.5;

    /// <summary>Bootstrap resamples behind each interval.</summary>
    public int Resamples { get; init; } = 1_000;

    /// <summary>How probabilities are mended where there are two classes, or null: those of each part by what came of the other parts.</summary>
    public string? Calibration { get; init; }

    /// <summary>What is wrong with these options and the mend, or null.</summary>
    public string? Objection() => this switch
    {
        { Folds: < 2 or > 100 } => $"Folds is {Folds}; give 2 to 100",
        { Repeats: < 1 or > 100 } => $"Repeats is {Repeats}; give 1 to 100",
        { Threshold: not (> 0 and < 1) } => $"Threshold is {Threshold}; give a number between 0 and 1",
        { Resamples: < 1 or > 100_000 } => $"Resamples is {Resamples}; give 1 to 100000",
        { Calibration: { } way } when !ProbabilityCalibration.Names.Contains(way) => $"'{way}' is no calibration; give {string.Join(" or ", ProbabilityCalibration.Names)}",
        _ => null,
    };
}

/// <summary>Figures of one part of the rows, such as one sex or site.</summary>
public sealed record SubgroupFigures(string Column, string Value, int Rows, int Positives, Interval Accuracy, Interval? Auc, Interval? Sensitivity, Interval? Specificity, Interval Brier);

/// <summary>What evaluation found. Every figure is of rows that the model which judged them had not seen.</summary>
public sealed record EvaluationReport
{
    /// <summary>The number of rows.</summary>
    public required int Rows { get; init; }

    /// <summary>The number of features that a model of all rows sees.</summary>
    public required int Features { get; init; }

    /// <summary>The classes' names; of two, the second is the positive one.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>Rows of each class.</summary>
    public required IReadOnlyList<int> ClassRows { get; init; }

    /// <summary>The number of groups kept whole, or null where rows stood alone.</summary>
    public int? Groups { get; init; }

    /// <summary>Whether each part was judged by what came before it.</summary>
    public required bool TimeOrdered { get; init; }

    /// <summary>How it was judged.</summary>
    public required EvaluationOptions Options { get; init; }

    /// <summary>The mean over folds and repeats of each fold's own ROC-AUC.</summary>
    public required double AucMean { get; init; }

    /// <summary>The standard deviation of the folds' ROC-AUC.</summary>
    public required double AucDeviation { get; init; }

    /// <summary>The mean over folds and repeats of each fold's own macro-F1.</summary>
    public required double MacroF1FoldMean { get; init; }

    /// <summary>ROC-AUC of all held-out rows, with its 95 % bootstrap interval, as for all that follow.</summary>
    public required Interval Auc { get; init; }

    /// <summary>Average precision, where there are two classes.</summary>
    public Interval? PrAuc { get; init; }

    /// <summary>The share predicted right.</summary>
    public required Interval Accuracy { get; init; }

    /// <summary>The accuracy of always saying the most frequent class.</summary>
    public required double Majority { get; init; }

    /// <summary>The mean squared error of the probability.</summary>
    public required Interval Brier { get; init; }

    /// <summary>The mean negative log likelihood in nats.</summary>
    public required Interval LogLoss { get; init; }

    /// <summary>The mean over classes of F1.</summary>
    public required Interval MacroF1 { get; init; }

    /// <summary>The share of positives found, where there are two classes.</summary>
    public Interval? Sensitivity { get; init; }

    /// <summary>The share of negatives left alone, where there are two classes.</summary>
    public Interval? Specificity { get; init; }

    /// <summary>Predictions of the first repeat: labels by row, what was predicted by column.</summary>
    public required IReadOnlyList<int[]> Confusion { get; init; }

    /// <summary>How predicted and observed shares agree, where there are two classes.</summary>
    public IReadOnlyList<CalibrationBin> Calibration { get; init; } = [];

    /// <summary>The receiver operating characteristic of the first repeat, thinned, where there are two classes.</summary>
    public IReadOnlyList<RocPoint> Roc { get; init; } = [];

    /// <summary>The figures by subgroup.</summary>
    public IReadOnlyList<SubgroupFigures> Subgroups { get; init; } = [];

    /// <summary>What the leakage guard found.</summary>
    public IReadOnlyList<GuardFinding> Guard { get; init; } = [];

    /// <summary>Why the figures were made in spite of what the guard found, in the words of the one who decided.</summary>
    public string? Override { get; init; }
}
