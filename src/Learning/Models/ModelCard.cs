using Salus.Learning.Evaluate;

namespace Salus.Learning.Models;

/// <summary>What a model is told of itself by the one who trains it.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="IntendedUse">What it is for, and what it is not.</param>
/// <param name="CreatedAt">When it was trained.</param>
/// <param name="DataCommitment">A commitment to the rows it saw.</param>
public sealed record ModelOrigin(string Name, string IntendedUse, DateTimeOffset CreatedAt, ReadOnlyMemory<byte> DataCommitment);

/// <summary>How much a column or a term matters to a model.</summary>
public sealed record FeatureImportance(string Feature, double Importance);

/// <summary>What is to be known of a trained model, carried inside it.</summary>
public sealed record ModelCard
{
    /// <summary>The model's name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, and what it is not.</summary>
    public required string IntendedUse { get; init; }

    /// <summary>The kind of model, as it is named on the command line.</summary>
    public required string Kind { get; init; }

    /// <summary>When it was trained.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The commitment to the rows it saw, in lower-case hex.</summary>
    public required string DataCommitment { get; init; }

    /// <summary>The column it predicts.</summary>
    public required string Target { get; init; }

    /// <summary>The classes' names; of two, the second is the one whose probability it gives.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>The number of training rows.</summary>
    public required int Rows { get; init; }

    /// <summary>The columns it reads.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>The columns that were left out, grouped or ordered by.</summary>
    public required IReadOnlyList<string> LeftOut { get; init; }

    /// <summary>The number of features made of the columns.</summary>
    public required int Features { get; init; }

    /// <summary>How it was learned, by option.</summary>
    public required IReadOnlyDictionary<string, string> Options { get; init; }

    /// <summary>How the table became numbers, by option.</summary>
    public required IReadOnlyDictionary<string, string> Preparation { get; init; }

    /// <summary>The seed of model, folds and intervals.</summary>
    public required ulong Seed { get; init; }

    /// <summary>A probability not below this comes to the positive class, where there are two.</summary>
    public required double Threshold { get; init; }

    /// <summary>What a false alarm and a missed case cost, where the threshold was chosen by that.</summary>
    public IReadOnlyList<double>? Costs { get; init; }

    /// <summary>How probabilities were mended by held-out predictions, or null.</summary>
    public string? Calibration { get; init; }

    /// <summary>What evaluation of the same learner, calibrated likewise, on the same rows found; with the guard's findings and why they were overridden.</summary>
    public required EvaluationReport Evaluation { get; init; }

    /// <summary>What matters most: for columns, the loss of AUC on the training rows when their values change places; for text, the weight of terms.</summary>
    public required IReadOnlyList<FeatureImportance> Importance { get; init; }

    /// <summary>The features that move predictions most, words among them: for trees the mean absolute Shapley value, for a linear model weight times spread.</summary>
    public IReadOnlyList<FeatureImportance> Attributions { get; init; } = [];

    /// <summary>How the training rows' columns were spread, to see later whether inputs have moved.</summary>
    public required IReadOnlyList<InputShares> Inputs { get; init; }
}
