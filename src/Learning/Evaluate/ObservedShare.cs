namespace Salus.Learning.Evaluate;

/// <summary>How often what is predicted came true where models that had not seen the row gave about the same probability.</summary>
/// <param name="From">The least such probability.</param>
/// <param name="To">The greatest.</param>
/// <param name="Rows">The number of such rows.</param>
/// <param name="Share">The share that came true, with its 95 % interval (Wilson 1927).</param>
public sealed record ObservedShare(double From, double To, int Rows, Interval Share)
{
    const double Z = 1.959963984540054;

    /// <summary>The share about a probability, by the report's calibration; null where no such row was held out, or there are several classes.</summary>
    public static ObservedShare? About(EvaluationReport report, double probability)
    {
        // The last bin holds 1 as well.
        if (report.Calibration.LastOrDefault(bin => bin.From <= probability && (probability < bin.To || bin.To >= 1)) is not { } bin)
            return null;
        // Each row was held out once a repeat, and counts as one.
        var rows = Math.Max(1, (int)Math.Round((double)bin.Count / Math.Max(1, report.TimeOrdered ? 1 : report.Options.Repeats)));
        return new ObservedShare(bin.From, bin.To, rows, Wilson(bin.ShareObserved, rows));
    }

    /// <summary>The score interval of a share of so many rows.</summary>
    public static Interval Wilson(double share, int rows)
    {
        var denominator = 1 + (Z * Z / rows);
        var centre = (share + (Z * Z / (2.0 * rows))) / denominator;
        var half = Z / denominator * Math.Sqrt((share * (1 - share) / rows) + (Z * Z / (4.0 * rows * rows)));
        return new Interval(share, Math.Max(0, centre - half), Math.Min(1, centre + half));
    }
}
