using Salus.Learning;
using Salus.Learning.Forest;
using Salus.Learning.Tables;
using Salus.Learning.Trees;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class RandomForestTests
{
    internal static (FeatureMatrix Matrix, int[] Labels) Sample(int rows, int features, ulong seed, double missing = 0.1)
    {
        var generator = new SeededGenerator(seed);
        var columns = Enumerable.Range(0, features).Select(_ => new double[rows]).ToArray();
        var labels = new int[rows];
        for (var row = 0; row < rows; row++)
        {
            foreach (var column in columns)
                column[row] = generator.NextDouble();
            labels[row] = columns[0][row] + (0.5 * columns[1 % features][row]) + (0.3 * generator.NextDouble()) > 0.9 ? 1 : 0;
            foreach (var column in columns)
                column[row] = generator.NextDouble() < missing ? double.NaN : column[row];
        }
        return (FeatureMatrix.OfColumns(columns), labels);
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_whatever_the_number_of_threads()
    {
        var (matrix, labels) = Sample(400, 6, 1);
        var options = new ForestOptions { Trees = 40, Importance = true, Seed = 9 };
        var one = RandomForest.Train(matrix, labels, 2, options with { Threads = 1 });
        var four = RandomForest.Train(matrix, labels, 2, options with { Threads = 4 });
        Assert.Equal(Bytes(one.Forest), Bytes(four.Forest));
        Assert.Equal(one.Importance, four.Importance);
        Assert.Equal(one.OutOfBag, four.OutOfBag);
        Assert.NotEqual(Bytes(one.Forest), Bytes(RandomForest.Train(matrix, labels, 2, options with { Seed = 10 }).Forest));
    }

    [Fact]
    public void A_rule_is_learned_and_the_features_that_make_it_matter_most()
    {
        var (matrix, labels) = Sample(1_500, 6, 2, missing: 0);
        var fit = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 100, Importance = true });
        Assert.InRange(fit.OutOfBagAccuracy, 0.85, 0.97);
        Assert.Equal([0, 1], fit.Importance!.Select((value, i) => (value, i)).OrderByDescending(pair => pair.value).Take(2).Select(pair => pair.i));
        Assert.True(fit.Importance![0] > fit.Importance[1]);
    }

    [Fact]
    public void Missing_values_are_routed_to_where_their_class_is()
    {
        double[] column = [.. Enumerable.Range(0, 200).Select(i => i % 2 == 0 ? double.NaN : i)];
        int[] labels = [.. Enumerable.Range(0, 200).Select(i => i % 2 == 0 ? 1 : 0)];
        var forest = RandomForest.Train(FeatureMatrix.OfColumns([column]), labels, 2, new ForestOptions { Trees = 10 }).Forest;
        Assert.Equal(1, forest.Predict([double.NaN])[1]);
        Assert.Equal(0, forest.Predict([50])[1]);
        Assert.Equal(0, forest.Predict([1e9])[1]);
    }

    [Fact]
    public void More_than_two_classes_are_told_apart()
    {
        double[] column = [.. Enumerable.Range(0, 300).Select(i => (double)i)];
        var forest = RandomForest.Train(FeatureMatrix.OfColumns([column]), [.. Enumerable.Range(0, 300).Select(i => i / 100)], 3, new ForestOptions { Trees = 20 }).Forest;
        Assert.Equal([0, 0, 1.0], forest.Predict([250]));
        Assert.Equal(1, forest.Predict([101]).Sum(), 12);
    }

    [Fact]
    public void Leaves_and_depth_keep_to_their_limits()
    {
        var (matrix, labels) = Sample(300, 3, 3);
        var forest = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 20, LeafMin = 10, DepthMax = 3, ClassWeights = [1, 2.5] }).Forest;
        foreach (var tree in forest.Ensemble.Trees)
        {
            Assert.InRange(tree.NodeCount, 2, 15);
            for (var node = 0; node < tree.NodeCount; node++)
            {
                Assert.True(tree.Cover[node] >= 10 * 1_000);
                if (!tree.IsLeaf(node))
                    Assert.Equal(tree.Cover[node], tree.Cover[tree.Next[node]] + tree.Cover[tree.Next[node] + 1]);
            }
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(0)]
    public void A_leaf_holds_its_minimum_of_different_rows_however_often_each_was_drawn(int classes)
    {
        var (matrix, labels) = Sample(400, 4, 12);
        int[] known = [.. labels.Select((label, row) => classes == 3 && row % 4 == 0 ? 2 : label)];
        double[] targets = [.. known.Select((label, row) => label + (row * 0.001))];
        var options = new ForestOptions { Trees = 10, LeafMin = 5, Seed = 3 };
        var trees = classes == 0 ? ForestTrainer.Train(matrix, targets, options).Forest.Ensemble : RandomForest.Train(matrix, known, classes, options).Forest.Ensemble;
        var fewest = int.MaxValue;
        for (var t = 0; t < 10; t++)
        {
            var (generator, tree) = (SeededGenerator.For(3, (ulong)t), trees.Trees[t]);
            int[] drawn = [.. Enumerable.Range(0, 400).Select(_ => generator.NextInt(400))];
            var leaves = drawn.GroupBy(row => LeafOf(trees, tree, matrix.Row(row))).ToArray();
            Assert.Equal(Enumerable.Range(0, tree.NodeCount).Where(tree.IsLeaf), leaves.Select(leaf => leaf.Key).Order());
            Assert.All(leaves, leaf => Assert.Equal(leaf.Count(), tree.Cover[leaf.Key]));
            fewest = Math.Min(fewest, leaves.Min(leaf => leaf.Distinct().Count()));
        }
        Assert.Equal(5, fewest);
    }

    [Fact]
    public void Sums_too_small_for_the_different_rows_of_a_node_change_no_split()
    {
        var (matrix, labels) = Sample(600, 5, 13);
        var bins = FeatureBins.Of(matrix, 255, 0, new ParallelOptions());
        var data = BinnedMatrix.Of(matrix, bins, new ParallelOptions());
        var trees = Array.ConvertAll([600L, 100, 0], packedMax =>
            new ForestGrower(data, labels, new BinarySplitter(data, 4, [1, 3], packedMax), 2, 64).Grow(SeededGenerator.For(1, 1)));
        Assert.True(trees[0].NodeCount > 20);
        foreach (var other in trees[1..])
        {
            Assert.Equal(trees[0].Feature.ToArray(), other.Feature.ToArray());
            Assert.Equal(trees[0].Bin.ToArray(), other.Bin.ToArray());
            Assert.Equal(trees[0].MissingLeft.ToArray(), other.MissingLeft.ToArray());
            Assert.Equal(trees[0].Values.ToArray(), other.Values.ToArray());
        }
    }

    static int LeafOf(TreeEnsemble trees, Tree tree, double[] row)
    {
        var (bins, node) = (trees.BinsOf(row), 0);
        while (!tree.IsLeaf(node))
            node = tree.ChildFor(node, bins[tree.Feature[node]], trees.Bins[tree.Feature[node]].Bins);
        return node;
    }

    [Fact]
    public void A_greater_class_weight_makes_its_class_likelier()
    {
        var (matrix, labels) = Sample(300, 3, 4);
        var options = new ForestOptions { Trees = 30, LeafMin = 20 };
        double Mean(ForestOptions chosen) => RandomForest.Train(matrix, labels, 2, chosen).Forest.Predict(matrix, 1).Average();
        Assert.True(Mean(options with { ClassWeights = [1, 5] }) > Mean(options) + 0.1);
    }

    [Theory]
    [InlineData(new[] { 0, 0, 0 }, 2, "same class")]
    [InlineData(new[] { 0, 1 }, 2, "3 rows and 2 labels")]
    [InlineData(new[] { 0, 1, -1 }, 2, "row 2 has label -1")]
    [InlineData(new[] { 0, 1, 2 }, 2, "row 2 has label 2")]
    [InlineData(new[] { 0, 0, 0 }, 1, "1 classes")]
    public void Labels_that_cannot_train_are_refused(int[] labels, int classes, string reason)
    {
        var matrix = FeatureMatrix.OfColumns([[1, 2, 3]]);
        Assert.Contains(reason, Assert.Throws<ArgumentException>(() => RandomForest.Train(matrix, labels, classes, new ForestOptions())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Empty_data_bad_options_and_rows_of_another_width_are_refused()
    {
        var (matrix, labels) = Sample(50, 3, 5);
        Assert.Contains("no rows", ForestTrainer.Objection(FeatureMatrix.OfColumns([[]]), [], 2, new ForestOptions()), StringComparison.Ordinal);
        Assert.Contains("no features", ForestTrainer.Objection(new FeatureMatrix([], Array.Empty<double[]>(), 50), labels, 2, new ForestOptions()), StringComparison.Ordinal);
        foreach (var bad in new ForestOptions[] { new() { Trees = 0 }, new() { DepthMax = 0 }, new() { LeafMin = -1 }, new() { BinsMax = 256 }, new() { FeaturesPerSplit = -1 }, new() { Threads = -1 }, new() { ClassWeights = [1, double.NaN] }, new() { ClassWeights = [1] } })
            Assert.Contains("give", ForestTrainer.Objection(matrix, labels, 2, bad), StringComparison.Ordinal);
        var forest = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 2 }).Forest;
        Assert.Contains("2 values, the model was trained on 3", Assert.Throws<ArgumentException>(() => forest.Predict([1, 2])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_forest_reads_back_bit_for_bit()
    {
        var (matrix, labels) = Sample(200, 4, 6);
        var forest = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 10 }).Forest;
        Assert.True(RandomForest.TryRead(Bytes(forest), out var read, out _));
        Assert.Equal(forest.Predict(matrix, 1), read.Predict(matrix, 1));
        Assert.Equal(Bytes(forest), Bytes(read));
    }

    [Fact]
    public void Numbers_are_estimated_and_out_of_bag_rows_say_how_well()
    {
        var generator = new SeededGenerator(5);
        double[] x = [.. Enumerable.Range(0, 600).Select(_ => generator.NextDouble())], noise = [.. x.Select(_ => generator.NextDouble())];
        double[] y = [.. x.Select(value => 1_000 + (10 * value * value))];
        var options = new ForestOptions { Trees = 60, LeafMin = 3, FeaturesPerSplit = 2, Importance = true };
        var fit = ForestTrainer.Train(FeatureMatrix.OfColumns([x, noise]), y, options);
        Assert.InRange(fit.OutOfBagError, 0, 0.1);
        Assert.InRange(fit.Forest.Predict([0.5, 0.5]), 1_002, 1_003);
        Assert.True(fit.Importance![0] > 50 * Math.Abs(fit.Importance[1]));
        var other = ForestTrainer.Train(FeatureMatrix.OfColumns([x, noise]), y, options with { Threads = 3 });
        Assert.Equal(fit.OutOfBag, other.OutOfBag);
        Assert.Equal(TreeFormatTests.Bytes(fit.Forest), TreeFormatTests.Bytes(other.Forest));
        Assert.Contains("row 1 has the target NaN", ForestTrainer.Objection(FeatureMatrix.OfColumns([[1, 2]]), [1, double.NaN], options), StringComparison.Ordinal);
    }

    [Fact]
    public void Out_of_bag_probabilities_are_those_of_the_trees_that_did_not_draw_the_row()
    {
        var (matrix, labels) = Sample(200, 4, 6);
        var fit = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 25, Seed = 3 });
        var drawn = Enumerable.Range(0, 25).Select(t =>
        {
            var generator = SeededGenerator.For(3, (ulong)t);
            return Enumerable.Range(0, 200).Select(_ => generator.NextInt(200)).ToHashSet();
        }).ToArray();
        for (var row = 0; row < 200; row++)
        {
            var (sum, voters) = (0.0, 0);
            for (var t = 0; t < 25; t++)
            {
                if (drawn[t].Contains(row))
                    continue;
                voters++;
                var tree = fit.Forest.Ensemble.Trees[t];
                sum += tree.ValuesAt(LeafOf(fit.Forest.Ensemble, tree, matrix.Row(row)))[0];
            }
            Assert.Equal(sum / voters, fit.OutOfBag![(row * 2) + 1], 9);
        }
    }

    [Fact]
    public void A_matrix_is_predicted_with_the_bits_of_its_rows()
    {
        var (matrix, labels) = Sample(333, 5, 7);
        var forest = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 21 }).Forest;
        Assert.Equal(Enumerable.Range(0, 333).Select(row => forest.Predict(matrix.Row(row))[1]), forest.Predict(matrix, 1));
        int[] three = [.. labels.Select((label, row) => row % 3 == 0 ? 2 : label)];
        var several = RandomForest.Train(matrix, three, 3, new ForestOptions { Trees = 13 }).Forest;
        Assert.Equal(Enumerable.Range(0, 333).Select(row => several.Predict(matrix.Row(row))[2]), several.Predict(matrix, 2));
    }

    [Fact]
    public void Single_precision_columns_train_the_forest_of_the_same_numbers_in_double_precision()
    {
        var (matrix, labels) = Sample(200, 4, 6);
        float[][] singles = [.. Enumerable.Range(0, 4).Select(feature => Array.ConvertAll(matrix.Column(feature).ToArray(), value => (float)value))];
        double[][] doubles = [.. singles.Select(column => Array.ConvertAll(column, value => (double)value))];
        var options = new ForestOptions { Trees = 10 };
        Assert.Equal(
            Bytes(RandomForest.Train(FeatureMatrix.OfColumns(doubles), labels, 2, options).Forest),
            Bytes(RandomForest.Train(FeatureMatrix.OfSingles(singles), labels, 2, options).Forest));
    }

    internal static byte[] Bytes(RandomForest forest)
    {
        using var stream = new MemoryStream();
        forest.Write(stream);
        return stream.ToArray();
    }
}
