using Salus.Learning.Trees;

namespace Salus.Learning.Interchange;

/// <summary>
/// Trees as the lists that ONNX's tree operators take. Those know no sets of categories, so each set that a split asks
/// for becomes a feature of its own, 0 where a row goes left and 1 where it goes right.
/// </summary>
sealed class OnnxTrees
{
    readonly TreeEnsemble ensemble;
    readonly List<(int Feature, string Key, NodeSplit Split)> sets = [];
    readonly Dictionary<(int Feature, string Key), int> setAt = [];
    readonly List<long> trees = [], ids = [], features = [], trueIds = [], falseIds = [], missingTrue = [];
    readonly List<string> modes = [];
    readonly List<float> thresholds = [];
    readonly List<long> leafTrees = [], leafIds = [], leafTargets = [];
    readonly List<float> leafWeights = [];

    public OnnxTrees(TreeEnsemble ensemble, Func<int, double[], IEnumerable<(int Target, double Weight)>> weightsOf)
    {
        this.ensemble = ensemble;
        for (var t = 0; t < ensemble.Trees.Length; t++)
            Add(ensemble.Trees[t], t, weightsOf);
    }

    void Add(Tree tree, int number, Func<int, double[], IEnumerable<(int Target, double Weight)>> weightsOf)
    {
        for (var node = 0; node < tree.NodeCount; node++)
        {
            var isLeaf = tree.IsLeaf(node);
            trees.Add(number);
            ids.Add(node);
            modes.Add(isLeaf ? "LEAF" : "BRANCH_LEQ");
            trueIds.Add(isLeaf ? 0 : tree.Next[node]);
            falseIds.Add(isLeaf ? 0 : tree.Next[node] + 1);
            missingTrue.Add(!isLeaf && tree.MissingLeft[node] ? 1 : 0);
            var (feature, threshold) = isLeaf ? (0, 0) : tree.SetAt(node) is { } set
                ? (SetFeature(new NodeSplit(tree.Feature[node], 0, tree.MissingLeft[node], set)), 0.5f)
                : (tree.Feature[node], Threshold(ensemble.Bins[tree.Feature[node]], tree.Bin[node]));
            features.Add(feature);
            thresholds.Add(threshold);
            if (!isLeaf)
                continue;
            foreach (var (target, weight) in weightsOf(number, tree.ValuesAt(node).ToArray()))
            {
                leafTrees.Add(number);
                leafIds.Add(node);
                leafTargets.Add(target);
                leafWeights.Add((float)weight);
            }
        }
    }

    // The greatest single-precision number not above the edge: it parts single-precision values as the edge does.
    static float Threshold(FeatureBins bins, int bin)
    {
        if (bin >= bins.Edges.Length)
            return float.PositiveInfinity;
        var rounded = (float)bins.Edges[bin];
        return rounded > bins.Edges[bin] ? MathF.BitDecrement(rounded) : rounded;
    }

    int SetFeature(NodeSplit split)
    {
        var key = (split.Feature, $"{split.MissingLeft} {string.Join(' ', split.Set!)}");
        if (!setAt.TryGetValue(key, out var at))
        {
            at = sets.Count;
            setAt.Add(key, at);
            sets.Add((split.Feature, key.Item2, split));
        }
        return ensemble.FeatureCount + at;
    }

    /// <summary>Adds what turns categories into the features of their sets, and names the value that the trees take.</summary>
    public string Sets(OnnxGraph graph, string input)
    {
        if (sets.Count == 0)
            return input;
        foreach (var feature in sets.Select(set => set.Feature).Distinct())
        {
            graph.Constant($"at{feature}", [feature]);
            graph.Node("Gather", "", [input, $"at{feature}"], [$"code{feature}"], new OnnxAttributes().Int("axis", 1));
        }
        for (var i = 0; i < sets.Count; i++)
        {
            var (feature, _, split) = sets[i];
            var codes = ensemble.Bins[feature].Edges.ToArray();
            var attributes = new OnnxAttributes()
                .Floats("keys_floats", Array.ConvertAll(codes, code => (float)code))
                .Floats("values_floats", [.. codes.Select((_, bin) => split.GoesLeft(bin, codes.Length) ? 0f : 1f)])
                .Float("default_float", split.MissingLeft ? 0 : 1);
            graph.Node("LabelEncoder", OnnxGraph.Ml, [$"code{feature}"], [$"set{i}"], attributes);
        }
        graph.Node("Concat", "", [input, .. sets.Select((_, i) => $"set{i}")], ["widened"], new OnnxAttributes().Int("axis", 1));
        return "widened";
    }

    public OnnxAttributes Attributes(string leafTreesName, string leafIdsName, string targetsName, string weightsName) => new OnnxAttributes()
        .Ints("nodes_treeids", trees)
        .Ints("nodes_nodeids", ids)
        .Ints("nodes_featureids", features)
        .Strings("nodes_modes", modes)
        .Floats("nodes_values", thresholds)
        .Ints("nodes_truenodeids", trueIds)
        .Ints("nodes_falsenodeids", falseIds)
        .Ints("nodes_missing_value_tracks_true", missingTrue)
        .Ints(leafTreesName, leafTrees)
        .Ints(leafIdsName, leafIds)
        .Ints(targetsName, leafTargets)
        .Floats(weightsName, leafWeights);
}
