using Salus.Learning.Tables;

namespace Salus.Learning.Trees;

/// <summary>
/// Trees over one set of bins, and the sum of their leaves for a row. A tree's leaf has a value for every output, or
/// one value where the trees take turns: tree t then adds to output t modulo the number of outputs.
/// </summary>
sealed class TreeEnsemble
{
    /// <summary>The most features: twice as many slots fit 16 bits.</summary>
    public const int FeaturesMax = 32_767;

    /// <summary>The most bins of a feature: their codes and two for missing values fit 16 bits.</summary>
    public const int BinsMax = 65_533;

    readonly Lazy<TreeWalker> walker;

    public TreeEnsemble(FeatureBins[] bins, Tree[] trees, int outputs)
    {
        Bins = bins;
        Trees = trees;
        Outputs = outputs;
        Width = trees.Length == 0 ? 1 : trees[0].Width;
        walker = new(() => new TreeWalker(this));
    }

    public FeatureBins[] Bins { get; }

    public Tree[] Trees { get; }

    public int Outputs { get; }

    /// <summary>Values per leaf: <see cref="Outputs"/>, or 1.</summary>
    public int Width { get; }

    public int FeatureCount => Bins.Length;

    public int[] BinsOf(ReadOnlySpan<double> row)
    {
        Check(row.Length);
        var bins = new int[row.Length];
        for (var feature = 0; feature < bins.Length; feature++)
            bins[feature] = Bins[feature].BinOf(row[feature]);
        return bins;
    }

    /// <summary>Adds the leaves of every tree, in their order, to <paramref name="sums"/>.</summary>
    public void AddTo(ReadOnlySpan<double> row, Span<double> sums)
    {
        Check(row.Length);
        walker.Value.AddRow(row, sums);
    }

    /// <summary>The sums of every row, outputs of a row together, each begun with <paramref name="start"/>; the same bits as row by row.</summary>
    public double[] Sums(FeatureMatrix matrix, ReadOnlySpan<double> start, ParallelOptions? parallel = null)
    {
        Check(matrix.Features.Count);
        var sums = new double[(long)matrix.RowCount * Outputs];
        for (var at = 0; at < sums.Length; at += Outputs)
            start.CopyTo(sums.AsSpan(at));
        walker.Value.AddMatrix(matrix, sums, parallel ?? new ParallelOptions());
        return sums;
    }

    void Check(int features)
    {
        if (features != FeatureCount)
            throw new ArgumentException($"the row has {features} values, the model was trained on {FeatureCount}");
    }
}
