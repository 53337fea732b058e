using Salus.Learning.Estimators;
using Salus.Learning.Explain;
using Salus.Learning.Tables;
using Salus.Learning.Trees;

namespace Salus.Learning.Forest;

/// <summary>A random forest for numbers (Breiman 2001): the mean of its trees' estimates.</summary>
public sealed class RegressionForest : IRegressor, IExplained
{
    internal RegressionForest(TreeEnsemble trees) => Ensemble = trees;

    /// <inheritdoc/>
    public string FormatId => ForestFormat.RegressionMagic;

    /// <inheritdoc/>
    public int FeatureCount => Ensemble.FeatureCount;

    /// <summary>The number of trees.</summary>
    public int TreeCount => Ensemble.Trees.Length;

    internal TreeEnsemble Ensemble { get; }

    /// <inheritdoc/>
    public double Predict(ReadOnlySpan<double> row)
    {
        Span<double> sum = [0];
        Ensemble.AddTo(row, sum);
        return sum[0] / TreeCount;
    }

    /// <inheritdoc/>
    public double[] Predict(FeatureMatrix matrix)
    {
        var sums = Ensemble.Sums(matrix, [0]);
        foreach (ref var sum in sums.AsSpan())
            sum /= TreeCount;
        return sums;
    }

    /// <inheritdoc/>
    public Explanation Explain(ReadOnlySpan<double> row, int output)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(output, 0);
        var contributions = new double[FeatureCount];
        var basis = TreeExplainer.Explain(Ensemble, row, 0, contributions) / TreeCount;
        foreach (ref var contribution in contributions.AsSpan())
            contribution /= TreeCount;
        return new Explanation(basis, contributions, Predict(row), ExplanationScale.Value);
    }

    /// <inheritdoc/>
    public void Write(Stream stream) => ForestFormat.Write(this, stream);
}
