using Salus.Learning.Estimators;
using Salus.Learning.Explain;
using Salus.Learning.Tables;
using Salus.Learning.Trees;

namespace Salus.Learning.Boosting;

/// <summary>Boosted trees for classes: the logistic function of the sum of two classes' trees, the softmax of several classes' sums.</summary>
public sealed class BoostedClassifier : IClassifier, IExplained
{
    internal BoostedClassifier(TreeEnsemble trees, double[] start)
    {
        Ensemble = trees;
        Start = start;
    }

    /// <inheritdoc/>
    public string FormatId => BoostingFormat.Magic;

    /// <inheritdoc/>
    public int FeatureCount => Ensemble.FeatureCount;

    /// <inheritdoc/>
    public int ClassCount => Ensemble.Outputs == 1 ? 2 : Ensemble.Outputs;

    /// <summary>The number of trees.</summary>
    public int TreeCount => Ensemble.Trees.Length;

    internal TreeEnsemble Ensemble { get; }

    /// <summary>The margins before any tree.</summary>
    internal double[] Start { get; }

    /// <summary>The probability of each class for one row (NaN where a value is missing); they sum to 1.</summary>
    public double[] Predict(ReadOnlySpan<double> row)
    {
        var probabilities = new double[ClassCount];
        Predict(row, probabilities);
        return probabilities;
    }

    /// <inheritdoc/>
    public void Predict(ReadOnlySpan<double> row, Span<double> probabilities)
    {
        if (probabilities.Length != ClassCount)
            throw new ArgumentException($"there is place for {probabilities.Length} probabilities, the model has {ClassCount} classes");
        var margins = Ensemble.Outputs == 1 ? probabilities[1..] : probabilities;
        Start.CopyTo(margins);
        Ensemble.AddTo(row, margins);
        if (Ensemble.Outputs == 1)
            (probabilities[0], probabilities[1]) = (1 - Logistic(margins[0]), Logistic(margins[0]));
        else
            Softmax(margins);
    }

    /// <inheritdoc/>
    public double[] Predict(FeatureMatrix matrix, int classIndex)
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
    public Explanation Explain(ReadOnlySpan<double> row, int output)
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
    public void Write(Stream stream) => BoostingFormat.Write(this, stream);

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
