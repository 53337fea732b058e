using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Salus.Learning.Trees;

namespace Salus.Learning.Boosting;

/// <summary>
/// The sums over this machine's rows. Both derivatives of a row are packed in one Int64 (the first in its upper half,
/// the second, which is positive, in the lower), so that one addition sums both; before a half could overflow the sums
/// are moved on to two Int64.
/// </summary>
sealed class LocalGradientSums : IGradientSums
{
    /// <summary>Bits of a row's derivative, the first with its sign. 2^12 rows' sums fit half of an Int64.</summary>
    public const int Bits = 20;

    const int PackedRows = 1 << (32 - Bits);
    const int TaskRows = 4 * PackedRows;

    readonly BinnedMatrix data;
    readonly HistogramLayout layout;
    readonly ParallelOptions parallel;
    readonly int[] rows;
    readonly int[] keptLeft;
    readonly int[] keptRight;
    readonly Dictionary<int, (int Start, int Count)> nodes = [];
    readonly ConcurrentBag<(long[] Packed, long[] Wide)> buffers = [];
    readonly int[] training;
    long[] gradients = [];
    int[] features = [];

    public LocalGradientSums(BinnedMatrix data, HistogramLayout layout, int[] training, ParallelOptions parallel)
    {
        (this.data, this.layout, this.training, this.parallel) = (data, layout, training, parallel);
        rows = new int[training.Length];
        keptLeft = new int[training.Length];
        keptRight = new int[training.Length];
    }

    /// <summary>Begins a tree: all training rows stand at node 0.</summary>
    public void Begin(long[] packedGradients, int[] chosenFeatures)
    {
        (gradients, features) = (packedGradients, chosenFeatures);
        training.CopyTo(rows, 0);
        nodes.Clear();
        nodes[0] = (0, rows.Length);
    }

    public ReadOnlySpan<int> RowsAt(int node) => rows.AsSpan(nodes[node].Start, nodes[node].Count);

    public static long Pack(int first, int second) => ((long)first << 32) + second;

    public void Sum(int node, Span<long> histogram)
    {
        histogram.Clear();
        var (start, count) = nodes[node];
        var tasks = (count + TaskRows - 1) / TaskRows;
        if (tasks <= 1)
        {
            var buffer = TakeBuffer();
            Accumulate(start, count, buffer.Packed, histogram);
            buffers.Add(buffer);
            return;
        }
        Parallel.For(0, tasks, parallel, task =>
        {
            var buffer = TakeBuffer();
            var from = task * TaskRows;
            Accumulate(start + from, Math.Min(TaskRows, count - from), buffer.Packed, buffer.Wide);
            buffers.Add(buffer);
        });
        foreach (var (_, wide) in buffers)
        {
            for (var i = 0; i < wide.Length; i++)
                histogram[i] += wide[i];
            wide.AsSpan().Clear();
        }
    }

    (long[] Packed, long[] Wide) TakeBuffer() =>
        buffers.TryTake(out var buffer) ? buffer : (new long[layout.BinCount], new long[2 * layout.BinCount]);

    void Accumulate(int start, int count, long[] packed, Span<long> wide)
    {
        for (var from = 0; from < count; from += PackedRows)
        {
            Add(rows.AsSpan(start + from, Math.Min(PackedRows, count - from)), packed);
            foreach (var feature in features)
            {
                var (offset, bins) = (layout.OffsetOf(feature), data.Bins[feature].Bins + 1);
                var source = packed.AsSpan(offset, bins);
                var into = wide.Slice(2 * offset, 2 * bins);
                for (var bin = 0; bin < source.Length; bin++)
                {
                    into[2 * bin] += source[bin] >> 32;
                    into[(2 * bin) + 1] += (uint)source[bin];
                }
                source.Clear();
            }
        }
    }

    // Offsets of a feature are read once for two rows.
    void Add(ReadOnlySpan<int> some, long[] packed)
    {
        var stride = (nint)data.FeatureCount;
        ref var codes = ref MemoryMarshal.GetArrayDataReference(data.Codes);
        ref var sums = ref MemoryMarshal.GetArrayDataReference(packed);
        Span<int> offsets = features.Length <= 1_024 ? stackalloc int[features.Length] : new int[features.Length];
        for (var i = 0; i < offsets.Length; i++)
            offsets[i] = layout.OffsetOf(features[i]);
        var at = 0;
        for (; at + 2 <= some.Length; at += 2)
        {
            int row = some[at], other = some[at + 1];
            long gradient = gradients[row], otherGradient = gradients[other];
            ref var rowCodes = ref Unsafe.Add(ref codes, row * stride);
            ref var otherCodes = ref Unsafe.Add(ref codes, other * stride);
            for (var i = 0; i < offsets.Length; i++)
            {
                nint feature = features[i];
                ref var bins = ref Unsafe.Add(ref sums, offsets[i]);
                Unsafe.Add(ref bins, (nint)Unsafe.Add(ref rowCodes, feature)) += gradient;
                Unsafe.Add(ref bins, (nint)Unsafe.Add(ref otherCodes, feature)) += otherGradient;
            }
        }
        for (; at < some.Length; at++)
        {
            ref var rowCodes = ref Unsafe.Add(ref codes, some[at] * stride);
            for (var i = 0; i < offsets.Length; i++)
                Unsafe.Add(ref sums, offsets[i] + (nint)Unsafe.Add(ref rowCodes, features[i])) += gradients[some[at]];
        }
    }

    public (long Left, long Right) Split(int node, NodeSplit split, int left, int right)
    {
        var (start, count) = nodes[node];
        nodes.Remove(node);
        var tasks = Math.Max(1, (count + TaskRows - 1) / TaskRows);
        var lefts = new int[tasks];
        var all = parallel;
        Parallel.For(0, tasks, all, task =>
        {
            var from = start + (task * TaskRows);
            lefts[task] = Partition(split, from, Math.Min(TaskRows, start + count - from));
        });
        var leftCount = lefts.Sum();
        var (leftAt, rightAt) = (start, start + leftCount);
        for (var task = 0; task < tasks; task++)
        {
            var from = start + (task * TaskRows);
            var rights = Math.Min(TaskRows, start + count - from) - lefts[task];
            keptLeft.AsSpan(from, lefts[task]).CopyTo(rows.AsSpan(leftAt));
            keptRight.AsSpan(from, rights).CopyTo(rows.AsSpan(rightAt));
            leftAt += lefts[task];
            rightAt += rights;
        }
        nodes[left] = (start, leftCount);
        nodes[right] = (start + leftCount, count - leftCount);
        return (leftCount, count - leftCount);
    }

    int Partition(NodeSplit split, int from, int count)
    {
        var (codes, stride) = (data.Codes, (long)data.FeatureCount);
        // 256 answers made once are cheaper than a question per row.
        Span<byte> goesLeft = stackalloc byte[256];
        var missing = data.Bins[split.Feature].Bins;
        for (var bin = 0; bin <= missing; bin++)
            goesLeft[bin] = split.GoesLeft(bin, missing) ? (byte)1 : (byte)0;
        int lefts = from, rights = from;
        for (var i = from; i < from + count; i++)
        {
            var row = rows[i];
            int left = goesLeft[codes[(row * stride) + split.Feature]];
            // Both are written and one is kept: rows fall left and right too evenly for a branch.
            keptLeft[lefts] = row;
            keptRight[rights] = row;
            lefts += left;
            rights += 1 - left;
        }
        return lefts - from;
    }
}
