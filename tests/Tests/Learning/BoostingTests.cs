using Salus.Learning;
using Salus.Learning.Boosting;
using Salus.Learning.Evaluate;
using Salus.Learning.Tables;
using Salus.Learning.Trees;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class BoostingTests
{
    static readonly BoostingOptions Options = new() { Trees = 40, LearningRate = 0.2 };

    /// <summary>A category whose even codes are ill, a number, and a category of noise.</summary>
    internal static (FeatureMatrix Matrix, int[] Labels) Categories(int rows, ulong seed)
    {
        var generator = new SeededGenerator(seed);
        var columns = new double[3][];
        for (var c = 0; c < 3; c++)
            columns[c] = new double[rows];
        var labels = new int[rows];
        for (var row = 0; row < rows; row++)
        {
            var code = generator.NextInt(12);
            columns[0][row] = generator.NextInt(10) == 0 ? double.NaN : code;
            columns[1][row] = generator.NextDouble();
            columns[2][row] = generator.NextInt(4);
            labels[row] = (code % 2 == 0 ? 0.6 : 0) + (0.3 * columns[1][row]) + (0.3 * generator.NextDouble()) > 0.6 ? 1 : 0;
        }
        return (new FeatureMatrix([new(FeatureKind.Code, "code"), new(FeatureKind.Number, "x"), new(FeatureKind.Code, "noise")], columns, rows), labels);
    }

    [Fact]
    public void The_same_seed_gives_the_same_bits_whatever_the_number_of_threads()
    {
        // More rows than one task takes, so that several tasks sum one node.
        var (matrix, labels) = RandomForestTests.Sample(70_000, 9, 1);
        var options = Options with { Trees = 6 };
        var one = Bytes(matrix, labels, 2, options with { Threads = 1 });
        Assert.Equal(one, Bytes(matrix, labels, 2, options with { Threads = 5 }));
        Assert.NotEqual(one, Bytes(matrix, labels, 2, options with { Seed = 2 }));
    }

    [Fact]
    public void Sums_over_parts_of_the_rows_add_up_to_the_sums_over_all()
    {
        // More features than are copied together, some of them left out, as are some rows.
        const int features = 75, count = 20_000;
        int[] chosen = [.. Enumerable.Range(0, features).Where(feature => feature % 7 != 3 || feature is > 40 and < 60)];
        var (matrix, _) = RandomForestTests.Sample(count, features, 2);
        var parallel = new ParallelOptions();
        var data = BinnedMatrix.Of(matrix, FeatureBins.Of(matrix, 20, 32, parallel), parallel);
        var layout = new HistogramLayout(data.Bins);
        var generator = new SeededGenerator(3);
        (int First, int Second)[] derivatives = [.. Enumerable.Range(0, count).Select(row => row % 5 == 0 ? (0, 0) : (generator.NextInt(1 << 20) - (1 << 19) + 1, 1 + generator.NextInt((1 << 19) - 1)))];
        long[] gradients = [.. derivatives.Select(pair => HistogramBlock.Pack(pair.First, pair.Second))];
        long[] Sum(IEnumerable<int> rows)
        {
            var sums = new LocalGradientSums(data, layout, [.. rows], parallel);
            sums.Begin(gradients, chosen);
            var histogram = new long[2 * layout.BinCount];
            sums.Sum([(0, histogram)]);
            return histogram;
        }

        var all = Sum(Enumerable.Range(0, count));
        var (one, other) = (Sum(Enumerable.Range(0, 1_500)), Sum(Enumerable.Range(1_500, count - 1_500)));
        Assert.Equal(all, one.Zip(other, (a, b) => a + b));
        var expected = new long[2 * layout.BinCount];
        for (var row = 0; row < count; row++)
        {
            foreach (var feature in chosen)
            {
                var at = 2 * (layout.OffsetOf(feature) + data.Codes[(row * features) + feature]);
                expected[at] += derivatives[row].First;
                expected[at + 1] += derivatives[row].Second;
            }
        }
        Assert.Equal(expected, all);
    }

    [Fact]
    public void Rows_go_where_their_split_sends_them_in_the_order_they_had()
    {
        // Two nodes at once, of several tasks and of one.
        var (matrix, _) = RandomForestTests.Sample(60_000, 3, 2);
        var parallel = new ParallelOptions();
        var data = BinnedMatrix.Of(matrix, FeatureBins.Of(matrix, 20, 32, parallel), parallel, byColumn: true);
        int[] training = [.. Enumerable.Range(0, 60_000).Where(row => row % 3 != 0)];
        var sums = new LocalGradientSums(data, new HistogramLayout(data.Bins), training, parallel);
        sums.Begin(new long[60_000], [0, 1, 2]);
        int[] Rows(Func<int, bool> where) => [.. training.Where(where)];
        int Bin(int row, int feature) => data.Codes[(row * 3) + feature];

        Assert.Equal([(Rows(row => Bin(row, 0) <= 14).Length, Rows(row => Bin(row, 0) > 14).Length)], sums.Split([new(0, new(0, 14, false), 1, 2)]));
        sums.Split([new(2, new(2, 3, true), 5, 6), new(1, new(1, 9, true), 3, 4)]);

        Assert.Equal(Rows(row => Bin(row, 0) <= 14 && (Bin(row, 1) <= 9 || Bin(row, 1) == 20)), sums.RowsAt(3).ToArray());
        Assert.Equal(Rows(row => Bin(row, 0) <= 14 && Bin(row, 1) is > 9 and < 20), sums.RowsAt(4).ToArray());
        Assert.Equal(Rows(row => Bin(row, 0) > 14 && (Bin(row, 2) <= 3 || Bin(row, 2) == 20)), sums.RowsAt(5).ToArray());
        Assert.Equal(Rows(row => Bin(row, 0) > 14 && Bin(row, 2) is > 3 and < 20), sums.RowsAt(6).ToArray());
    }

    [Fact]
    public void Each_further_leaf_is_the_division_of_one()
    {
        var (matrix, labels) = RandomForestTests.Sample(3_000, 6, 8);
        double[] before = [];
        for (var leaves = 2; leaves <= 14; leaves++)
        {
            var model = BoostingTrainer.Train(matrix, labels, 2, Options with { Trees = 1, LeavesMax = leaves, DepthMax = 5, RowShare = 1, FeatureShare = 1 }).Model;
            Assert.Equal((2 * leaves) - 1, model.Ensemble.Trees[0].NodeCount);
            var now = model.Predict(matrix, 1);
            var divided = Enumerable.Range(0, now.Length).GroupBy(row => now[row]).ToArray();
            Assert.Equal(leaves, divided.Length);
            Assert.All(divided, leaf => Assert.Single(leaf.Select(row => before.Length == 0 ? 0 : before[row]).Distinct()));
            before = now;
        }
    }

    [Fact]
    public void The_first_split_is_the_one_that_enumeration_of_all_splits_finds()
    {
        var (matrix, labels) = RandomForestTests.Sample(400, 4, 4);
        var options = new BoostingOptions { Trees = 1, LeavesMax = 2, LearningRate = 1, RowShare = 1, FeatureShare = 1, Lambda = 1.5, LeafWeightMin = 3 };
        var model = BoostingTrainer.Train(matrix, labels, 2, options).Model;
        var mean = labels.Average();
        var best = (Score: double.NegativeInfinity, Feature: -1, Left: 0.0, Right: 0.0);
        for (var feature = 0; feature < 4; feature++)
        {
            var values = matrix.Column(feature).ToArray();
            foreach (var edge in values.Where(double.IsFinite).Distinct())
            {
                foreach (var missingLeft in new[] { false, true })
                {
                    (double G, double H) left = (0, 0), right = (0, 0);
                    for (var row = 0; row < 400; row++)
                    {
                        var (g, h) = (mean - labels[row], mean * (1 - mean));
                        if (double.IsNaN(values[row]) ? missingLeft : values[row] <= edge)
                            left = (left.G + g, left.H + h);
                        else
                            right = (right.G + g, right.H + h);
                    }
                    var score = (left.G * left.G / (left.H + 1.5)) + (right.G * right.G / (right.H + 1.5));
                    if (left.H >= 3 && right.H >= 3 && score > best.Score)
                        best = (score, feature, -left.G / (left.H + 1.5), -right.G / (right.H + 1.5));
                }
            }
        }
        var tree = Assert.Single(model.Ensemble.Trees);
        Assert.Equal(3, tree.NodeCount);
        Assert.Equal(best.Feature, tree.Feature[0]);
        // With fewer than 256 bins per 360 distinct values the edge may lie beside the best one.
        Assert.Equal(best.Left, tree.ValuesAt(tree.Next[0])[0], 0.05);
        Assert.Equal(best.Right, tree.ValuesAt(tree.Next[0] + 1)[0], 0.05);
    }

    [Fact]
    public void A_rule_with_missing_values_is_learned()
    {
        var (matrix, labels) = RandomForestTests.Sample(2_000, 6, 5);
        var (unseen, truth) = RandomForestTests.Sample(2_000, 6, 6);
        var model = BoostingTrainer.Train(matrix, labels, 2, Options).Model;
        Assert.InRange(Metrics.RocAuc(model.Predict(unseen, 1), truth), 0.9, 0.99);
        Assert.Equal(Enumerable.Range(0, 300).Select(row => model.Predict(unseen.Row(row))[1]), model.Predict(unseen, 1).Take(300));
    }

    [Fact]
    public void Missing_values_are_routed_to_where_their_class_is()
    {
        double[] column = [.. Enumerable.Range(0, 200).Select(i => i % 2 == 0 ? double.NaN : i)];
        int[] labels = [.. Enumerable.Range(0, 200).Select(i => i % 2 == 0 ? 1 : 0)];
        var model = BoostingTrainer.Train(FeatureMatrix.OfColumns([column]), labels, 2, Options).Model;
        Assert.InRange(model.Predict([double.NaN])[1], 0.95, 1);
        Assert.InRange(model.Predict([50])[1], 0, 0.05);
        Assert.InRange(model.Predict([1e9])[1], 0, 0.05);
    }

    [Fact]
    public void Sets_of_categories_are_told_apart_that_no_order_of_their_codes_could()
    {
        var (matrix, labels) = Categories(3_000, 7);
        var (unseen, truth) = Categories(3_000, 8);
        var stump = Options with { Trees = 1, LeavesMax = 2, FeatureShare = 1, CategorySmoothing = 1 };
        double Auc(BoostingOptions options) => Metrics.RocAuc(BoostingTrainer.Train(matrix, labels, 2, options).Model.Predict(unseen, 1), truth);
        Assert.True(Auc(stump) > Auc(stump with { NativeCategories = false }) + 0.2);
        var tree = BoostingTrainer.Train(matrix, labels, 2, stump).Model.Ensemble.Trees[0];
        Assert.Contains(tree.SetAt(0)![0], new[] { 0b0101_0101_0101UL, 0b1010_1010_1010UL });
        var model = BoostingTrainer.Train(matrix, labels, 2, Options).Model;
        Assert.Equal(model.Predict([double.NaN, 0.5, 0])[1], model.Predict([77, 0.5, 0])[1]);
        Assert.Equal(Enumerable.Range(0, 300).Select(row => model.Predict(unseen.Row(row))[1]), model.Predict(unseen, 1).Take(300));
    }

    [Fact]
    public void A_category_of_noise_with_many_rare_levels_is_left_alone()
    {
        var generator = new SeededGenerator(17);
        double[] level = [.. Enumerable.Range(0, 4_000).Select(_ => (double)generator.NextInt(30))], x = [.. level.Select(_ => generator.NextDouble())];
        int[] labels = [.. x.Select(value => value + generator.NextDouble() > 1.4 ? 1 : 0)];
        var matrix = new FeatureMatrix([new(FeatureKind.Code, "level"), new(FeatureKind.Number, "x")], [level, x], 4_000);
        int Splits(BoostingOptions options) => BoostingTrainer.Train(matrix, labels, 2, options with { FeatureShare = 1 }).Model.Ensemble.Trees.Sum(tree => tree.Feature.ToArray().Count(feature => feature == 0));
        Assert.True(Splits(Options with { CategoryRowsMin = 500 }) < Splits(Options with { CategoryRowsMin = 1, CategorySmoothing = 0 }) / 2);
        Assert.False(BoostingTrainer.Train(matrix, labels, 2, Options with { NativeLevelsMax = 29 }).Model.Ensemble.Bins[0].IsCategory);
    }

    [Fact]
    public void Several_classes_are_told_apart_and_their_probabilities_sum_to_one()
    {
        double[] column = [.. Enumerable.Range(0, 300).Select(i => (double)i)];
        int[] labels = [.. Enumerable.Range(0, 300).Select(i => i / 100)];
        var model = BoostingTrainer.Train(FeatureMatrix.OfColumns([column]), labels, 3, Options).Model;
        Assert.All(new[] { (50.0, 0), (150.0, 1), (250.0, 2) }, pair => Assert.InRange(model.Predict([pair.Item1])[pair.Item2], 0.95, 1));
        Assert.Equal(1, model.Predict([101]).Sum(), 12);
        Assert.Equal(Enumerable.Range(0, 300).Select(row => model.Predict([column[row]])[2]), model.Predict(FeatureMatrix.OfColumns([column]), 2));
    }

    [Fact]
    public void Numbers_are_estimated_whatever_their_size()
    {
        var generator = new SeededGenerator(9);
        double[] x = [.. Enumerable.Range(0, 1_000).Select(_ => generator.NextDouble())];
        foreach (var size in new[] { 1e-12, 1.0, 1e12 })
        {
            double[] y = [.. x.Select(value => size * (3 + Math.Sin(6 * value)))];
            var model = BoostingTrainer.Train(FeatureMatrix.OfColumns([x]), y, Options with { Trees = 100 }).Model;
            Assert.All(new[] { 0.1, 0.4, 0.9 }, at => Assert.Equal(3 + Math.Sin(6 * at), model.Predict([at]) / size, 0.05));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public void A_monotone_feature_never_moves_the_output_the_other_way(int direction)
    {
        var (matrix, labels) = RandomForestTests.Sample(800, 3, 10);
        var options = Options with { Trees = 60, Monotone = new Dictionary<string, int> { ["x0"] = direction } };
        var (free, bound) = (BoostingTrainer.Train(matrix, labels, 2, Options).Model, BoostingTrainer.Train(matrix, labels, 2, options).Model);
        var against = 0;
        for (var i = 0; i < 60; i++)
        {
            var row = matrix.Row(i);
            for (var step = 0; step < 50; step++)
            {
                double[] lower = [step * 0.02, row[1], row[2]], upper = [(step + 1) * 0.02, row[1], row[2]];
                Assert.True(direction * (bound.Predict(upper)[1] - bound.Predict(lower)[1]) >= 0);
                against += free.Predict(upper)[1] < free.Predict(lower)[1] ? 1 : 0;
            }
        }
        Assert.True(against > 0, "without the constraint it does");
    }

    [Fact]
    public void It_stops_when_held_out_rows_are_not_predicted_better_any_more()
    {
        var (matrix, labels) = RandomForestTests.Sample(500, 4, 11);
        var fit = BoostingTrainer.Train(matrix, labels, 2, new BoostingOptions { Trees = 2_000, LearningRate = 0.3, PatienceRounds = 10, HeldShare = 0.2 });
        Assert.InRange(fit.Rounds, 2, 500);
        Assert.Equal(fit.Rounds, fit.Model.TreeCount);
        Assert.Equal(fit.Rounds + 10, fit.HeldLoss.Count);
        Assert.Equal(fit.HeldLoss.Min(), fit.HeldLoss[fit.Rounds - 1]);
    }

    [Fact]
    public void Leaves_and_depth_keep_to_their_limits()
    {
        var (matrix, labels) = RandomForestTests.Sample(3_000, 5, 12);
        var many = BoostingTrainer.Train(matrix, labels, 2, Options with { Trees = 5, LeavesMax = 7, DepthMax = 30 }).Model;
        Assert.All(many.Ensemble.Trees, tree => Assert.InRange(tree.NodeCount, 3, 13));
        var flat = BoostingTrainer.Train(matrix, labels, 2, Options with { Trees = 5, LeavesMax = 100, DepthMax = 2 }).Model;
        Assert.All(flat.Ensemble.Trees, tree => Assert.InRange(tree.NodeCount, 3, 7));
        var heavy = BoostingTrainer.Train(matrix, labels, 2, Options with { Trees = 1, LeafWeightMin = 100, RowShare = 1 }).Model;
        var leaves = Enumerable.Range(0, heavy.Ensemble.Trees[0].NodeCount).Where(heavy.Ensemble.Trees[0].IsLeaf);
        Assert.All(leaves, leaf => Assert.True(heavy.Ensemble.Trees[0].Cover[leaf] >= 400));
    }

    [Fact]
    public void A_greater_class_weight_makes_its_class_likelier()
    {
        var (matrix, labels) = RandomForestTests.Sample(300, 3, 13);
        double Mean(BoostingOptions options) => BoostingTrainer.Train(matrix, labels, 2, options).Model.Predict(matrix, 1).Average();
        Assert.True(Mean(Options with { ClassWeights = [1, 5] }) > Mean(Options) + 0.03);
    }

    [Fact]
    public void Data_and_options_that_cannot_train_are_refused_with_the_mend()
    {
        var (matrix, labels) = RandomForestTests.Sample(50, 3, 14);
        string? Refusal(BoostingOptions options) => BoostingTrainer.Objection(matrix, labels, 2, options);
        Assert.Null(Refusal(Options));
        BoostingOptions[] wrong =
        [
            new() { Trees = 0 }, new() { LearningRate = 0 }, new() { LearningRate = double.NaN }, new() { LeavesMax = 1 }, new() { DepthMax = 0 }, new() { Lambda = -1 },
            new() { LeafWeightMin = -1 }, new() { GainMin = -1 }, new() { RowShare = 0 }, new() { FeatureShare = 1.1 }, new() { BinsMax = 256 }, new() { CategorySmoothing = -1 }, new() { CategoryRowsMin = 0 }, new() { CategorySetMax = 0 }, new() { NativeLevelsMax = 300 },
            new() { PatienceRounds = -1 }, new() { HeldShare = 1 }, new() { Threads = -1 }, new() { ClassWeights = [1] }, new() { ClassWeights = [1, double.NaN] },
            new() { Monotone = new Dictionary<string, int> { ["x0"] = 2 } },
        ];
        Assert.All(wrong, options => Assert.Contains("give", Refusal(options), StringComparison.Ordinal));
        Assert.Contains("no feature 'z'", Refusal(new() { Monotone = new Dictionary<string, int> { ["z"] = 1 } }), StringComparison.Ordinal);
        Assert.Contains("same class", BoostingTrainer.Objection(matrix, new int[50], 2, Options), StringComparison.Ordinal);
        Assert.Contains("no rows", BoostingTrainer.Objection(FeatureMatrix.OfColumns([[]]), [], 2, Options), StringComparison.Ordinal);
        Assert.Contains("row 3 has the target Infinity", BoostingTrainer.Objection(FeatureMatrix.OfColumns([[1, 2, 3, 4]]), [1, 2, 3, double.PositiveInfinity], Options), StringComparison.Ordinal);
        var model = BoostingTrainer.Train(matrix, labels, 2, Options).Model;
        Assert.Contains("2 values, the model was trained on 3", Assert.Throws<ArgumentException>(() => model.Predict([1, 2])).Message, StringComparison.Ordinal);
    }

    static byte[] Bytes(FeatureMatrix matrix, int[] labels, int classes, BoostingOptions options) =>
        TreeFormatTests.Bytes(BoostingTrainer.Train(matrix, labels, classes, options).Model);
}
