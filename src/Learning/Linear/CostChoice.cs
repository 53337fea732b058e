using Salus.Learning.Evaluate;
using Salus.Learning.Tables;

namespace Salus.Learning.Linear;

/// <summary>
/// The cost of a logistic regression, chosen on its training rows alone: they are split into parts, and the cost is the
/// one by which models of the others give the rows of each part the greatest likelihood. Costs are tried from the
/// strongest penalty on, each fit begun where the last one ended, until the likelihood falls.
/// </summary>
static class CostChoice
{
    // A fit that only serves to compare costs need not be exact.
    const double Tolerance = 1e-4;
    const double LikelihoodMin = 1e-15;

    // After so many costs in a row that are worse than the best, no better one is expected.
    const int WorseMax = 2;

    /// <summary>The costs tried.</summary>
    public static IReadOnlyList<double> Costs { get; } = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100];

    /// <summary>The best of <see cref="Costs"/>; the cost given where a class has too few rows to hold one out.</summary>
    public static double Of(CsrMatrix rows, int[] labels, int classes, LogisticOptions options)
    {
        if (Enumerable.Range(0, classes).Any(c => labels.Count(label => label == c) < 2))
            return options.Cost;
        var folds = Folds.Stratified(labels, classes, options.CostParts, options.Seed);
        var weights = TrainingRows.ClassWeights(labels, classes, options.Balanced);
        var parts = folds.Distinct().Order().Select(fold => new Part(rows, labels, classes, folds, fold)).ToArray();
        var (best, least, worse) = (options.Cost, double.PositiveInfinity, 0);
        foreach (var cost in Costs)
        {
            var loss = parts.Sum(part => part.Loss(options with { Cost = cost, Tolerance = Math.Max(Tolerance, options.Tolerance) }, weights));
            if (loss < least)
                (best, least, worse) = (cost, loss, 0);
            else if (++worse == WorseMax)
                break;
        }
        return best;
    }

    sealed class Part
    {
        readonly CsrMatrix training;
        readonly CsrMatrix held;
        readonly int[] labels;
        readonly int[] heldLabels;
        readonly int classes;
        readonly double[] point;

        public Part(CsrMatrix rows, int[] labels, int classes, int[] folds, int fold)
        {
            var split = Enumerable.Range(0, labels.Length).ToLookup(row => folds[row] == fold);
            (training, held) = (rows.Take([.. split[false]]), rows.Take([.. split[true]]));
            (this.labels, heldLabels) = ([.. split[false].Select(row => labels[row])], [.. split[true].Select(row => labels[row])]);
            this.classes = classes;
            point = new double[LogisticRegression.PointLength(rows, classes)];
        }

        public double Loss(LogisticOptions options, double[] weights)
        {
            var said = LogisticRegression.Fit(training, labels, classes, options, point).Predict(held);
            var loss = 0.0;
            for (var row = 0; row < said.Length; row++)
                loss -= weights[heldLabels[row]] * Math.Log(Math.Max(said[row][heldLabels[row]], LikelihoodMin));
            return loss;
        }
    }
}
