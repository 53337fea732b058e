using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Salus.Learning.Trees;

/// <summary>The nodes of all trees as walks read them. Nodes are numbered within their tree.</summary>
abstract class PackedTrees(TreeEnsemble ensemble)
{
    /// <summary>Walks that go on side by side.</summary>
    public const int Lanes = 8;

    // More different leaves than these are not looked for among each other.
    const int SharedMax = 4_096;

    // Levels of a tree that stand together: seven pairs of small nodes fill a line of the cache but for two.
    const int LevelsTogether = 3;

    // A larger tree does not stay in the second cache for its turn.
    const int FetchedNodesMax = 1 << 15;

    readonly int[] roots = Roots(ensemble);
    readonly int[] valueAt = new int[ensemble.Trees.Sum(tree => (long)tree.NodeCount)];
    double[] values = [];

    /// <summary>Nodes as short as the trees and their bins allow.</summary>
    /// <param name="ensemble">The trees.</param>
    /// <param name="slots">The slot of each feature: even, the next one is its too.</param>
    /// <param name="places">Where each node of each tree is put.</param>
    public static PackedTrees Of(TreeEnsemble ensemble, int[] slots, int[][] places)
    {
        var isShort = slots.Max() + 2 <= ShortNode.SlotsMax
            && Array.TrueForAll(ensemble.Bins, bins => bins.Bins <= FeatureBins.BinsLimit)
            && Array.TrueForAll(ensemble.Trees, tree => tree.NodeCount <= ShortNode.NodesMax && !tree.HasSets);
        return isShort ? new PackedTrees<ShortNode>(ensemble, slots, places) : new PackedTrees<LongNode>(ensemble, slots, places);
    }

    /// <summary>Where each node of a tree is put: the pairs of a few levels one behind the other, so that a row which goes down them stays in a line of the cache.</summary>
    public static int[] Places(Tree tree)
    {
        var places = new int[tree.NodeCount];
        var next = 1;
        var waiting = new Stack<int>();
        var (level, below) = (new List<int>(), new List<int>());
        if (!tree.IsLeaf(0))
            waiting.Push(0);
        while (waiting.TryPop(out var top))
        {
            level.Add(top);
            for (var depth = 0; depth < LevelsTogether; depth++)
            {
                foreach (var parent in level)
                {
                    for (var child = tree.Next[parent]; child <= tree.Next[parent] + 1; child++)
                    {
                        places[child] = next++;
                        if (!tree.IsLeaf(child))
                            below.Add(child);
                    }
                }
                (level, below) = (below, level);
                below.Clear();
            }
            foreach (var node in level)
                waiting.Push(node);
            level.Clear();
        }
        return places;
    }

    /// <summary>Whether codes of a byte are walked by.</summary>
    public abstract bool IsShort { get; }

    /// <summary>Walks rows that stand side by side from where they are to their leaves.</summary>
    public abstract void WalkRows(int tree, Span<int> ends, RowCodes codes, int row);

    /// <summary>Walks one row down as many trees as there are <paramref name="ends"/>, <see cref="Lanes"/> at a time; the last are fewer.</summary>
    public abstract void WalkTrees(Span<int> ends, ReadOnlySpan<byte> codes);

    /// <summary>Reads a share of a tree, so that it is near when its turn comes. What comes out must be used, or the reading is left out.</summary>
    public int Fetch(int tree, int share, int shares)
    {
        var count = roots[tree + 1] - roots[tree];
        return count > FetchedNodesMax ? 0 : FetchNodes(roots[tree] + (int)((long)count * share / shares), roots[tree] + (int)((long)count * (share + 1) / shares), valueAt);
    }

    protected abstract int FetchNodes(int from, int to, int[] valueAt);

    protected TreeEnsemble Ensemble => ensemble;

    protected ReadOnlySpan<int> RootAt => roots;

    public double ValueAt(int tree, int node) => values[valueAt[roots[tree] + node]];

    public ReadOnlySpan<double> ValuesAt(int tree, int node) => values.AsSpan(valueAt[roots[tree] + node], ensemble.Width);

    /// <summary>Adds the leaf of each row of one tree.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void AddValues(int tree, ReadOnlySpan<int> ends, Span<double> sums)
    {
        var at = valueAt.AsSpan(roots[tree]);
        for (var i = 0; i < sums.Length; i++)
            sums[i] += values[at[ends[i]]];
    }

    // Leaves say the same over and over: what they say is kept once, and stays near.
    protected void TakeValues(int[][] places)
    {
        var taken = new List<double>();
        var known = new Dictionary<long, int>();
        for (var t = 0; t < ensemble.Trees.Length; t++)
        {
            var tree = ensemble.Trees[t];
            for (var node = 0; node < tree.NodeCount; node++)
            {
                if (!tree.IsLeaf(node))
                    continue;
                var leaf = tree.ValuesAt(node);
                var at = taken.Count;
                if (leaf.Length > 1 || known.Count >= SharedMax || known.TryAdd(BitConverter.DoubleToInt64Bits(leaf[0]), at))
                    taken.AddRange(leaf);
                else
                    at = known[BitConverter.DoubleToInt64Bits(leaf[0])];
                valueAt[roots[t] + places[t][node]] = at;
            }
        }
        values = [.. taken];
    }

    static int[] Roots(TreeEnsemble ensemble)
    {
        var roots = new int[ensemble.Trees.Length + 1];
        var count = 0L;
        for (var t = 0; t < ensemble.Trees.Length; t++)
        {
            count += ensemble.Trees[t].NodeCount;
            if (count > Array.MaxLength)
                throw new ArgumentException($"the trees have more than {Array.MaxLength} nodes; so many cannot be walked");
            roots[t + 1] = (int)count;
        }
        return roots;
    }
}

/// <summary>Trees packed into one kind of node.</summary>
sealed class PackedTrees<TNode> : PackedTrees where TNode : unmanaged, ITreeNode<TNode>
{
    const int LineBytes = 64;

    // Of four steps three are not asked whether they were the last: one too many stays in its leaf.
    const int UnaskedSteps = 3;

    // Trees not deeper than this are walked to their full depth, which costs less than asking.
    const int UnaskedDepth = 8;

    readonly TNode[] nodes;
    readonly int[] depths;
    readonly ulong[]?[]? sets;

    public PackedTrees(TreeEnsemble ensemble, int[] slots, int[][] places) : base(ensemble)
    {
        nodes = new TNode[RootAt[^1]];
        sets = ensemble.Trees.Any(tree => tree.HasSets) ? new ulong[nodes.Length][] : null;
        depths = Array.ConvertAll(ensemble.Trees, DepthOf);
        for (var t = 0; t < ensemble.Trees.Length; t++)
            Pack(ensemble.Trees[t], nodes.AsSpan(RootAt[t]), sets is null ? [] : sets.AsSpan(RootAt[t]), places[t], slots);
        TakeValues(places);
    }

    public override bool IsShort => TNode.CodeBytes == 1;

    static int DepthOf(Tree tree)
    {
        var depth = new int[tree.NodeCount];
        for (var node = 0; node < tree.NodeCount; node++)
        {
            if (!tree.IsLeaf(node))
                depth[tree.Next[node]] = depth[tree.Next[node] + 1] = depth[node] + 1;
        }
        return depth.Max();
    }

    static void Pack(Tree tree, Span<TNode> into, Span<ulong[]?> sets, int[] places, int[] slots)
    {
        for (var node = 0; node < tree.NodeCount; node++)
        {
            into[places[node]] = tree.IsLeaf(node)
                ? TNode.Leaf(places[node])
                : TNode.Split(places[tree.Next[node]], tree.Bin[node], slots[tree.Feature[node]] + (tree.MissingLeft[node] ? 0 : 1));
            if (tree.SetAt(node) is { } set)
                sets[places[node]] = set;
        }
    }

    protected override int FetchNodes(int from, int to, int[] valueAt)
    {
        var seen = 0;
        for (var at = from; at < to; at += LineBytes / Unsafe.SizeOf<TNode>())
            seen |= Unsafe.As<TNode, int>(ref nodes[at]) | valueAt[at];
        return seen;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void WalkRows(int tree, Span<int> ends, RowCodes codes, int row)
    {
        ref var first = ref nodes[RootAt[tree]];
        ref var lanes = ref codes.First(row, TNode.CodeBytes);
        if (sets is not null)
        {
            for (var i = 0; i < ends.Length; i++)
                ends[i] = WalkSets(RootAt[tree], ends[i], ref lanes, TreeCrown.RowsShift, i);
            return;
        }
        for (var i = 0; i < ends.Length; i += Lanes)
            WalkRows(ref first, ref Unsafe.Add(ref lanes, i * TNode.CodeBytes), ends.Slice(i, Lanes));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void WalkRows(ref TNode first, ref byte codes, Span<int> ends)
    {
        int a = ends[0], b = ends[1], c = ends[2], d = ends[3], e = ends[4], f = ends[5], g = ends[6], h = ends[7];
        int moved;
        do
        {
            for (var i = 0; i < UnaskedSteps; i++)
            {
                a = Step(ref first, ref codes, a, 0);
                b = Step(ref first, ref codes, b, 1);
                c = Step(ref first, ref codes, c, 2);
                d = Step(ref first, ref codes, d, 3);
                e = Step(ref first, ref codes, e, 4);
                f = Step(ref first, ref codes, f, 5);
                g = Step(ref first, ref codes, g, 6);
                h = Step(ref first, ref codes, h, 7);
            }
            // Not by reference: lanes whose address is taken do not stay in registers.
            int i0 = Step(ref first, ref codes, a, 0), i1 = Step(ref first, ref codes, b, 1);
            int i2 = Step(ref first, ref codes, c, 2), i3 = Step(ref first, ref codes, d, 3);
            moved = (a ^ i0) | (b ^ i1) | (c ^ i2) | (d ^ i3);
            (a, b, c, d) = (i0, i1, i2, i3);
            i0 = Step(ref first, ref codes, e, 4);
            i1 = Step(ref first, ref codes, f, 5);
            i2 = Step(ref first, ref codes, g, 6);
            i3 = Step(ref first, ref codes, h, 7);
            moved |= (e ^ i0) | (f ^ i1) | (g ^ i2) | (h ^ i3);
            (e, f, g, h) = (i0, i1, i2, i3);
        }
        while (moved != 0);
        (ends[0], ends[1], ends[2], ends[3], ends[4], ends[5], ends[6], ends[7]) = (a, b, c, d, e, f, g, h);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int Step(ref TNode first, ref byte codes, int at, nint lane) =>
        TNode.Next(Unsafe.Add(ref first, (nuint)(uint)at), ref codes, TreeCrown.RowsShift, lane);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void WalkTrees(Span<int> ends, ReadOnlySpan<byte> codes)
    {
        ref var row = ref MemoryMarshal.GetReference(codes);
        if (sets is not null)
        {
            for (var t = 0; t < ends.Length; t++)
                ends[t] = WalkSets(RootAt[t], 0, ref row, 0, 0);
            return;
        }
        for (var t = 0; t < ends.Length; t += Lanes)
            WalkTrees(t, ends.Slice(t, Math.Min(Lanes, ends.Length - t)), ref row);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void WalkTrees(int tree, Span<int> ends, ref byte codes)
    {
        var last = tree + ends.Length - 1;
        ref var a0 = ref Root(tree);
        ref var b0 = ref Root(Math.Min(last, tree + 1));
        ref var c0 = ref Root(Math.Min(last, tree + 2));
        ref var d0 = ref Root(Math.Min(last, tree + 3));
        ref var e0 = ref Root(Math.Min(last, tree + 4));
        ref var f0 = ref Root(Math.Min(last, tree + 5));
        ref var g0 = ref Root(Math.Min(last, tree + 6));
        ref var h0 = ref Root(Math.Min(last, tree + 7));
        int a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, moved, depth = 0;
        foreach (var one in depths.AsSpan(tree, ends.Length))
            depth = Math.Max(depth, one);
        var steps = depth <= UnaskedDepth ? depth : UnaskedSteps;
        do
        {
            for (var i = 0; i < steps; i++)
            {
                a = StepAlone(ref a0, ref codes, a);
                b = StepAlone(ref b0, ref codes, b);
                c = StepAlone(ref c0, ref codes, c);
                d = StepAlone(ref d0, ref codes, d);
                e = StepAlone(ref e0, ref codes, e);
                f = StepAlone(ref f0, ref codes, f);
                g = StepAlone(ref g0, ref codes, g);
                h = StepAlone(ref h0, ref codes, h);
            }
            if (depth <= UnaskedDepth)
                break;
            int i0 = StepAlone(ref a0, ref codes, a), i1 = StepAlone(ref b0, ref codes, b);
            int i2 = StepAlone(ref c0, ref codes, c), i3 = StepAlone(ref d0, ref codes, d);
            moved = (a ^ i0) | (b ^ i1) | (c ^ i2) | (d ^ i3);
            (a, b, c, d) = (i0, i1, i2, i3);
            i0 = StepAlone(ref e0, ref codes, e);
            i1 = StepAlone(ref f0, ref codes, f);
            i2 = StepAlone(ref g0, ref codes, g);
            i3 = StepAlone(ref h0, ref codes, h);
            moved |= (e ^ i0) | (f ^ i1) | (g ^ i2) | (h ^ i3);
            (e, f, g, h) = (i0, i1, i2, i3);
        }
        while (moved != 0);
        ReadOnlySpan<int> all = [a, b, c, d, e, f, g, h];
        all[..ends.Length].CopyTo(ends);
    }

    ref TNode Root(int tree) => ref nodes[RootAt[tree]];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static int StepAlone(ref TNode first, ref byte codes, int at) => TNode.Next(Unsafe.Add(ref first, (nuint)(uint)at), ref codes, 0, 0);

    /// <summary>Trees with categories, whose nodes are long: one with a set asks whether it holds the row's bin.</summary>
    int WalkSets(int root, int at, ref byte codes, int shift, int lane)
    {
        while (true)
        {
            var node = nodes[root + at];
            var packed = Unsafe.As<TNode, LongNode>(ref node);
            if (packed.Left == at)
                return at;
            var code = Unsafe.Add(ref Unsafe.As<byte, ushort>(ref codes), (packed.Slot << shift) + lane);
            at = sets![root + at] is { } set && code is not (0 or RowCodes.Greatest)
                ? packed.Left + (int)(~set[(code - 1) >> 6] >> ((code - 1) & 63) & 1)
                : TNode.Next(node, ref codes, shift, lane);
        }
    }
}
