using System.Globalization;
using Salus.Learning.Text;

namespace Salus.Learning.Tables;

/// <summary>Learns of one column what its preparation needs.</summary>
static class ColumnLearning
{
    // More different whole numbers are amounts, however many rows there are.
    const int WholeLevelsLimit = 32;

    public static ColumnStep? StepFor(Column column, PreparationOptions options) => column switch
    {
        NumberColumn numbers when IsCode(numbers, options) => FitLevels(
            CategoryColumn.Of(column.Name, [.. Enumerable.Range(0, column.Count).Select(column.Show)]), ColumnKind.Number, options),
        NumberColumn or DateColumn => column is DateColumn && !options.Dates ? null : FitNumber(column, options),
        CategoryColumn categories => FitLevels(categories, ColumnKind.Category, options),
        TextColumn when options.Terms is { } terms => new TermStep(column.Name, TextVectorizer.Fit(TermStep.Texts(column), terms)),
        TextColumn => new TextStep(column.Name, BagOfWords.Fit(Enumerable.Range(0, column.Count).Select(column.Show), options.Text)),
        _ => null,
    };

    static NumberStep FitNumber(Column column, PreparationOptions options)
    {
        var values = new double[column.Count];
        for (var row = 0; row < values.Length; row++)
            values[row] = NumberStep.Read(column, row);
        var fill = options.Numbers switch
        {
            NumberImputation.Mean => Mean(values),
            NumberImputation.Mode => Mode(values),
            NumberImputation.Median => Median(values),
            _ => double.NaN,
        };
        var filled = Array.ConvertAll(values, value => double.IsNaN(value) ? fill : value).Where(value => !double.IsNaN(value)).ToArray();
        var (shift, scale) = options.Scaling switch
        {
            _ when filled.Length == 0 => (0, 1),
            NumberScaling.Standard => (filled.Average(), Inverse(Deviation(filled))),
            NumberScaling.Range => (filled.Min(), Inverse(filled.Max() - filled.Min())),
            _ => (0.0, 1.0),
        };
        return new NumberStep(column.Name, column.Kind, fill, shift, scale, options.MarkMissing && Array.Exists(values, double.IsNaN));
    }

    static double Deviation(double[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / values.Length);
    }

    static double Inverse(double width) => width > 0 ? 1 / width : 1;

    // Codes of a questionnaire (1 typical, 2 atypical, …) are no amounts; two values need no levels of their own.
    static bool IsCode(NumberColumn column, PreparationOptions options)
    {
        var levelsMax = Math.Max(options.WholeLevelsMax, options.WholeLevelRows == 0 ? 0 : Math.Min(column.Count / options.WholeLevelRows, WholeLevelsLimit));
        if (levelsMax < 3)
            return false;
        var distinct = new HashSet<double>();
        foreach (var value in column.Values)
        {
            if (double.IsNaN(value))
                continue;
            if (value != Math.Floor(value) || (distinct.Add(value) && distinct.Count > levelsMax))
                return false;
        }
        return distinct.Count > 2;
    }

    // Only levels that the training rows hold are known, in an order that does not depend on the order of rows.
    static LevelStep FitLevels(CategoryColumn column, ColumnKind kind, PreparationOptions options)
    {
        var counts = new int[column.Levels.Count];
        foreach (var code in column.Codes)
        {
            if (code >= 0)
                counts[code]++;
        }
        var least = Math.Max(Math.Max(1, options.LevelRowsMin), (int)(options.LevelShareMin * column.Codes.Length));
        var seen = Enumerable.Range(0, counts.Length)
            .Where(code => counts[code] >= least)
            .OrderBy(code => double.TryParse(column.Levels[code], CultureInfo.InvariantCulture, out var number) ? number : double.PositiveInfinity)
            .ThenBy(code => column.Levels[code], StringComparer.Ordinal)
            .ToArray();
        var mode = options.CategoryMode && seen.Length > 0 ? Array.IndexOf(seen, seen.MaxBy(code => counts[code])) : -1;
        var oneHot = options.Categories == CategoryEncoding.OneHot && seen.Length <= options.OneHotLevelsMax;
        return new LevelStep(column.Name, kind, [.. seen.Select(code => column.Levels[code])], mode, oneHot, options.MarkMissing && column.Codes.Contains(-1));
    }

    static double Median(ReadOnlySpan<double> values)
    {
        var known = values.ToArray().Where(value => !double.IsNaN(value)).Order().ToArray();
        return known.Length == 0 ? double.NaN : (known[(known.Length - 1) / 2] + known[known.Length / 2]) / 2;
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
