namespace Salus.Learning.Trees;

/// <summary>Targets in fixed point about their middle: 31 bits and a sign for the widest of them.</summary>
sealed class FixedTargets
{
    const int Bits = 31;

    readonly double middle;
    readonly double scale;

    public FixedTargets(ReadOnlySpan<double> targets)
    {
        double low = double.PositiveInfinity, high = double.NegativeInfinity;
        foreach (var target in targets)
            (low, high) = (Math.Min(low, target), Math.Max(high, target));
        middle = (low / 2) + (high / 2);
        var half = Math.Max(high - middle, double.Epsilon);
        // A power of two, so that scaling itself rounds nothing.
        scale = Math.ScaleB(1, Math.Clamp(Bits - 1 - Math.ILogB(half), -1_000, 1_000));
        Units = new long[targets.Length];
        for (var row = 0; row < Units.Length; row++)
            Units[row] = (long)Math.Round((targets[row] - middle) * scale);
    }

    public long[] Units { get; }

    public double MeanOf(long sum, long count) => middle + ((double)sum / count / scale);

    /// <summary>A prediction in the same fixed point, for sums over trees that do not depend on their order.</summary>
    public long UnitsOf(double value) => (long)Math.Round((value - middle) * scale);
}
