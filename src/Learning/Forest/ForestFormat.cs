using System.Diagnostics.CodeAnalysis;

namespace Salus.Learning.Forest;

/// <summary>
/// The forest's own format, version 1, little-endian: magic, classes, features, trees; for each tree its nodes, each as
/// feature (Int32, -1 at a leaf), threshold, missing-left, right child, then the weight of each class. Nodes stand in
/// the order parent, left, right as they were grown; the left child is always the one before the right.
/// </summary>
static class ForestFormat
{
    public const string Magic = "SALUSFOREST";
    const byte Version = 1;
    const int FeaturesMax = 1 << 24;
    const int TreesMax = 10_000;
    const int NodesMax = 1 << 26;
    const long WeightMax = 1L << 53;

    public static void Write(RandomForest forest, Stream stream)
    {
        var writer = new BoundedWriter(stream);
        writer.Magic(Magic, Version);
        writer.Int32(forest.ClassCount);
        writer.Int32(forest.FeatureCount);
        writer.Int32(forest.TreeCount);
        foreach (var tree in forest.Trees)
        {
            writer.Int32(tree.NodeCount);
            for (var node = 0; node < tree.NodeCount; node++)
            {
                writer.Int32(tree.Feature[node]);
                if (tree.Feature[node] >= 0)
                {
                    writer.Double(tree.Threshold[node]);
                    writer.Boolean(tree.MissingLeft[node]);
                    writer.Int32(tree.Left[node]);
                }
                for (var c = 0; c < forest.ClassCount; c++)
                    writer.Int64(tree.Weights[(node * forest.ClassCount) + c]);
            }
        }
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out RandomForest? forest, [NotNullWhen(false)] out string? refusal)
    {
        forest = null;
        try
        {
            var reader = new BoundedReader(bytes);
            forest = Read(ref reader);
            reader.End();
            refusal = null;
            return true;
        }
        catch (FormatRefusedException refused)
        {
            forest = null;
            refusal = refused.Message;
            return false;
        }
    }

    public static RandomForest Read(ref BoundedReader reader)
    {
        reader.Magic(Magic, Version);
        var classes = reader.Count("classes", 2, RandomForest.ClassesLimit, 0);
        var features = reader.Count("features", 1, FeaturesMax, 0);
        var trees = new DecisionTree[reader.Count("trees", 1, TreesMax, 4 + 4 + (8 * classes))];
        for (var t = 0; t < trees.Length; t++)
            trees[t] = ReadTree(ref reader, classes, features);
        return new RandomForest(trees, features, classes);
    }

    static DecisionTree ReadTree(ref BoundedReader reader, int classes, int features)
    {
        var nodes = reader.Count("nodes", 1, NodesMax, 4 + (8 * classes));
        var feature = new int[nodes];
        var threshold = new double[nodes];
        var missingLeft = new bool[nodes];
        var left = new int[nodes];
        var right = new int[nodes];
        var weights = new long[nodes * classes];
        var depth = new int[nodes];
        var reached = 1;
        for (var node = 0; node < nodes; node++)
        {
            if (node > 0 && depth[node] == 0)
                throw new FormatRefusedException($"node {node} is no node's child");
            feature[node] = reader.Int32();
            left[node] = right[node] = -1;
            if (feature[node] < -1 || feature[node] >= features)
                throw new FormatRefusedException($"node {node} splits feature {feature[node]} of {features}");
            if (feature[node] >= 0)
            {
                threshold[node] = reader.Double();
                missingLeft[node] = reader.Boolean();
                left[node] = reader.Int32();
                Adopt(node, left[node], nodes, depth);
                right[node] = left[node] + 1;
                reached += 2;
                if (!double.IsFinite(threshold[node]))
                    throw new FormatRefusedException($"node {node} has no finite threshold");
            }
            ReadWeights(ref reader, node, weights.AsSpan(node * classes, classes));
        }
        if (reached != nodes)
            throw new FormatRefusedException($"{nodes} nodes are claimed, {reached} are reached");
        return new DecisionTree(classes, feature, threshold, missingLeft, left, right, weights);
    }

    static void Adopt(int node, int left, int nodes, int[] depth)
    {
        if (left <= node || left + 1 >= nodes || depth[left] != 0 || depth[left + 1] != 0)
            throw new FormatRefusedException($"node {node} has children at {left}, which cannot be");
        if (depth[node] == RandomForest.DepthLimit)
            throw new FormatRefusedException($"a tree is deeper than {RandomForest.DepthLimit}");
        depth[left] = depth[left + 1] = depth[node] + 1;
    }

    static void ReadWeights(ref BoundedReader reader, int node, Span<long> weights)
    {
        long sum = 0;
        for (var c = 0; c < weights.Length; c++)
        {
            weights[c] = reader.Int64();
            if (weights[c] is < 0 or > WeightMax)
                throw new FormatRefusedException($"node {node} has the weight {weights[c]}");
            sum += weights[c];
        }
        if (sum == 0)
            throw new FormatRefusedException($"node {node} has no weight");
    }
}
