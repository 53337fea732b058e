using Salus.Learning.Forest;

namespace Salus.Learning.Explain;

/// <summary>
/// TreeSHAP (Lundberg, Erion and Lee 2018, algorithm 2): the Shapley values of the features, where a feature that is not
/// known sends a row down both branches in the proportion of the training rows.
/// </summary>
public static class ForestExplainer
{
    /// <summary>Explains the probability of one class for one row.</summary>
    public static Explanation Explain(RandomForest forest, ReadOnlySpan<double> row, int classIndex)
    {
        var probability = forest.Predict(row)[classIndex];
        var contributions = new double[forest.FeatureCount];
        var basis = 0.0;
        foreach (var tree in forest.Trees)
        {
            basis += tree.ProbabilityAt(0, classIndex);
            new Walk(tree, classIndex, contributions).Visit(row, 0, new FeaturePath(), 1, 1, -1);
        }
        for (var i = 0; i < contributions.Length; i++)
            contributions[i] /= forest.TreeCount;
        return new Explanation(basis / forest.TreeCount, contributions, probability);
    }

    sealed class Walk(DecisionTree tree, int classIndex, double[] contributions)
    {
        // The recursion is as deep as the tree, which RandomForest.DepthLimit bounds.
        public void Visit(ReadOnlySpan<double> row, int node, FeaturePath above, double zero, double one, int by)
        {
            var path = above.Extended(zero, one, by);
            var feature = tree.Feature[node];
            if (feature < 0)
            {
                var probability = tree.ProbabilityAt(node, classIndex);
                for (var i = 1; i < path.Length; i++)
                    contributions[path.Feature(i)] += path.UnwoundSum(i) * (path.One(i) - path.Zero(i)) * probability;
                return;
            }
            var hot = tree.ChildFor(node, row[feature]);
            var cold = hot == tree.Left[node] ? tree.Right[node] : tree.Left[node];
            var (pastZero, pastOne) = (1.0, 1.0);
            if (path.IndexOf(feature) is var met && met > 0)
            {
                (pastZero, pastOne) = (path.Zero(met), path.One(met));
                path.Unwind(met);
            }
            double weight = tree.WeightAt(node);
            Visit(row, hot, path, pastZero * tree.WeightAt(hot) / weight, pastOne, feature);
            Visit(row, cold, path, pastZero * tree.WeightAt(cold) / weight, 0, feature);
        }
    }
}
