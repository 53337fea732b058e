using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Salus.Learning.Tables;

namespace Salus.Learning.Trees;

/// <summary>
/// Sums the leaves that rows come to. 32 rows at a time leave the upper part of a tree together (<see cref="TreeCrown"/>)
/// and walk on without a branch that depends on data (<see cref="PackedTrees"/>); one row alone walks down several trees.
/// </summary>
sealed class TreeWalker
{
    // The codes of rows that leave by crowns alone should stay in the second cache. Where rows walk on, that is the
    // tree's, and the more rows share it while it is there, the better.
    const int CrownCodes = 1 << 16;
    const int WalkCodes = 1 << 19;
    const int BlockRowsMin = 64;
    const int CrownRowsMax = 1_024;
    const int WalkRowsMax = 8_192;

    // Of fewer rows each, more threads are not worth their beginning.
    const int ThreadRowsMin = 256;
    const int StackBytes = 4_096;
    const int StackTrees = 1_024;

    readonly TreeEnsemble ensemble;
    readonly int[] used;
    readonly int slots;
    readonly PackedTrees trees;

    // Of each tree its upper part, where codes fit a byte; each exit's node, or its value.
    readonly TreeCrown[]? crowns;
    readonly int[][] exits = [];
    readonly double[][] exitValues = [];
    readonly bool walksOn = true;

    public TreeWalker(TreeEnsemble ensemble)
    {
        this.ensemble = ensemble;
        used = [.. ensemble.Trees.SelectMany(tree => tree.Feature.ToArray()).Where(feature => feature >= 0).Distinct().Order()];
        slots = Math.Max(2, used.Length * 2);
        var slotOf = new int[ensemble.FeatureCount];
        for (var i = 0; i < used.Length; i++)
            slotOf[used[i]] = 2 * i;
        var places = Array.ConvertAll(ensemble.Trees, PackedTrees.Places);
        trees = PackedTrees.Of(ensemble, slotOf, places);
        if (!Vector256.IsHardwareAccelerated || !Array.TrueForAll(used, feature => ensemble.Bins[feature].Bins < TreeCrown.BinsMax))
            return;
        crowns = Array.ConvertAll(ensemble.Trees, tree => TreeCrown.Of(tree, node => slotOf[tree.Feature[node]] + (tree.MissingLeft[node] ? 0 : 1)));
        exits = [.. crowns.Select((crown, t) => Array.ConvertAll(crown.Exits, node => places[t][node]))];
        exitValues = [.. crowns.Select((crown, t) => crown.IsWhole && ensemble.Width == 1 ? Array.ConvertAll(crown.Exits, node => ensemble.Trees[t].ValuesAt(node)[0]) : [])];
        walksOn = !Array.TrueForAll(crowns, crown => crown.IsWhole);
    }

    public void AddRow(ReadOnlySpan<double> row, Span<double> sums)
    {
        var size = slots * (trees.IsShort ? 1 : sizeof(ushort));
        var rentedCodes = size <= StackBytes ? null : ArrayPool<byte>.Shared.Rent(size);
        var rentedEnds = ensemble.Trees.Length <= StackTrees ? null : ArrayPool<int>.Shared.Rent(ensemble.Trees.Length);
        Span<byte> codes = rentedCodes ?? stackalloc byte[StackBytes];
        Span<int> ends = (rentedEnds ?? stackalloc int[StackTrees])[..ensemble.Trees.Length];
        for (var i = 0; i < used.Length; i++)
        {
            var bins = ensemble.Bins[used[i]];
            RowCodes.Write(codes, i, bins.BinOf(row[used[i]]), bins.Bins, trees.IsShort);
        }
        trees.WalkTrees(ends, codes);
        for (var t = 0; t < ends.Length; t++)
            AddLeaf(t, ends[t], sums);
        if (rentedCodes is not null)
            ArrayPool<byte>.Shared.Return(rentedCodes);
        if (rentedEnds is not null)
            ArrayPool<int>.Shared.Return(rentedEnds);
    }

    public void AddMatrix(FeatureMatrix matrix, double[] sums, ParallelOptions parallel)
    {
        var rows = matrix.RowCount;
        var blockRows = BlockRows(rows, parallel.MaxDegreeOfParallelism < 0 ? Environment.ProcessorCount : parallel.MaxDegreeOfParallelism);
        Parallel.For(
            0,
            (rows + blockRows - 1) / blockRows,
            parallel,
            () => (Codes: NewCodes(blockRows), Column: new double[blockRows]),
            (block, _, buffers) =>
            {
                var from = block * blockRows;
                var count = Math.Min(blockRows, rows - from);
                for (var i = 0; i < used.Length; i++)
                {
                    matrix.CopyColumn(used[i], from, buffers.Column.AsSpan(0, count));
                    buffers.Codes.Write(i, ensemble.Bins[used[i]], buffers.Column.AsSpan(0, count));
                }
                AddBlock(buffers.Codes, sums.AsSpan(from * ensemble.Outputs, count * ensemble.Outputs));
                return buffers;
            },
            _ => { });
    }

    /// <summary>Adds the leaves of rows that are binned already: <paramref name="rowsOf"/> lists them, <paramref name="sums"/> has places for those alone.</summary>
    public void AddBinned(BinnedMatrix matrix, ReadOnlySpan<int> rowsOf, Span<double> sums)
    {
        var blockRows = BlockRows(rowsOf.Length, 1);
        var codes = NewCodes(blockRows);
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

    /// <summary>Rows taken at once: as many as the caches bear, and about as many for each thread.</summary>
    int BlockRows(int rows, int threads)
    {
        var most = Math.Clamp((walksOn ? WalkCodes : CrownCodes) / slots, BlockRowsMin, walksOn ? WalkRowsMax : CrownRowsMax);
        var blocks = (rows + most - 1) / most;
        var even = blocks <= threads ? Math.Min(threads, (rows + ThreadRowsMin - 1) / ThreadRowsMin) : (blocks + threads - 1) / threads * threads;
        return ((rows / Math.Max(1, even)) + TreeCrown.Rows) & -TreeCrown.Rows;
    }

    RowCodes NewCodes(int rows) => new(slots, rows, crowns is not null || (walksOn && trees.IsShort), walksOn && !trees.IsShort);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void AddBlock(RowCodes codes, Span<double> sums)
    {
        var count = sums.Length / ensemble.Outputs;
        var isSingle = ensemble.Outputs == 1;
        var groups = (count + TreeCrown.Rows - 1) / TreeCrown.Rows;
        // What lies in a block beyond its last row is walked too, and counts for nothing.
        Span<int> ends = stackalloc int[TreeCrown.Rows];
        for (var t = 0; t < ensemble.Trees.Length; t++)
        {
            var isWhole = crowns?[t].IsWhole ?? false;
            var fetches = t + 1 < ensemble.Trees.Length && walksOn && crowns?[t + 1].IsWhole != true;
            for (var group = 0; group < groups; group++)
            {
                var row = group * TreeCrown.Rows;
                var many = Math.Min(TreeCrown.Rows, count - row);
                if (fetches)
                    codes.Fetched |= trees.Fetch(t + 1, group, groups);
                if (crowns is null)
                {
                    ends.Clear();
                }
                else
                {
                    var left = crowns[t].Leave(codes.Narrow(row), codes.Room);
                    if (isSingle && isWhole)
                    {
                        AddValues(exitValues[t], left[..many], sums.Slice(row, many));
                        continue;
                    }
                    var exit = exits[t];
                    for (var i = 0; i < ends.Length; i++)
                        ends[i] = exit[left[i]];
                }
                if (!isWhole)
                    trees.WalkRows(t, ends, codes, row);
                if (isSingle)
                {
                    trees.AddValues(t, ends, sums.Slice(row, many));
                    continue;
                }
                for (var i = 0; i < many; i++)
                    AddLeaf(t, ends[i], sums.Slice((row + i) * ensemble.Outputs, ensemble.Outputs));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void AddValues(double[] values, ReadOnlySpan<byte> exits, Span<double> sums)
    {
        for (var i = 0; i < sums.Length; i++)
            sums[i] += values[exits[i]];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    void AddLeaf(int tree, int node, Span<double> sums)
    {
        if (ensemble.Width == 1)
        {
            sums[sums.Length == 1 ? 0 : tree % sums.Length] += trees.ValueAt(tree, node);
            return;
        }
        var leaf = trees.ValuesAt(tree, node);
        for (var i = 0; i < leaf.Length; i++)
            sums[i] += leaf[i];
    }
}
