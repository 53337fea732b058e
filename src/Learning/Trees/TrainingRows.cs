using Salus.Learning.Tables;

namespace Salus.Learning.Trees;

/// <summary>What rows must be so that trees can be trained on them.</summary>
static class TrainingRows
{
    /// <summary>The most classes told apart.</summary>
    public const int ClassesLimit = 1_000;

    /// <summary>Why these rows cannot train, and the mend; null where they can.</summary>
    public static string? Objection(FeatureMatrix features, ReadOnlySpan<int> labels, int classes, IReadOnlyList<double>? classWeights)
    {
        if (Objection(features, labels.Length, "label") is { } objection)
            return objection;
        if (classes is < 2 or > ClassesLimit)
            return $"there are {classes} classes; give 2 to {ClassesLimit}";
        if (classWeights is not null && classWeights.Count != classes)
            return $"there are {classWeights.Count} class weights for {classes} classes; give one for each";
        if (classWeights is not null && classWeights.Any(weight => !(weight is >= 0.001 and <= 1_000_000)))
            return "ClassWeights has a weight outside 0.001 to 1000000; give weights inside";
        var seen = new bool[classes];
        for (var row = 0; row < labels.Length; row++)
        {
            if ((uint)labels[row] >= (uint)classes)
                return $"row {row} has label {labels[row]}; labels are 0 to {classes - 1}, leave out rows without one";
            seen[labels[row]] = true;
        }
        return seen.Count(present => present) < 2 ? "every row has the same class; give rows of at least two" : null;
    }

    /// <summary>Why these rows cannot train, and the mend; null where they can.</summary>
    public static string? Objection(FeatureMatrix features, ReadOnlySpan<double> targets)
    {
        if (Objection(features, targets.Length, "target") is { } objection)
            return objection;
        for (var row = 0; row < targets.Length; row++)
        {
            if (!(Math.Abs(targets[row]) <= 1e100))
                return $"row {row} has the target {targets[row]}; targets are within 1e100 of 0, leave out rows without one";
        }
        return null;
    }

    static string? Objection(FeatureMatrix features, int given, string what)
    {
        if (features.RowCount == 0)
            return "there are no rows; give at least two of different classes";
        if (features.Features.Count == 0)
            return "there are no features; keep at least one column";
        return given != features.RowCount
            ? $"there are {features.RowCount} rows and {given} {what}s; give one {what} a row"
            : BinnedMatrix.Objection(features);
    }
}
