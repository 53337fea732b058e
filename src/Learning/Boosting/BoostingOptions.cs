using Salus.Learning.Estimators;
using Salus.Learning.Tables;

namespace Salus.Learning.Boosting;

/// <summary>How boosted trees are grown.</summary>
public sealed record BoostingOptions : IClassifierLearner, IRegressorLearner
{
    /// <summary>The number of rounds; each adds a tree, or one for every class where there are more than two.</summary>
    public int Trees { get; init; } = 200;

    /// <summary>What share of its estimate each tree adds.</summary>
    public double LearningRate { get; init; } = 0.05;

    /// <summary>The most leaves of a tree. The leaf whose split gains most is split next.</summary>
    public int LeavesMax { get; init; } = 16;

    /// <summary>The most splits from root to leaf.</summary>
    public int DepthMax { get; init; } = 4;

    /// <summary>The penalty on squared leaf values.</summary>
    public double Lambda { get; init; } = 1;

    /// <summary>The least sum of second derivatives in a leaf; of numbers it is the fewest rows.</summary>
    public double LeafWeightMin { get; init; } = 1;

    /// <summary>The least gain of a split.</summary>
    public double GainMin { get; init; }

    /// <summary>The share of rows that each round is grown on.</summary>
    public double RowShare { get; init; } = 0.8;

    /// <summary>The share of features that each tree chooses from.</summary>
    public double FeatureShare { get; init; } = 0.8;

    /// <summary>The most bins a feature's values are sorted into.</summary>
    public int BinsMax { get; init; } = 255;

    /// <summary>Whether the codes of a category are split into sets (Fisher 1958) rather than by their order.</summary>
    public bool NativeCategories { get; init; } = true;

    /// <summary>Draws the estimates of categories with few rows to the middle, and is added to <see cref="Lambda"/> where sets are split.</summary>
    public double CategorySmoothing { get; init; } = 10;

    /// <summary>The fewest rows that a split of categories may turn on: each further category, or group of rare ones, must bring as many.</summary>
    public int CategoryRowsMin { get; init; } = 50;

    /// <summary>The most categories in the smaller of the two sets of a split.</summary>
    public int CategorySetMax { get; init; } = 32;

    /// <summary>By a feature's name, 1 where the output must not fall as it rises, -1 where it must not rise; null for none.</summary>
    public IReadOnlyDictionary<string, int>? Monotone { get; init; }

    /// <summary>One weight per class, or null for equal weights.</summary>
    public IReadOnlyList<double>? ClassWeights { get; init; }

    /// <summary>Rounds without a better loss on held-out rows after which it stops and the later trees are dropped; 0 for never.</summary>
    public int PatienceRounds { get; init; }

    /// <summary>The share of rows held out where <see cref="PatienceRounds"/> is not 0.</summary>
    public double HeldShare { get; init; } = 0.1;

    /// <summary>The same seed gives the same bits, whatever the number of threads.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads used; 0 means every processor.</summary>
    public int Threads { get; init; }

    /// <summary>What is wrong with these options and the mend, or null.</summary>
    public string? Objection() => this switch
    {
        { Trees: < 1 or > 100_000 } => $"Trees is {Trees}; give 1 to 100000",
        { LearningRate: not (> 0 and <= 1) } => $"LearningRate is {LearningRate}; give more than 0, at most 1",
        { LeavesMax: < 2 or > 65_536 } => $"LeavesMax is {LeavesMax}; give 2 to 65536",
        { DepthMax: < 1 or > Learning.Trees.Tree.DepthLimit } => $"DepthMax is {DepthMax}; give 1 to {Learning.Trees.Tree.DepthLimit}",
        { Lambda: not (>= 0 and <= 1e9) } => $"Lambda is {Lambda}; give 0 or more",
        { LeafWeightMin: not (>= 0 and <= 1e15) } => $"LeafWeightMin is {LeafWeightMin}; give 0 or more",
        { GainMin: not (>= 0 and <= 1e15) } => $"GainMin is {GainMin}; give 0 or more",
        { RowShare: not (> 0 and <= 1) } => $"RowShare is {RowShare}; give more than 0, at most 1",
        { FeatureShare: not (> 0 and <= 1) } => $"FeatureShare is {FeatureShare}; give more than 0, at most 1",
        { BinsMax: < 2 or > 255 } => $"BinsMax is {BinsMax}; give 2 to 255",
        { CategorySmoothing: not (>= 0 and <= 1e9) } => $"CategorySmoothing is {CategorySmoothing}; give 0 or more",
        { CategoryRowsMin: < 1 } => $"CategoryRowsMin is {CategoryRowsMin}; give 1 or more",
        { CategorySetMax: < 1 } => $"CategorySetMax is {CategorySetMax}; give 1 or more",
        { PatienceRounds: < 0 } => $"PatienceRounds is {PatienceRounds}; give 1 or more, or 0 for never",
        { HeldShare: not (> 0 and < 1) } => $"HeldShare is {HeldShare}; give a number between 0 and 1",
        { Threads: < 0 or > 1_024 } => $"Threads is {Threads}; give 1 to 1024, or 0 for every processor",
        _ => null,
    };

    string IClassifierLearner.Kind => Kind;

    string IRegressorLearner.Kind => Kind;

    const string Kind = "gradient boosting";

    string? IClassifierLearner.Objection(FeatureMatrix features, ReadOnlySpan<int> labels, int classes) =>
        BoostingTrainer.Objection(features, labels, classes, this);

    string? IRegressorLearner.Objection(FeatureMatrix features, ReadOnlySpan<double> targets) =>
        BoostingTrainer.Objection(features, targets, this);

    IClassifier IClassifierLearner.Fit(FeatureMatrix features, ReadOnlySpan<int> labels, int classes, ulong seed, CancellationToken cancellation) =>
        BoostingTrainer.Train(features, labels, classes, this with { Seed = seed }, cancellation).Model;

    IRegressor IRegressorLearner.Fit(FeatureMatrix features, ReadOnlySpan<double> targets, ulong seed, CancellationToken cancellation) =>
        BoostingTrainer.Train(features, targets, this with { Seed = seed }, cancellation).Model;
}
