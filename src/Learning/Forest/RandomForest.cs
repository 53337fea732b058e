using System.Diagnostics.CodeAnalysis;
using Salus.Learning.Estimators;
using Salus.Learning.Explain;
using Salus.Learning.Tables;
using Salus.Learning.Trees;

namespace Salus.Learning.Forest;

/// <summary>A random forest classifier (Breiman 2001): the mean of its trees' class probabilities.</summary>
public sealed class RandomForest : TreeClassifier
{
    /// <summary>No tree is deeper than this.</summary>
    public const int DepthLimit = Tree.DepthLimit;

    /// <summary>The most classes a forest tells apart.</summary>
    public const int ClassesLimit = TrainingRows.ClassesLimit;

    // Of two classes the trees hold the probability of class 1 alone.
    internal RandomForest(TreeEnsemble trees, int classes) : base(trees, classes)
    {
    }

    /// <inheritdoc/>
    public override string FormatId => ForestFormat.Magic;

    /// <summary>Grows a forest: see <see cref="ForestTrainer"/>.</summary>
    public static ForestFit Train(FeatureMatrix features, ReadOnlySpan<int> labels, int classes, ForestOptions options) =>
        ForestTrainer.Train(features, labels, classes, options);

    private protected override void PredictInto(ReadOnlySpan<double> row, Span<double> probabilities)
    {
        probabilities.Clear();
        if (ClassCount == 2)
        {
            Ensemble.AddTo(row, probabilities[1..]);
            probabilities[1] /= TreeCount;
            probabilities[0] = 1 - probabilities[1];
            return;
        }
        Ensemble.AddTo(row, probabilities);
        foreach (ref var probability in probabilities)
            probability /= TreeCount;
    }

    /// <inheritdoc/>
    public override double[] Predict(FeatureMatrix matrix, int classIndex)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)classIndex, (uint)ClassCount, nameof(classIndex));
        var sums = Ensemble.Sums(matrix, new double[Ensemble.Outputs]);
        if (ClassCount > 2)
            return Array.ConvertAll(Enumerable.Range(0, matrix.RowCount).ToArray(), row => sums[(row * ClassCount) + classIndex] / TreeCount);
        for (var row = 0; row < sums.Length; row++)
            sums[row] = classIndex == 1 ? sums[row] / TreeCount : 1 - (sums[row] / TreeCount);
        return sums;
    }

    /// <inheritdoc/>
    public override Explanation Explain(ReadOnlySpan<double> row, int output)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)output, (uint)ClassCount, nameof(output));
        var contributions = new double[FeatureCount];
        var basis = TreeExplainer.Explain(Ensemble, row, ClassCount == 2 ? 0 : output, contributions) / TreeCount;
        var flips = ClassCount == 2 && output == 0;
        foreach (ref var contribution in contributions.AsSpan())
            contribution /= flips ? -TreeCount : TreeCount;
        return new Explanation(flips ? 1 - basis : basis, contributions, Predict(row)[output]);
    }

    /// <inheritdoc/>
    public override void Write(Stream stream) => ForestFormat.Write(this, stream);

    /// <summary>Reads what <see cref="Write"/> wrote; anything else is refused with the reason.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out RandomForest? forest, [NotNullWhen(false)] out string? refusal)
    {
        forest = null;
        if (!EstimatorFormat.TryRead(bytes, out var estimator, out refusal))
            return false;
        forest = estimator as RandomForest;
        refusal = forest is null ? $"this is no random forest but {estimator.FormatId}" : null;
        return forest is not null;
    }
}
