using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Salus.Learning.Trees;

namespace Salus.Learning.Boosting;

/// <summary>The sums over this machine's rows; <see cref="HistogramBlock"/> says how a row's derivatives are packed.</summary>
sealed class LocalGradientSums : IGradientSums
{
    const int TaskRows = 4 * HistogramBlock.RowsMax;

    readonly BinnedMatrix data;
    readonly HistogramLayout layout;
    readonly ParallelOptions parallel;
    readonly int[] training;
    readonly int[] rows;
    readonly int[] spare;
    readonly Dictionary<int, (int Start, int Count)> nodes = [];
    readonly ConcurrentBag<(HistogramBlock Block, long[] Part)> buffers = [];
    long[] gradients = [];
    int[] features = [];

    public LocalGradientSums(BinnedMatrix data, HistogramLayout layout, int[] training, ParallelOptions parallel)
    {
        (this.data, this.layout, this.training, this.parallel) = (data, layout, training, parallel);
        rows = new int[training.Length];
        spare = new int[training.Length];
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

    public void Sum(IReadOnlyList<(int Node, long[] Histogram)> of)
    {
        var tasks = Tasks([.. of.Select(one => nodes[one.Node])]);
        foreach (var (_, histogram) in of)
            histogram.AsSpan().Clear();
        Parallel.For(0, tasks.Length, parallel, at =>
        {
            var (task, histogram) = (tasks[at], of[tasks[at].Of].Histogram);
            if (!buffers.TryTake(out var buffer))
                buffer = (new HistogramBlock(), new long[2 * layout.BinCount]);
            var own = task.IsWhole ? histogram : buffer.Part;
            buffer.Block.Add(data, layout, rows.AsSpan(task.Start, task.Count), gradients, features, own);
            if (!task.IsWhole)
            {
                // Whole numbers: the order in which parts are added does not show.
                lock (histogram)
                    AddTo(histogram, buffer.Part);
                buffer.Part.AsSpan().Clear();
            }
            buffers.Add(buffer);
        });
    }

    readonly record struct RowTask(int Of, int Start, int Count, bool IsWhole);

    // Large nodes are divided; the longest tasks begin first.
    static RowTask[] Tasks(ReadOnlySpan<(int Start, int Count)> nodes)
    {
        var tasks = new List<RowTask>();
        for (var of = 0; of < nodes.Length; of++)
        {
            var (start, count) = nodes[of];
            for (var from = 0; from < count; from += TaskRows)
                tasks.Add(new(of, start + from, Math.Min(TaskRows, count - from), count <= TaskRows));
        }
        return [.. tasks.OrderByDescending(task => task.Count)];
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void AddTo(Span<long> sums, ReadOnlySpan<long> part)
    {
        for (var i = 0; i < sums.Length; i++)
            sums[i] += part[i];
    }

    public (long Left, long Right)[] Split(IReadOnlyList<NodeDivision> divisions)
    {
        (int Start, int Count)[] before = [.. divisions.Select(division => nodes[division.Node])];
        var tasks = Tasks(before);
        var lefts = new int[tasks.Length];
        Parallel.For(0, tasks.Length, parallel, at => lefts[at] = Partition(divisions[tasks[at].Of].Split, tasks[at].Start, tasks[at].Count));
        var counts = new (long Left, long Right)[divisions.Count];
        for (var at = 0; at < tasks.Length; at++)
        {
            ref var count = ref counts[tasks[at].Of];
            count = (count.Left + lefts[at], count.Right + tasks[at].Count - lefts[at]);
        }
        var places = new (int Left, int Right)[divisions.Count];
        for (var of = 0; of < places.Length; of++)
        {
            var (start, left) = (before[of].Start, (int)counts[of].Left);
            places[of] = (start, start + left);
            nodes.Remove(divisions[of].Node);
            nodes[divisions[of].Left] = (start, left);
            nodes[divisions[of].Right] = (start + left, before[of].Count - left);
        }
        // Parts of one node stand in their order: those that go left move down, then those that go right fill what is above.
        var order = Enumerable.Range(0, tasks.Length).OrderBy(at => tasks[at].Start).ToArray();
        foreach (var at in order)
        {
            ref var place = ref places[tasks[at].Of];
            if (place.Left != tasks[at].Start)
                rows.AsSpan(tasks[at].Start, lefts[at]).CopyTo(rows.AsSpan(place.Left));
            place.Left += lefts[at];
        }
        foreach (var at in order)
        {
            ref var place = ref places[tasks[at].Of];
            var rights = tasks[at].Count - lefts[at];
            spare.AsSpan(tasks[at].Start, rights).CopyTo(rows.AsSpan(place.Right));
            place.Right += rights;
        }
        return counts;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    int Partition(NodeSplit split, int from, int count)
    {
        // 256 answers made once are cheaper than a question per row.
        Span<byte> goesLeft = stackalloc byte[256];
        var missing = data.Bins[split.Feature].Bins;
        for (var bin = 0; bin <= missing; bin++)
            goesLeft[bin] = split.GoesLeft(bin, missing) ? (byte)1 : (byte)0;
        ref var codes = ref MemoryMarshal.GetReference(data.Column(split.Feature));
        ref var answers = ref MemoryMarshal.GetReference(goesLeft);
        ref var kept = ref rows[from];
        ref var moved = ref spare[from];
        nint lefts = 0, rights = 0;
        for (nint i = 0; i < count; i++)
        {
            var row = Unsafe.Add(ref kept, i);
            nint left = Unsafe.Add(ref answers, (nint)Unsafe.Add(ref codes, row));
            // Both are written and one is kept: rows fall left and right too evenly for a branch.
            Unsafe.Add(ref kept, lefts) = row;
            Unsafe.Add(ref moved, rights) = row;
            lefts += left;
            rights += 1 - left;
        }
        return (int)lefts;
    }
}
