using Salus.Learning.Tables;

namespace Salus.Learning.Anomaly;

/// <summary>How an isolation forest is grown.</summary>
/// <param name="Trees">The number of trees.</param>
/// <param name="Sample">Rows drawn for each tree, without putting any back.</param>
/// <param name="Seed">The same seed gives the same bits.</param>
public sealed record IsolationForestOptions(int Trees = 200, int Sample = 256, ulong Seed = 1)
{
    /// <summary>What is wrong with these options and the mend, or null.</summary>
    public string? Objection() => this switch
    {
        { Trees: < 1 or > 10_000 } => $"Trees is {Trees}; give 1 to 10000",
        { Sample: < 2 or > 1 << 16 } => $"Sample is {Sample}; give 2 to {1 << 16}",
        _ => null,
    };
}

/// <summary>Isolation forest (Liu, Ting and Zhou 2008): random splits leave an unusual row alone early. Scores lie between 0 and 1.</summary>
public sealed class IsolationForest : AnomalyDetector
{
    const int TreesMax = 10_000;
    const int NodesMax = 1 << 18;
    const double Euler = 0.57721566490153286;

    readonly Node[][] trees;
    readonly int sample;

    IsolationForest(double[] medians, Node[][] trees, int sample)
        : base(medians) => (this.trees, this.sample) = (trees, sample);

    /// <inheritdoc/>
    public override string Name => "isolation-forest";

    // A leaf has no feature (-1) and its rows as value; children of an inner node follow each other.
    readonly record struct Node(int Feature, double Value, int Left);

    /// <summary>Grows the trees, each from its own stream of random numbers.</summary>
    public static IsolationForest Fit(FeatureMatrix rows, IsolationForestOptions options)
    {
        if (options.Objection() is { } objection)
            throw new ArgumentException(objection);
        var (columns, medians) = Fill(rows);
        var sample = Math.Min(options.Sample, rows.RowCount);
        var depthMax = (int)Math.Ceiling(Math.Log2(sample));
        var trees = new Node[options.Trees][];
        Parallel.For(0, trees.Length, t =>
        {
            var generator = SeededGenerator.For(options.Seed, (ulong)t);
            var drawn = new int[rows.RowCount];
            for (var i = 0; i < drawn.Length; i++)
                drawn[i] = i;
            for (var i = 0; i < sample; i++)
            {
                var j = i + generator.NextInt(drawn.Length - i);
                (drawn[i], drawn[j]) = (drawn[j], drawn[i]);
            }
            trees[t] = Grow(columns, drawn[..sample], depthMax, generator);
        });
        return new IsolationForest(medians, trees, sample);
    }

    static Node[] Grow(double[][] columns, int[] drawn, int depthMax, SeededGenerator generator)
    {
        var nodes = new List<Node> { default };
        var pending = new Queue<(int Node, int Start, int Count, int Depth)>();
        pending.Enqueue((0, 0, drawn.Length, 0));
        while (pending.TryDequeue(out var part))
        {
            var rows = drawn.AsSpan(part.Start, part.Count);
            if (part.Depth == depthMax || part.Count <= 1 || Choose(columns, rows, generator) is not { } split)
            {
                nodes[part.Node] = new Node(-1, part.Count, 0);
                continue;
            }
            var left = 0;
            for (var i = 0; i < rows.Length; i++)
            {
                if (columns[split.Feature][rows[i]] < split.Value)
                    (rows[i], rows[left++]) = (rows[left], rows[i]);
            }
            nodes[part.Node] = new Node(split.Feature, split.Value, nodes.Count);
            pending.Enqueue((nodes.Count, part.Start, left, part.Depth + 1));
            pending.Enqueue((nodes.Count + 1, part.Start + left, part.Count - left, part.Depth + 1));
            nodes.Add(default);
            nodes.Add(default);
        }
        return [.. nodes];
    }

    // A feature that does not vary here is passed over for another one.
    static (int Feature, double Value)? Choose(double[][] columns, ReadOnlySpan<int> rows, SeededGenerator generator)
    {
        var candidates = new int[columns.Length];
        for (var i = 0; i < candidates.Length; i++)
            candidates[i] = i;
        for (var left = candidates.Length; left > 0; left--)
        {
            var pick = generator.NextInt(left);
            var feature = candidates[pick];
            candidates[pick] = candidates[left - 1];
            var (least, most) = (double.PositiveInfinity, double.NegativeInfinity);
            foreach (var row in rows)
            {
                least = Math.Min(least, columns[feature][row]);
                most = Math.Max(most, columns[feature][row]);
            }
            if (least == most)
                continue;
            var value = least + (generator.NextDouble() * (most - least));
            return (feature, value > least ? value : most);
        }
        return null;
    }

    private protected override double ScoreFilled(ReadOnlySpan<double> row)
    {
        var total = 0.0;
        foreach (var tree in trees)
        {
            var (node, depth) = (0, 0);
            for (; tree[node].Feature >= 0; depth++)
                node = tree[node].Left + (row[tree[node].Feature] < tree[node].Value ? 0 : 1);
            total += depth + Unbuilt(tree[node].Value);
        }
        return Math.Pow(2, -total / (trees.Length * Unbuilt(sample)));
    }

    // The mean depth of an unsuccessful search in a binary tree of that many rows.
    static double Unbuilt(double rows) => rows <= 1 ? 0 : rows == 2 ? 1 : (2 * (Math.Log(rows - 1) + Euler)) - (2 * (rows - 1) / rows);

    internal override void WriteBody(BoundedWriter writer)
    {
        writer.Int32(sample);
        writer.Int32(trees.Length);
        foreach (var tree in trees)
        {
            writer.Int32(tree.Length);
            foreach (var node in tree)
            {
                writer.Int32(node.Feature);
                writer.Double(node.Value);
                writer.Int32(node.Left);
            }
        }
    }

    internal static AnomalyDetector ReadBody(ref BoundedReader reader, double[] medians)
    {
        var sample = reader.Int32();
        if (sample is < 2 or > 1 << 16)
            throw new FormatRefusedException($"trees of {sample} rows are claimed");
        var trees = new Node[reader.Count("trees", 1, TreesMax, 20)][];
        for (var t = 0; t < trees.Length; t++)
        {
            var tree = trees[t] = new Node[reader.Count("nodes", 1, NodesMax, 16)];
            for (var i = 0; i < tree.Length; i++)
            {
                tree[i] = new Node(reader.Int32(), reader.Finite("a node's value"), reader.Int32());
                var fits = tree[i].Feature < 0 ? tree[i] is { Feature: -1, Value: >= 0 } : tree[i].Feature < medians.Length && tree[i].Left > i && tree[i].Left < tree.Length - 1;
                if (!fits)
                    throw new FormatRefusedException($"node {i} of tree {t} cannot be");
            }
        }
        return new IsolationForest(medians, trees, sample);
    }
}
