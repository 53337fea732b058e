namespace Salus.Learning.Trees;

/// <summary>
/// Trees inside a model's bytes, little-endian: features, each with whether it is a category and its edges; outputs,
/// width, trees; of each tree its nodes, parent before children: feature (Int32, -1 at a leaf), cover (Int64), then of a
/// split the bin (Int32, or 256 bits of a category), missing-left and the left child, of a leaf its values.
/// </summary>
static class EnsembleFormat
{
    public const int TreesMax = 1_000_000;
    const int NodesMax = 1 << 26;
    const long CoverMax = 1L << 53;
    const int SetWords = 4;

    public static void Write(TreeEnsemble ensemble, BoundedWriter writer)
    {
        writer.Int32(ensemble.FeatureCount);
        foreach (var bins in ensemble.Bins)
        {
            writer.Boolean(bins.IsCategory);
            writer.Int32(bins.Edges.Length);
            foreach (var edge in bins.Edges)
                writer.Double(edge);
        }
        writer.Int32(ensemble.Outputs);
        writer.Int32(ensemble.Width);
        writer.Int32(ensemble.Trees.Length);
        foreach (var tree in ensemble.Trees)
            Write(tree, writer);
    }

    static void Write(Tree tree, BoundedWriter writer)
    {
        writer.Int32(tree.NodeCount);
        for (var node = 0; node < tree.NodeCount; node++)
        {
            writer.Int32(tree.Feature[node]);
            writer.Int64(tree.Cover[node]);
            if (tree.IsLeaf(node))
            {
                foreach (var value in tree.ValuesAt(node))
                    writer.Double(value);
                continue;
            }
            if (tree.SetAt(node) is { } set)
            {
                foreach (var word in set)
                    writer.Int64((long)word);
            }
            else
            {
                writer.Int32(tree.Bin[node]);
            }
            writer.Boolean(tree.MissingLeft[node]);
            writer.Int32(tree.Next[node]);
        }
    }

    /// <summary>Reads trees whose leaves each pass <paramref name="leafObjection"/>, which names what is wrong or gives null.</summary>
    public static TreeEnsemble Read(ref BoundedReader reader, int outputs, Func<double[], string?> leafObjection)
    {
        var bins = new FeatureBins[reader.Count("features", 1, TreeEnsemble.FeaturesMax, 5)];
        for (var feature = 0; feature < bins.Length; feature++)
            bins[feature] = ReadBins(ref reader, feature);
        if (reader.Int32() is var claimed && claimed != outputs)
            throw new FormatRefusedException($"the trees have {claimed} outputs, the model {outputs}");
        var width = reader.Int32();
        if (width != outputs && width != 1)
            throw new FormatRefusedException($"a leaf has {width} values for {outputs} outputs");
        var trees = new Tree[reader.Count("trees", 0, TreesMax, 4 + 4 + 8 + (8 * width))];
        for (var t = 0; t < trees.Length; t++)
            trees[t] = ReadTree(ref reader, bins, width, leafObjection);
        return new TreeEnsemble(bins, trees, outputs);
    }

    static FeatureBins ReadBins(ref BoundedReader reader, int feature)
    {
        var isCategory = reader.Boolean();
        var edges = new double[reader.Count("edges", 0, isCategory ? FeatureBins.BinsLimit : TreeEnsemble.BinsMax - 1, 8)];
        for (var i = 0; i < edges.Length; i++)
        {
            edges[i] = reader.Double();
            if (!double.IsFinite(edges[i]) || (i > 0 && edges[i] <= edges[i - 1]))
                throw new FormatRefusedException($"edge {i} of feature {feature} is {edges[i]}; edges are finite and rise");
        }
        return new FeatureBins(edges, isCategory);
    }

    static Tree ReadTree(ref BoundedReader reader, FeatureBins[] bins, int width, Func<double[], string?> leafObjection)
    {
        var count = reader.Count("nodes", 1, NodesMax, 4 + 8 + 8);
        var feature = new int[count];
        var bin = new ushort[count];
        var missingLeft = new bool[count];
        var next = new int[count];
        var cover = new long[count];
        var depth = new int[count];
        var values = new List<double>();
        ulong[]?[]? sets = null;
        var leaf = new double[width];
        var reached = 1;
        for (var node = 0; node < count; node++)
        {
            if (node > 0 && depth[node] == 0)
                throw new FormatRefusedException($"node {node} is no node's child");
            feature[node] = reader.Int32();
            if (feature[node] < -1 || feature[node] >= bins.Length)
                throw new FormatRefusedException($"node {node} splits feature {feature[node]} of {bins.Length}");
            cover[node] = reader.Int64();
            if (cover[node] is < 1 or > CoverMax)
                throw new FormatRefusedException($"node {node} has the cover {cover[node]}");
            if (feature[node] < 0)
            {
                next[node] = values.Count / width;
                for (var i = 0; i < width; i++)
                    leaf[i] = reader.Double();
                if (leafObjection(leaf) is { } objection)
                    throw new FormatRefusedException($"node {node} is a leaf of {objection}");
                values.AddRange(leaf);
                continue;
            }
            var of = bins[feature[node]];
            if (of.IsCategory)
                (sets ??= new ulong[count][])[node] = ReadSet(ref reader);
            else
                bin[node] = (ushort)reader.Count("bins go left: the last of them", 0, of.Bins - 1, 0);
            missingLeft[node] = reader.Boolean();
            next[node] = reader.Int32();
            Adopt(node, next[node], depth);
            reached += 2;
        }
        if (reached != count)
            throw new FormatRefusedException($"{count} nodes are claimed, {reached} are reached");
        for (var node = 0; node < count; node++)
        {
            if (feature[node] >= 0 && cover[node] != cover[next[node]] + cover[next[node] + 1])
                throw new FormatRefusedException($"the cover of node {node} is not that of its children");
        }
        return new Tree(width, feature, bin, missingLeft, next, cover, [.. values], sets);
    }

    static ulong[] ReadSet(ref BoundedReader reader)
    {
        var set = new ulong[SetWords];
        for (var i = 0; i < SetWords; i++)
            set[i] = (ulong)reader.Int64();
        return set;
    }

    static void Adopt(int node, int left, int[] depth)
    {
        if (left <= node || left >= depth.Length - 1 || depth[left] != 0 || depth[left + 1] != 0)
            throw new FormatRefusedException($"node {node} has children at {left}, which cannot be");
        if (depth[node] == Tree.DepthLimit)
            throw new FormatRefusedException($"a tree is deeper than {Tree.DepthLimit}");
        depth[left] = depth[left + 1] = depth[node] + 1;
    }
}
