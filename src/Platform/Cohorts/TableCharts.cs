using System.Globalization;
using Salus.Learning.Tables;

namespace Salus.Platform.Cohorts;

/// <summary>Counts of one series, one for each label of the chart.</summary>
public sealed record ChartSeries(string Name, IReadOnlyList<int> Counts);

/// <summary>A bar chart's data.</summary>
/// <param name="Column">The column along the axis.</param>
/// <param name="By">The column that the series are of; null for one series.</param>
/// <param name="Labels">The bars.</param>
/// <param name="Series">The counts.</param>
/// <param name="Missing">Rows without a value in either column; they are in no bar.</param>
public sealed record ChartView(string Column, string? By, IReadOnlyList<string> Labels, IReadOnlyList<ChartSeries> Series, int Missing);

/// <summary>Counts of a table for charts.</summary>
public static class TableCharts
{
    const int BinsMax = 12;
    const int LabelsMax = 30;
    const int AgeBand = 10;
    const string Others = "others";

    static readonly string[] SexNames = ["sex", "gender"];

    /// <summary>The charts to begin with: rows by sex, by age band, and by age band and sex, as far as the table has such columns.</summary>
    public static IReadOnlyList<ChartView> Overview(Table table)
    {
        var sex = table.Columns.FirstOrDefault(column => SexNames.Contains(column.Name, StringComparer.OrdinalIgnoreCase));
        var age = table.Columns.FirstOrDefault(column => column is NumberColumn && IsAge(column.Name));
        List<ChartView> charts = [];
        if (sex is not null)
        {
            charts.Add(Of(sex, null));
        }
        if (age is not null)
        {
            charts.Add(Of(age, null));
        }
        if (sex is not null && age is not null)
        {
            charts.Add(Of(age, sex));
        }
        return charts;
    }

    /// <summary>Rows by the values of a column, and within them by those of another. Numbers of many values are put in bins.</summary>
    public static ChartView Of(Column column, Column? by)
    {
        var first = Labelled(column);
        var second = by is null ? CategoryColumn.Of("rows", [.. Enumerable.Repeat("rows", column.Count)]) : Labelled(by);
        var cross = Grouping.Cross(first, second);
        var series = cross.Second.Select((name, i) => new ChartSeries(name, [.. cross.Counts.Select(counts => counts[i])])).ToList();
        return new ChartView(column.Name, by?.Name, cross.First, series, column.Count - cross.Counts.Sum(counts => counts.Sum()));
    }

    static bool IsAge(string name) =>
        name.Equals("age", StringComparison.OrdinalIgnoreCase) || name.StartsWith("age ", StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("age_", StringComparison.OrdinalIgnoreCase) || name.StartsWith("age(", StringComparison.OrdinalIgnoreCase);

    static CategoryColumn Labelled(Column column)
    {
        if (column is not NumberColumn numbers)
        {
            return Frequent(column);
        }
        if (IsAge(column.Name))
        {
            return Frequent(Grouping.Bands(numbers, AgeBand), keepOrder: true);
        }
        var distinct = Grouping.Count(numbers);
        return distinct.Count <= BinsMax
            ? Ordered(numbers, [.. distinct.Select(value => value.Label).OrderBy(label => double.Parse(label, CultureInfo.InvariantCulture))])
            : Binned(numbers);
    }

    static CategoryColumn Ordered(Column column, string[] levels)
    {
        var codes = levels.Select((level, i) => (level, i)).ToDictionary(pair => pair.level, pair => pair.i, StringComparer.Ordinal);
        return new CategoryColumn(column.Name, [.. Enumerable.Range(0, column.Count).Select(row => column.Show(row) is { } level ? codes[level] : -1)], levels);
    }

    static CategoryColumn Frequent(Column column, bool keepOrder = false)
    {
        var counts = Grouping.Count(column);
        string[] levels = keepOrder && column is CategoryColumn category
            ? [.. category.Levels.Take(LabelsMax)]
            : [.. counts.Take(LabelsMax).Select(value => value.Label)];
        var codes = levels.Select((level, i) => (level, i)).ToDictionary(pair => pair.level, pair => pair.i, StringComparer.Ordinal);
        var others = counts.Count > levels.Length;
        return new CategoryColumn(column.Name,
            [.. Enumerable.Range(0, column.Count).Select(row => column.Show(row) is { } level ? codes.GetValueOrDefault(level, levels.Length) : -1)],
            others ? [.. levels, Others] : levels);
    }

    static CategoryColumn Binned(NumberColumn column)
    {
        var bins = ColumnSummary.Of(column, binsMax: BinsMax).Histogram;
        var (low, width) = (bins[0].From, bins[0].To - bins[0].From);
        return new CategoryColumn(column.Name,
            [.. Enumerable.Range(0, column.Count).Select(row => column.IsMissing(row) ? -1 : Math.Clamp((int)((column.Values[row] - low) / width), 0, bins.Count - 1))],
            [.. bins.Select(bin => string.Create(CultureInfo.InvariantCulture, $"{bin.From:G4} – {bin.To:G4}"))]);
    }
}
