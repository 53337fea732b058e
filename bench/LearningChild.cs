using System.Diagnostics;
using System.Text.Json;
using Salus.Learning.Boosting;
using Salus.Learning.Estimators;
using Salus.Learning.Evaluate;
using Salus.Learning.Forest;

namespace Salus.Bench;

/// <summary>What one fit took and is worth.</summary>
sealed record LearningFigures(double FitSeconds, double CpuSeconds, double Auc, double BatchRowsPerCpuSecond, double RowMicroseconds, double PeakMegabytes);

/// <summary>One model in a process of its own, so that its peak of memory is its own: nine tenths of the rows to learn from, the rest to be judged by.</summary>
static class LearningChild
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    const int LeafMin = 5;

    public static int Run(string[] args)
    {
        var (file, kind, rows, trees, threads) = (args[0], args[1], int.Parse(args[2]), int.Parse(args[3]), int.Parse(args[4]));
        var training = rows / 10 * 9;
        IClassifierLearner learner = kind == "forest"
            ? new ForestOptions { Trees = trees, LeafMin = LeafMin, FeaturesPerSplit = 5, OutOfBag = false, Threads = threads }
            : new BoostingOptions { Trees = trees, LearningRate = 0.3, LeavesMax = 64, DepthMax = 6, Lambda = 1, RowShare = 1, FeatureShare = 1, Threads = threads };
        Warm(learner);
        var table = LearningTable.Read(file, 0, training);
        var held = LearningTable.Read(file, training, rows - training);
        var cpu = Environment.CpuUsage.TotalTime;
        var clock = Stopwatch.StartNew();
        var model = learner.Fit(table.Matrix, table.Labels, 2, 1);
        var fit = clock.Elapsed.TotalSeconds;
        var used = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds;
        model.Predict(held.Matrix.Row(0), new double[2]);
        var predicted = model.Predict(held.Matrix, 1);
        var batch = 0.0;
        for (var round = 0; round < 5; round++)
        {
            cpu = Environment.CpuUsage.TotalTime;
            model.Predict(held.Matrix, 1);
            batch = Math.Max(batch, held.Labels.Length / (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
        }
        Console.WriteLine(JsonSerializer.Serialize(
            new LearningFigures(fit, used, Metrics.RocAuc(predicted, held.Labels), batch, RowMicroseconds(model, held), CpuClock.PeakMegabytes(Environment.ProcessId)),
            Json));
        return 0;
    }

    // What is measured is the machine code that a longer-lived process runs, which the runtime arrives at after some calls.
    static void Warm(IClassifierLearner learner)
    {
        var file = Path.GetTempFileName();
        try
        {
            LearningTable.Write(file, 20_000, 9);
            var table = LearningTable.Read(file, 0, 20_000);
            IClassifierLearner few = learner is ForestOptions forest ? forest with { Trees = 8 } : ((BoostingOptions)learner) with { Trees = 8 };
            for (var round = 0; round < 3; round++)
            {
                var model = few.Fit(table.Matrix, table.Labels, 2, 1);
                model.Predict(table.Matrix, 1);
                RowMicroseconds(model, table);
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    // Short rounds, the best of many: on a busy machine a long one is never left alone.
    public static double RowMicroseconds(IClassifier model, LearningTable table)
    {
        const int rows = 20, rounds = 200;
        var values = Enumerable.Range(0, 500).Select(table.Matrix.Row).ToArray();
        var probabilities = new double[2];
        var best = double.PositiveInfinity;
        for (var round = 0; round < rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            for (var i = 0; i < rows; i++)
                model.Predict(values[((round * rows) + i) % values.Length], probabilities);
            best = Math.Min(best, clock.Elapsed.TotalMicroseconds / rows);
        }
        return best;
    }
}
