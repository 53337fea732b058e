using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>The shares of a column's values: of numbers in bins between edges, of categories by level; the last share is that of missing values.</summary>
public sealed record InputShares(string Column, IReadOnlyList<double>? Edges, IReadOnlyList<string>? Levels, IReadOnlyList<double> Shares);

/// <summary>How far a column has moved.</summary>
/// <param name="Column">The column's name.</param>
/// <param name="StabilityIndex">The population stability index; under 0.1 is little, over 0.25 is much.</param>
/// <param name="ByChance">What it comes to on average where nothing has moved, for so many rows.</param>
public sealed record InputDrift(string Column, double StabilityIndex, double ByChance)
{
    const double Much = 0.25;
    const double ChanceFactor = 3;

    /// <summary>Whether it has moved much, and more than chance would have it.</summary>
    public bool HasMoved => StabilityIndex > Math.Max(Much, ChanceFactor * ByChance);
}

/// <summary>Keeps how columns were spread in training, and compares later rows with that.</summary>
public static class InputProfile
{
    const int Bins = 10;
    const int LevelsMax = 20;

    // A share of nothing counts as half a row, so that the index stays finite and few rows do not look like a landslide.
    const double RowMin = 0.5;

    /// <summary>The shares of each number (by tenths of the rows) and category; texts and dates are left out.</summary>
    public static IReadOnlyList<InputShares> Of(Table table) => [.. table.Columns.Select(ProfileOf).OfType<InputShares>()];

    /// <summary>How far each column has moved since, the most moved first; columns that are gone are left out.</summary>
    /// <param name="before">The shares in training.</param>
    /// <param name="rowsBefore">The number of rows in training.</param>
    /// <param name="now">Later rows.</param>
    public static IReadOnlyList<InputDrift> Compare(IReadOnlyList<InputShares> before, int rowsBefore, Table now) =>
    [
        .. before.Where(shares => now.Find(shares.Column) is not null && now.RowCount > 0)
            .Select(shares => DriftOf(shares, rowsBefore, now[shares.Column]))
            .OrderByDescending(drift => drift.StabilityIndex),
    ];

    // Where nothing has moved, the index is about chi-squared over the rows: one less than the shares, times 1/n + 1/m.
    static InputDrift DriftOf(InputShares before, int rowsBefore, Column now) => new(
        before.Column, Index(before.Shares, RowMin / rowsBefore, Count(now, before.Edges, before.Levels), RowMin / now.Count),
        (before.Shares.Count(share => share > 0) - 1) * ((1.0 / rowsBefore) + (1.0 / now.Count)));

    static InputShares? ProfileOf(Column column)
    {
        if (column.Count == 0)
            return null;
        if (column is NumberColumn numbers)
        {
            var known = numbers.Values.ToArray().Where(value => !double.IsNaN(value)).Order().ToArray();
            double[] edges = known.Length == 0 ? [] : [.. Enumerable.Range(1, Bins - 1).Select(i => known[(int)((long)i * known.Length / Bins)]).Distinct()];
            return new InputShares(column.Name, edges, null, Count(column, edges, null));
        }
        if (column is not CategoryColumn)
            return null;
        string[] levels = [.. Grouping.Count(column).Where(level => level.Label.Length > 0).Take(LevelsMax).Select(level => level.Label)];
        return new InputShares(column.Name, null, levels, Count(column, null, levels));
    }

    static double[] Count(Column column, IReadOnlyList<double>? edges, IReadOnlyList<string>? levels)
    {
        // Other levels have a place of their own before that of missing values.
        var shares = new double[edges is not null ? edges.Count + 2 : levels!.Count + 2];
        for (var row = 0; row < column.Count; row++)
        {
            var place = column.IsMissing(row) ? shares.Length - 1
                : edges is null ? Place(levels!, column.Show(row)!)
                : column is NumberColumn numbers ? edges.TakeWhile(edge => edge <= numbers.Values[row]).Count() : shares.Length - 1;
            shares[place] += 1.0 / column.Count;
        }
        return shares;
    }

    static int Place(IReadOnlyList<string> levels, string level)
    {
        for (var i = 0; i < levels.Count; i++)
        {
            if (levels[i] == level)
                return i;
        }
        return levels.Count;
    }

    static double Index(IReadOnlyList<double> before, double beforeMin, double[] now, double nowMin)
    {
        var index = 0.0;
        for (var i = 0; i < now.Length; i++)
        {
            if (before[i] == 0 && now[i] == 0)
                continue;
            var (was, became) = (Math.Max(before[i], beforeMin), Math.Max(now[i], nowMin));
            index += (became - was) * Math.Log(became / was);
        }
        return index;
    }
}
