using System.Numerics;
using Salus.Learning.Tables;

namespace Salus.Learning.Anomaly;

/// <summary>The distance to the k-th nearest training row (Ramaswamy, Rastogi and Shim 2000), features divided by their standard deviation.</summary>
public sealed class NearestNeighbours : AnomalyDetector
{
    const int NeighboursMax = 1_000;

    readonly double[] scales;
    readonly double[] points;
    readonly int neighbours;

    NearestNeighbours(double[] medians, double[] scales, double[] points, int neighbours)
        : base(medians) => (this.scales, this.points, this.neighbours) = (scales, points, neighbours);

    /// <inheritdoc/>
    public override string Name => "knn";

    /// <summary>Keeps the training rows; a row that is one of them is not its own neighbour.</summary>
    public static NearestNeighbours Fit(FeatureMatrix rows, int neighbours = 5)
    {
        if (neighbours is < 1 or > NeighboursMax)
            throw new ArgumentException($"{neighbours} neighbours are asked for; give 1 to {NeighboursMax}");
        var (columns, medians) = Fill(rows);
        var scales = Array.ConvertAll(columns, column =>
        {
            var mean = column.Average();
            var deviation = Math.Sqrt(column.Sum(value => (value - mean) * (value - mean)) / column.Length);
            return deviation > 0 ? 1 / deviation : 0;
        });
        var points = new double[rows.RowCount * columns.Length];
        for (var row = 0; row < rows.RowCount; row++)
        {
            for (var i = 0; i < columns.Length; i++)
                points[(row * columns.Length) + i] = columns[i][row] * scales[i];
        }
        return new NearestNeighbours(medians, scales, points, Math.Min(neighbours, rows.RowCount - 1));
    }

    private protected override double ScoreFilled(ReadOnlySpan<double> row)
    {
        var width = row.Length;
        var point = new double[width];
        for (var i = 0; i < width; i++)
            point[i] = row[i] * scales[i];
        // The nearest ones so far, ascending; one more than asked for, so that the row itself can be taken out.
        var nearest = new double[neighbours + 1];
        Array.Fill(nearest, double.PositiveInfinity);
        for (var start = 0; start < points.Length; start += width)
        {
            var distance = Distance(point, points.AsSpan(start, width));
            if (distance >= nearest[^1])
                continue;
            var at = neighbours;
            for (; at > 0 && nearest[at - 1] > distance; at--)
                nearest[at] = nearest[at - 1];
            nearest[at] = distance;
        }
        return Math.Sqrt(nearest[0] == 0 || double.IsInfinity(nearest[^1]) ? Last(nearest) : nearest[neighbours - 1]);
    }

    static double Last(double[] nearest) => double.IsInfinity(nearest[^1]) ? nearest.Last(double.IsFinite) : nearest[^1];

    static double Distance(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        var sum = 0.0;
        var i = 0;
        for (; i <= left.Length - Vector<double>.Count; i += Vector<double>.Count)
        {
            var gap = new Vector<double>(left[i..]) - new Vector<double>(right[i..]);
            sum += Vector.Dot(gap, gap);
        }
        for (; i < left.Length; i++)
            sum += (left[i] - right[i]) * (left[i] - right[i]);
        return sum;
    }

    internal override void WriteBody(BoundedWriter writer)
    {
        writer.Int32(neighbours);
        AnomalyFormat.Values(scales, writer);
        AnomalyFormat.Values(points, writer);
    }

    internal static AnomalyDetector ReadBody(ref BoundedReader reader, double[] medians)
    {
        var neighbours = reader.Int32();
        var (scales, points) = (AnomalyFormat.Values(ref reader, "scales"), AnomalyFormat.Values(ref reader, "points"));
        if (scales.Length != medians.Length || points.Length % medians.Length != 0 || neighbours is < 1 or > NeighboursMax || neighbours >= points.Length / medians.Length)
            throw new FormatRefusedException($"{neighbours} neighbours among {points.Length} values of {medians.Length} features cannot be");
        return new NearestNeighbours(medians, scales, points, neighbours);
    }
}
