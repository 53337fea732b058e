namespace Salus.Learning.Tables;

/// <summary>How many rows have each pair of labels: <c>Counts[first][second]</c>. Rows where either is missing are not counted.</summary>
public sealed record CrossCount(IReadOnlyList<string> First, IReadOnlyList<string> Second, IReadOnlyList<IReadOnlyList<int>> Counts);

/// <summary>Counts rows by what they have in common.</summary>
public static class Grouping
{
    /// <summary>The values of a column with their counts, most frequent first, equals in ordinal order.</summary>
    public static IReadOnlyList<LabelCount> Count(Column column)
    {
        var counts = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var row = 0; row < column.Count; row++)
        {
            if (column.Show(row) is { } label)
                counts[label] = counts.GetValueOrDefault(label) + 1;
        }
        return [.. counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => new LabelCount(pair.Key, pair.Value))];
    }

    /// <summary>Numbers as bands such as "40–49", levels in ascending order; a band begins at a multiple of <paramref name="width"/>.</summary>
    public static CategoryColumn Bands(NumberColumn column, int width = 10)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        var starts = new double[column.Count];
        for (var row = 0; row < starts.Length; row++)
            starts[row] = Math.Floor(column.Values[row] / width) * width;
        double[] ascending = [.. starts.Where(start => !double.IsNaN(start)).Distinct().Order()];
        return new CategoryColumn(
            column.Name,
            Array.ConvertAll(starts, start => double.IsNaN(start) ? -1 : Array.BinarySearch(ascending, start)),
            Array.ConvertAll(ascending, start => width == 1 ? $"{start}" : $"{start}–{start + width - 1}"));
    }

    /// <summary>Counts each pair of labels of two columns of one table; labels of categories keep their order, others stand most frequent first.</summary>
    public static CrossCount Cross(Column first, Column second)
    {
        if (first.Count != second.Count)
            throw new ArgumentException($"'{first.Name}' has {first.Count} rows, '{second.Name}' has {second.Count}");
        var (rows, columns) = (Labels(first), Labels(second));
        var (rowOf, columnOf) = (Index(rows), Index(columns));
        var counts = rows.Select(_ => new int[columns.Count]).ToArray();
        for (var row = 0; row < first.Count; row++)
        {
            if (first.Show(row) is { } one && second.Show(row) is { } other)
                counts[rowOf[one]][columnOf[other]]++;
        }
        return new CrossCount(rows, columns, counts);
    }

    static IReadOnlyList<string> Labels(Column column) =>
        column is CategoryColumn category ? category.Levels : [.. Count(column).Select(pair => pair.Label)];

    static Dictionary<string, int> Index(IReadOnlyList<string> labels) =>
        labels.Select((label, i) => (label, i)).ToDictionary(pair => pair.label, pair => pair.i, StringComparer.Ordinal);
}
