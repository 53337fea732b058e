using Salus.Learning.Estimators;
using Salus.Learning.Explain;
using Salus.Learning.Tables;
using Salus.Learning.Trees;

namespace Salus.Learning.Boosting;

/// <summary>Boosted trees for numbers: the sum of the trees.</summary>
public sealed class BoostedRegressor : IRegressor, IExplained
{
    internal BoostedRegressor(TreeEnsemble trees, double start)
    {
        Ensemble = trees;
        Start = start;
    }

    /// <inheritdoc/>
    public string FormatId => BoostingFormat.RegressionMagic;

    /// <inheritdoc/>
    public int FeatureCount => Ensemble.FeatureCount;

    /// <summary>The number of trees.</summary>
    public int TreeCount => Ensemble.Trees.Length;

    internal TreeEnsemble Ensemble { get; }

    /// <summary>The estimate before any tree.</summary>
    internal double Start { get; }

    /// <inheritdoc/>
    public double Predict(ReadOnlySpan<double> row)
    {
        Span<double> sum = [Start];
        Ensemble.AddTo(row, sum);
        return sum[0];
    }

    /// <inheritdoc/>
    public double[] Predict(FeatureMatrix matrix) => Ensemble.Sums(matrix, [Start]);

    /// <inheritdoc/>
    public Explanation Explain(ReadOnlySpan<double> row, int output)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(output, 0);
        var contributions = new double[FeatureCount];
        var basis = Start + TreeExplainer.Explain(Ensemble, row, 0, contributions);
        return new Explanation(basis, contributions, Predict(row), ExplanationScale.Value);
    }

    /// <inheritdoc/>
    public void Write(Stream stream) => BoostingFormat.Write(this, stream);
}
