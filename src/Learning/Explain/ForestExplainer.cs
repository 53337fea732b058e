using Salus.Learning.Forest;
using Salus.Learning.Tables;

namespace Salus.Learning.Explain;

/// <summary>What one feature added to a probability.</summary>
/// <param name="Feature">The feature's name.</param>
/// <param name="Value">Its value in this row, NaN where missing.</param>
/// <param name="Share">What it added to, or took from, the probability.</param>
/// <param name="Description">The feature with its value as a reader would say it.</param>
public sealed record Contribution(string Feature, double Value, double Share, string Description);

/// <summary>A probability taken apart: <paramref name="Base"/> plus the sum of <paramref name="Contributions"/> (one per feature) is <paramref name="Probability"/>.</summary>
public sealed record Explanation(double Base, double[] Contributions, double Probability)
{
    /// <summary>The features that moved the probability most, either way; features that did not move it are left out.</summary>
    public IReadOnlyList<Contribution> Top(IReadOnlyList<Feature> features, ReadOnlySpan<double> row, int count)
    {
        var top = new List<Contribution>();
        foreach (var i in Enumerable.Range(0, Contributions.Length).OrderByDescending(i => Math.Abs(Contributions[i])).ThenBy(i => i))
        {
            if (top.Count == count || Contributions[i] == 0)
                break;
            top.Add(new Contribution(features[i].Name, row[i], Contributions[i], features[i].Describe(row[i])));
        }
        return top;
    }
}

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
