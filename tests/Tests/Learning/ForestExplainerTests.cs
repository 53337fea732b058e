using System.Numerics;
using Salus.Learning.Explain;
using Salus.Learning.Forest;
using Salus.Learning.Tables;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class ForestExplainerTests
{
    [Fact]
    public void Contributions_are_the_Shapley_values_that_enumeration_of_all_subsets_gives()
    {
        var (matrix, labels) = RandomForestTests.Sample(120, 4, 11);
        var forest = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 5, FeaturesPerSplit = 3 }).Forest;
        for (var i = 0; i < 15; i++)
        {
            var row = matrix.Row(i);
            var explanation = ForestExplainer.Explain(forest, row, 1);
            var expected = BruteForce(forest, row);
            for (var feature = 0; feature < 4; feature++)
                Assert.Equal(expected[feature], explanation.Contributions[feature], 10);
        }
    }

    [Fact]
    public void Base_and_contributions_add_up_to_the_probability()
    {
        var (matrix, labels) = RandomForestTests.Sample(300, 12, 12);
        var forest = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 50 }).Forest;
        for (var i = 0; i < 40; i++)
        {
            var explanation = ForestExplainer.Explain(forest, matrix.Row(i), 1);
            Assert.Equal(explanation.Probability, explanation.Base + explanation.Contributions.Sum(), 10);
            Assert.Equal(forest.Predict(matrix.Row(i))[1], explanation.Probability);
        }
    }

    [Fact]
    public void The_features_that_moved_it_most_come_first_in_words()
    {
        Feature[] features = [new(FeatureKind.Number, "heart rate"), new(FeatureKind.Word, "notes", "dyspnoea"), new(FeatureKind.Number, "age")];
        var top = new Explanation(0.4, [0.08, 0.12, 0], 0.6).Top(features, [128, 2, 50], 5);
        Assert.Equal(["word 'dyspnoea' present ×2", "heart rate 128"], top.Select(contribution => contribution.Description));
        Assert.Equal(0.12, top[0].Share);
    }

    static double[] BruteForce(RandomForest forest, double[] row)
    {
        var values = new double[1 << row.Length];
        for (var known = 0; known < values.Length; known++)
        {
            foreach (var tree in forest.Trees)
                values[known] += Expected(tree, 0, row, known) / forest.TreeCount;
        }
        return
        [
            .. Enumerable.Range(0, row.Length).Select(feature => Enumerable.Range(0, values.Length)
                .Where(known => (known & (1 << feature)) == 0)
                .Sum(known => Weight(BitOperations.PopCount((uint)known), row.Length) * (values[known | (1 << feature)] - values[known]))),
        ];
    }

    static double Expected(DecisionTree tree, int node, double[] row, int known)
    {
        var feature = tree.Feature[node];
        if (feature < 0)
            return tree.ProbabilityAt(node, 1);
        var (left, right) = (tree.Left[node], tree.Right[node]);
        if ((known & (1 << feature)) != 0)
            return Expected(tree, tree.ChildFor(node, row[feature]), row, known);
        return ((tree.WeightAt(left) * Expected(tree, left, row, known)) + (tree.WeightAt(right) * Expected(tree, right, row, known))) / tree.WeightAt(node);
    }

    static double Weight(int size, int features) =>
        Factorial(size) * Factorial(features - size - 1) / Factorial(features);

    static double Factorial(int n) => Enumerable.Range(1, n).Aggregate(1.0, (product, i) => product * i);
}
