using System.Numerics;
using Salus.Learning;
using Salus.Learning.Boosting;
using Salus.Learning.Explain;
using Salus.Learning.Forest;
using Salus.Learning.Tables;
using Salus.Learning.Trees;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class TreeExplainerTests
{
    [Fact]
    public void Contributions_of_a_forest_are_the_Shapley_values_that_enumeration_of_all_subsets_gives()
    {
        var (matrix, labels) = RandomForestTests.Sample(120, 4, 11);
        var forest = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 5, FeaturesPerSplit = 3, ClassWeights = [1, 2.5] }).Forest;
        for (var i = 0; i < 15; i++)
        {
            var expected = BruteForce(forest.Ensemble, matrix.Row(i), 0);
            AssertEqual(expected.Select(share => share / 5), forest.Explain(matrix.Row(i), 1).Contributions);
            AssertEqual(expected.Select(share => -share / 5), forest.Explain(matrix.Row(i), 0).Contributions);
        }
    }

    [Fact]
    public void Contributions_of_boosted_trees_with_categories_are_the_Shapley_values_of_the_margin()
    {
        var (matrix, labels) = BoostingTests.Categories(300, 12);
        var model = BoostingTrainer.Train(matrix, labels, 2, new BoostingOptions { Trees = 12, LearningRate = 0.3 }).Model;
        Assert.Contains(model.Ensemble.Trees, tree => tree.HasSets);
        for (var i = 0; i < 15; i++)
            AssertEqual(BruteForce(model.Ensemble, matrix.Row(i), 0), model.Explain(matrix.Row(i), 1).Contributions);
    }

    [Fact]
    public void Contributions_to_one_class_of_three_are_those_of_its_own_trees()
    {
        var (matrix, labels) = RandomForestTests.Sample(200, 3, 13);
        int[] three = [.. labels.Select((label, row) => row % 5 == 0 ? 2 : label)];
        var model = BoostingTrainer.Train(matrix, three, 3, new BoostingOptions { Trees = 5, LearningRate = 0.3, FeatureShare = 1 }).Model;
        var forest = RandomForest.Train(matrix, three, 3, new ForestOptions { Trees = 4 }).Forest;
        for (var i = 0; i < 10; i++)
        {
            AssertEqual(BruteForce(model.Ensemble, matrix.Row(i), 2), model.Explain(matrix.Row(i), 2).Contributions);
            AssertEqual(BruteForce(forest.Ensemble, matrix.Row(i), 1).Select(share => share / 4), forest.Explain(matrix.Row(i), 1).Contributions);
        }
    }

    [Fact]
    public void Base_and_contributions_add_up_to_the_prediction()
    {
        var (matrix, labels) = RandomForestTests.Sample(300, 12, 12);
        var forest = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 50 }).Forest;
        var boosted = BoostingTrainer.Train(matrix, labels, 2, new BoostingOptions { Trees = 60 }).Model;
        double[] targets = [.. labels.Select((label, row) => label * 100.0 + row)];
        var regressor = BoostingTrainer.Train(matrix, targets, new BoostingOptions { Trees = 40 }).Model;
        var regressionForest = ForestTrainer.Train(matrix, targets, new ForestOptions { Trees = 20 }).Forest;
        for (var i = 0; i < 40; i++)
        {
            var row = matrix.Row(i);
            foreach (var explanation in new[] { forest.Explain(row, 0), forest.Explain(row, 1), boosted.Explain(row, 0), boosted.Explain(row, 1), regressor.Explain(row, 0), regressionForest.Explain(row, 0) })
                Assert.Equal(explanation.Total, explanation.Base + explanation.Contributions.Sum(), 8);
            Assert.Equal(forest.Predict(row)[1], forest.Explain(row, 1).Total);
            Assert.Equal(boosted.Predict(row)[1], boosted.Explain(row, 1).Probability, 12);
            Assert.Equal(boosted.Predict(row)[0], boosted.Explain(row, 0).Probability, 12);
            Assert.Equal(regressor.Predict(row), regressor.Explain(row, 0).Total);
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

    [Fact]
    public void Mean_absolute_values_rank_what_the_rule_was_made_of()
    {
        var (matrix, labels) = RandomForestTests.Sample(600, 5, 14, missing: 0);
        var model = BoostingTrainer.Train(matrix, labels, 2, new BoostingOptions { Trees = 60 }).Model;
        var means = Importance.MeanAbsolute(model, matrix, 1, rowsMax: 200);
        Assert.True(means[0] > means[1] && means[1] > 3 * means.Skip(2).Max());
    }

    [Fact]
    public void Partial_dependence_is_the_mean_prediction_with_the_feature_set()
    {
        var (matrix, labels) = RandomForestTests.Sample(100, 3, 15, missing: 0);
        var model = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 20 }).Forest;
        var curve = Importance.PartialDependence(model, matrix, 0, 1, points: 5);
        Assert.Equal(5, curve.Count);
        Assert.Equal((matrix.Column(0).ToArray().Min(), matrix.Column(0).ToArray().Max()), (curve[0].Value, curve[^1].Value));
        var expected = Enumerable.Range(0, 100).Average(row => model.Predict([curve[2].Value, matrix.Row(row)[1], matrix.Row(row)[2]])[1]);
        Assert.Equal(expected, curve[2].Mean, 12);
        Assert.True(curve[^1].Mean > curve[0].Mean + 0.3);
    }

    static void AssertEqual(IEnumerable<double> expected, double[] actual) =>
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 9));

    static double[] BruteForce(TreeEnsemble ensemble, double[] row, int output)
    {
        var bins = ensemble.BinsOf(row);
        var values = new double[1 << row.Length];
        for (var known = 0; known < values.Length; known++)
        {
            for (var t = 0; t < ensemble.Trees.Length; t++)
            {
                if (ensemble.Width > 1 || t % ensemble.Outputs == output)
                    values[known] += Expected(ensemble, ensemble.Trees[t], 0, bins, known, ensemble.Width > 1 ? output : 0);
            }
        }
        return
        [
            .. Enumerable.Range(0, row.Length).Select(feature => Enumerable.Range(0, values.Length)
                .Where(known => (known & (1 << feature)) == 0)
                .Sum(known => Weight(BitOperations.PopCount((uint)known), row.Length) * (values[known | (1 << feature)] - values[known]))),
        ];
    }

    static double Expected(TreeEnsemble ensemble, Tree tree, int node, int[] bins, int known, int output)
    {
        if (tree.IsLeaf(node))
            return tree.ValuesAt(node)[output];
        var (feature, left) = (tree.Feature[node], tree.Next[node]);
        if ((known & (1 << feature)) != 0)
            return Expected(ensemble, tree, tree.ChildFor(node, bins[feature], ensemble.Bins[feature].Bins), bins, known, output);
        return ((tree.Cover[left] * Expected(ensemble, tree, left, bins, known, output)) + (tree.Cover[left + 1] * Expected(ensemble, tree, left + 1, bins, known, output))) / tree.Cover[node];
    }

    static double Weight(int size, int features) =>
        Factorial(size) * Factorial(features - size - 1) / Factorial(features);

    static double Factorial(int n) => Enumerable.Range(1, n).Aggregate(1.0, (product, i) => product * i);
}
