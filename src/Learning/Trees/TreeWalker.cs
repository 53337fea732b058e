using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Salus.Learning.Tables;

namespace Salus.Learning.Trees;

/// <summary>
/// Walks rows down trees without a branch that depends on data. A node is 64 bits: 16 of slot, 16 of code, 32 of left
/// child; a row goes right where its code in that slot is greater. Each feature has two slots: in the lower a missing
/// value is the least code, so it goes left, in the upper the greatest, so it goes right. A leaf has the greatest code
/// and itself for left child, so that walks of several trees, or rows, can go on side by side until the last has ended.
/// </summary>
sealed class TreeWalker
{
    // A block's codes should stay near; with few features more rows share each tree while it is near.
    const int NarrowSlots = 256;
    const int Lanes = 8;
    const int StackSlots = 2_048;
    const ushort Greatest = ushort.MaxValue;

    readonly TreeEnsemble ensemble;
    readonly int[] used;
    readonly int blockShift;
    readonly ulong[] nodes;
    readonly int[] roots;
    // Of one value a leaf, each node's value (one load less for each tree); otherwise where each leaf's values begin.
    readonly double[] values;
    readonly int[] valueAt;
    readonly ulong[]?[]? sets;

    public TreeWalker(TreeEnsemble ensemble)
    {
        this.ensemble = ensemble;
        used = [.. ensemble.Trees.SelectMany(tree => tree.Feature.ToArray()).Where(feature => feature >= 0).Distinct().Order()];
        blockShift = used.Length * 2 <= NarrowSlots ? 8 : 6;
        var slots = new int[ensemble.FeatureCount];
        for (var i = 0; i < used.Length; i++)
            slots[used[i]] = 2 * i;
        var count = ensemble.Trees.Sum(tree => (long)tree.NodeCount);
        if (count > int.MaxValue)
            throw new ArgumentException($"the trees have {count} nodes; {int.MaxValue} can be walked");
        nodes = new ulong[count];
        valueAt = ensemble.Width == 1 ? [] : new int[count];
        roots = new int[ensemble.Trees.Length];
        values = ensemble.Width == 1 ? new double[count] : [.. ensemble.Trees.SelectMany(tree => tree.Values.ToArray())];
        sets = ensemble.Trees.Any(tree => tree.HasSets) ? new ulong[count][] : null;
        int at = 0, valuesAt = 0;
        for (var t = 0; t < roots.Length; t++)
        {
            roots[t] = at;
            Pack(ensemble.Trees[t], at, valuesAt, slots);
            at += ensemble.Trees[t].NodeCount;
            valuesAt += ensemble.Trees[t].Values.Length;
        }
    }

    void Pack(Tree tree, int root, int valuesFrom, int[] slots)
    {
        for (var node = 0; node < tree.NodeCount; node++)
        {
            if (tree.IsLeaf(node))
            {
                nodes[root + node] = ((ulong)Greatest << 32) | (uint)(root + node);
                if (tree.Width == 1)
                    values[root + node] = tree.ValuesAt(node)[0];
                else
                    valueAt[root + node] = valuesFrom + (tree.Next[node] * tree.Width);
                continue;
            }
            var slot = slots[tree.Feature[node]] + (tree.MissingLeft[node] ? 0 : 1);
            nodes[root + node] = ((ulong)slot << 48) | ((ulong)(tree.Bin[node] + 1) << 32) | (uint)(root + tree.Next[node]);
            if (tree.SetAt(node) is { } set)
                sets![root + node] = set;
        }
    }

    public void AddRow(ReadOnlySpan<double> row, Span<double> sums)
    {
        var slots = Math.Max(2, used.Length * 2);
        var rented = slots <= StackSlots ? null : ArrayPool<ushort>.Shared.Rent(slots);
        Span<ushort> codes = rented ?? stackalloc ushort[StackSlots];
        for (var i = 0; i < used.Length; i++)
        {
            var bins = ensemble.Bins[used[i]];
            var bin = bins.BinOf(row[used[i]]);
            var missing = bin == bins.Bins;
            codes[2 * i] = missing ? (ushort)0 : (ushort)(bin + 1);
            codes[(2 * i) + 1] = missing ? Greatest : (ushort)(bin + 1);
        }
        Span<int> ends = stackalloc int[Lanes];
        for (var t = 0; t < roots.Length; t += Lanes)
        {
            var many = Math.Min(Lanes, roots.Length - t);
            for (var i = 0; i < Lanes; i++)
                ends[i] = roots[t + Math.Min(i, many - 1)];
            if (sets is null)
                Walk(ends, ref MemoryMarshal.GetReference(codes));
            else
                WalkSets(ends[..many], codes, 1);
            for (var i = 0; i < many; i++)
                AddLeaf(t + i, ends[i], sums);
        }
        if (rented is not null)
            ArrayPool<ushort>.Shared.Return(rented);
    }

    public void AddMatrix(FeatureMatrix matrix, double[] sums, ParallelOptions parallel)
    {
        var rows = matrix.RowCount;
        var blockRows = 1 << blockShift;
        var blocks = (rows + blockRows - 1) / blockRows;
        // A worker takes a run of blocks, so that its buffers are made once.
        var run = Math.Max(1, Math.Min(16, blocks / 8));
        Parallel.For(0, (blocks + run - 1) / run, parallel, part =>
        {
            var codes = new ushort[Math.Max(2, used.Length * 2) * blockRows];
            var column = new double[blockRows];
            for (var block = part * run; block < Math.Min(blocks, (part + 1) * run); block++)
            {
                var from = block * blockRows;
                var count = Math.Min(blockRows, rows - from);
                for (var i = 0; i < used.Length; i++)
                {
                    matrix.CopyColumn(used[i], from, column.AsSpan(0, count));
                    Encode(ensemble.Bins[used[i]], column.AsSpan(0, count), codes.AsSpan(2 * i * blockRows, 2 * blockRows));
                }
                AddBlock(codes, sums.AsSpan(from * ensemble.Outputs, count * ensemble.Outputs), 0, roots.Length);
            }
        });
    }

    /// <summary>Adds the leaves of rows that are binned already: <paramref name="rowsOf"/> lists them, <paramref name="sums"/> has places for those alone.</summary>
    public void AddBinned(BinnedMatrix matrix, ReadOnlySpan<int> rowsOf, Span<double> sums)
    {
        var blockRows = 1 << blockShift;
        var codes = new ushort[Math.Max(2, used.Length * 2) * blockRows];
        for (var from = 0; from < rowsOf.Length; from += blockRows)
        {
            var count = Math.Min(blockRows, rowsOf.Length - from);
            for (var i = 0; i < used.Length; i++)
            {
                var missing = matrix.Bins[used[i]].Bins;
                for (var r = 0; r < count; r++)
                    Put(codes, (2 * i * blockRows) + r, matrix.Codes[((long)rowsOf[from + r] * matrix.FeatureCount) + used[i]], missing, blockRows);
            }
            AddBlock(codes, sums.Slice(from * ensemble.Outputs, count * ensemble.Outputs), 0, roots.Length);
        }
    }

    static void Encode(FeatureBins bins, ReadOnlySpan<double> values, Span<ushort> codes)
    {
        var blockRows = codes.Length / 2;
        if (bins.Bins <= FeatureBins.BinsLimit)
        {
            Span<byte> narrow = stackalloc byte[256];
            bins.BinsOf(values, narrow);
            for (var r = 0; r < values.Length; r++)
                Put(codes, r, narrow[r], bins.Bins, blockRows);
            return;
        }
        for (var r = 0; r < values.Length; r++)
            Put(codes, r, bins.BinOf(values[r]), bins.Bins, blockRows);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Put(Span<ushort> codes, int at, int bin, int missing, int blockRows)
    {
        var code = (ushort)(bin + 1);
        codes[at] = bin == missing ? (ushort)0 : code;
        codes[at + blockRows] = bin == missing ? Greatest : code;
    }

    void AddBlock(ushort[] codes, Span<double> sums, int fromTree, int uptoTree)
    {
        var count = sums.Length / ensemble.Outputs;
        Span<int> ends = stackalloc int[Lanes];
        for (var t = fromTree; t < uptoTree; t++)
        {
            for (var r = 0; r < count; r += Lanes)
            {
                ends.Fill(roots[t]);
                if (sets is null)
                    WalkBlock(ends, ref codes[r]);
                else
                    WalkSets(ends, codes.AsSpan(r), 1 << blockShift);
                var many = Math.Min(Lanes, count - r);
                for (var i = 0; i < many; i++)
                    AddLeaf(t, ends[i], sums.Slice((r + i) * ensemble.Outputs, ensemble.Outputs));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void AddLeaf(int tree, int node, Span<double> sums)
    {
        if (ensemble.Width == 1)
        {
            sums[sums.Length == 1 ? 0 : tree % sums.Length] += values[node];
            return;
        }
        var leaf = values.AsSpan(valueAt[node], sums.Length);
        for (var i = 0; i < leaf.Length; i++)
            sums[i] += leaf[i];
    }

    /// <summary>One row down eight trees.</summary>
    void Walk(Span<int> ends, ref ushort codes) => Walk(ends, ref codes, 0, 0);

    /// <summary>Eight rows of a block down one tree.</summary>
    void WalkBlock(Span<int> ends, ref ushort codes) => Walk(ends, ref codes, blockShift, 1);

    // Three steps of four are not asked whether they were the last: one too many stays in its leaf.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void Walk(Span<int> ends, ref ushort codes, int shift, nint pitch)
    {
        ref var first = ref MemoryMarshal.GetArrayDataReference(nodes);
        int a = ends[0], b = ends[1], c = ends[2], d = ends[3], e = ends[4], f = ends[5], g = ends[6], h = ends[7];
        int moved;
        do
        {
            for (var i = 0; i < 3; i++)
            {
                a = Step(ref first, ref codes, a, shift, 0);
                b = Step(ref first, ref codes, b, shift, pitch);
                c = Step(ref first, ref codes, c, shift, 2 * pitch);
                d = Step(ref first, ref codes, d, shift, 3 * pitch);
                e = Step(ref first, ref codes, e, shift, 4 * pitch);
                f = Step(ref first, ref codes, f, shift, 5 * pitch);
                g = Step(ref first, ref codes, g, shift, 6 * pitch);
                h = Step(ref first, ref codes, h, shift, 7 * pitch);
            }
            moved = Move(ref first, ref codes, ref a, shift, 0) | Move(ref first, ref codes, ref b, shift, pitch)
                | Move(ref first, ref codes, ref c, shift, 2 * pitch) | Move(ref first, ref codes, ref d, shift, 3 * pitch)
                | Move(ref first, ref codes, ref e, shift, 4 * pitch) | Move(ref first, ref codes, ref f, shift, 5 * pitch)
                | Move(ref first, ref codes, ref g, shift, 6 * pitch) | Move(ref first, ref codes, ref h, shift, 7 * pitch);
        }
        while (moved != 0);
        (ends[0], ends[1], ends[2], ends[3], ends[4], ends[5], ends[6], ends[7]) = (a, b, c, d, e, f, g, h);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int Step(ref ulong nodes, ref ushort codes, int at, int shift, nint lane)
    {
        var node = Unsafe.Add(ref nodes, at);
        return (int)node + Unsafe.BitCast<bool, byte>(Unsafe.Add(ref codes, (nint)((node >> 48) << shift) + lane) > (ushort)(node >> 32));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int Move(ref ulong nodes, ref ushort codes, ref int at, int shift, nint lane)
    {
        var before = at;
        at = Step(ref nodes, ref codes, at, shift, lane);
        return before ^ at;
    }

    /// <summary>Trees with categories: a node with a set asks whether it holds the row's bin. Slot s of lane i lies at s × pitch, + i where rows lie side by side.</summary>
    void WalkSets(Span<int> ends, ReadOnlySpan<ushort> codes, int pitch)
    {
        for (var i = 0; i < ends.Length; i++)
        {
            var lane = pitch == 1 ? 0 : i;
            var at = ends[i];
            while (true)
            {
                var node = nodes[at];
                var code = codes[((int)(node >> 48) * pitch) + lane];
                var left = (int)node;
                if (left == at)
                    break;
                var right = sets![at] is { } set && code is not (0 or Greatest)
                    ? (set[(code - 1) >> 6] >> ((code - 1) & 63) & 1) == 0
                    : code > (ushort)(node >> 32) || (sets[at] is not null && code == Greatest);
                at = left + (right ? 1 : 0);
            }
            ends[i] = at;
        }
    }
}
