using Salus.Learning.Evaluate;
using Salus.Learning.Forest;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>What a model is told of itself by the one who trains it.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="IntendedUse">What it is for, and what it is not.</param>
/// <param name="CreatedAt">When it was trained.</param>
/// <param name="DataCommitment">A commitment to the rows it saw.</param>
public sealed record ModelOrigin(string Name, string IntendedUse, DateTimeOffset CreatedAt, ReadOnlyMemory<byte> DataCommitment);

/// <summary>How a model is trained and validated.</summary>
public sealed record TrainingOptions
{
    /// <summary>How the table becomes numbers.</summary>
    public PreparationOptions Preparation { get; init; } = new();

    /// <summary>How the forest is grown.</summary>
    public ForestOptions Forest { get; init; } = new();

    /// <summary>How it is cross-validated, and the threshold of its label.</summary>
    public CrossValidationOptions Validation { get; init; } = new();

    /// <summary>What is wrong with these options and the mend, or null.</summary>
    public string? Objection() => Forest.Objection() ?? Validation.Objection();
}

/// <summary>How much a feature matters: the loss of out-of-bag accuracy when its values are permuted.</summary>
public sealed record FeatureImportance(string Feature, double Importance);

/// <summary>What is to be known of a model, carried inside it.</summary>
public sealed record ModelCard
{
    /// <summary>The model's name.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, and what it is not.</summary>
    public required string IntendedUse { get; init; }

    /// <summary>The kind of model.</summary>
    public required string Kind { get; init; }

    /// <summary>When it was trained.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The commitment to the rows it saw, in lower-case hex.</summary>
    public required string DataCommitment { get; init; }

    /// <summary>The column it predicts.</summary>
    public required string Target { get; init; }

    /// <summary>The value of the target whose probability it gives.</summary>
    public required string Positive { get; init; }

    /// <summary>The number of training rows.</summary>
    public required int Rows { get; init; }

    /// <summary>The columns it reads.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>The number of features made of them.</summary>
    public required int Features { get; init; }

    /// <summary>How the table became numbers.</summary>
    public required PreparationOptions Preparation { get; init; }

    /// <summary>How the forest was grown, with its seed.</summary>
    public required ForestOptions Forest { get; init; }

    /// <summary>What cross-validation of the same options on the same rows found.</summary>
    public required CrossValidationReport Validation { get; init; }

    /// <summary>Accuracy of the final forest on its out-of-bag rows.</summary>
    public required double OutOfBagAccuracy { get; init; }

    /// <summary>The features that matter most, most important first.</summary>
    public required IReadOnlyList<FeatureImportance> Importance { get; init; }
}
