using Salus.Learning;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Tables;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class EvaluateTests
{
    static readonly double[] Scores = [0.1, 0.4, 0.35, 0.8];
    static readonly int[] Labels = [0, 0, 1, 1];
    static readonly EvaluationOptions Once = new() { Repeats = 1 };

    [Fact]
    public void Figures_agree_with_those_worked_out_by_hand()
    {
        Assert.Equal(0.75, Metrics.RocAuc(Scores, Labels));
        Assert.Equal((1 + (2.0 / 3)) / 2, Metrics.PrAuc(Scores, Labels), 12);
        Assert.Equal((0.01 + 0.16 + 0.4225 + 0.04) / 4, Metrics.Brier(Scores, Labels), 12);
        Assert.Equal(-(Math.Log(0.9) + Math.Log(0.6) + Math.Log(0.35) + Math.Log(0.8)) / 4, Metrics.LogLoss(Scores, Labels), 12);
        Assert.Equal(new Confusion(1, 0, 2, 1), Metrics.Confusion(Scores, Labels));
        Assert.Equal((0.5, 1.0), (Metrics.Confusion(Scores, Labels).Sensitivity, Metrics.Confusion(Scores, Labels).Specificity));
    }

    [Fact]
    public void Ties_count_half_and_one_class_has_no_curve()
    {
        Assert.Equal(0.5, Metrics.RocAuc([0.3, 0.3, 0.3], [0, 1, 1]));
        Assert.True(double.IsNaN(Metrics.RocAuc([0.3, 0.4], [1, 1])));
        Assert.True(double.IsFinite(Metrics.LogLoss([0.0, 1.0], [1, 0])));
    }

    [Fact]
    public void The_area_under_the_curve_is_the_figure()
    {
        var (matrix, labels) = RandomForestTests.Sample(200, 2, 20, missing: 0);
        var scores = matrix.Column(0).ToArray();
        var curve = Metrics.RocCurve(scores, labels);
        var area = curve.Zip(curve.Skip(1)).Sum(pair => (pair.Second.FalsePositiveRate - pair.First.FalsePositiveRate) * (pair.Second.TruePositiveRate + pair.First.TruePositiveRate) / 2);
        Assert.Equal(Metrics.RocAuc(scores, labels), area, 12);
    }

    [Fact]
    public void Stratified_folds_share_each_class_evenly()
    {
        int[] labels = [.. Enumerable.Range(0, 103).Select(i => i % 3 == 0 ? 1 : 0)];
        var folds = Folds.Stratified(labels, 2, 5, 3);
        foreach (var fold in Enumerable.Range(0, 5))
        {
            Assert.InRange(Enumerable.Range(0, 103).Count(row => folds[row] == fold && labels[row] == 1), 7, 7);
            Assert.InRange(folds.Count(other => other == fold), 20, 21);
        }
        Assert.Equal(folds, Folds.Stratified(labels, 2, 5, 3));
        Assert.NotEqual(folds, Folds.Stratified(labels, 2, 5, 4));
    }

    [Fact]
    public void A_group_is_never_on_both_sides()
    {
        var generator = new SeededGenerator(6);
        int[] groups = [.. Enumerable.Range(0, 300).Select(_ => generator.NextInt(60))];
        int[] labels = [.. groups.Select(group => group % 3 == 0 ? 1 : generator.NextInt(10) == 0 ? 1 : 0)];
        var folds = Folds.StratifiedGrouped(labels, groups, 2, 5, 1);
        Assert.All(groups.Zip(folds).GroupBy(pair => pair.First), group => Assert.Single(group.Select(pair => pair.Second).Distinct()));
        var positives = Enumerable.Range(0, 5).Select(fold => Enumerable.Range(0, 300).Count(row => folds[row] == fold && labels[row] == 1)).ToArray();
        Assert.InRange(positives.Max() - positives.Min(), 0, 8);
    }

    [Fact]
    public void Preparation_learns_nothing_from_the_rows_held_out()
    {
        // Each row's text is one word of its own and its label; a vocabulary learned from all rows would know every word.
        string[] notes = [.. Enumerable.Range(0, 60).Select(i => string.Concat("w", new string((char)('a' + (i % 26)), 2 + (i / 26))))];
        int[] labels = [.. Enumerable.Range(0, 60).Select(i => i * 7919 % 60 < 30 ? 1 : 0)];
        var rows = Leaks.Rows(
            new Table([new TextColumn("note", notes), new NumberColumn("flat", [.. labels.Select(_ => 1.0)]), new NumberColumn("outcome", [.. labels.Select(label => (double)label)])]), new TabularTask("outcome"));
        var forest = Learners.Forest(20, 60);
        var learner = forest with { Preparation = forest.Preparation with { Text = new Salus.Learning.Text.BagOfWordsOptions(DocumentsMin: 1) } };
        var scores = Assert.IsType<EvaluationOutcome.Evaluated>(Evaluator.Run(rows, learner, Once, "a word of its own in each note")).Probabilities[0];
        var folds = Folds.Stratified(labels, 2, 5, SeededGenerator.Derive(1, 0));
        // Rows of one fold hold only words unknown to its model, so they cannot be told apart.
        Assert.All(Enumerable.Range(0, 5), fold => Assert.Single(Enumerable.Range(0, 60).Where(row => folds[row] == fold).Select(row => scores[row][1]).Distinct()));
    }

    [Fact]
    public void Labels_of_chance_are_predicted_no_better_than_chance()
    {
        var (matrix, _) = RandomForestTests.Sample(300, 5, 30);
        var generator = new SeededGenerator(31);
        int[] labels = [.. Enumerable.Range(0, 300).Select(_ => generator.NextInt(2))];
        var table = new Table([.. Enumerable.Range(0, 5).Select(i => new NumberColumn($"x{i}", matrix.Column(i).ToArray()))]);
        var rows = Leaks.Rows(table.With(new NumberColumn("outcome", [.. labels.Select(label => (double)label)])), new TabularTask("outcome"));
        var report = Assert.IsType<EvaluationOutcome.Evaluated>(Evaluator.Run(rows, Learners.Forest(50, 300), Once with { Repeats = 3 })).Report;
        Assert.InRange(report.Auc.Estimate, 0.4, 0.6);
        Assert.InRange(0.5, report.Auc.Low, report.Auc.High);
    }

    [Fact]
    public void The_bootstrap_interval_has_the_width_that_theory_gives()
    {
        var generator = new SeededGenerator(40);
        int[] right = [.. Enumerable.Range(0, 1_000).Select(_ => generator.NextDouble() < 0.8 ? 1 : 0)];
        static Interval Accuracy(int[] right, int[]? groups) => Bootstrap.Run(right.Length, groups, 2_000, 1, 1,
            counts => [counts.Select((count, row) => (double)count * right[row]).Sum() / counts.Sum()])[0];
        var interval = Accuracy(right, null);
        var error = Math.Sqrt(interval.Estimate * (1 - interval.Estimate) / 1_000);
        Assert.InRange((interval.High - interval.Low) / (2 * 1.96 * error), 0.9, 1.1);
        var doubled = Accuracy([.. right, .. right], [.. Enumerable.Range(0, 1_000), .. Enumerable.Range(0, 1_000)]);
        // Each row twice tells no more than once: drawing whole groups keeps the interval as wide.
        Assert.InRange((doubled.High - doubled.Low) / (interval.High - interval.Low), 0.95, 1.05);
    }

    [Fact]
    public void What_cannot_be_split_is_refused_with_the_mend()
    {
        Assert.Contains("rarest class has 1 rows", Folds.Objection([0, 0, 0, 1], [], 2, 2), StringComparison.Ordinal);
        Assert.Contains("2 groups", Folds.Objection([0, 1, 0, 1, 0, 1], [1, 1, 1, 2, 2, 2], 2, 3), StringComparison.Ordinal);
        Assert.Contains("outside 0 to 1", Folds.Objection([0, 2], [], 2, 2), StringComparison.Ordinal);
        Assert.Contains("Threshold", new EvaluationOptions { Threshold = double.NaN }.Objection(), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_models_on_the_same_rows_are_compared_with_the_interval_of_their_difference()
    {
        var generator = new SeededGenerator(8);
        int[] labels = [.. Enumerable.Range(0, 400).Select(_ => generator.NextInt(2))];
        double[] good = [.. labels.Select(label => Math.Clamp((0.6 * label) + (0.4 * generator.NextDouble()), 0, 1))];
        double[] chance = [.. labels.Select(_ => generator.NextDouble())];
        var compared = PairedComparison.Of(chance, good, labels, null, 500, 1)!;
        Assert.Equal((400, labels.Sum()), (compared.Rows, compared.Positives));
        Assert.Equal(Metrics.RocAuc(good, labels) - Metrics.RocAuc(chance, labels), compared.Auc.Difference.Estimate, 12);
        Assert.Equal(Metrics.Brier(good, labels), compared.Brier.Second.Estimate, 12);
        Assert.True(compared.Auc.Difference.Low > 0 && compared.Brier.Difference.High < 0);
        var same = PairedComparison.Of(good, good, labels, null, 500, 1)!;
        Assert.Equal(new Interval(0, 0, 0), same.Auc.Difference);
        Assert.Null(PairedComparison.Of(good[..20], chance[..20], [.. Enumerable.Range(0, 20).Select(row => row < 9 ? 1 : 0)], null, 10, 1));
    }

    [Fact]
    public void The_interval_of_a_share_is_that_of_Wilson_and_counts_each_row_once()
    {
        // Newcombe 1998, table I: 81 of 263, and 0 of 20.
        var known = ObservedShare.Wilson(81.0 / 263, 263);
        Assert.Equal((0.2553, 0.3662), (Math.Round(known.Low, 4), Math.Round(known.High, 4)));
        Assert.Equal(0.1611, Math.Round(ObservedShare.Wilson(0, 20).High, 4));
        var rows = Leaks.Rows(Leaks.Synthetic(), Leaks.Task);
        var report = Assert.IsType<EvaluationOutcome.Evaluated>(Evaluator.Run(rows, Learners.Logistic(), Once with { Repeats = 2 })).Report;
        var bins = Enumerable.Range(0, 11).Select(tenth => ObservedShare.About(report, tenth / 10.0)).OfType<ObservedShare>().DistinctBy(share => share.From).ToArray();
        Assert.InRange(bins.Sum(bin => bin.Rows), rows.Labels.Length - 10, rows.Labels.Length + 10);
        Assert.All(bins, bin => Assert.InRange(bin.Share.Estimate, bin.Share.Low, bin.Share.High));
    }
}
