using Salus.Learning.Tables;

namespace Salus.Learning.Anomaly;

/// <summary>
/// ECOD (Li and others 2022): how far out each value lies in the tails of the training rows, added up over features;
/// the greatest of left tails, right tails, and the tail that each feature's skewness points to.
/// </summary>
public sealed class Ecod : AnomalyDetector
{
    readonly double[][] sorted;
    readonly bool[] right;

    Ecod(double[] medians, double[][] sorted, bool[] right)
        : base(medians) => (this.sorted, this.right) = (sorted, right);

    /// <inheritdoc/>
    public override string Name => "ecod";

    /// <summary>Keeps the sorted values of each feature.</summary>
    public static Ecod Fit(FeatureMatrix rows)
    {
        var (columns, medians) = Fill(rows);
        foreach (var column in columns)
            Array.Sort(column);
        return new Ecod(medians, columns, Array.ConvertAll(columns, column => Skewness(column) > 0));
    }

    static double Skewness(double[] values)
    {
        var mean = values.Average();
        return values.Sum(value => Math.Pow(value - mean, 3));
    }

    private protected override double ScoreFilled(ReadOnlySpan<double> row)
    {
        double lefts = 0, rights = 0, skewed = 0;
        for (var i = 0; i < row.Length; i++)
        {
            var (below, upTo) = Ranks(sorted[i], row[i]);
            double count = sorted[i].Length;
            // A value beyond all training rows is as rare as half a row.
            var left = -Math.Log(Math.Max(upTo, 0.5) / count);
            var over = -Math.Log(Math.Max(count - below, 0.5) / count);
            lefts += left;
            rights += over;
            skewed += right[i] ? over : left;
        }
        return Math.Max(Math.Max(lefts, rights), skewed);
    }

    // How many training values lie below, and how many do not lie above.
    static (int Below, int UpTo) Ranks(double[] values, double value)
    {
        int Find(Func<double, bool> passed)
        {
            var (low, high) = (0, values.Length);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (passed(values[middle]))
                    low = middle + 1;
                else
                    high = middle;
            }
            return low;
        }
        return (Find(other => other < value), Find(other => other <= value));
    }

    internal override void WriteBody(BoundedWriter writer)
    {
        for (var i = 0; i < sorted.Length; i++)
        {
            writer.Boolean(right[i]);
            AnomalyFormat.Values(sorted[i], writer);
        }
    }

    internal static AnomalyDetector ReadBody(ref BoundedReader reader, double[] medians)
    {
        var (sorted, right) = (new double[medians.Length][], new bool[medians.Length]);
        for (var i = 0; i < medians.Length; i++)
        {
            right[i] = reader.Boolean();
            sorted[i] = AnomalyFormat.Values(ref reader, "values");
            for (var at = 1; at < sorted[i].Length; at++)
            {
                if (sorted[i][at] < sorted[i][at - 1])
                    throw new FormatRefusedException($"the values of feature {i} do not ascend");
            }
            if (sorted[i].Length < 2)
                throw new FormatRefusedException($"feature {i} has {sorted[i].Length} values");
        }
        return new Ecod(medians, sorted, right);
    }
}
