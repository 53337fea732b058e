using Salus.Learning.Text;

namespace Salus.Learning.Tables;

/// <summary>What was learned of one column.</summary>
abstract class ColumnStep(string column, ColumnKind kind)
{
    public string Column => column;

    public ColumnKind Kind => kind;

    public abstract IReadOnlyList<Feature> Features { get; }

    /// <summary>Whether the column can be transformed; one without any value always can.</summary>
    public virtual bool Accepts(Column given) => given.Kind == kind || IsEmpty(given);

    public abstract IEnumerable<double[]> Transform(Column given);

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

sealed class NumberStep(string column, double fill) : ColumnStep(column, ColumnKind.Number)
{
    public double Fill => fill;

    public override IReadOnlyList<Feature> Features { get; } = [new Feature(FeatureKind.Number, column)];

    public override IEnumerable<double[]> Transform(Column given)
    {
        var numbers = new double[given.Count];
        for (var row = 0; row < numbers.Length; row++)
            numbers[row] = given.IsMissing(row) ? fill : ((NumberColumn)given).Values[row];
        yield return numbers;
    }
}

sealed class LevelStep : ColumnStep
{
    readonly Dictionary<string, int> codes = new(StringComparer.Ordinal);

    public LevelStep(string column, string[] levels, int mode, bool oneHot)
        : base(column, ColumnKind.Category)
    {
        (Levels, Mode, OneHot) = (levels, mode, oneHot);
        for (var i = 0; i < levels.Length; i++)
            codes.Add(levels[i], i);
        Features = oneHot
            ? [.. levels.Select(level => new Feature(FeatureKind.Level, column, level))]
            : [new Feature(FeatureKind.Code, column)];
    }

    public string[] Levels { get; }

    public int Mode { get; }

    public bool OneHot { get; }

    public override IReadOnlyList<Feature> Features { get; }

    // A file of other rows may show numbers only, or long words, in what training saw as levels.
    public override bool Accepts(Column given) => given.Kind != ColumnKind.Date || IsEmpty(given);

    public override IEnumerable<double[]> Transform(Column given)
    {
        var known = new int[given.Count];
        for (var row = 0; row < known.Length; row++)
            known[row] = given.Show(row) is { } level ? codes.GetValueOrDefault(level, -1) : Mode;
        if (!OneHot)
        {
            yield return Array.ConvertAll(known, code => code < 0 ? double.NaN : code);
            yield break;
        }
        for (var i = 0; i < Levels.Length; i++)
            yield return Array.ConvertAll(known, code => code < 0 ? double.NaN : code == i ? 1.0 : 0.0);
    }
}

sealed class TextStep(string column, BagOfWords bag) : ColumnStep(column, ColumnKind.Text)
{
    public BagOfWords Bag => bag;

    public override IReadOnlyList<Feature> Features { get; } = [.. bag.Words.Select(word => new Feature(FeatureKind.Word, column, word))];

    public override bool Accepts(Column given) => given.Kind is ColumnKind.Text or ColumnKind.Category || IsEmpty(given);

    public override IEnumerable<double[]> Transform(Column given)
    {
        var counts = new double[bag.Words.Count][];
        for (var word = 0; word < counts.Length; word++)
            counts[word] = new double[given.Count];
        for (var row = 0; row < given.Count; row++)
        {
            var sparse = bag.Count(given.Show(row));
            for (var i = 0; i < sparse.Indices.Length; i++)
                counts[sparse.Indices[i]][row] = sparse.Counts[i];
        }
        return counts;
    }
}
