using Salus.Learning.Tables;

namespace Salus.Learning.Anomaly;

/// <summary>Histogram-based score (Goldstein and Dengel 2012): the negative log density of each value's bin, added up over features.</summary>
public sealed class HistogramScore : AnomalyDetector
{
    const int BinsMax = 1_000;

    // Added to every density, so that an empty bin is rare rather than impossible.
    const double Floor = 1e-6;

    readonly double[] lows;
    readonly double[] widths;
    readonly double[] densities;
    readonly int bins;

    HistogramScore(double[] medians, double[] lows, double[] widths, double[] densities, int bins)
        : base(medians) => (this.lows, this.widths, this.densities, this.bins) = (lows, widths, densities, bins);

    /// <inheritdoc/>
    public override string Name => "histogram";

    /// <summary>Counts the training rows in bins of equal width; features are divided by their standard deviation, so that densities compare.</summary>
    public static HistogramScore Fit(FeatureMatrix rows, int bins = 10)
    {
        if (bins is < 2 or > BinsMax)
            throw new ArgumentException($"{bins} bins are asked for; give 2 to {BinsMax}");
        var (columns, medians) = Fill(rows);
        var (lows, widths, densities) = (new double[columns.Length], new double[columns.Length], new double[columns.Length * bins]);
        for (var i = 0; i < columns.Length; i++)
        {
            var (low, high, mean) = (columns[i].Min(), columns[i].Max(), columns[i].Average());
            var deviation = Math.Sqrt(columns[i].Sum(value => (value - mean) * (value - mean)) / columns[i].Length);
            (lows[i], widths[i]) = (low, (high - low) / bins);
            foreach (var value in columns[i])
                densities[(i * bins) + Bin(value, lows[i], widths[i], bins)] += 1.0 / columns[i].Length;
            for (var bin = 0; bin < bins; bin++)
                densities[(i * bins) + bin] *= widths[i] > 0 ? deviation / widths[i] : 1;
        }
        return new HistogramScore(medians, lows, widths, densities, bins);
    }

    private protected override double ScoreFilled(ReadOnlySpan<double> row)
    {
        var score = 0.0;
        for (var i = 0; i < row.Length; i++)
            score -= Math.Log(densities[(i * bins) + Bin(row[i], lows[i], widths[i], bins)] + Floor);
        return score;
    }

    static int Bin(double value, double low, double width, int bins) => width > 0 ? (int)Math.Clamp((value - low) / width, 0, bins - 1) : 0;

    internal override void WriteBody(BoundedWriter writer)
    {
        writer.Int32(bins);
        AnomalyFormat.Values(lows, writer);
        AnomalyFormat.Values(widths, writer);
        AnomalyFormat.Values(densities, writer);
    }

    internal static AnomalyDetector ReadBody(ref BoundedReader reader, double[] medians)
    {
        var bins = reader.Int32();
        var (lows, widths) = (AnomalyFormat.Values(ref reader, "lows"), AnomalyFormat.Values(ref reader, "widths"));
        var densities = AnomalyFormat.Values(ref reader, "densities");
        var fits = bins is >= 2 and <= BinsMax && lows.Length == medians.Length && widths.Length == medians.Length && densities.Length == (long)bins * medians.Length;
        return fits && !Array.Exists(densities, density => density < 0) && !Array.Exists(widths, width => width < 0)
            ? new HistogramScore(medians, lows, widths, densities, bins)
            : throw new FormatRefusedException($"{bins} bins of {medians.Length} features cannot be");
    }
}
