using System.Globalization;

namespace Salus.Learning.Tables;

/// <summary>What the values of a column are.</summary>
public enum ColumnKind
{
    /// <summary>Double precision numbers; NaN is missing.</summary>
    Number,

    /// <summary>One of a list of levels.</summary>
    Category,

    /// <summary>Free text.</summary>
    Text,

    /// <summary>Calendar dates.</summary>
    Date,
}

/// <summary>One named column of a table. Missing is a value of its own in every kind.</summary>
public abstract class Column(string name)
{
    /// <summary>The column's header.</summary>
    public string Name { get; } = name;

    /// <summary>What the values are.</summary>
    public abstract ColumnKind Kind { get; }

    /// <summary>The number of rows.</summary>
    public abstract int Count { get; }

    /// <summary>Whether the value of <paramref name="row"/> is missing.</summary>
    public abstract bool IsMissing(int row);

    /// <summary>The value as text, null where missing.</summary>
    public abstract string? Show(int row);

    /// <summary>The column restricted to <paramref name="rows"/>, in that order.</summary>
    public abstract Column Take(ReadOnlySpan<int> rows);
}

/// <summary>Numbers; NaN is missing.</summary>
public sealed class NumberColumn(string name, double[] values) : Column(name)
{
    /// <summary>The values, NaN where missing.</summary>
    public ReadOnlySpan<double> Values => values;

    /// <inheritdoc/>
    public override ColumnKind Kind => ColumnKind.Number;

    /// <inheritdoc/>
    public override int Count => values.Length;

    /// <inheritdoc/>
    public override bool IsMissing(int row) => double.IsNaN(values[row]);

    /// <inheritdoc/>
    public override string? Show(int row) =>
        IsMissing(row) ? null : values[row].ToString(CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override Column Take(ReadOnlySpan<int> rows)
    {
        var taken = new double[rows.Length];
        for (var i = 0; i < taken.Length; i++)
            taken[i] = values[rows[i]];
        return new NumberColumn(Name, taken);
    }

    /// <summary>The column with every value in <paramref name="codes"/> made missing, for sources that write a number for "not known".</summary>
    public NumberColumn WithMissing(params ReadOnlySpan<double> codes)
    {
        var marked = (double[])values.Clone();
        for (var i = 0; i < marked.Length; i++)
        {
            if (codes.Contains(marked[i]))
                marked[i] = double.NaN;
        }
        return new NumberColumn(Name, marked);
    }
}

/// <summary>Levels by code into a dictionary; -1 is missing.</summary>
public sealed class CategoryColumn : Column
{
    readonly int[] codes;
    readonly string[] levels;

    /// <summary>Takes codes in [-1, levels).</summary>
    public CategoryColumn(string name, int[] codes, string[] levels)
        : base(name)
    {
        foreach (var code in codes)
        {
            if (code < -1 || code >= levels.Length)
                throw new ArgumentOutOfRangeException(nameof(codes), code, $"column '{name}' has {levels.Length} levels");
        }
        this.codes = codes;
        this.levels = levels;
    }

    /// <summary>The code of each row, -1 where missing.</summary>
    public ReadOnlySpan<int> Codes => codes;

    /// <summary>The levels by code.</summary>
    public IReadOnlyList<string> Levels => levels;

    /// <inheritdoc/>
    public override ColumnKind Kind => ColumnKind.Category;

    /// <inheritdoc/>
    public override int Count => codes.Length;

    /// <summary>Builds the dictionary from the values, in order of first appearance.</summary>
    public static CategoryColumn Of(string name, IReadOnlyList<string?> values)
    {
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        var codes = new int[values.Count];
        for (var i = 0; i < codes.Length; i++)
        {
            if (values[i] is not { } value)
            {
                codes[i] = -1;
                continue;
            }
            if (!known.TryGetValue(value, out var code))
                known.Add(value, code = known.Count);
            codes[i] = code;
        }
        return new CategoryColumn(name, codes, [.. known.OrderBy(pair => pair.Value).Select(pair => pair.Key)]);
    }

    /// <inheritdoc/>
    public override bool IsMissing(int row) => codes[row] < 0;

    /// <inheritdoc/>
    public override string? Show(int row) => codes[row] < 0 ? null : levels[codes[row]];

    /// <inheritdoc/>
    public override Column Take(ReadOnlySpan<int> rows)
    {
        var taken = new int[rows.Length];
        for (var i = 0; i < taken.Length; i++)
            taken[i] = codes[rows[i]];
        return new CategoryColumn(Name, taken, levels);
    }
}

/// <summary>Free text; null is missing.</summary>
public sealed class TextColumn(string name, string?[] values) : Column(name)
{
    /// <inheritdoc/>
    public override ColumnKind Kind => ColumnKind.Text;

    /// <inheritdoc/>
    public override int Count => values.Length;

    /// <inheritdoc/>
    public override bool IsMissing(int row) => values[row] is null;

    /// <inheritdoc/>
    public override string? Show(int row) => values[row];

    /// <inheritdoc/>
    public override Column Take(ReadOnlySpan<int> rows)
    {
        var taken = new string?[rows.Length];
        for (var i = 0; i < taken.Length; i++)
            taken[i] = values[rows[i]];
        return new TextColumn(Name, taken);
    }
}

/// <summary>Calendar dates; null is missing.</summary>
public sealed class DateColumn(string name, DateOnly?[] values) : Column(name)
{
    /// <inheritdoc/>
    public override ColumnKind Kind => ColumnKind.Date;

    /// <inheritdoc/>
    public override int Count => values.Length;

    /// <summary>The date of <paramref name="row"/>, null where missing.</summary>
    public DateOnly? this[int row] => values[row];

    /// <inheritdoc/>
    public override bool IsMissing(int row) => values[row] is null;

    /// <inheritdoc/>
    public override string? Show(int row) => values[row]?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public override Column Take(ReadOnlySpan<int> rows)
    {
        var taken = new DateOnly?[rows.Length];
        for (var i = 0; i < taken.Length; i++)
            taken[i] = values[rows[i]];
        return new DateColumn(Name, taken);
    }
}
