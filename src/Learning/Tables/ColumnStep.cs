namespace Salus.Learning.Tables;

/// <summary>What was learned of one column.</summary>
abstract class ColumnStep(string column, ColumnKind kind)
{
    /// <summary>Adds one row's values to a sparse row, its own features beginning at the offset; what is missing adds nothing.</summary>
    public delegate void RowWriter(int row, int offset, CsrBuilder builder);

    public string Column => column;

    public ColumnKind Kind => kind;

    public abstract IReadOnlyList<Feature> Features { get; }

    /// <summary>Whether the column can be transformed; one without any value always can.</summary>
    public virtual bool Accepts(Column given) => given.Kind == kind || IsEmpty(given);

    /// <summary>The values of every feature, NaN where missing.</summary>
    public abstract IEnumerable<double[]> Transform(Column given);

    /// <summary>The same values, row by row.</summary>
    public abstract RowWriter Rows(Column given);

    protected static bool IsEmpty(Column given)
    {
        for (var row = 0; row < given.Count; row++)
        {
            if (!given.IsMissing(row))
                return false;
        }
        return true;
    }
}

/// <summary>A number, or a date as days; what is missing is filled, then the value is shifted and scaled.</summary>
sealed class NumberStep : ColumnStep
{
    static readonly int Epoch = new DateOnly(2000, 1, 1).DayNumber;

    public NumberStep(string column, ColumnKind kind, double fill, double shift, double scale, bool marksMissing)
        : base(column, kind)
    {
        (Fill, Shift, Scale, MarksMissing) = (fill, shift, scale, marksMissing);
        Features = marksMissing ? [new Feature(FeatureKind.Number, column), new Feature(FeatureKind.Missing, column)] : [new Feature(FeatureKind.Number, column)];
    }

    public double Fill { get; }

    public double Shift { get; }

    public double Scale { get; }

    public bool MarksMissing { get; }

    public override IReadOnlyList<Feature> Features { get; }

    /// <summary>The value of a row as a number; days since the year 2000 for a date.</summary>
    public static double Read(Column column, int row) =>
        column.IsMissing(row) ? double.NaN : column is DateColumn dates ? dates[row]!.Value.DayNumber - Epoch : ((NumberColumn)column).Values[row];

    public override IEnumerable<double[]> Transform(Column given)
    {
        var numbers = new double[given.Count];
        for (var row = 0; row < numbers.Length; row++)
            numbers[row] = Value(given, row);
        yield return numbers;
        if (MarksMissing)
            yield return [.. Enumerable.Range(0, given.Count).Select(row => given.IsMissing(row) ? 1.0 : 0.0)];
    }

    public override RowWriter Rows(Column given) => (row, offset, builder) =>
    {
        var value = Value(given, row);
        builder.Add(offset, double.IsNaN(value) ? 0 : value);
        if (MarksMissing && given.IsMissing(row))
            builder.Add(offset + 1, 1);
    };

    double Value(Column given, int row) => ((given.IsMissing(row) ? Fill : Read(given, row)) - Shift) * Scale;
}

/// <summary>Levels of a category, or of a number that takes few whole values.</summary>
sealed class LevelStep : ColumnStep
{
    readonly Dictionary<string, int> codes = new(StringComparer.Ordinal);

    public LevelStep(string column, ColumnKind kind, string[] levels, int mode, bool oneHot, bool marksMissing)
        : base(column, kind)
    {
        (Levels, Mode, OneHot, MarksMissing) = (levels, mode, oneHot, oneHot && marksMissing);
        for (var i = 0; i < levels.Length; i++)
            codes.Add(levels[i], i);
        Features = oneHot
            ? [.. levels.Select(level => new Feature(FeatureKind.Level, column, level)), .. MarksMissing ? [new Feature(FeatureKind.Missing, column)] : Array.Empty<Feature>()]
            : [new Feature(FeatureKind.Code, column)];
    }

    public string[] Levels { get; }

    public int Mode { get; }

    public bool OneHot { get; }

    public bool MarksMissing { get; }

    public override IReadOnlyList<Feature> Features { get; }

    // A file of other rows may show numbers only, or long words, in what training saw as levels.
    public override bool Accepts(Column given) => given.Kind != ColumnKind.Date || IsEmpty(given);

    public override IEnumerable<double[]> Transform(Column given)
    {
        var known = new int[given.Count];
        for (var row = 0; row < known.Length; row++)
            known[row] = Code(given, row);
        if (!OneHot)
        {
            yield return Array.ConvertAll(known, code => code < 0 ? double.NaN : code);
            yield break;
        }
        for (var i = 0; i < Levels.Length; i++)
            yield return Array.ConvertAll(known, code => code < 0 ? double.NaN : code == i ? 1.0 : 0.0);
        if (MarksMissing)
            yield return [.. Enumerable.Range(0, given.Count).Select(row => given.IsMissing(row) ? 1.0 : 0.0)];
    }

    public override RowWriter Rows(Column given) => (row, offset, builder) =>
    {
        var code = Code(given, row);
        if (code >= 0)
            builder.Add(OneHot ? offset + code : offset, OneHot ? 1 : code);
        if (MarksMissing && given.IsMissing(row))
            builder.Add(offset + Levels.Length, 1);
    };

    int Code(Column given, int row) => given.Show(row) is { } level ? codes.GetValueOrDefault(level, -1) : Mode;
}
