using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Salus.Learning.Trees;

namespace Salus.Learning.Forest;

/// <summary>
/// Two classes by Gini impurity (Breiman 2001). A bin's sum is one Int64: different rows in its upper 22 bits, drawn ones
/// in the next 21, those of class 1 in the last, so that one addition counts all; the classes' weights are applied to the
/// counts. A node of more draws has 32 bits for each of the latter two, and counts the different rows beside them.
/// </summary>
/// <param name="data">The rows.</param>
/// <param name="leafMin">The fewest different rows of a side.</param>
/// <param name="units">The classes' weights.</param>
/// <param name="packedMax">The most draws of a node whose different rows are counted in the same sums.</param>
sealed class BinarySplitter(BinnedMatrix data, int leafMin, long[] units, long packedMax = (1 << BinarySplitter.PackedBits) - 1) : ForestSplitter(data, leafMin)
{
    const int PackedBits = 21;

    readonly long[] histogram = new long[256];
    readonly int[] beside = new int[256];
    readonly long one = units[1];
    readonly long zero = units[0];
    long drawn;
    long ones;
    int different;

    public override int Width => 1;

    public override long Cover => (zero * (drawn - ones)) + (one * ones);

    public override double Unsplit
    {
        get
        {
            double weighted = one * ones, cover = Cover, zeros = cover - weighted;
            return ((weighted * weighted) + (zeros * zeros)) / cover;
        }
    }

    public override bool Enter(ReadOnlySpan<ulong> rows)
    {
        var sum = 0L;
        foreach (var entry in rows)
            sum += Drawn(entry, Wide.Bits);
        (drawn, ones, different) = (sum >> Wide.Bits, (uint)sum, rows.Length);
        return ones > 0 && ones < drawn && different >= 2L * LeafMin;
    }

    public override void Leaf(Span<double> values) => values[0] = (double)(one * ones) / Cover;

    public override ForestSplit Best(int feature, ReadOnlySpan<ulong> rows, out bool constant) =>
        drawn <= packedMax ? Best<Packed>(feature, rows, out constant) : Best<Wide>(feature, rows, out constant);

    ForestSplit Best<TCounts>(int feature, ReadOnlySpan<ulong> rows, out bool constant) where TCounts : struct, ICounts
    {
        Accumulate<TCounts>(feature, rows);
        var bins = Data.Bins[feature].Bins;
        if (!Marks(rows.Length))
            Find(bins, bin => histogram[bin] != 0);
        var anyMissing = TakeMissing(bins, out var occupied);
        var (missing, missingRows) = (histogram[bins], TCounts.HasRows ? 0 : beside[bins]);
        histogram[bins] = 0;
        constant = occupied + (anyMissing ? 1 : 0) < 2;
        var total = (TCounts.HasRows ? (long)different << (2 * TCounts.Bits) : 0) + (drawn << TCounts.Bits) + ones;
        var best = new BestSplit(feature);
        var (left, leftRows) = (0L, 0);
        var word = 0;
        for (var bin = NextOccupied(ref word); bin >= 0; bin = NextOccupied(ref word))
        {
            left += histogram[bin];
            histogram[bin] = 0;
            if (!TCounts.HasRows)
                leftRows += beside[bin];
            best.Reach(bin);
            best.Offer(bin, false, Score<TCounts>(left, leftRows, total));
            if (anyMissing)
                best.Offer(bin, true, Score<TCounts>(left + missing, leftRows + missingRows, total));
        }
        return best.End(bins);
    }

    void Accumulate<TCounts>(int feature, ReadOnlySpan<ulong> rows) where TCounts : struct, ICounts
    {
        var stride = (nint)Data.FeatureCount;
        ref var codes = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(Data.Codes), feature);
        ref var into = ref MemoryMarshal.GetArrayDataReference(histogram);
        if (!TCounts.HasRows)
        {
            beside.AsSpan().Clear();
            foreach (var entry in rows)
                beside[Unsafe.Add(ref codes, (nint)(entry >> 32) * stride)]++;
        }
        if (!Marks(rows.Length))
        {
            foreach (var entry in rows)
                Unsafe.Add(ref into, Unsafe.Add(ref codes, (nint)(entry >> 32) * stride)) += Counted<TCounts>(entry);
            return;
        }
        ref var marks = ref MemoryMarshal.GetArrayDataReference(Occupied);
        foreach (var entry in rows)
        {
            int bin = Unsafe.Add(ref codes, (nint)(entry >> 32) * stride);
            Unsafe.Add(ref into, bin) += Counted<TCounts>(entry);
            Unsafe.Add(ref marks, bin >> 6) |= 1UL << bin;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    double Score<TCounts>(long left, int leftRows, long total) where TCounts : struct, ICounts
    {
        var here = TCounts.HasRows ? (int)(left >>> (2 * TCounts.Bits)) : leftRows;
        if (here < LeafMin || different - here < LeafMin)
            return double.NegativeInfinity;
        var right = total - left;
        double leftOnes = one * Ones<TCounts>(left), leftZeros = zero * Zeros<TCounts>(left);
        double rightOnes = one * Ones<TCounts>(right), rightZeros = zero * Zeros<TCounts>(right);
        return (((leftOnes * leftOnes) + (leftZeros * leftZeros)) / (leftOnes + leftZeros))
            + (((rightOnes * rightOnes) + (rightZeros * rightZeros)) / (rightOnes + rightZeros));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static long Counted<TCounts>(ulong entry) where TCounts : struct, ICounts =>
        TCounts.HasRows ? Drawn(entry, TCounts.Bits) + (1L << (2 * TCounts.Bits)) : Drawn(entry, TCounts.Bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static long Drawn(ulong entry, int bits)
    {
        var drawn = (long)(entry >> 16) & 0xFFFF;
        return (drawn << bits) | (drawn & -((long)entry & 1));
    }

    static long Ones<TCounts>(long counted) where TCounts : struct, ICounts => counted & ((1L << TCounts.Bits) - 1);

    static long Zeros<TCounts>(long counted) where TCounts : struct, ICounts =>
        ((counted >> TCounts.Bits) & ((1L << TCounts.Bits) - 1)) - Ones<TCounts>(counted);

    /// <summary>How a sum is divided: ones, then draws, of so many bits each, then different rows where there is place.</summary>
    interface ICounts
    {
        static abstract int Bits { get; }

        static abstract bool HasRows { get; }
    }

    readonly struct Packed : ICounts
    {
        public static int Bits => PackedBits;

        public static bool HasRows => true;
    }

    readonly struct Wide : ICounts
    {
        public const int Bits = 32;

        static int ICounts.Bits => Bits;

        public static bool HasRows => false;
    }
}
