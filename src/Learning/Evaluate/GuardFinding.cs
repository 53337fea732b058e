namespace Salus.Learning.Evaluate;

/// <summary>The ways in which figures come out better than a model is.</summary>
public enum LeakKind
{
    /// <summary>The same row stands in training and in what is judged.</summary>
    DuplicateRows,

    /// <summary>One patient stands on both sides.</summary>
    PatientOnBothSides,

    /// <summary>A feature is the label in other clothes, or was filled in from it.</summary>
    FeatureDeterminesLabel,

    /// <summary>Means, codes or vocabularies were learned from the rows to be judged too.</summary>
    PreparedOutsideFolds,

    /// <summary>Rows were added to even out classes before they were split.</summary>
    ResampledBeforeSplit,

    /// <summary>A feature was only known after the outcome.</summary>
    DateAfterOutcome,
}

/// <summary>One leak: what was found, where, in how many rows, and what to do.</summary>
public sealed record GuardFinding(LeakKind Kind, IReadOnlyList<string> Columns, int Rows, string Message, string Mend);
