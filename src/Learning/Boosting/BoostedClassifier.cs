using Salus.Learning.Estimators;
using Salus.Learning.Explain;
using Salus.Learning.Tables;
using Salus.Learning.Trees;

namespace Salus.Learning.Boosting;

/// <summary>Boosted trees for classes: the logistic function of the sum of two classes' trees, the softmax of several classes' sums.</summary>
public sealed class BoostedClassifier : TreeClassifier
{
    internal BoostedClassifier(TreeEnsemble trees, double[] start) : base(trees, trees.Outputs == 1 ? 2 : trees.Outputs) => Start = start;

    /// <inheritdoc/>
    public override string FormatId => BoostingFormat.Magic;

    /// <summary>The margins before any tree.</summary>
    internal double[] Start { get; }

    private protected override void PredictInto(ReadOnlySpan<double> row, Span<double> probabilities)
    {
        var margins = Ensemble.Outputs == 1 ? probabilities[1..] : probabilities;
        Start.CopyTo(margins);
        Ensemble.AddTo(row, margins);
        if (Ensemble.Outputs == 1)
            (probabilities[0], probabilities[1]) = (1 - Logistic(margins[0]), Logistic(margins[0]));
        else
            Softmax(margins);
    }

    /// <inheritdoc/>
    public override double[] Predict(FeatureMatrix matrix, int classIndex)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)classIndex, (uint)ClassCount, nameof(classIndex));
        var margins = Ensemble.Sums(matrix, Start);
        var probabilities = Ensemble.Outputs == 1 ? margins : new double[matrix.RowCount];
        for (var row = 0; row < probabilities.Length; row++)
        {
            if (Ensemble.Outputs == 1)
            {
                probabilities[row] = classIndex == 1 ? Logistic(margins[row]) : 1 - Logistic(margins[row]);
                continue;
            }
            var own = margins.AsSpan(row * ClassCount, ClassCount);
            Softmax(own);
            probabilities[row] = own[classIndex];
        }
        return probabilities;
    }

    /// <summary>Explains the log odds of class 1 of two (of class 0 with the opposite sign), or the margin of one class of several.</summary>
    public override Explanation Explain(ReadOnlySpan<double> row, int output)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)output, (uint)ClassCount, nameof(output));
        var contributions = new double[FeatureCount];
        var margin = Ensemble.Outputs == 1 ? 0 : output;
        var basis = Start[margin] + TreeExplainer.Explain(Ensemble, row, margin, contributions);
        var margins = (double[])Start.Clone();
        Ensemble.AddTo(row, margins);
        if (Ensemble.Outputs > 1)
            return new Explanation(basis, contributions, margins[margin], ExplanationScale.Margin);
        return output == 1
            ? new Explanation(basis, contributions, margins[0], ExplanationScale.LogOdds)
            : new Explanation(-basis, Array.ConvertAll(contributions, contribution => -contribution), -margins[0], ExplanationScale.LogOdds);
    }

    /// <inheritdoc/>
    public override void Write(Stream stream) => BoostingFormat.Write(this, stream);

    static double Logistic(double margin) => 1 / (1 + Math.Exp(-margin));

    static void Softmax(Span<double> margins)
    {
        var greatest = double.NegativeInfinity;
        foreach (var margin in margins)
            greatest = Math.Max(greatest, margin);
        var sum = 0.0;
        foreach (ref var margin in margins)
            sum += margin = Math.Exp(margin - greatest);
        foreach (ref var margin in margins)
            margin /= sum;
    }
}
