namespace Salus.Learning.Evaluate;

/// <summary>An estimate with the interval that holds it at 95 % confidence.</summary>
public sealed record Interval(double Estimate, double Low, double High);

/// <summary>Percentile bootstrap (Efron 1979) of several figures at once. Whole groups are drawn where rows belong to groups, since their rows are not independent.</summary>
public static class Bootstrap
{
    const double WorkMax = 3e8;
    const int ResamplesLeast = 100;

    /// <summary>The intervals of figures that are computed from how often each row counts. Fewer resamples are drawn of very many rows.</summary>
    public static Interval[] Run(int rows, int[]? groups, int resamples, ulong seed, int costPerRow, Func<int[], double[]> figures)
    {
        var units = groups is null ? null : Enumerable.Range(0, rows).GroupBy(row => groups[row]).OrderBy(group => group.Key).Select(group => group.ToArray()).ToArray();
        var drawn = (int)Math.Min(resamples, Math.Max(ResamplesLeast, WorkMax / ((double)rows * costPerRow)));
        var resampled = new double[drawn][];
        Parallel.For(0, drawn, resample =>
        {
            var generator = SeededGenerator.For(seed, (ulong)resample);
            var counts = new int[rows];
            for (var draw = 0; draw < (units?.Length ?? rows); draw++)
            {
                if (units is null)
                    counts[generator.NextInt(rows)]++;
                else
                    foreach (var row in units[generator.NextInt(units.Length)])
                        counts[row]++;
            }
            resampled[resample] = figures(counts);
        });
        var once = new int[rows];
        Array.Fill(once, 1);
        var estimates = figures(once);
        return [.. estimates.Select((estimate, i) => Of(estimate, [.. resampled.Select(values => values[i]).Where(value => !double.IsNaN(value)).Order()]))];
    }

    static Interval Of(double estimate, double[] sorted) =>
        sorted.Length == 0 ? new Interval(estimate, double.NaN, double.NaN) : new Interval(estimate, Quantile(sorted, 0.025), Quantile(sorted, 0.975));

    static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        return below + 1 >= sorted.Length ? sorted[^1] : sorted[below] + ((place - below) * (sorted[below + 1] - sorted[below]));
    }
}
