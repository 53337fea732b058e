using Salus.Learning;
using Salus.Learning.Calibration;
using Salus.Learning.Evaluate;

namespace Salus.Tests.Learning;

public sealed class CalibrationTests
{
    [Fact]
    public void Isotonic_regression_pools_what_falls_and_joins_the_pools()
    {
        var calibration = IsotonicCalibration.Fit([0.3, 0.1, 0.2, 0.4, 0.6, 0.5], [0, 0, 1, 1, 1, 1]);
        double[] given = [0.05, 0.15, 0.25, 0.3, 0.35, 0.5];
        double[] known = [0, 0.25, 0.5, 0.5, 0.75, 1];
        Assert.All(given.Zip(known), pair => Assert.Equal(pair.Second, calibration.Apply(pair.First), 12));
    }

    [Fact]
    public void Both_ways_mend_probabilities_that_are_too_sure_and_keep_their_order()
    {
        var generator = new SeededGenerator(4);
        var truth = Enumerable.Range(0, 4_000).Select(_ => generator.NextDouble()).ToArray();
        var labels = truth.Select(probability => generator.NextDouble() < probability ? 1 : 0).ToArray();
        // Odds cubed: what should be .7 is said to be .93.
        var tooSure = truth.Select(probability => Math.Pow(probability, 3) / (Math.Pow(probability, 3) + Math.Pow(1 - probability, 3))).ToArray();
        var before = Metrics.LogLoss(tooSure, labels);
        var platt = PlattCalibration.Fit(tooSure, labels);
        Assert.InRange(platt.Slope, 0.3, 0.37);
        Assert.InRange(platt.Offset, -0.1, 0.1);
        foreach (ProbabilityCalibration calibration in new ProbabilityCalibration[] { platt, IsotonicCalibration.Fit(tooSure, labels) })
        {
            var mended = tooSure.Select(calibration.Apply).ToArray();
            Assert.True(Metrics.LogLoss(mended, labels) < before - 0.1);
            Assert.All(tooSure.Zip(mended).OrderBy(pair => pair.First).Zip(tooSure.Zip(mended).OrderBy(pair => pair.First).Skip(1)), pair => Assert.True(pair.First.Second <= pair.Second.Second));
        }
        Assert.Contains("outside 0 to 1", Assert.Throws<ArgumentException>(() => PlattCalibration.Fit([1.5], [1])).Message, StringComparison.Ordinal);
        Assert.Contains("at least one of each", Assert.Throws<ArgumentException>(() => IsotonicCalibration.Fit([0.5, 0.6], [1, 1])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_threshold_is_where_mistakes_cost_least()
    {
        double[] scores = [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9];
        int[] labels = [0, 0, 1, 0, 1, 0, 1, 1];
        // A missed case costs ten false alarms: all positives are worth finding.
        var careful = ThresholdChoice.ByCost(scores, labels, 1, 10);
        Assert.InRange(careful.Threshold, 0.2000001, 0.3);
        Assert.Equal((0, 2, 2.0 / 8), (careful.Confusion.FalseNegatives, careful.Confusion.FalsePositives, careful.CostPerRow));
        var sparing = ThresholdChoice.ByCost(scores, labels, 10, 1);
        Assert.InRange(sparing.Threshold, 0.7000001, 0.8);
        Assert.Equal(0, sparing.Confusion.FalsePositives);
        Assert.Throws<ArgumentException>(() => ThresholdChoice.ByCost(scores, labels, -1, 1));
    }
}
