using Salus.Learning.Tables;

namespace Salus.Learning.Forest;

/// <summary>
/// The upper edges that sort a feature's values into bins: a value belongs to the first bin whose edge is not below it,
/// the last bin having no edge. Missing values have the bin after the last.
/// </summary>
sealed class BinEdges(double[] edges)
{
    public ReadOnlySpan<double> Edges => edges;

    public int Bins => edges.Length + 1;

    public byte BinOf(double value)
    {
        if (double.IsNaN(value))
            return (byte)Bins;
        var found = Array.BinarySearch(edges, value);
        return (byte)(found < 0 ? ~found : found);
    }

    /// <summary>One bin per distinct value while they are few, otherwise bins of about equal numbers of rows.</summary>
    public static BinEdges Of(ReadOnlySpan<double> values, int binsMax)
    {
        var sorted = new double[values.Length];
        var count = 0;
        foreach (var value in values)
        {
            if (!double.IsNaN(value))
                sorted[count++] = value;
        }
        Array.Sort(sorted, 0, count);
        var distinct = new List<(double Value, int Upto)>();
        for (var i = 0; i < count; i++)
        {
            if (i + 1 == count || sorted[i + 1] != sorted[i])
                distinct.Add((sorted[i], i + 1));
        }
        var edges = new List<double>();
        var cut = 0;
        for (var i = 0; i + 1 < distinct.Count; i++)
        {
            var cuts = (long)distinct[i].Upto * binsMax / Math.Max(1, count);
            if (distinct.Count > binsMax && (cuts <= cut || edges.Count == binsMax - 1))
                continue;
            cut = (int)cuts;
            edges.Add(Between(distinct[i].Value, distinct[i + 1].Value));
        }
        return new BinEdges([.. edges]);
    }

    // The middle of two neighbours may round to the upper one, or overflow; the lower one still separates them.
    static double Between(double low, double high)
    {
        var middle = (low / 2) + (high / 2);
        return middle >= low && middle < high ? middle : low;
    }
}

/// <summary>Every training value as the byte of its bin, by feature.</summary>
sealed class BinnedFeatures
{
    public BinnedFeatures(FeatureMatrix matrix, int binsMax, ParallelOptions parallel)
    {
        var edges = new BinEdges[matrix.Features.Count];
        var bins = new byte[matrix.Features.Count][];
        Parallel.For(0, bins.Length, parallel, feature =>
        {
            var values = matrix.Column(feature);
            edges[feature] = BinEdges.Of(values, binsMax);
            bins[feature] = new byte[values.Length];
            for (var row = 0; row < values.Length; row++)
                bins[feature][row] = edges[feature].BinOf(values[row]);
        });
        Edges = edges;
        Bins = bins;
        RowCount = matrix.RowCount;
    }

    public BinEdges[] Edges { get; }

    public byte[][] Bins { get; }

    public int RowCount { get; }

    public int FeatureCount => Bins.Length;
}
