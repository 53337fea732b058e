using Salus.Learning;
using Salus.Learning.Boosting;
using Salus.Learning.Forest;
using Salus.Learning.Tables;
using Salus.Learning.Trees;

namespace Salus.Tests.Learning;

/// <summary>Batches are predicted by crowns and walks; what they must come to is found here split by split.</summary>
public sealed class TreeCrownTests
{
    public static TheoryData<string> Kinds => ["boosting", "one split", "no split", "leafwise", "deep forest", "forest of three", "boosting of three", "categories", "many features", "fine bins"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Each_row_of_a_batch_comes_to_the_leaves_that_its_splits_lead_to(string kind)
    {
        var (trees, matrix) = Ensemble(kind);
        Assert.Equal(kind is not ("deep forest" or "categories" or "many features" or "fine bins"), trees.Trees.All(tree => TreeCrown.Of(tree, _ => 0).IsWhole));
        var used = trees.Trees.SelectMany(tree => tree.Feature.ToArray()).Distinct().Count();
        Assert.Equal(kind == "many features", 2 * used > ShortNode.SlotsMax);
        foreach (var rows in (int[])[1, 31, 33, 1_057])
        {
            var part = FeatureMatrix(matrix, rows);
            var sums = trees.Sums(part, new double[trees.Outputs]);
            for (var row = 0; row < rows; row++)
            {
                var expected = Expected(trees, part.Row(row));
                var alone = new double[trees.Outputs];
                trees.AddTo(part.Row(row), alone);
                Assert.Equal(expected, alone);
                Assert.Equal(expected, sums.AsSpan(row * trees.Outputs, trees.Outputs).ToArray());
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(100)]
    [InlineData(254)]
    public void Many_values_have_the_bins_that_each_has_alone(int edges)
    {
        var generator = new SeededGenerator(5);
        double[] rising = [.. Enumerable.Range(0, edges).Select(_ => generator.NextDouble()).Order()];
        var bins = new FeatureBins(rising, false);
        double[] values = [double.NaN, double.NegativeInfinity, double.PositiveInfinity, -1, 2, 0, .. rising, .. rising.Select(edge => Math.BitIncrement(edge)), .. rising.Select(edge => Math.BitDecrement(edge))];
        var many = new byte[values.Length];
        bins.BinsOf(values, many);
        Assert.Equal(values.Select(value => double.IsNaN(value) ? edges + 1 : rising.Count(edge => edge < value)), many.Select(bin => (int)bin));
        Assert.Equal(values.Select(bins.BinOf), many.Select(bin => (int)bin));
    }

    static (TreeEnsemble Trees, FeatureMatrix Matrix) Ensemble(string kind)
    {
        var (matrix, labels) = kind == "categories" ? BoostingTests.Categories(1_500, 3) : Gaps(kind == "many features" ? RandomForestTests.Sample(3_000, 150, 4) : RandomForestTests.Sample(3_000, 9, 4));
        int[] three = [.. labels.Select((label, row) => row % 4 == 0 ? 2 : label)];
        var boosting = new BoostingOptions { Trees = 9, LeavesMax = 64, DepthMax = 6 };
        return (kind switch
        {
            "boosting" => BoostingTrainer.Train(matrix, labels, 2, boosting).Model.Ensemble,
            "one split" => BoostingTrainer.Train(matrix, labels, 2, boosting with { LeavesMax = 2 }).Model.Ensemble,
            "no split" => BoostingTrainer.Train(matrix, labels, 2, boosting with { LeafWeightMin = 1e6 }).Model.Ensemble,
            "leafwise" => BoostingTrainer.Train(matrix, labels, 2, boosting with { LeavesMax = 31, DepthMax = 30 }).Model.Ensemble,
            "deep forest" => RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 5 }).Forest.Ensemble,
            "many features" => RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 9, LeafMin = 1 }).Forest.Ensemble,
            "fine bins" => Finer(RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 5 }).Forest.Ensemble),
            "forest of three" => RandomForest.Train(matrix, three, 3, new ForestOptions { Trees = 5, DepthMax = 7 }).Forest.Ensemble,
            "boosting of three" => BoostingTrainer.Train(matrix, three, 3, boosting).Model.Ensemble,
            _ => BoostingTrainer.Train(matrix, labels, 2, boosting).Model.Ensemble,
        }, matrix);
    }

    // The same trees over more bins than a byte tells apart: between two edges stands another that no split asks for.
    static TreeEnsemble Finer(TreeEnsemble of)
    {
        var bins = Array.ConvertAll(of.Bins, from => new FeatureBins([.. from.Edges.ToArray().SelectMany((edge, i) => i == 0 ? [edge] : new[] { (from.Edges[i - 1] + edge) / 2, edge })], false));
        Assert.All(bins, one => Assert.True(one.Bins > TreeCrown.BinsMax));
        return new TreeEnsemble(
            bins,
            Array.ConvertAll(of.Trees, tree => new Tree(1, tree.Feature.ToArray(), Array.ConvertAll(tree.Bin.ToArray(), bin => (ushort)(2 * bin)), tree.MissingLeft.ToArray(), tree.Next.ToArray(), tree.Cover.ToArray(), tree.Values.ToArray(), null)),
            1);
    }

    static (FeatureMatrix, int[]) Gaps((FeatureMatrix Matrix, int[] Labels) sample)
    {
        var generator = new SeededGenerator(6);
        double[][] columns = [.. Enumerable.Range(0, sample.Matrix.Features.Count).Select(feature => Array.ConvertAll(sample.Matrix.Column(feature).ToArray(), value => generator.NextInt(9) == 0 ? double.NaN : value))];
        return (Salus.Learning.Tables.FeatureMatrix.OfColumns(columns), sample.Labels);
    }

    static FeatureMatrix FeatureMatrix(FeatureMatrix of, int rows) =>
        new(of.Features, [.. Enumerable.Range(0, of.Features.Count).Select(feature => of.Column(feature)[..rows].ToArray())], rows);

    static double[] Expected(TreeEnsemble trees, double[] row)
    {
        var (bins, sums) = (trees.BinsOf(row), new double[trees.Outputs]);
        foreach (var (number, tree) in trees.Trees.Index())
        {
            var node = 0;
            while (!tree.IsLeaf(node))
                node = tree.ChildFor(node, bins[tree.Feature[node]], trees.Bins[tree.Feature[node]].Bins);
            for (var i = 0; i < tree.Width; i++)
                sums[tree.Width == 1 ? number % trees.Outputs : i] += tree.ValuesAt(node)[i];
        }
        return sums;
    }
}
