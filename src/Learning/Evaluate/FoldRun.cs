using System.Diagnostics;
using Salus.Learning.Calibration;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Evaluate;

/// <summary>One cross-validation: fits a model for each fold and keeps what it said of the rows held out.</summary>
sealed class FoldRun(TaskRows rows, TableLearner learner, EvaluationOptions options)
{
    const int RocPointsMax = 200;

    readonly List<double[][]> probabilities = [];
    readonly List<double[][]> unmended = [];
    readonly List<double> foldAucs = [];
    readonly List<double> foldMacroF1s = [];
    readonly List<double> fitSeconds = [];
    double predictSeconds;
    long predictedRows;
    int features;
    int[] judged = [];

    /// <summary>What was said of each row, by repeat, mended where that is asked for.</summary>
    public IReadOnlyList<double[][]> Probabilities => probabilities;

    /// <summary>The same as the models said it.</summary>
    public IReadOnlyList<double[][]> Unmended => unmended;

    public FitTimes Times => new(fitSeconds.Average(), predictedRows / Math.Max(predictSeconds, 1e-9));

    int Classes => rows.Classes.Count;

    // Time has one order, so that there is nothing to repeat.
    int Repeats => rows.Times is null ? options.Repeats : 1;

    public void Run(IProgress<double>? progress, CancellationToken cancellation)
    {
        for (var repeat = 0; repeat < Repeats; repeat++)
        {
            var seed = SeededGenerator.Derive(options.Seed, (ulong)repeat);
            var folds = FoldsOf(seed);
            judged = [.. Enumerable.Range(0, folds.Length).Where(row => folds[row] >= 0)];
            var repeated = new double[rows.Labels.Length][];
            for (var fold = 0; fold < options.Folds; fold++)
            {
                cancellation.ThrowIfCancellationRequested();
                Score(folds, fold, SeededGenerator.Derive(seed, (ulong)fold), repeated, cancellation);
                progress?.Report((double)((repeat * options.Folds) + fold + 1) / (Repeats * options.Folds));
            }
            unmended.Add(repeated);
            probabilities.Add(options.Calibration is { } way && Classes == 2 ? Mended(repeated, folds, way) : repeated);
        }
    }

    /// <summary>What a part's rows came to never mends the part itself; by time, only what came before does. Where nothing can be learned from, a part is left as it is.</summary>
    double[][] Mended(double[][] said, int[] folds, string way)
    {
        var mended = (double[][])said.Clone();
        foreach (var part in judged.GroupBy(row => folds[row]))
        {
            int[] others = [.. judged.Where(row => rows.Times is null ? folds[row] != part.Key : folds[row] < part.Key)];
            var labels = Array.ConvertAll(others, row => rows.Labels[row]);
            if (labels.Distinct().Count() < Classes)
                continue;
            var calibration = ProbabilityCalibration.Fit(way, Array.ConvertAll(others, row => said[row][1]), labels);
            foreach (var row in part)
            {
                var probability = calibration.Apply(said[row][1]);
                mended[row] = [1 - probability, probability];
            }
        }
        return mended;
    }

    int[] FoldsOf(ulong seed) =>
        rows.Times is { } times ? Folds.TimeOrdered(times, options.Folds)
        : rows.Groups is { } groups ? Folds.StratifiedGrouped(rows.Labels, groups, Classes, options.Folds, seed)
        : Folds.Stratified(rows.Labels, Classes, options.Folds, seed);

    void Score(int[] folds, int fold, ulong seed, double[][] scores, CancellationToken cancellation)
    {
        // By time, only what came before is trained on.
        int[] training = [.. Enumerable.Range(0, folds.Length).Where(row => rows.Times is null ? folds[row] != fold : folds[row] < fold)];
        int[] held = [.. Enumerable.Range(0, folds.Length).Where(row => folds[row] == fold)];
        var (table, labels) = (rows.Features.Take(training), Array.ConvertAll(training, row => rows.Labels[row]));
        if (labels.Distinct().Count() < Classes)
            throw new ArgumentException($"the rows before part {fold + 1} do not have every class; give fewer folds");
        var heldTable = rows.Features.Take(held);
        var started = Stopwatch.GetTimestamp();
        var model = learner.Fit(table, labels, Classes, seed, cancellation);
        fitSeconds.Add(Stopwatch.GetElapsedTime(started).TotalSeconds);
        features = Math.Max(features, model.Preparation.Features.Count);
        started = Stopwatch.GetTimestamp();
        var predicted = model.Predict(heldTable);
        predictSeconds += Stopwatch.GetElapsedTime(started).TotalSeconds;
        predictedRows += held.Length;
        var known = Array.ConvertAll(held, row => rows.Labels[row]);
        for (var i = 0; i < held.Length; i++)
            scores[held[i]] = predicted[i];
        foldAucs.Add(ClassMetrics.RocAuc(predicted, known, Classes));
        var said = Array.ConvertAll(predicted, row => Classes == 2 ? (row[1] >= options.Threshold ? 1 : 0) : ClassMetrics.Likeliest(row));
        foldMacroF1s.Add(ClassMetrics.MacroF1(ClassMetrics.Confusion(said, known, Classes)));
    }

    public EvaluationReport Report(IReadOnlyList<GuardFinding> findings, string? written)
    {
        var labels = Array.ConvertAll(judged, row => rows.Labels[row]);
        var groups = rows.Groups is { } all ? Array.ConvertAll(judged, row => all[row]) : null;
        var sets = probabilities.Select(repeat => Array.ConvertAll(judged, row => repeat[row])).ToArray();
        var held = new HeldOut(sets, labels, Classes, options.Threshold);
        var figures = held.Figures([.. Enumerable.Range(0, judged.Length)], groups, options.Resamples, options.Seed);
        // A fold of few groups may lack a class and so have no AUC of its own.
        var known = foldAucs.Where(auc => !double.IsNaN(auc)).ToArray();
        var mean = known.Length == 0 ? double.NaN : known.Average();
        var two = Classes == 2;
        double[] scores = two ? [.. sets.SelectMany(set => set.Select(row => row[1]))] : [];
        int[] repeated = [.. sets.SelectMany(_ => labels)];
        return new EvaluationReport
        {
            Rows = rows.Labels.Length,
            Features = features,
            Classes = rows.Classes,
            ClassRows = [.. Enumerable.Range(0, Classes).Select(c => rows.Labels.Count(label => label == c))],
            Groups = rows.Groups?.Distinct().Count(),
            TimeOrdered = rows.Times is not null,
            Options = options,
            AucMean = mean,
            AucDeviation = known.Length < 2 ? 0 : Math.Sqrt(known.Sum(auc => (auc - mean) * (auc - mean)) / (known.Length - 1)),
            MacroF1FoldMean = foldMacroF1s.Average(),
            Auc = figures[0],
            PrAuc = two ? figures[1] : null,
            Accuracy = figures[2],
            Majority = (double)labels.GroupBy(label => label).Max(group => group.Count()) / labels.Length,
            Brier = figures[3],
            LogLoss = figures[4],
            MacroF1 = figures[5],
            Sensitivity = two ? figures[6] : null,
            Specificity = two ? figures[7] : null,
            Confusion = held.Confusion(0),
            Calibration = two ? Metrics.Calibration(scores, repeated) : [],
            Roc = two && labels.Distinct().Count() == 2 ? Thin(Metrics.RocCurve([.. sets[0].Select(row => row[1])], labels)) : [],
            Subgroups = SubgroupsOf(held, labels, groups),
            Guard = findings,
            Override = written,
        };
    }

    List<SubgroupFigures> SubgroupsOf(HeldOut held, int[] labels, int[]? groups)
    {
        var subgroups = new List<SubgroupFigures>();
        foreach (var column in rows.Subgroups)
        {
            foreach (var part in Enumerable.Range(0, judged.Length).GroupBy(i => column.Show(judged[i]) ?? "missing").OrderBy(part => part.Key, StringComparer.Ordinal))
            {
                var members = part.ToArray();
                var positives = Classes == 2 ? members.Count(i => labels[i] == 1) : 0;
                var figures = held.Figures(members, groups, options.Resamples, options.Seed);
                var both = Classes == 2 && positives > 0 && positives < members.Length;
                subgroups.Add(new SubgroupFigures(
                    column.Name, part.Key, members.Length, positives, figures[2], both || Classes > 2 ? figures[0] : null,
                    Classes == 2 && positives > 0 ? figures[6] : null, Classes == 2 && positives < members.Length ? figures[7] : null, figures[3]));
            }
        }
        return subgroups;
    }

    static IReadOnlyList<RocPoint> Thin(IReadOnlyList<RocPoint> curve)
    {
        if (curve.Count <= RocPointsMax)
            return curve;
        return [.. Enumerable.Range(0, RocPointsMax).Select(i => curve[(int)((long)i * (curve.Count - 1) / (RocPointsMax - 1))])];
    }
}
