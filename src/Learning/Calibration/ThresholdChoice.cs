using Salus.Learning.Evaluate;

namespace Salus.Learning.Calibration;

/// <summary>The threshold whose mistakes cost least, with what they cost a row.</summary>
/// <param name="Threshold">A probability not below this is predicted positive.</param>
/// <param name="CostPerRow">The mean cost at it.</param>
/// <param name="Confusion">How predictions fall at it.</param>
public sealed record ThresholdChoice(double Threshold, double CostPerRow, Confusion Confusion)
{
    /// <summary>
    /// Chooses among the held-out probabilities by what a false alarm and a missed case cost; of equals, the one nearest to
    /// what the costs ask of calibrated probabilities, falseAlarm / (falseAlarm + missed) (Elkan 2001).
    /// </summary>
    public static ThresholdChoice ByCost(ReadOnlySpan<double> probabilities, ReadOnlySpan<int> labels, double falseAlarmCost, double missedCost)
    {
        if (!(falseAlarmCost >= 0 && missedCost >= 0 && falseAlarmCost + missedCost > 0 && double.IsFinite(falseAlarmCost + missedCost)))
            throw new ArgumentException($"the costs are {falseAlarmCost} and {missedCost}; give finite costs of 0 or more, not both 0");
        var order = Metrics.AscendingOrder(probabilities);
        var asked = falseAlarmCost / (falseAlarmCost + missedCost);
        var (missed, alarms) = (0, labels.Length - labels.Count(1));
        var (best, bestCost, bestGap) = (0.0, double.PositiveInfinity, double.PositiveInfinity);
        for (var i = 0; ;)
        {
            // Between two neighbouring probabilities every threshold does the same: the one in the middle, or the asked one, is least fragile.
            var (below, above) = (i == 0 ? 0 : probabilities[order[i - 1]], i == order.Length ? 1 : probabilities[order[i]]);
            var threshold = Math.Clamp(asked, below + ((above - below) * 1e-6), above);
            var (cost, gap) = ((alarms * falseAlarmCost) + (missed * missedCost), Math.Abs(threshold - asked));
            if (cost < bestCost || (cost == bestCost && gap < bestGap))
                (best, bestCost, bestGap) = (threshold, cost, gap);
            if (i == order.Length)
                break;
            for (var tied = probabilities[order[i]]; i < order.Length && probabilities[order[i]] == tied; i++)
            {
                missed += labels[order[i]];
                alarms -= 1 - labels[order[i]];
            }
        }
        return new ThresholdChoice(best, bestCost / labels.Length, Metrics.Confusion(probabilities, labels, best));
    }
}
