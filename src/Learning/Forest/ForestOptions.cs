using Salus.Learning.Estimators;
using Salus.Learning.Tables;

namespace Salus.Learning.Forest;

/// <summary>How a forest is grown.</summary>
public sealed record ForestOptions : IClassifierLearner, IRegressorLearner
{
    /// <summary>The number of trees.</summary>
    public int Trees { get; init; } = 300;

    /// <summary>The most splits from root to leaf.</summary>
    public int DepthMax { get; init; } = 64;

    /// <summary>The fewest different training rows in a leaf, however often each was drawn; 0 means one in 8,000 rows, at least 2.</summary>
    public int LeafMin { get; init; }

    /// <summary>Features tried per split; 0 means the square root of their number, for numbers a third.</summary>
    public int FeaturesPerSplit { get; init; }

    /// <summary>The most bins a feature's values are sorted into.</summary>
    public int BinsMax { get; init; } = 255;

    /// <summary>One weight per class, or null for equal weights. Rounded to a thousandth, so that sums stay integers.</summary>
    public IReadOnlyList<double>? ClassWeights { get; init; }

    /// <summary>Whether each row is predicted by the trees that did not see it.</summary>
    public bool OutOfBag { get; init; } = true;

    /// <summary>Whether the importance of each feature is measured by permuting it out of bag.</summary>
    public bool Importance { get; init; }

    /// <summary>The same seed gives the same bits, whatever the number of threads.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads used; 0 means every processor.</summary>
    public int Threads { get; init; }

    /// <summary>What is wrong with these options and the mend, or null.</summary>
    public string? Objection() => this switch
    {
        { Trees: < 1 or > 10_000 } => $"Trees is {Trees}; give 1 to 10000",
        { DepthMax: < 1 or > RandomForest.DepthLimit } => $"DepthMax is {DepthMax}; give 1 to {RandomForest.DepthLimit}",
        { LeafMin: < 0 } => $"LeafMin is {LeafMin}; give 1 or more, or 0 for a number that grows with the rows",
        { FeaturesPerSplit: < 0 } => $"FeaturesPerSplit is {FeaturesPerSplit}; give 1 or more, or 0 for the square root",
        { BinsMax: < 2 or > 255 } => $"BinsMax is {BinsMax}; give 2 to 255",
        { Threads: < 0 or > 1_024 } => $"Threads is {Threads}; give 1 to 1024, or 0 for every processor",
        _ => null,
    };

    internal int LeafMinFor(int rows) => LeafMin == 0 ? Math.Max(2, rows / 8_000) : LeafMin;

    string IClassifierLearner.Kind => Kind;

    string IRegressorLearner.Kind => Kind;

    const string Kind = "random forest";

    string? IClassifierLearner.Objection(FeatureMatrix features, ReadOnlySpan<int> labels, int classes) =>
        ForestTrainer.Objection(features, labels, classes, this);

    string? IRegressorLearner.Objection(FeatureMatrix features, ReadOnlySpan<double> targets) =>
        ForestTrainer.Objection(features, targets, this);

    IClassifier IClassifierLearner.Fit(FeatureMatrix features, ReadOnlySpan<int> labels, int classes, ulong seed, CancellationToken cancellation) =>
        ForestTrainer.Train(features, labels, classes, this with { Seed = seed, Importance = false, OutOfBag = false }, cancellation).Forest;

    IRegressor IRegressorLearner.Fit(FeatureMatrix features, ReadOnlySpan<double> targets, ulong seed, CancellationToken cancellation) =>
        ForestTrainer.Train(features, targets, this with { Seed = seed, Importance = false, OutOfBag = false }, cancellation).Forest;
}
