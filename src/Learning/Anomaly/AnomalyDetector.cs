using System.Diagnostics.CodeAnalysis;
using Salus.Learning.Tables;

namespace Salus.Learning.Anomaly;

/// <summary>Tells how unlike the training rows a row is. Missing values count as the training rows' median.</summary>
public abstract class AnomalyDetector
{
    private protected AnomalyDetector(double[] medians) => Medians = medians;

    /// <summary>What it is called.</summary>
    public abstract string Name { get; }

    /// <summary>The number of values a row must have.</summary>
    public int FeatureCount => Medians.Length;

    /// <summary>The median of each feature over the training rows.</summary>
    internal double[] Medians { get; }

    /// <summary>The score of one row: the higher, the less usual. Its scale is the detector's own.</summary>
    public double Score(ReadOnlySpan<double> row)
    {
        if (row.Length != FeatureCount)
            throw new ArgumentException($"the row has {row.Length} values, the detector was trained on {FeatureCount}");
        var filled = row.ToArray();
        for (var i = 0; i < filled.Length; i++)
        {
            if (double.IsNaN(filled[i]))
                filled[i] = Medians[i];
        }
        return ScoreFilled(filled);
    }

    /// <summary>The score of every row.</summary>
    public double[] Score(FeatureMatrix rows)
    {
        var scores = new double[rows.RowCount];
        Parallel.For(0, (scores.Length + 63) / 64, block =>
        {
            for (var row = block * 64; row < Math.Min(scores.Length, (block + 1) * 64); row++)
                scores[row] = Score(rows.Row(row));
        });
        return scores;
    }

    private protected abstract double ScoreFilled(ReadOnlySpan<double> row);

    internal abstract void WriteBody(BoundedWriter writer);

    /// <summary>Writes it in its own versioned format.</summary>
    public void Write(Stream stream) => AnomalyFormat.Write(this, new BoundedWriter(stream));

    /// <summary>Reads what <see cref="Write"/> wrote; anything else is refused with the reason.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out AnomalyDetector? detector, [NotNullWhen(false)] out string? refusal) =>
        BoundedReader.TryRead(bytes, AnomalyFormat.Read, out detector, out refusal);

    /// <summary>The columns without missing values, and the medians that stand in for them.</summary>
    private protected static (double[][] Columns, double[] Medians) Fill(FeatureMatrix rows)
    {
        if (rows.RowCount < 2 || rows.Features.Count == 0)
            throw new ArgumentException($"there are {rows.RowCount} rows of {rows.Features.Count} features; give at least two rows of one");
        var medians = new double[rows.Features.Count];
        var columns = new double[medians.Length][];
        for (var i = 0; i < columns.Length; i++)
        {
            columns[i] = rows.Column(i).ToArray();
            if (Array.Exists(columns[i], double.IsInfinity))
                throw new ArgumentException($"'{rows.Features[i].Name}' holds an infinite value; give finite numbers");
            var known = columns[i].Where(value => !double.IsNaN(value)).Order().ToArray();
            medians[i] = known.Length == 0 ? 0 : (known[(known.Length - 1) / 2] + known[known.Length / 2]) / 2;
            columns[i] = Array.ConvertAll(columns[i], value => double.IsNaN(value) ? medians[i] : value);
        }
        return (columns, medians);
    }
}
