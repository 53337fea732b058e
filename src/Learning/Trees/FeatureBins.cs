using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Salus.Learning.Tables;

namespace Salus.Learning.Trees;

/// <summary>
/// How one feature's values become bins. A number belongs to the first bin whose upper edge is not below it, the last
/// bin having no edge; a category's code belongs to the bin of its own. Missing values, and categories that have no
/// bin, are in the bin after the last.
/// </summary>
sealed class FeatureBins
{
    /// <summary>The most bins a feature has when it is trained on, so that a bin and "missing" fit a byte.</summary>
    public const int BinsLimit = 255;

    readonly double[] edges;

    const int GroupEdges = 16;

    // Upper edges filled up with infinity to a power of two: the search takes the same steps for every value.
    readonly double[] padded;

    // The last edge of each group of sixteen, where those of all groups are sixteen at most.
    readonly double[] coarse = new double[GroupEdges];

    public FeatureBins(double[] edges, bool isCategory)
    {
        this.edges = edges;
        IsCategory = isCategory;
        var size = GroupEdges;
        while (size <= edges.Length)
            size <<= 1;
        padded = new double[size];
        edges.CopyTo(padded, 0);
        padded.AsSpan(edges.Length).Fill(double.PositiveInfinity);
        coarse.AsSpan().Fill(double.PositiveInfinity);
        for (var group = 0; group < Math.Min(GroupEdges, size / GroupEdges); group++)
            coarse[group] = padded[(group * GroupEdges) + GroupEdges - 1];
    }

    /// <summary>Upper edges of the bins but the last; of a category, the codes that have bins. Strictly rising.</summary>
    public ReadOnlySpan<double> Edges => edges;

    public bool IsCategory { get; }

    public int Bins => IsCategory ? edges.Length : edges.Length + 1;

    public int BinOf(double value)
    {
        if (double.IsNaN(value))
            return Bins;
        var bin = EdgesBelow(value);
        return !IsCategory || (bin < edges.Length && edges[bin] == value) ? bin : Bins;
    }

    /// <summary>The bins of many values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void BinsOf(ReadOnlySpan<double> values, Span<byte> into)
    {
        if (IsCategory || !Vector256.IsHardwareAccelerated)
        {
            for (var at = 0; at < values.Length; at++)
                into[at] = (byte)BinOf(values[at]);
            return;
        }
        ref var fine = ref MemoryMarshal.GetArrayDataReference(padded);
        ref var coarse = ref MemoryMarshal.GetArrayDataReference(this.coarse);
        for (var at = 0; at < values.Length; at++)
        {
            var value = Vector256.Create(values[at]);
            var group = CountBelow(ref coarse, value) * GroupEdges;
            var bin = group + CountBelow(ref Unsafe.Add(ref fine, group), value);
            into[at] = (byte)(double.IsNaN(values[at]) ? Bins : bin);
        }
    }

    /// <summary>How many of sixteen numbers are below the value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int CountBelow(ref double first, Vector256<double> value)
    {
        // A comparison that holds is −1.
        var below = Vector256.LessThan(Vector256.LoadUnsafe(ref first), value).AsInt64() + Vector256.LessThan(Vector256.LoadUnsafe(ref first, 4), value).AsInt64()
            + Vector256.LessThan(Vector256.LoadUnsafe(ref first, 8), value).AsInt64() + Vector256.LessThan(Vector256.LoadUnsafe(ref first, 12), value).AsInt64();
        var half = below.GetLower() + below.GetUpper();
        return -(int)(half.ToScalar() + half.GetElement(1));
    }

    int EdgesBelow(double value)
    {
        ref var first = ref MemoryMarshal.GetArrayDataReference(padded);
        var below = 0;
        for (var half = padded.Length >> 1; half > 0; half >>= 1)
            below += -Below(ref first, below + half - 1, value) & half;
        return below;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int Below(ref double first, int at, double value) => Unsafe.BitCast<bool, byte>(Unsafe.Add(ref first, at) < value);

    /// <summary>One bin per distinct value while they are few, otherwise bins of about equal numbers of rows. Sorts <paramref name="values"/>, which hold no NaN.</summary>
    public static FeatureBins OfNumbers(Span<double> values, int binsMax)
    {
        NumberSort.Sort(values);
        var distinct = 0;
        for (var i = 0; i < values.Length; i++)
            distinct += i + 1 == values.Length || values[i + 1] != values[i] ? 1 : 0;
        var edges = new List<double>();
        var cut = 0;
        for (var i = 0; i + 1 < values.Length; i++)
        {
            if (values[i + 1] == values[i])
                continue;
            var cuts = (i + 1L) * binsMax / values.Length;
            if (distinct > binsMax && (cuts <= cut || edges.Count == binsMax - 1))
                continue;
            cut = (int)cuts;
            edges.Add(Between(values[i], values[i + 1]));
        }
        return new FeatureBins([.. edges], false);
    }

    /// <summary>The bins of every feature. A category has a bin for each code where there are at most <paramref name="levelsMax"/>; otherwise the order of its codes counts.</summary>
    public static FeatureBins[] Of(FeatureMatrix matrix, int binsMax, int levelsMax, ParallelOptions parallel)
    {
        var bins = new FeatureBins[matrix.Features.Count];
        Parallel.For(0, bins.Length, parallel, feature =>
        {
            var sample = ArrayPool<double>.Shared.Rent(Math.Min(matrix.RowCount, SampleMax));
            var values = sample.AsSpan(0, Sample(matrix, feature, sample));
            bins[feature] = matrix.Features[feature].Kind == FeatureKind.Code && LevelsOf(values, Math.Min(levelsMax, binsMax)) is { } levels
                ? new FeatureBins(levels, true)
                : OfNumbers(values, binsMax);
            ArrayPool<double>.Shared.Return(sample);
        });
        return bins;
    }

    static double[]? LevelsOf(ReadOnlySpan<double> codes, int levelsMax)
    {
        var levels = new SortedSet<double>();
        foreach (var code in codes)
        {
            if (levels.Add(code) && levels.Count > levelsMax)
                return null;
        }
        return [.. levels];
    }

    // Above this many rows, evenly spaced ones stand for all: edges need quantiles, not every value.
    const int SampleMax = 200_000;

    static int Sample(FeatureMatrix matrix, int feature, Span<double> into)
    {
        var count = Math.Min(matrix.RowCount, SampleMax);
        var known = 0;
        for (var i = 0; i < count; i++)
        {
            var value = matrix.At((int)((long)i * matrix.RowCount / count), feature);
            if (!double.IsNaN(value))
                into[known++] = value;
        }
        return known;
    }

    // The middle of two neighbours may round to the upper one, or overflow; the lower one still separates them.
    static double Between(double low, double high)
    {
        var middle = (low / 2) + (high / 2);
        if (!(middle >= low && middle < high))
            middle = low;
        return double.IsFinite(middle) ? middle : double.IsNegativeInfinity(low) ? double.MinValue : low;
    }
}
