using Salus.Learning.Tables;
using Salus.Learning.Trees;

namespace Salus.Learning.Boosting;

/// <summary>A boosted model and how its training went.</summary>
/// <param name="Model">The model.</param>
/// <param name="Rounds">The rounds it kept.</param>
/// <param name="HeldLoss">The mean loss on the held-out rows after each round that was grown; empty where none were held out.</param>
public sealed record BoostingFit<TModel>(TModel Model, int Rounds, IReadOnlyList<double> HeldLoss);

/// <summary>
/// Gradient boosting (Friedman 2001) of second order (Chen and Guestrin 2016) over histograms. Derivatives are summed
/// in fixed point, and each draw has its own stream of random numbers, so threads change nothing.
/// </summary>
public static class BoostingTrainer
{
    /// <summary>Trains on rows with labels in [0, <paramref name="classes"/>). Throws ArgumentException with the mend where the data cannot train.</summary>
    public static BoostingFit<BoostedClassifier> Train(FeatureMatrix features, ReadOnlySpan<int> labels, int classes, BoostingOptions options, CancellationToken cancellation = default)
    {
        if (Objection(features, labels, classes, options) is { } objection)
            throw new ArgumentException(objection);
        var known = labels.ToArray();
        var (training, held) = Parts(known.Length, known, options);
        Loss loss = classes == 2
            ? new LogisticLoss(known, options.ClassWeights, training)
            : new SoftmaxLoss(known, classes, options.ClassWeights, training);
        var (trees, losses) = new BoostingRun(features, loss, options, training, held, cancellation).Grow();
        return new(new BoostedClassifier(trees, loss.Start), trees.Trees.Length / loss.Outputs, losses);
    }

    /// <summary>Trains on rows with finite targets. Throws ArgumentException with the mend where the data cannot train.</summary>
    public static BoostingFit<BoostedRegressor> Train(FeatureMatrix features, ReadOnlySpan<double> targets, BoostingOptions options, CancellationToken cancellation = default)
    {
        if (Objection(features, targets, options) is { } objection)
            throw new ArgumentException(objection);
        var known = targets.ToArray();
        var (training, held) = Parts(known.Length, null, options);
        var loss = new SquaredLoss(known, training);
        var (trees, losses) = new BoostingRun(features, loss, options, training, held, cancellation).Grow();
        return new(new BoostedRegressor(trees, loss.Start[0]), trees.Trees.Length, losses);
    }

    /// <summary>Why these rows cannot train, and the mend; null where they can.</summary>
    public static string? Objection(FeatureMatrix features, ReadOnlySpan<int> labels, int classes, BoostingOptions options) =>
        options.Objection() ?? TrainingRows.Objection(features, labels, classes, options.ClassWeights) ?? Objection(features, classes, options);

    /// <summary>Why these rows cannot train, and the mend; null where they can.</summary>
    public static string? Objection(FeatureMatrix features, ReadOnlySpan<double> targets, BoostingOptions options) =>
        options.Objection()
        ?? TrainingRows.Objection(features, targets)
        ?? (options.ClassWeights is null ? null : "numbers have no classes to weigh; leave ClassWeights out")
        ?? Objection(features, 1, options);

    static string? Objection(FeatureMatrix features, int classes, BoostingOptions options)
    {
        if (options.PatienceRounds > 0 && features.RowCount < 10)
            return $"{features.RowCount} rows are too few to hold some out; give 10 or more, or PatienceRounds 0";
        if ((long)classes * options.Trees > EnsembleFormat.TreesMax)
            return $"{options.Trees} rounds of {classes} trees are more than {EnsembleFormat.TreesMax}; give fewer";
        if (options.Monotone is not { Count: > 0 } monotone)
            return null;
        if (classes > 2)
            return "of more than two classes no output is monotone by itself; leave Monotone out";
        foreach (var (name, direction) in monotone)
        {
            if (direction is not (-1 or 0 or 1))
                return $"Monotone of '{name}' is {direction}; give -1, 0 or 1";
            if (features.Features.FirstOrDefault(feature => feature.Name == name) is not { } feature)
                return $"there is no feature '{name}' to be monotone in; name one of the features";
            if (options.NativeCategories && feature.Kind == FeatureKind.Code)
                return $"'{name}' is a category and has no order to be monotone in; leave it out of Monotone";
        }
        return null;
    }

    // Held-out rows have the classes in the same shares as near as can be.
    static (int[] Training, int[] Held) Parts(int rows, int[]? labels, BoostingOptions options)
    {
        var order = Enumerable.Range(0, rows).ToArray();
        if (options.PatienceRounds == 0)
            return (order, []);
        SeededGenerator.For(options.Seed, BoostingRun.HeldStream).Shuffle<int>(order);
        var held = order
            .GroupBy(row => labels?[row] ?? 0)
            .SelectMany(of => of.Take((int)Math.Round(of.Count() * options.HeldShare)))
            .ToHashSet();
        if (held.Count == 0)
            held.Add(order[0]);
        return ([.. Enumerable.Range(0, rows).Where(row => !held.Contains(row))], [.. held.Order()]);
    }
}
