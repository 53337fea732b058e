using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Salus.Learning.Trees;

namespace Salus.Learning.Boosting;

/// <summary>
/// Sums a few thousand rows at a time. Their bins are copied together first, so that what is far apart in memory is
/// waited for once, and then summed eight features at a time, so that the sums stay in the first cache. Both derivatives
/// of a row are packed in one Int64, the first in its upper half, the second, which is positive, in the lower: one
/// addition sums both, and before a half could overflow the sums are moved on.
/// </summary>
sealed class HistogramBlock
{
    /// <summary>Bits of a row's derivative, the first with its sign.</summary>
    public const int Bits = 20;

    /// <summary>So many rows' sums fit half of an Int64.</summary>
    public const int RowsMax = 1 << (32 - Bits);

    // Features copied together: one vector of their bins.
    const int SlabFeatures = BinnedMatrix.CodesBeyond;
    const int Slots = 256;

    readonly byte[] codes = new byte[RowsMax * SlabFeatures];
    readonly long[] gradients = new long[RowsMax];
    readonly long[] packed = new long[8 * Slots];

    public static long Pack(int first, int second) => ((long)first << 32) + second;

    /// <summary>Adds the sums of some rows to a histogram. <paramref name="features"/> rise.</summary>
    public void Add(BinnedMatrix data, HistogramLayout layout, ReadOnlySpan<int> rows, long[] rowGradients, ReadOnlySpan<int> features, Span<long> histogram)
    {
        while (features.Length > 0)
        {
            var first = Math.Max(0, Math.Min(features[0], data.FeatureCount - SlabFeatures));
            var some = features.Length;
            while (features[some - 1] >= first + SlabFeatures)
                some--;
            for (var from = 0; from < rows.Length; from += RowsMax)
            {
                var count = Gather(data, first, rows.Slice(from, Math.Min(RowsMax, rows.Length - from)), rowGradients);
                AddSlab(data, layout, first, features[..some], count, histogram);
            }
            features = features[some..];
        }
    }

    // Rows that a round left out have no derivatives and are not kept.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    int Gather(BinnedMatrix data, int first, ReadOnlySpan<int> rows, long[] rowGradients)
    {
        var stride = (nint)data.FeatureCount;
        ref var from = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(data.Codes), first);
        ref var into = ref MemoryMarshal.GetArrayDataReference(codes);
        ref var known = ref MemoryMarshal.GetArrayDataReference(rowGradients);
        ref var kept = ref MemoryMarshal.GetArrayDataReference(gradients);
        nint count = 0;
        foreach (var row in rows)
        {
            var gradient = Unsafe.Add(ref known, row);
            Vector256.LoadUnsafe(ref Unsafe.Add(ref from, row * stride)).StoreUnsafe(ref Unsafe.Add(ref into, count * SlabFeatures));
            Unsafe.Add(ref kept, count) = gradient;
            count += gradient == 0 ? 0 : 1;
        }
        return (int)count;
    }

    void AddSlab(BinnedMatrix data, HistogramLayout layout, int first, ReadOnlySpan<int> features, int count, Span<long> histogram)
    {
        while (features.Length > 0)
        {
            var width = 1;
            if (features.Length >= 8 && features[7] - features[0] == 7)
            {
                width = 8;
                AddEight(features[0] - first, count);
            }
            else if (features.Length >= 4)
            {
                width = 4;
                AddFour(features[0] - first, features[1] - first, features[2] - first, features[3] - first, count);
            }
            else
            {
                AddOne(features[0] - first, count);
            }
            for (var slot = 0; slot < width; slot++)
                Move(packed.AsSpan(slot * Slots, data.Bins[features[slot]].Bins + 1), histogram[(2 * layout.OffsetOf(features[slot]))..]);
            features = features[width..];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void AddEight(nint feature, int count)
    {
        ref var code = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(codes), feature);
        ref var sums = ref MemoryMarshal.GetArrayDataReference(packed);
        foreach (var gradient in gradients.AsSpan(0, count))
        {
            At(ref sums, code, 0) += gradient;
            At(ref sums, Unsafe.Add(ref code, 1), 1) += gradient;
            At(ref sums, Unsafe.Add(ref code, 2), 2) += gradient;
            At(ref sums, Unsafe.Add(ref code, 3), 3) += gradient;
            At(ref sums, Unsafe.Add(ref code, 4), 4) += gradient;
            At(ref sums, Unsafe.Add(ref code, 5), 5) += gradient;
            At(ref sums, Unsafe.Add(ref code, 6), 6) += gradient;
            At(ref sums, Unsafe.Add(ref code, 7), 7) += gradient;
            code = ref Unsafe.Add(ref code, SlabFeatures);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void AddFour(nint first, nint second, nint third, nint fourth, int count)
    {
        ref var code = ref MemoryMarshal.GetArrayDataReference(codes);
        ref var sums = ref MemoryMarshal.GetArrayDataReference(packed);
        foreach (var gradient in gradients.AsSpan(0, count))
        {
            At(ref sums, Unsafe.Add(ref code, first), 0) += gradient;
            At(ref sums, Unsafe.Add(ref code, second), 1) += gradient;
            At(ref sums, Unsafe.Add(ref code, third), 2) += gradient;
            At(ref sums, Unsafe.Add(ref code, fourth), 3) += gradient;
            code = ref Unsafe.Add(ref code, SlabFeatures);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void AddOne(nint feature, int count)
    {
        ref var code = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(codes), feature);
        ref var sums = ref MemoryMarshal.GetArrayDataReference(packed);
        foreach (var gradient in gradients.AsSpan(0, count))
        {
            At(ref sums, code, 0) += gradient;
            code = ref Unsafe.Add(ref code, SlabFeatures);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static ref long At(ref long sums, byte code, int slot) => ref Unsafe.Add(ref Unsafe.Add(ref sums, (nint)code), slot * Slots);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Move(Span<long> packed, Span<long> histogram)
    {
        var bin = 0;
        if (Avx2.IsSupported)
        {
            // Halves are split without their sign, which is taken off again: there is no shift that keeps it.
            var (sign, half) = (Vector256.Create(long.MinValue), Vector256.Create((long)uint.MaxValue));
            var shift = Vector256.Create(32UL, 0, 32, 0);
            var bias = Vector256.Create(1L << 31, 0, 1L << 31, 0);
            sign &= Vector256.Create(-1L, 0, -1, 0);
            ref var from = ref MemoryMarshal.GetReference(packed);
            ref var into = ref MemoryMarshal.GetReference(histogram);
            for (; bin + 2 <= packed.Length; bin += 2)
            {
                var pair = Avx2.Permute4x64(Vector256.Create(Vector128.LoadUnsafe(ref from, (nuint)bin), default), 0b01_01_00_00);
                var parts = (Avx2.ShiftRightLogicalVariable(pair ^ sign, shift) & half) - bias;
                (Vector256.LoadUnsafe(ref into, 2 * (nuint)bin) + parts).StoreUnsafe(ref into, 2 * (nuint)bin);
            }
        }
        for (; bin < packed.Length; bin++)
        {
            histogram[2 * bin] += packed[bin] >> 32;
            histogram[(2 * bin) + 1] += (uint)packed[bin];
        }
        packed.Clear();
    }
}
