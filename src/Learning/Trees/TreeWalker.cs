using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
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
    // A block's codes should stay in the second cache; the more rows share each tree while it is there too, the better.
    const int BlockCodes = 1 << 16;
    const int BlockShiftMin = 6;
    const int BlockShiftMax = 10;

    // Trees not deeper than this are walked to their full depth, which costs less than asking whether all have ended.
    const int UnaskedDepth = 8;
    const int Lanes = 8;
    const int StackSlots = 2_048;
    const ushort Greatest = RowCodes.Greatest;

    readonly TreeEnsemble ensemble;
    readonly int[] used;
    readonly int blockShift;
    readonly ulong[] nodes;
    readonly int[] roots;
    readonly int[] depths;
    // Of one value a leaf, each node's value (one load less for each tree); otherwise where each leaf's values begin.
    readonly double[] values;
    readonly int[] valueAt;
    readonly ulong[]?[]? sets;

    // Of each tree its upper part, where codes fit a byte; each exit's node, or its value; and what remains of its depth.
    readonly TreeCrown[]? crowns;
    readonly int[][] exits = [];
    readonly double[][] exitValues = [];
    readonly int[] restDepths;
    readonly bool walksOn = true;

    public TreeWalker(TreeEnsemble ensemble)
    {
        this.ensemble = ensemble;
        used = [.. ensemble.Trees.SelectMany(tree => tree.Feature.ToArray()).Where(feature => feature >= 0).Distinct().Order()];
        blockShift = Math.Clamp(BitOperations.Log2((uint)Math.Max(1, BlockCodes / Math.Max(2, used.Length * 2))), BlockShiftMin, BlockShiftMax);
        var slots = new int[ensemble.FeatureCount];
        for (var i = 0; i < used.Length; i++)
            slots[used[i]] = 2 * i;
        var count = ensemble.Trees.Sum(tree => (long)tree.NodeCount);
        if (count > int.MaxValue)
            throw new ArgumentException($"the trees have {count} nodes; {int.MaxValue} can be walked");
        nodes = new ulong[count];
        valueAt = ensemble.Width == 1 ? [] : new int[count];
        roots = new int[ensemble.Trees.Length];
        depths = new int[ensemble.Trees.Length];
        restDepths = new int[ensemble.Trees.Length];
        values = ensemble.Width == 1 ? new double[count] : [.. ensemble.Trees.SelectMany(tree => tree.Values.ToArray())];
        sets = ensemble.Trees.Any(tree => tree.HasSets) ? new ulong[count][] : null;
        crowns = Vector256.IsHardwareAccelerated && Array.TrueForAll(used, feature => ensemble.Bins[feature].Bins < TreeCrown.BinsMax) ? new TreeCrown[roots.Length] : null;
        if (crowns is not null)
            (exits, exitValues, walksOn) = (new int[roots.Length][], new double[roots.Length][], false);
        int at = 0, valuesAt = 0;
        for (var t = 0; t < roots.Length; t++)
        {
            var (tree, root) = (ensemble.Trees[t], at);
            var places = Places(tree);
            roots[t] = at;
            var depth = Pack(tree, places, at, valuesAt, slots);
            depths[t] = restDepths[t] = depth.Max();
            at += tree.NodeCount;
            valuesAt += tree.Values.Length;
            if (crowns is null)
                continue;
            crowns[t] = TreeCrown.Of(tree, node => slots[tree.Feature[node]] + (tree.MissingLeft[node] ? 0 : 1));
            exits[t] = Array.ConvertAll(crowns[t].Exits, node => root + places[node]);
            exitValues[t] = crowns[t].IsWhole && tree.Width == 1 ? Array.ConvertAll(crowns[t].Exits, node => tree.ValuesAt(node)[0]) : [];
            walksOn |= !crowns[t].IsWhole;
            restDepths[t] -= crowns[t].Exits.Min(node => tree.IsLeaf(node) ? int.MaxValue : depth[node]) is < int.MaxValue and var least ? least : 0;
        }
    }

    /// <summary>
    /// Where each node of a tree is put: the pairs below two siblings right behind them, so that a row which goes down two
    /// levels stays in a line of the cache.
    /// </summary>
    static int[] Places(Tree tree)
    {
        var places = new int[tree.NodeCount];
        var next = 1;
        var waiting = new Stack<int>();
        if (!tree.IsLeaf(0))
            waiting.Push(0);
        while (waiting.TryPop(out var parent))
        {
            Put(parent);
            for (var child = tree.Next[parent]; child <= tree.Next[parent] + 1; child++)
            {
                if (tree.IsLeaf(child))
                    continue;
                Put(child);
                for (var below = tree.Next[child]; below <= tree.Next[child] + 1; below++)
                {
                    if (!tree.IsLeaf(below))
                        waiting.Push(below);
                }
            }
        }
        return places;

        void Put(int parent)
        {
            places[tree.Next[parent]] = next++;
            places[tree.Next[parent] + 1] = next++;
        }
    }

    /// <summary>Packs a tree and says how deep each node lies.</summary>
    int[] Pack(Tree tree, int[] places, int root, int valuesFrom, int[] slots)
    {
        var depth = new int[tree.NodeCount];
        for (var node = 0; node < tree.NodeCount; node++)
        {
            var at = root + places[node];
            if (tree.IsLeaf(node))
            {
                nodes[at] = ((ulong)Greatest << 32) | (uint)at;
                if (tree.Width == 1)
                    values[at] = tree.ValuesAt(node)[0];
                else
                    valueAt[at] = valuesFrom + (tree.Next[node] * tree.Width);
                continue;
            }
            var slot = slots[tree.Feature[node]] + (tree.MissingLeft[node] ? 0 : 1);
            nodes[at] = ((ulong)slot << 48) | ((ulong)(tree.Bin[node] + 1) << 32) | (uint)(root + places[tree.Next[node]]);
            if (tree.SetAt(node) is { } set)
                sets![at] = set;
            depth[tree.Next[node]] = depth[tree.Next[node] + 1] = depth[node] + 1;
        }
        return depth;
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
                Walk(ends, ref MemoryMarshal.GetReference(codes), depths.AsSpan(t, many));
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
            var codes = NewCodes();
            var column = new double[blockRows];
            for (var block = part * run; block < Math.Min(blocks, (part + 1) * run); block++)
            {
                var from = block * blockRows;
                var count = Math.Min(blockRows, rows - from);
                for (var i = 0; i < used.Length; i++)
                {
                    matrix.CopyColumn(used[i], from, column.AsSpan(0, count));
                    codes.Write(i, ensemble.Bins[used[i]], column.AsSpan(0, count));
                }
                AddBlock(codes, sums.AsSpan(from * ensemble.Outputs, count * ensemble.Outputs));
            }
        });
    }

    /// <summary>Adds the leaves of rows that are binned already: <paramref name="rowsOf"/> lists them, <paramref name="sums"/> has places for those alone.</summary>
    public void AddBinned(BinnedMatrix matrix, ReadOnlySpan<int> rowsOf, Span<double> sums)
    {
        var blockRows = 1 << blockShift;
        var codes = NewCodes();
        var bins = new byte[blockRows];
        for (var from = 0; from < rowsOf.Length; from += blockRows)
        {
            var count = Math.Min(blockRows, rowsOf.Length - from);
            for (var i = 0; i < used.Length; i++)
            {
                for (var r = 0; r < count; r++)
                    bins[r] = matrix.Codes[((long)rowsOf[from + r] * matrix.FeatureCount) + used[i]];
                codes.Write(i, matrix.Bins[used[i]].Bins, bins);
            }
            AddBlock(codes, sums.Slice(from * ensemble.Outputs, count * ensemble.Outputs));
        }
    }

    RowCodes NewCodes() => new(Math.Max(2, used.Length * 2), 1 << blockShift, crowns is not null, walksOn);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void AddBlock(RowCodes codes, Span<double> sums)
    {
        var count = sums.Length / ensemble.Outputs;
        var isSingle = ensemble.Outputs == 1;
        Span<int> ends = stackalloc int[TreeCrown.Rows];
        for (var t = 0; t < roots.Length; t++)
        {
            for (var r = 0; r < count; r += TreeCrown.Rows)
            {
                var many = Math.Min(TreeCrown.Rows, count - r);
                if (crowns is null)
                {
                    ends.Fill(roots[t]);
                }
                else
                {
                    var left = crowns[t].Leave(codes.Narrow(r), codes.Room);
                    if (isSingle && crowns[t].IsWhole)
                    {
                        AddValues(exitValues[t], left[..many], sums.Slice(r, many));
                        continue;
                    }
                    for (var i = 0; i < ends.Length; i++)
                        ends[i] = exits[t][left[i]];
                }
                WalkOn(t, ends, codes, r);
                if (isSingle)
                {
                    AddValues(values, ends[..many], sums.Slice(r, many));
                    continue;
                }
                for (var i = 0; i < many; i++)
                    AddLeaf(t, ends[i], sums.Slice((r + i) * ensemble.Outputs, ensemble.Outputs));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void AddValues(double[] values, ReadOnlySpan<byte> exits, Span<double> sums)
    {
        for (var i = 0; i < sums.Length; i++)
            sums[i] += values[exits[i]];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void AddValues(double[] values, ReadOnlySpan<int> nodes, Span<double> sums)
    {
        for (var i = 0; i < sums.Length; i++)
            sums[i] += values[nodes[i]];
    }

    /// <summary>Walks rows that stand side by side from where they are to their leaves. What lies in a block beyond its last row is walked too, and counts for nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void WalkOn(int tree, Span<int> ends, RowCodes codes, int row)
    {
        if (crowns?[tree].IsWhole == true)
            return;
        for (var i = 0; i < ends.Length; i += Lanes)
        {
            if (sets is null)
                Walk(ends.Slice(i, Lanes), ref codes.Wide[row + i], blockShift, 1, restDepths[tree]);
            else
                WalkSets(ends.Slice(i, Lanes), codes.Wide.AsSpan(row + i), 1 << blockShift);
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
    void Walk(Span<int> ends, ref ushort codes, ReadOnlySpan<int> deep)
    {
        var deepest = 0;
        foreach (var depth in deep)
            deepest = Math.Max(deepest, depth);
        Walk(ends, ref codes, 0, 0, deepest);
    }

    // Of four steps three are not asked whether they were the last: one too many stays in its leaf.
    void Walk(Span<int> ends, ref ushort codes, int shift, nint pitch, int depth)
    {
        ref var first = ref MemoryMarshal.GetArrayDataReference(nodes);
        int a = ends[0], b = ends[1], c = ends[2], d = ends[3], e = ends[4], f = ends[5], g = ends[6], h = ends[7];
        int moved;
        do
        {
            var steps = depth <= UnaskedDepth ? depth : 3;
            for (var i = 0; i < steps; i++)
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
            if (depth <= UnaskedDepth)
                break;
            // Not by reference: lanes whose address is taken do not stay in registers.
            int i0 = Step(ref first, ref codes, a, shift, 0), i1 = Step(ref first, ref codes, b, shift, pitch);
            int i2 = Step(ref first, ref codes, c, shift, 2 * pitch), i3 = Step(ref first, ref codes, d, shift, 3 * pitch);
            moved = (a ^ i0) | (b ^ i1) | (c ^ i2) | (d ^ i3);
            (a, b, c, d) = (i0, i1, i2, i3);
            i0 = Step(ref first, ref codes, e, shift, 4 * pitch);
            i1 = Step(ref first, ref codes, f, shift, 5 * pitch);
            i2 = Step(ref first, ref codes, g, shift, 6 * pitch);
            i3 = Step(ref first, ref codes, h, shift, 7 * pitch);
            moved |= (e ^ i0) | (f ^ i1) | (g ^ i2) | (h ^ i3);
            (e, f, g, h) = (i0, i1, i2, i3);
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
