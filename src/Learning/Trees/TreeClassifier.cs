using Salus.Learning.Estimators;
using Salus.Learning.Explain;
using Salus.Learning.Tables;

namespace Salus.Learning.Trees;

/// <summary>A classifier whose probabilities are made of the sums of its trees.</summary>
public abstract class TreeClassifier : IClassifier, IExplained
{
    private protected TreeClassifier(TreeEnsemble trees, int classes) => (Ensemble, ClassCount) = (trees, classes);

    /// <inheritdoc/>
    public abstract string FormatId { get; }

    /// <inheritdoc/>
    public int FeatureCount => Ensemble.FeatureCount;

    /// <inheritdoc/>
    public int ClassCount { get; }

    /// <summary>The number of trees.</summary>
    public int TreeCount => Ensemble.Trees.Length;

    internal TreeEnsemble Ensemble { get; }

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
        PredictInto(row, probabilities);
    }

    /// <inheritdoc/>
    public abstract double[] Predict(FeatureMatrix matrix, int classIndex);

    /// <inheritdoc/>
    public abstract Explanation Explain(ReadOnlySpan<double> row, int output);

    /// <inheritdoc/>
    public abstract void Write(Stream stream);

    private protected abstract void PredictInto(ReadOnlySpan<double> row, Span<double> probabilities);
}
