using Salus.Learning;
using Salus.Learning.Evaluate;
using Salus.Learning.Forest;
using Salus.Learning.Tables;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class EvaluateTests
{
    static readonly double[] Scores = [0.1, 0.4, 0.35, 0.8];
    static readonly int[] Labels = [0, 0, 1, 1];

    [Fact]
    public void Figures_agree_with_those_worked_out_by_hand()
    {
        Assert.Equal(0.75, Metrics.RocAuc(Scores, Labels));
        Assert.Equal((1 + (2.0 / 3)) / 2, Metrics.PrAuc(Scores, Labels), 12);
        Assert.Equal((0.01 + 0.16 + 0.4225 + 0.04) / 4, Metrics.Brier(Scores, Labels), 12);
        Assert.Equal(-(Math.Log(0.9) + Math.Log(0.6) + Math.Log(0.35) + Math.Log(0.8)) / 4, Metrics.LogLoss(Scores, Labels), 12);
        Assert.Equal(new Confusion(1, 0, 2, 1), Metrics.Confusion(Scores, Labels));
        Assert.Equal((0.5, 1.0, 0.75), (Metrics.Confusion(Scores, Labels).Sensitivity, Metrics.Confusion(Scores, Labels).Specificity, Metrics.Accuracy(Scores, Labels)));
        Assert.Equal(0.75, Metrics.MajorityBaseline([1, 0, 0, 0]));
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
        var folds = Folds.Stratified(labels, 5, 3);
        foreach (var fold in Enumerable.Range(0, 5))
        {
            Assert.InRange(Enumerable.Range(0, 103).Count(row => folds[row] == fold && labels[row] == 1), 7, 7);
            Assert.InRange(folds.Count(other => other == fold), 20, 21);
        }
        Assert.Equal(folds, Folds.Stratified(labels, 5, 3));
        Assert.NotEqual(folds, Folds.Stratified(labels, 5, 4));
    }

    [Fact]
    public void A_group_is_never_on_both_sides()
    {
        var generator = new SeededGenerator(6);
        int[] groups = [.. Enumerable.Range(0, 300).Select(_ => generator.NextInt(60))];
        int[] labels = [.. groups.Select(group => group % 3 == 0 ? 1 : generator.NextInt(10) == 0 ? 1 : 0)];
        var folds = Folds.StratifiedGrouped(labels, groups, 5, 1);
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
        var table = new Table([new TextColumn("note", notes), new NumberColumn("flat", [.. labels.Select(_ => 1.0)])]);
        var options = new PreparationOptions { Text = new Salus.Learning.Text.BagOfWordsOptions(DocumentsMin: 1) };
        var run = CrossValidation.Run(table, labels, null, options, new ForestOptions { Trees = 20 }, new CrossValidationOptions(Repeats: 1), TestContext.Current.CancellationToken);
        var folds = Folds.Stratified(labels, 5, SeededGenerator.Derive(1, 0));
        // Rows of one fold hold only words unknown to its model, so they cannot be told apart.
        Assert.All(Enumerable.Range(0, 5), fold => Assert.Single(Enumerable.Range(0, 60).Where(row => folds[row] == fold).Select(row => run.Scores[0][row]).Distinct()));
    }

    [Fact]
    public void Labels_of_chance_are_predicted_no_better_than_chance()
    {
        var (matrix, _) = RandomForestTests.Sample(300, 5, 30);
        var generator = new SeededGenerator(31);
        int[] labels = [.. Enumerable.Range(0, 300).Select(_ => generator.NextInt(2))];
        var table = new Table([.. Enumerable.Range(0, 5).Select(i => new NumberColumn($"x{i}", matrix.Column(i).ToArray()))]);
        var report = CrossValidation.Run(table, labels, null, new PreparationOptions(), new ForestOptions { Trees = 50 }, new CrossValidationOptions(), TestContext.Current.CancellationToken).Report;
        Assert.InRange(report.Auc.Estimate, 0.4, 0.6);
        Assert.InRange(0.5, report.Auc.Low, report.Auc.High);
    }

    [Fact]
    public void The_bootstrap_interval_has_the_width_that_theory_gives()
    {
        var generator = new SeededGenerator(40);
        int[] labels = [.. Enumerable.Range(0, 1_000).Select(_ => generator.NextInt(2))];
        double[] scores = [.. labels.Select(label => generator.NextDouble() < 0.8 ? label : 1.0 - label)];
        var interval = Bootstrap.Accuracy([scores], labels, null, 0.5, 2_000, 1);
        var error = Math.Sqrt(interval.Estimate * (1 - interval.Estimate) / 1_000);
        Assert.InRange((interval.High - interval.Low) / (2 * 1.96 * error), 0.9, 1.1);
        var doubled = Bootstrap.Accuracy([[.. scores, .. scores]], [.. labels, .. labels], [.. Enumerable.Range(0, 1_000), .. Enumerable.Range(0, 1_000)], 0.5, 2_000, 1);
        // Each row twice tells no more than once: drawing whole groups keeps the interval as wide.
        Assert.InRange((doubled.High - doubled.Low) / (interval.High - interval.Low), 0.95, 1.05);
    }

    [Fact]
    public void What_cannot_be_split_is_refused_with_the_mend()
    {
        Assert.Contains("rarer class has 1 rows", Folds.Objection([0, 0, 0, 1], [], 2), StringComparison.Ordinal);
        Assert.Contains("2 groups", Folds.Objection([0, 1, 0, 1, 0, 1], [1, 1, 1, 2, 2, 2], 3), StringComparison.Ordinal);
        Assert.Contains("neither 0 nor 1", Folds.Objection([0, 2], [], 2), StringComparison.Ordinal);
        Assert.Contains("Threshold", new CrossValidationOptions(Threshold: double.NaN).Objection(), StringComparison.Ordinal);
    }
}
