using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Salus.Learning.Trees;

namespace Salus.Learning.Forest;

/// <summary>
/// Two classes by Gini impurity (Breiman 2001). A bin's sum is one Int64: drawn rows in its upper half, those of class 1
/// in its lower, so that one addition counts both; the classes' weights are applied to the counts.
/// </summary>
sealed class BinarySplitter(BinnedMatrix data, int leafMin, long[] units) : ForestSplitter(data, leafMin)
{
    readonly long[] histogram = new long[256];
    long total;

    public override int Width => 1;

    public override long Cover => (units[0] * (Count(total) - Ones(total))) + (units[1] * Ones(total));

    public override double Unsplit
    {
        get
        {
            double ones = units[1] * Ones(total), cover = Cover, zeros = cover - ones;
            return ((ones * ones) + (zeros * zeros)) / cover;
        }
    }

    public override bool Enter(ReadOnlySpan<ulong> rows)
    {
        total = 0;
        foreach (var entry in rows)
            total += Packed(entry);
        return Ones(total) > 0 && Ones(total) < Count(total) && Count(total) >= 2L * LeafMin;
    }

    public override void Leaf(Span<double> values) => values[0] = (double)(units[1] * Ones(total)) / Cover;

    public override ForestSplit Best(int feature, ReadOnlySpan<ulong> rows, out bool constant)
    {
        Accumulate(feature, rows);
        var bins = Data.Bins[feature].Bins;
        if (!Marks(rows.Length))
            Find(bins, bin => histogram[bin] != 0);
        var anyMissing = TakeMissing(bins, out var occupied);
        var missing = histogram[bins];
        histogram[bins] = 0;
        constant = occupied + (anyMissing ? 1 : 0) < 2;
        var best = new BestSplit(feature);
        var left = 0L;
        var word = 0;
        for (var bin = NextOccupied(ref word); bin >= 0; bin = NextOccupied(ref word))
        {
            left += histogram[bin];
            histogram[bin] = 0;
            best.Reach(bin);
            best.Offer(bin, false, Score(left));
            if (anyMissing)
                best.Offer(bin, true, Score(left + missing));
        }
        return best.End(bins);
    }

    void Accumulate(int feature, ReadOnlySpan<ulong> rows)
    {
        var stride = (nint)Data.FeatureCount;
        ref var codes = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Data.Codes), feature);
        ref var into = ref MemoryMarshal.GetArrayDataReference(histogram);
        if (!Marks(rows.Length))
        {
            foreach (var entry in rows)
                Unsafe.Add(ref into, Unsafe.Add(ref codes, (nint)(entry >> 32) * stride)) += Packed(entry);
            return;
        }
        ref var marks = ref MemoryMarshal.GetArrayDataReference(Occupied);
        foreach (var entry in rows)
        {
            int bin = Unsafe.Add(ref codes, (nint)(entry >> 32) * stride);
            Unsafe.Add(ref into, bin) += Packed(entry);
            Unsafe.Add(ref marks, bin >> 6) |= 1UL << bin;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    double Score(long left)
    {
        var right = total - left;
        if (Count(left) < LeafMin || Count(right) < LeafMin)
            return double.NegativeInfinity;
        double leftOnes = units[1] * Ones(left), leftZeros = units[0] * (Count(left) - Ones(left));
        double rightOnes = units[1] * Ones(right), rightZeros = units[0] * (Count(right) - Ones(right));
        return (((leftOnes * leftOnes) + (leftZeros * leftZeros)) / (leftOnes + leftZeros))
            + (((rightOnes * rightOnes) + (rightZeros * rightZeros)) / (rightOnes + rightZeros));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static long Packed(ulong entry)
    {
        var drawn = (long)(entry >> 16) & 0xFFFF;
        return (drawn << 32) | (drawn & -((long)entry & 1));
    }

    static long Count(long packed) => packed >> 32;

    static long Ones(long packed) => (uint)packed;
}
