using System.Diagnostics.CodeAnalysis;
using Salus.Learning.Estimators;
using Salus.Learning.Explain;
using Salus.Learning.Tables;

namespace Salus.Learning.Forest;

/// <summary>A random forest classifier (Breiman 2001): the mean of its trees' class probabilities.</summary>
public sealed class RandomForest : IClassifier, IExplained
{
    /// <summary>No tree is deeper than this.</summary>
    public const int DepthLimit = 256;

    /// <summary>The most classes a forest tells apart.</summary>
    public const int ClassesLimit = 1_000;

    readonly DecisionTree[] trees;

    internal RandomForest(DecisionTree[] trees, int features, int classes)
    {
        this.trees = trees;
        FeatureCount = features;
        ClassCount = classes;
    }

    /// <inheritdoc/>
    public string FormatId => ForestFormat.Magic;

    /// <summary>The number of values a row must have.</summary>
    public int FeatureCount { get; }

    /// <summary>The number of classes.</summary>
    public int ClassCount { get; }

    /// <summary>The number of trees.</summary>
    public int TreeCount => trees.Length;

    internal ReadOnlySpan<DecisionTree> Trees => trees;

    /// <summary>Grows a forest: see <see cref="ForestTrainer.Train"/>.</summary>
    public static ForestFit Train(FeatureMatrix features, ReadOnlySpan<int> labels, int classes, ForestOptions options) =>
        ForestTrainer.Train(features, labels, classes, options);

    /// <summary>The probability of each class for one row (NaN where a value is missing); they sum to 1.</summary>
    public double[] Predict(ReadOnlySpan<double> row)
    {
        var probabilities = new double[ClassCount];
        Predict(row, probabilities);
        return probabilities;
    }

    /// <summary>Writes the probability of each class for one row.</summary>
    public void Predict(ReadOnlySpan<double> row, Span<double> probabilities)
    {
        if (row.Length != FeatureCount)
            throw new ArgumentException($"the row has {row.Length} values, the forest was trained on {FeatureCount}");
        if (probabilities.Length != ClassCount)
            throw new ArgumentException($"there is place for {probabilities.Length} probabilities, the forest has {ClassCount} classes");
        probabilities.Clear();
        foreach (var tree in trees)
        {
            var leaf = tree.ProbabilitiesAt(tree.LeafFor(row));
            for (var c = 0; c < probabilities.Length; c++)
                probabilities[c] += leaf[c];
        }
        for (var c = 0; c < probabilities.Length; c++)
            probabilities[c] /= trees.Length;
    }

    /// <summary>The probability of one class for every row of a matrix.</summary>
    public double[] Predict(FeatureMatrix matrix, int classIndex)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)classIndex, (uint)ClassCount, nameof(classIndex));
        var row = new double[matrix.Features.Count];
        var probabilities = new double[ClassCount];
        var predicted = new double[matrix.RowCount];
        for (var i = 0; i < predicted.Length; i++)
        {
            matrix.CopyRow(i, row);
            Predict(row, probabilities);
            predicted[i] = probabilities[classIndex];
        }
        return predicted;
    }

    /// <inheritdoc/>
    public Explanation Explain(ReadOnlySpan<double> row, int output) => ForestExplainer.Explain(this, row, output);

    /// <summary>Writes the forest in its own versioned format.</summary>
    public void Write(Stream stream) => ForestFormat.Write(this, stream);

    /// <summary>Reads what <see cref="Write"/> wrote; anything else is refused with the reason.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out RandomForest? forest, [NotNullWhen(false)] out string? refusal) =>
        ForestFormat.TryRead(bytes, out forest, out refusal);
}
