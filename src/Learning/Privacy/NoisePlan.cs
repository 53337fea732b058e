namespace Salus.Learning.Privacy;

/// <summary>What happens to one column.</summary>
public abstract record ColumnNoise
{
    ColumnNoise() { }

    /// <summary>The column.</summary>
    public required string Column { get; init; }

    /// <summary>
    /// A number from <paramref name="Low"/> to <paramref name="High"/>, on a grid of <paramref name="Step"/>: clamped, noised by
    /// discrete Laplace, clamped again. The bounds must come from knowledge of the field, not from the data. A missing
    /// value becomes the middle of the bounds before noise, so that its absence is protected too.
    /// </summary>
    public sealed record Bounded(decimal Low, decimal High, decimal Step, int Weight = 1) : ColumnNoise;

    /// <summary>
    /// A category, answered by randomised response over <paramref name="Levels"/> and "missing". Without levels, those of the
    /// data are taken, and the report says that their list is disclosed.
    /// </summary>
    public sealed record Randomised(IReadOnlyList<string>? Levels = null, int Weight = 1) : ColumnNoise;

    /// <summary>The column is left out of what is released.</summary>
    public sealed record Dropped : ColumnNoise;
}

/// <summary>
/// How a table is noised, row by row (local differential privacy: any two rows, whatever they hold, are within e^ε).
/// Every column of the table must be named; for zero noise, those to drop only.
/// </summary>
/// <param name="Epsilon">What all columns of a row spend together, by their weights; null is zero noise: values stay as they are.</param>
/// <param name="Columns">What happens to each column.</param>
public sealed record NoisePlan(decimal? Epsilon, IReadOnlyList<ColumnNoise> Columns);

/// <summary>What was done to one column.</summary>
/// <param name="Column">The column.</param>
/// <param name="Mechanism">"discrete Laplace", "randomised response", "dropped" or "none".</param>
/// <param name="Epsilon">What it spent; 0 where nothing was released, null where values stand as they were.</param>
/// <param name="Sensitivity">The most that one row can change the number, in its own unit; null where it does not apply.</param>
/// <param name="Remark">What else a reader must know.</param>
public sealed record ColumnNoiseReport(string Column, string Mechanism, double? Epsilon, decimal? Sensitivity, string Remark);

/// <summary>What was done to a table.</summary>
/// <param name="Epsilon">What one row spent in all; null for zero noise.</param>
/// <param name="Columns">What was done to each column.</param>
/// <param name="Statement">The guarantee, or its absence, in a sentence.</param>
public sealed record NoiseReport(decimal? Epsilon, IReadOnlyList<ColumnNoiseReport> Columns, string Statement);
