namespace Salus.Learning.Tables;

/// <summary>A label with how many rows have it.</summary>
public sealed record LabelCount(string Label, int Count);

/// <summary>The number of values in [From, To); the last bin holds To as well.</summary>
public sealed record HistogramBin(double From, double To, int Count);

/// <summary>What one column holds. Figures that do not apply to its kind, or have no value to rest on, are null.</summary>
public sealed record ColumnSummary
{
    /// <summary>The column's name.</summary>
    public required string Name { get; init; }

    /// <summary>What its values are.</summary>
    public required ColumnKind Kind { get; init; }

    /// <summary>The number of rows.</summary>
    public required int Rows { get; init; }

    /// <summary>Rows without a value.</summary>
    public required int Missing { get; init; }

    /// <summary>The share of rows without a value, 0 to 1.</summary>
    public double MissingShare => Rows == 0 ? 0 : (double)Missing / Rows;

    /// <summary>How many different values there are.</summary>
    public required int Distinct { get; init; }

    /// <summary>The least number.</summary>
    public double? Min { get; init; }

    /// <summary>The greatest number.</summary>
    public double? Max { get; init; }

    /// <summary>The mean of numbers.</summary>
    public double? Mean { get; init; }

    /// <summary>The standard deviation of numbers, of the sample.</summary>
    public double? Deviation { get; init; }

    /// <summary>The middle number.</summary>
    public double? Median { get; init; }

    /// <summary>The most frequent value.</summary>
    public string? Mode { get; init; }

    /// <summary>The most frequent values, most frequent first.</summary>
    public IReadOnlyList<LabelCount> Top { get; init; } = [];

    /// <summary>Numbers in bins of equal width, for charts.</summary>
    public IReadOnlyList<HistogramBin> Histogram { get; init; } = [];

    /// <summary>Summarises a column.</summary>
    public static ColumnSummary Of(Column column, int topMax = 10, int binsMax = 20)
    {
        var counts = Grouping.Count(column);
        var present = counts.Sum(pair => pair.Count);
        var numbers = column is NumberColumn known ? known.Values.ToArray().Where(value => !double.IsNaN(value)).Order().ToArray() : [];
        var mean = numbers.Length == 0 ? (double?)null : numbers.Average();
        return new ColumnSummary
        {
            Name = column.Name,
            Kind = column.Kind,
            Rows = column.Count,
            Missing = column.Count - present,
            Distinct = counts.Count,
            Mode = counts.Count == 0 ? null : counts[0].Label,
            Top = [.. counts.Take(topMax)],
            Min = numbers.Length == 0 ? null : numbers[0],
            Max = numbers.Length == 0 ? null : numbers[^1],
            Mean = mean,
            Median = numbers.Length == 0 ? null : (numbers[(numbers.Length - 1) / 2] + numbers[numbers.Length / 2]) / 2,
            Deviation = numbers.Length < 2 ? null : Math.Sqrt(numbers.Sum(value => (value - mean!.Value) * (value - mean.Value)) / (numbers.Length - 1)),
            Histogram = Bins(numbers, binsMax),
        };
    }

    static HistogramBin[] Bins(double[] sorted, int binsMax)
    {
        if (sorted.Length == 0)
            return [];
        var (low, high) = (sorted[0], sorted[^1]);
        var width = (high / binsMax) - (low / binsMax);
        if (width == 0)
            return [new HistogramBin(low, high, sorted.Length)];
        var counts = new int[binsMax];
        foreach (var value in sorted)
            counts[Math.Clamp((int)((value - low) / width), 0, binsMax - 1)]++;
        return [.. counts.Select((count, i) => new HistogramBin(low + (i * width), i == binsMax - 1 ? high : low + ((i + 1) * width), count))];
    }
}
