using System.Globalization;
using Salus.Learning.Text;

namespace Salus.Learning.Tables;

/// <summary>What stands in for a missing number.</summary>
public enum NumberImputation
{
    /// <summary>Nothing: the model routes missing values itself.</summary>
    Keep,

    /// <summary>The mean of the training rows.</summary>
    Mean,

    /// <summary>The most frequent value of the training rows, the smallest of equals.</summary>
    Mode,
}

/// <summary>How categories become numbers.</summary>
public enum CategoryEncoding
{
    /// <summary>A feature per level; above <see cref="PreparationOptions.OneHotLevelsMax"/> levels, ordinal.</summary>
    OneHot,

    /// <summary>One feature, the code by the order of levels.</summary>
    Ordinal,
}

/// <summary>How a table becomes numbers.</summary>
public sealed record PreparationOptions
{
    /// <summary>What stands in for a missing number.</summary>
    public NumberImputation Numbers { get; init; } = NumberImputation.Keep;

    /// <summary>Whether the most frequent level stands in for a missing category; otherwise it stays missing.</summary>
    public bool CategoryMode { get; init; }

    /// <summary>How categories become numbers.</summary>
    public CategoryEncoding Categories { get; init; } = CategoryEncoding.OneHot;

    /// <summary>Categories with more levels than this are coded as one ordinal feature.</summary>
    public int OneHotLevelsMax { get; init; } = 32;

    /// <summary>How text becomes words.</summary>
    public BagOfWordsOptions Text { get; init; } = new();
}

/// <summary>
/// Turns tables of one shape into numbers. Everything it knows (means, modes, levels, words) was learned from the
/// training rows it was fitted on, and travels with the model.
/// </summary>
public sealed class Preparation
{
    readonly ColumnStep[] steps;

    internal Preparation(ColumnStep[] steps)
    {
        this.steps = steps;
        Features = [.. steps.SelectMany(step => step.Features)];
    }

    /// <summary>The features it makes.</summary>
    public IReadOnlyList<Feature> Features { get; }

    /// <summary>The columns it needs, with the kinds to read them as.</summary>
    public IReadOnlyDictionary<string, ColumnKind> Columns => steps.ToDictionary(step => step.Column, step => step.Kind);

    internal ReadOnlySpan<ColumnStep> Steps => steps;

    /// <summary>Learns from the training rows only. Dates are left out: a date is no feature until it is made a duration.</summary>
    public static Preparation Fit(Table training, PreparationOptions options) =>
        new([.. training.Columns.Select(column => StepFor(column, options)).OfType<ColumnStep>()]);

    /// <summary>Why this table cannot be transformed, and the mend; null where it can.</summary>
    public string? Objection(Table table)
    {
        foreach (var step in steps)
        {
            if (table.Find(step.Column) is not { } column)
                return $"there is no column '{step.Column}'; give every column the model was trained on: {string.Join(", ", Columns.Keys)}";
            if (!step.Accepts(column))
                return $"column '{step.Column}' is {column.Kind}, the model was trained on {step.Kind}; read it as {step.Kind}";
        }
        return null;
    }

    /// <summary>The numbers of a table. Columns it was not fitted on are left out; levels and words it has not seen count as missing.</summary>
    public FeatureMatrix Transform(Table table)
    {
        if (Objection(table) is { } objection)
            throw new ArgumentException(objection);
        var columns = new List<double[]>(Features.Count);
        foreach (var step in steps)
            columns.AddRange(step.Transform(table[step.Column]));
        return new FeatureMatrix(Features, [.. columns], table.RowCount);
    }

    static ColumnStep? StepFor(Column column, PreparationOptions options) => column switch
    {
        NumberColumn numbers => new NumberStep(column.Name, options.Numbers switch
        {
            NumberImputation.Mean => Mean(numbers.Values),
            NumberImputation.Mode => Mode(numbers.Values),
            _ => double.NaN,
        }),
        CategoryColumn categories => FitLevels(categories, options),
        TextColumn text => new TextStep(column.Name, BagOfWords.Fit(Enumerable.Range(0, text.Count).Select(text.Show), options.Text)),
        _ => null,
    };

    // Only levels that the training rows hold are known, in an order that does not depend on the order of rows.
    static LevelStep FitLevels(CategoryColumn column, PreparationOptions options)
    {
        var counts = new int[column.Levels.Count];
        foreach (var code in column.Codes)
        {
            if (code >= 0)
                counts[code]++;
        }
        var seen = Enumerable.Range(0, counts.Length)
            .Where(code => counts[code] > 0)
            .OrderBy(code => double.TryParse(column.Levels[code], CultureInfo.InvariantCulture, out var number) ? number : double.PositiveInfinity)
            .ThenBy(code => column.Levels[code], StringComparer.Ordinal)
            .ToArray();
        var mode = options.CategoryMode && seen.Length > 0 ? Array.IndexOf(seen, seen.MaxBy(code => counts[code])) : -1;
        var oneHot = options.Categories == CategoryEncoding.OneHot && seen.Length <= options.OneHotLevelsMax;
        return new LevelStep(column.Name, [.. seen.Select(code => column.Levels[code])], mode, oneHot);
    }

    static double Mean(ReadOnlySpan<double> values)
    {
        double sum = 0;
        var count = 0;
        foreach (var value in values)
        {
            if (double.IsNaN(value))
                continue;
            sum += value;
            count++;
        }
        return count == 0 ? double.NaN : sum / count;
    }

    static double Mode(ReadOnlySpan<double> values)
    {
        var counts = new SortedDictionary<double, int>();
        foreach (var value in values)
        {
            if (!double.IsNaN(value))
                counts[value] = counts.GetValueOrDefault(value) + 1;
        }
        return counts.Count == 0 ? double.NaN : counts.MaxBy(pair => pair.Value).Key;
    }
}
