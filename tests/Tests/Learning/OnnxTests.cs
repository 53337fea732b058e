using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Salus.Learning.Boosting;
using Salus.Learning.Estimators;
using Salus.Learning.Forest;
using Salus.Learning.Interchange;
using Salus.Learning.Tables;
using Xunit;

namespace Salus.Tests.Learning;

/// <summary>What is exported is judged by ONNX Runtime, which shares no code with it.</summary>
public sealed class OnnxTests
{
    [Fact]
    public async Task A_forest_gives_the_same_probabilities_elsewhere()
    {
        var (matrix, labels) = Singles(RandomForestTests.Sample(400, 6, 21));
        var model = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 300 }).Forest;
        await AssertSame(model, matrix);
    }

    [Fact]
    public async Task Boosted_trees_give_the_same_probabilities_elsewhere()
    {
        var (matrix, labels) = Singles(RandomForestTests.Sample(400, 6, 22));
        await AssertSame(BoostingTrainer.Train(matrix, labels, 2, new BoostingOptions { Trees = 150 }).Model, matrix);
        int[] healthy = [.. Enumerable.Range(0, 400).Select(row => row % 100 == 0 ? 1 : 0)];
        await AssertSame(BoostingTrainer.Train(matrix, healthy, 2, new BoostingOptions { Trees = 20 }).Model, matrix);
    }

    [Fact]
    public async Task Several_classes_are_told_apart_the_same_way_elsewhere()
    {
        var (matrix, labels) = Singles(RandomForestTests.Sample(400, 5, 23));
        int[] three = [.. labels.Select((label, row) => row % 4 == 0 ? 2 : label)];
        await AssertSame(RandomForest.Train(matrix, three, 3, new ForestOptions { Trees = 60 }).Forest, matrix);
        await AssertSame(BoostingTrainer.Train(matrix, three, 3, new BoostingOptions { Trees = 40 }).Model, matrix);
    }

    [Fact]
    public async Task Sets_of_categories_are_the_same_elsewhere_for_codes_never_seen_too()
    {
        var (matrix, labels) = BoostingTests.Categories(2_000, 24);
        var model = BoostingTrainer.Train(matrix, labels, 2, new BoostingOptions { Trees = 60 }).Model;
        Assert.Contains(model.Ensemble.Trees, tree => tree.HasSets);
        double[][] columns = [[.. Enumerable.Range(-3, 40).Select(code => code % 7 == 0 ? double.NaN : code * 0.5)], [.. Enumerable.Range(0, 40).Select(i => (double)(i / 41f))], [.. Enumerable.Range(0, 40).Select(i => (double)(i % 6))]];
        await AssertSame(model, new FeatureMatrix(matrix.Features, columns, 40));
    }

    [Fact]
    public async Task Estimates_of_numbers_are_the_same_elsewhere()
    {
        var (matrix, labels) = Singles(RandomForestTests.Sample(400, 5, 25));
        double[] targets = [.. labels.Select((label, row) => label + (0.01 * row))];
        foreach (var model in new IRegressor[] { ForestTrainer.Train(matrix, targets, new ForestOptions { Trees = 50 }).Forest, BoostingTrainer.Train(matrix, targets, new BoostingOptions { Trees = 80 }).Model })
        {
            var estimates = (await Run(model, matrix))["estimate"];
            Assert.All(model.Predict(matrix).Zip(estimates), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
        }
    }

    [Fact]
    public void Names_must_be_those_of_the_features()
    {
        var (matrix, labels) = RandomForestTests.Sample(50, 3, 26);
        var model = RandomForest.Train(matrix, labels, 2, new ForestOptions { Trees = 2 }).Forest;
        Assert.Contains("2 names for 3 features", Assert.Throws<ArgumentException>(() => OnnxExport.Write(model, Stream.Null, ["a", "b"])).Message, StringComparison.Ordinal);
    }

    static async Task AssertSame(IClassifier model, FeatureMatrix matrix)
    {
        var found = await Run(model, matrix);
        var probabilities = new double[model.ClassCount];
        for (var row = 0; row < matrix.RowCount; row++)
        {
            model.Predict(matrix.Row(row), probabilities);
            for (var c = 0; c < model.ClassCount; c++)
                Assert.Equal(probabilities[c], found["probabilities"][(row * model.ClassCount) + c], 1e-5);
            var label = (int)found["label"][row];
            Assert.True(probabilities[label] > probabilities.Max() - 1e-5);
        }
    }

    // The numbers that single precision holds, so that both sides are given the same.
    static (FeatureMatrix Matrix, int[] Labels) Singles((FeatureMatrix Matrix, int[] Labels) sample) =>
        (FeatureMatrix.OfColumns([.. Enumerable.Range(0, sample.Matrix.Features.Count).Select(feature => Array.ConvertAll(sample.Matrix.Column(feature).ToArray(), value => (double)(float)value))]), sample.Labels);

    static async Task<Dictionary<string, double[]>> Run(IEstimator model, FeatureMatrix matrix)
    {
        var file = Path.GetTempFileName();
        try
        {
            await using (var stream = File.Create(file))
                OnnxExport.Write(model, stream, [.. matrix.Features.Select(feature => feature.Name)]);
            var root = Root();
            var start = new ProcessStartInfo("node", [Path.Combine(root, "tests", "Tests", "Learning", "onnx-predict.mjs"), Path.Combine(root, "engines"), file])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var process = Process.Start(start)!;
            var values = Enumerable.Range(0, matrix.RowCount).SelectMany(matrix.Row).Select(value => double.IsNaN(value) ? (double?)null : value);
            await JsonSerializer.SerializeAsync(process.StandardInput.BaseStream, new { width = matrix.Features.Count, values });
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            Assert.True(process.ExitCode == 0, await errors);
            return JsonSerializer.Deserialize<Dictionary<string, double[]>>(await output)!;
        }
        finally
        {
            File.Delete(file);
        }
    }

    static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "../../.."));
}
