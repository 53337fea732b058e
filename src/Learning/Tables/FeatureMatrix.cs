using System.Globalization;
using System.Runtime.CompilerServices;

namespace Salus.Learning.Tables;

/// <summary>What one feature of a matrix stands for.</summary>
public enum FeatureKind
{
    /// <summary>A number as measured (imputed where the preparation says so).</summary>
    Number,

    /// <summary>A category's code in the order of its levels.</summary>
    Code,

    /// <summary>1 where a category has one level, 0 where it has another.</summary>
    Level,

    /// <summary>How often a word stands in a text, or what it weighs there.</summary>
    Word,

    /// <summary>1 where a column has no value.</summary>
    Missing,
}

/// <summary>One feature: the column it came from, and the level or word it stands for.</summary>
public sealed record Feature(FeatureKind Kind, string Column, string? Part = null)
{
    /// <summary>A name unique in its matrix.</summary>
    public string Name => Kind switch
    {
        FeatureKind.Level => $"{Column}={Part}",
        FeatureKind.Word => $"{Column}:{Part}",
        FeatureKind.Missing => $"{Column} missing",
        _ => Column,
    };

    /// <summary>What it is called for a reader: "word 'dyspnoea'", "heart rate".</summary>
    public string Label => Kind switch
    {
        FeatureKind.Level => $"{Column} is {Part}",
        FeatureKind.Word => IsDenied ? $"word '{Part![1..]}' denied" : $"word '{Part}'",
        FeatureKind.Missing => $"{Measure.Name} missing",
        _ => Measure.Name,
    };

    bool IsDenied => Part is { } word && word.StartsWith(Text.Tokenizer.Denied);

    /// <summary>The column's name without the unit that it ends in, as in "glucose (mmol/L)", and the unit.</summary>
    (string Name, string? Unit) Measure =>
        Column.EndsWith(')') && Column.LastIndexOf(" (", StringComparison.Ordinal) is > 0 and var at ? (Column[..at], Column[(at + 2)..^1]) : (Column, null);

    /// <summary>The feature with a value, as a reader would say it: "word 'dyspnoea' present ×2", "heart rate 128 /min".</summary>
    public string Describe(double value)
    {
        switch (Kind)
        {
            case FeatureKind.Word:
                var word = IsDenied ? Part![1..] : Part;
                return value == 0 ? $"word '{word}' not {(IsDenied ? "denied" : "present")}"
                    : $"word '{word}' {(IsDenied ? "denied" : "present")}{(value > 1 && value == Math.Floor(value) ? $" ×{value:0}" : "")}";
            case FeatureKind.Missing:
                return value == 1 ? Label : $"{Measure.Name} measured";
            case FeatureKind.Level:
                return value == 1 ? $"{Column} is {Part}" : $"{Column} is not {Part}";
            default:
                var (name, unit) = Measure;
                return double.IsNaN(value) ? $"{name} missing" : $"{name} {Short(value)}{(unit is null ? "" : $" {unit}")}";
        }
    }

    /// <summary>As many decimals as a reader needs.</summary>
    static string Short(double value) => value.ToString(Math.Abs(value) switch { >= 100 => "0.#", >= 1 => "0.##", _ => "0.####" }, CultureInfo.InvariantCulture);
}

/// <summary>Numbers by feature and row, NaN where missing: what a model is trained on.</summary>
public sealed class FeatureMatrix
{
    readonly double[][] columns;
    readonly float[][] singles;

    /// <summary>Takes one array of equal length per feature.</summary>
    public FeatureMatrix(IReadOnlyList<Feature> features, double[][] columns, int rowCount)
    {
        if (features.Count != columns.Length)
            throw new ArgumentException($"{features.Count} features, but {columns.Length} columns");
        if (Array.Exists(columns, column => column.Length != rowCount))
            throw new ArgumentException($"every column needs {rowCount} rows");
        Features = [.. features];
        this.columns = columns;
        singles = [];
        RowCount = rowCount;
    }

    FeatureMatrix(IReadOnlyList<Feature> features, float[][] singles)
    {
        Features = features;
        columns = [];
        this.singles = singles;
        RowCount = singles[0].Length;
    }

    /// <summary>What the columns stand for.</summary>
    public IReadOnlyList<Feature> Features { get; }

    /// <summary>The number of rows.</summary>
    public int RowCount { get; }

    /// <summary>Whether the values are kept in single precision.</summary>
    public bool IsSingle => singles.Length > 0;

    /// <summary>The values of one feature; widened into a new array where they are kept in single precision.</summary>
    public ReadOnlySpan<double> Column(int feature) =>
        IsSingle ? Array.ConvertAll(singles[feature], value => (double)value) : columns[feature];

    /// <summary>Copies the values of one feature from a row on, as many as there is place for.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void CopyColumn(int feature, int fromRow, Span<double> into)
    {
        if (!IsSingle)
        {
            columns[feature].AsSpan(fromRow, into.Length).CopyTo(into);
            return;
        }
        var values = singles[feature].AsSpan(fromRow, into.Length);
        for (var i = 0; i < values.Length; i++)
            into[i] = values[i];
    }

    /// <summary>A matrix of plain numbers, named x0, x1, … where no names are given.</summary>
    public static FeatureMatrix OfColumns(double[][] columns, IReadOnlyList<string>? names = null) =>
        new([.. columns.Select((_, i) => new Feature(FeatureKind.Number, names?[i] ?? $"x{i}"))], columns, columns.Length == 0 ? 0 : columns[0].Length);

    /// <summary>A matrix of plain numbers kept in single precision, which is half the memory; named x0, x1, … where no names are given.</summary>
    public static FeatureMatrix OfSingles(float[][] columns, IReadOnlyList<string>? names = null)
    {
        if (columns.Length == 0 || Array.Exists(columns, column => column.Length != columns[0].Length))
            throw new ArgumentException("give at least one column, each with the same number of rows");
        return new([.. columns.Select((_, i) => new Feature(FeatureKind.Number, names?[i] ?? $"x{i}"))], columns);
    }

    /// <summary>One value.</summary>
    internal double At(int row, int feature) => IsSingle ? singles[feature][row] : columns[feature][row];

    /// <summary>Copies one row into <paramref name="into"/>, which has a place for every feature.</summary>
    public void CopyRow(int row, Span<double> into)
    {
        for (var i = 0; i < columns.Length; i++)
            into[i] = columns[i][row];
        for (var i = 0; i < singles.Length; i++)
            into[i] = singles[i][row];
    }

    /// <summary>One row as a new array.</summary>
    public double[] Row(int row)
    {
        var values = new double[Features.Count];
        CopyRow(row, values);
        return values;
    }
}
