using Salus.Learning;
using Salus.Learning.Forest;
using Salus.Learning.Tables;
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
        foreach (var tree in forest.Trees)
        {
            Assert.InRange(tree.NodeCount, 1, 15);
            for (var node = 0; node < tree.NodeCount; node++)
                Assert.True((tree.Weights[node * 2] / 1_000) + (tree.Weights[(node * 2) + 1] / 2_500) >= 10);
        }
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
        foreach (var bad in new ForestOptions[] { new() { Trees = 0 }, new() { DepthMax = 0 }, new() { LeafMin = 0 }, new() { BinsMax = 256 }, new() { FeaturesPerSplit = -1 }, new() { Threads = -1 }, new() { ClassWeights = [1, double.NaN] }, new() { ClassWeights = [1] } })
            Assert.Contains("give", ForestTrainer.Objection(matrix, labels, 2, bad), StringComparison.Ordinal);
        var forest = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 2 }).Forest;
        Assert.Contains("2 values, the forest was trained on 3", Assert.Throws<ArgumentException>(() => forest.Predict([1, 2])).Message, StringComparison.Ordinal);
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
    public void Bent_bytes_are_refused_or_read_as_a_forest_that_still_predicts()
    {
        var (matrix, labels) = Sample(60, 3, 7);
        var bytes = Bytes(RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 3 }).Forest);
        for (var length = 0; length < bytes.Length; length++)
            Assert.False(RandomForest.TryRead(bytes.AsSpan(0, length), out _, out _));
        Assert.False(RandomForest.TryRead([.. bytes, 0], out _, out var follows));
        Assert.Contains("follow the end", follows, StringComparison.Ordinal);
        var generator = new SeededGenerator(8);
        var refused = 0;
        for (var attempt = 0; attempt < 5_000; attempt++)
        {
            var bent = (byte[])bytes.Clone();
            bent[generator.NextInt(bent.Length)] ^= (byte)(1 + generator.NextInt(255));
            if (!RandomForest.TryRead(bent, out var forest, out var reason))
            {
                Assert.NotEmpty(reason);
                refused++;
                continue;
            }
            if (forest.FeatureCount == 3)
                Assert.InRange(forest.Predict([0.5, double.NaN, 0.1])[1], 0, 1);
        }
        Assert.InRange(refused, 1_000, 5_000);
    }

    [Fact]
    public void Claimed_counts_are_refused_before_memory_is_taken()
    {
        byte[] bytes = [.. "SALUSFOREST"u8, 1, 2, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x03, .. new byte[100]];
        Assert.False(RandomForest.TryRead(bytes, out _, out var reason));
        Assert.Contains("nodes are claimed, but only 100 bytes are left", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Histograms_added_up_are_the_histogram_of_all_rows()
    {
        byte[] bins = [0, 1, 2, 1, 0, 2];
        int[] labels = [0, 1, 0, 1, 1, 0];
        long[] weights = [1, 2, 1, 3, 1, 1];
        var (whole, parts) = (new long[8], new long[8]);
        ClassHistogram.Accumulate(bins, [0, 1, 2, 3, 4, 5], labels, weights, 2, whole);
        ClassHistogram.Accumulate(bins, [5, 3, 1], labels, weights, 2, parts);
        ClassHistogram.Accumulate(bins, [4, 0, 2], labels, weights, 2, parts);
        Assert.Equal(whole, parts);
        Assert.Equal([1, 1, 0, 5, 2, 0, 0, 0], whole);
    }

    internal static byte[] Bytes(RandomForest forest)
    {
        using var stream = new MemoryStream();
        forest.Write(stream);
        return stream.ToArray();
    }
}
