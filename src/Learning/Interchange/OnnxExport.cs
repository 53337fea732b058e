using System.Text.Json;
using Salus.Learning.Boosting;
using Salus.Learning.Estimators;
using Salus.Learning.Forest;
using Salus.Learning.Trees;

namespace Salus.Learning.Interchange;

/// <summary>
/// Writes tree models as ONNX (operators of ai.onnx.ml, version 3). The input "features" is a row of single-precision
/// numbers in the order the model was trained on, NaN where missing; a classifier gives "label" and "probabilities", a
/// regressor "estimate".
/// </summary>
public static class OnnxExport
{
    const string Features = "features";

    /// <summary>Why the model cannot be written so, and the mend; null where it can.</summary>
    public static string? Objection(IEstimator model) => model is RandomForest or RegressionForest or BoostedClassifier or BoostedRegressor
        ? null
        : $"{model.FormatId} has no operator here; export a forest or a boosted model";

    /// <summary>Writes the model, with the features' names where they are known. Throws ArgumentException with the objection.</summary>
    public static void Write(IEstimator model, Stream stream, IReadOnlyList<string>? names = null)
    {
        if (Objection(model) is { } objection)
            throw new ArgumentException(objection);
        if (names is not null && names.Count != model.FeatureCount)
            throw new ArgumentException($"there are {names.Count} names for {model.FeatureCount} features; give one for each");
        var graph = new OnnxGraph("salus");
        graph.Input(Features, OnnxGraph.Element.Float, model.FeatureCount);
        switch (model)
        {
            case RandomForest forest:
                Classifier(graph, forest.Ensemble, forest.ClassCount, (_, leaf) => Shares(leaf, forest), "NONE");
                break;
            case BoostedClassifier { ClassCount: 2 } boosted:
                // The softmax of 0 and the log odds is the logistic function of these.
                Classifier(graph, boosted.Ensemble, 2, (tree, leaf) => [(0, 0), (1, leaf[0] + (tree == 0 ? boosted.Start[0] : 0))], "SOFTMAX");
                break;
            case BoostedClassifier boosted:
                Classifier(graph, boosted.Ensemble, boosted.ClassCount, (tree, leaf) => Turn(tree, leaf, boosted.Start), "SOFTMAX");
                break;
            case RegressionForest forest:
                Regressor(graph, forest.Ensemble, 1.0 / forest.TreeCount, 0);
                break;
            case BoostedRegressor boosted:
                Regressor(graph, boosted.Ensemble, 1, (float)boosted.Start);
                break;
        }
        var metadata = names is null ? [] : new Dictionary<string, string> { ["features"] = JsonSerializer.Serialize(names) };
        graph.Write(stream, metadata);
    }

    static IEnumerable<(int Target, double Weight)> Shares(double[] leaf, RandomForest forest) => forest.ClassCount == 2
        ? [(0, (1 - leaf[0]) / forest.TreeCount), (1, leaf[0] / forest.TreeCount)]
        : leaf.Select((share, c) => (c, share / forest.TreeCount));

    // The margins before any tree stand in the leaves of the first ones: of two classes the operator's base values mean something else.
    static IEnumerable<(int Target, double Weight)> Turn(int tree, double[] leaf, double[] start) =>
        [(tree % start.Length, leaf[0] + (tree < start.Length ? start[tree] : 0))];

    static void Classifier(OnnxGraph graph, TreeEnsemble trees, int classes, Func<int, double[], IEnumerable<(int Target, double Weight)>> weightsOf, string transform)
    {
        var nodes = new OnnxTrees(trees, weightsOf);
        var attributes = nodes.Attributes("class_treeids", "class_nodeids", "class_ids", "class_weights")
            .Ints("classlabels_int64s", Enumerable.Range(0, classes).Select(c => (long)c))
            .String("post_transform", transform);
        graph.Node("TreeEnsembleClassifier", OnnxGraph.Ml, [nodes.Sets(graph, Features)], ["by sign", "probabilities"], attributes);
        // Of two classes the operator's own label goes by the sign of a score, which for a probability says nothing.
        graph.Node("ArgMax", "", ["probabilities"], ["label"], new OnnxAttributes().Int("axis", 1).Int("keepdims", 0));
        graph.Output("label", OnnxGraph.Element.Int64, null);
        graph.Output("probabilities", OnnxGraph.Element.Float, classes);
    }

    static void Regressor(OnnxGraph graph, TreeEnsemble trees, double scale, float start)
    {
        var nodes = new OnnxTrees(trees, (_, leaf) => [(0, leaf[0] * scale)]);
        var attributes = nodes.Attributes("target_treeids", "target_nodeids", "target_ids", "target_weights")
            .Int("n_targets", 1)
            .Floats("base_values", [start])
            .String("aggregate_function", "SUM")
            .String("post_transform", "NONE");
        graph.Node("TreeEnsembleRegressor", OnnxGraph.Ml, [nodes.Sets(graph, Features)], ["estimate"], attributes);
        graph.Output("estimate", OnnxGraph.Element.Float, 1);
    }
}
