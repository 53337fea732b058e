using Salus.Learning.Tables;

namespace Salus.Learning.Forest;

/// <summary>A forest and what its own out-of-bag rows say of it.</summary>
/// <param name="Forest">The forest.</param>
/// <param name="OutOfBag">By row, the class probabilities from the trees that did not see it; null where every tree did.</param>
/// <param name="OutOfBagAccuracy">The share of such rows whose likeliest class is their label; NaN where there is none.</param>
/// <param name="Importance">By feature, the mean loss of out-of-bag accuracy when its values are permuted; null unless asked for.</param>
public sealed record ForestFit(RandomForest Forest, double[]?[] OutOfBag, double OutOfBagAccuracy, double[]? Importance);

/// <summary>Grows forests. Each tree has its own stream of random numbers, so threads change nothing.</summary>
public static class ForestTrainer
{
    /// <summary>Trains on rows with labels in [0, <paramref name="classes"/>). Throws ArgumentException with the mend where the data cannot train a forest.</summary>
    public static ForestFit Train(FeatureMatrix features, ReadOnlySpan<int> labels, int classes, ForestOptions options)
    {
        if (Objection(features, labels, classes, options) is { } objection)
            throw new ArgumentException(objection);
        var known = labels.ToArray();
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Threads == 0 ? Environment.ProcessorCount : options.Threads };
        var data = new BinnedFeatures(features, options.BinsMax, parallel);
        var limits = new SplitLimits(Units(classes, options), options.LeafMin);
        var tries = options.FeaturesPerSplit == 0
            ? Math.Max(1, (int)Math.Sqrt(data.FeatureCount))
            : Math.Min(options.FeaturesPerSplit, data.FeatureCount);
        var trees = new DecisionTree[options.Trees];
        var drawn = new int[options.Trees][];
        Parallel.For(0, trees.Length, parallel, i =>
        {
            var grower = new TreeGrower(data, known, limits, tries, options.DepthMax, SeededGenerator.For(options.Seed, (ulong)i));
            trees[i] = grower.Grow();
            drawn[i] = grower.Drawn;
        });
        var forest = new RandomForest(trees, data.FeatureCount, classes);
        var outOfBag = new OutOfBag(forest, features, known, drawn, parallel);
        var probabilities = outOfBag.Probabilities();
        return new ForestFit(forest, probabilities, outOfBag.Accuracy(probabilities), options.Importance ? outOfBag.Importance(options.Seed) : null);
    }

    /// <summary>Why these rows cannot train a forest, and the mend; null where they can.</summary>
    public static string? Objection(FeatureMatrix features, ReadOnlySpan<int> labels, int classes, ForestOptions options)
    {
        if (options.Objection() is { } objection)
            return objection;
        if (features.RowCount == 0)
            return "there are no rows; give at least two of different classes";
        if (features.Features.Count == 0)
            return "there are no features; keep at least one column";
        if (labels.Length != features.RowCount)
            return $"there are {features.RowCount} rows and {labels.Length} labels; give one label a row";
        if (classes is < 2 or > RandomForest.ClassesLimit)
            return $"there are {classes} classes; give 2 to {RandomForest.ClassesLimit}";
        if (options.ClassWeights is { } weights && weights.Count != classes)
            return $"there are {weights.Count} class weights for {classes} classes; give one for each";
        var seen = new bool[classes];
        for (var row = 0; row < labels.Length; row++)
        {
            if ((uint)labels[row] >= (uint)classes)
                return $"row {row} has label {labels[row]}; labels are 0 to {classes - 1}, leave out rows without one";
            seen[labels[row]] = true;
        }
        return seen.Count(present => present) < 2 ? "every row has the same class; give rows of at least two" : null;
    }

    static long[] Units(int classes, ForestOptions options)
    {
        var units = new long[classes];
        for (var c = 0; c < classes; c++)
            units[c] = options.ClassWeights is null ? 1 : (long)Math.Round(options.ClassWeights[c] * 1_000);
        return units;
    }
}
