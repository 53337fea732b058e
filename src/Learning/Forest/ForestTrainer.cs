using System.Collections.Concurrent;
using Salus.Learning.Tables;
using Salus.Learning.Trees;

namespace Salus.Learning.Forest;

/// <summary>A forest and what its own out-of-bag rows say of it.</summary>
/// <param name="Forest">The forest.</param>
/// <param name="OutOfBag">For each row the class probabilities from the trees that did not see it, classes of a row together; NaN where every tree did; null unless asked for.</param>
/// <param name="OutOfBagAccuracy">The share of such rows whose likeliest class is their label; NaN where there is none.</param>
/// <param name="Importance">By feature, the mean loss of out-of-bag accuracy when its values are permuted; null unless asked for.</param>
public sealed record ForestFit(RandomForest Forest, double[]? OutOfBag, double OutOfBagAccuracy, double[]? Importance);

/// <summary>A regression forest and what its own out-of-bag rows say of it.</summary>
/// <param name="Forest">The forest.</param>
/// <param name="OutOfBag">For each row the estimate from the trees that did not see it; NaN where every tree did; null unless asked for.</param>
/// <param name="OutOfBagError">The mean squared error of such estimates; NaN where there is none.</param>
/// <param name="Importance">By feature, the mean growth of the out-of-bag squared error when its values are permuted; null unless asked for.</param>
public sealed record RegressionForestFit(RegressionForest Forest, double[]? OutOfBag, double OutOfBagError, double[]? Importance);

/// <summary>Grows forests. Each tree has its own stream of random numbers, so threads change nothing.</summary>
public static class ForestTrainer
{
    // 2^40: a million trees' probabilities add up within 63 bits.
    const double ProbabilityUnits = 1L << 40;

    const ulong ImportanceStream = 0x696D706F7274;

    /// <summary>Trains on rows with labels in [0, <paramref name="classes"/>). Throws ArgumentException with the mend where the data cannot train a forest.</summary>
    public static ForestFit Train(FeatureMatrix features, ReadOnlySpan<int> labels, int classes, ForestOptions options, CancellationToken cancellation = default)
    {
        if (Objection(features, labels, classes, options) is { } objection)
            throw new ArgumentException(objection);
        var known = labels.ToArray();
        var units = Units(classes, options);
        var run = new Run(features, options, classes == 2 ? 1 : classes, value => (long)Math.Round(value * ProbabilityUnits), cancellation);
        var trees = run.Grow(
            known,
            data => classes == 2 ? new BinarySplitter(data, options.LeafMinFor(data.RowCount), units) : new ClassSplitter(data, options.LeafMinFor(data.RowCount), units),
            options.FeaturesPerSplit == 0 ? (int)Math.Sqrt(features.Features.Count) : options.FeaturesPerSplit,
            (row, leaf) => Likeliest(leaf) == known[row] ? 0 : 1);
        var forest = new RandomForest(new TreeEnsemble(run.Data.Bins, trees, classes == 2 ? 1 : classes), classes);
        var outOfBag = run.OutOfBag is { } votes ? Probabilities(votes, known.Length, classes) : null;
        return new ForestFit(forest, outOfBag, outOfBag is null ? double.NaN : Accuracy(outOfBag, known, classes), run.Importance);
    }

    /// <summary>Trains on rows with finite targets. Throws ArgumentException with the mend where the data cannot train a forest.</summary>
    public static RegressionForestFit Train(FeatureMatrix features, ReadOnlySpan<double> targets, ForestOptions options, CancellationToken cancellation = default)
    {
        if (Objection(features, targets, options) is { } objection)
            throw new ArgumentException(objection);
        var known = targets.ToArray();
        var fixedTargets = new FixedTargets(known);
        var run = new Run(features, options, 1, fixedTargets.UnitsOf, cancellation);
        var trees = run.Grow(
            null,
            data => new TargetSplitter(data, options.LeafMinFor(data.RowCount), fixedTargets),
            options.FeaturesPerSplit == 0 ? (features.Features.Count + 2) / 3 : options.FeaturesPerSplit,
            (row, leaf) => (leaf[0] - known[row]) * (leaf[0] - known[row]));
        var forest = new RegressionForest(new TreeEnsemble(run.Data.Bins, trees, 1));
        if (run.OutOfBag is not { } votes)
            return new RegressionForestFit(forest, null, double.NaN, run.Importance);
        var estimates = new double[known.Length];
        var (error, count) = (0.0, 0);
        for (var row = 0; row < estimates.Length; row++)
        {
            estimates[row] = votes.Voters[row] == 0 ? double.NaN : fixedTargets.MeanOf(votes.Sums[row], votes.Voters[row]);
            if (votes.Voters[row] == 0)
                continue;
            error += (estimates[row] - known[row]) * (estimates[row] - known[row]);
            count++;
        }
        return new RegressionForestFit(forest, estimates, error / count, run.Importance);
    }

    /// <summary>Why these rows cannot train a forest, and the mend; null where they can.</summary>
    public static string? Objection(FeatureMatrix features, ReadOnlySpan<int> labels, int classes, ForestOptions options) =>
        options.Objection() ?? TrainingRows.Objection(features, labels, classes, options.ClassWeights);

    /// <summary>Why these rows cannot train a regression forest, and the mend; null where they can.</summary>
    public static string? Objection(FeatureMatrix features, ReadOnlySpan<double> targets, ForestOptions options) =>
        options.Objection()
        ?? TrainingRows.Objection(features, targets)
        ?? (options.ClassWeights is null ? null : "numbers have no classes to weigh; leave ClassWeights out");

    sealed class Run(FeatureMatrix features, ForestOptions options, int outputs, Func<double, long> unitsOf, CancellationToken cancellation)
    {
        readonly ParallelOptions parallel = new()
        {
            MaxDegreeOfParallelism = options.Threads == 0 ? Environment.ProcessorCount : options.Threads,
            CancellationToken = cancellation,
        };

        public BinnedMatrix Data { get; private set; } = null!;

        public OutOfBag? OutOfBag { get; private set; }

        public double[]? Importance { get; private set; }

        public Tree[] Grow(int[]? labels, Func<BinnedMatrix, ForestSplitter> splitterOf, int tries, Func<int, ReadOnlySpan<double>, double> lossOf)
        {
            Data = BinnedMatrix.Of(features, FeatureBins.Of(features, options.BinsMax, 0, parallel), parallel);
            var trees = new Tree[options.Trees];
            var losses = options.Importance ? new double[options.Trees][] : null;
            // A worker's buffers are as large as the rows: as many are made as run at once.
            var workers = new ConcurrentBag<(ForestGrower Grower, OutOfBag Votes)>();
            Parallel.For(0, trees.Length, parallel, t =>
            {
                if (!workers.TryTake(out var worker))
                    worker = (new ForestGrower(Data, labels, splitterOf(Data), Math.Clamp(tries, 1, Data.FeatureCount), options.DepthMax), new OutOfBag(Data, options.OutOfBag ? outputs : 0, unitsOf));
                trees[t] = worker.Grower.Grow(SeededGenerator.For(options.Seed, (ulong)t));
                if (options.OutOfBag)
                    worker.Votes.Vote(trees[t], worker.Grower.Drawn);
                if (losses is not null)
                    losses[t] = worker.Votes.Losses(trees[t], worker.Grower.Drawn, SeededGenerator.Derive(options.Seed ^ ImportanceStream, (ulong)t), lossOf);
                workers.Add(worker);
            });
            if (options.OutOfBag)
                OutOfBag = workers.Select(worker => worker.Votes).Aggregate((sum, votes) => { sum.Add(votes); return sum; });
            Importance = losses is null ? null : [.. Enumerable.Range(0, Data.FeatureCount).Select(feature => losses.Average(of => of[feature]))];
            return trees;
        }
    }

    static double[] Probabilities(OutOfBag votes, int rows, int classes)
    {
        var probabilities = new double[rows * classes];
        for (var row = 0; row < rows; row++)
        {
            var into = probabilities.AsSpan(row * classes, classes);
            var units = votes.Voters[row] * ProbabilityUnits;
            if (votes.Voters[row] == 0)
                into.Fill(double.NaN);
            else if (classes == 2)
                (into[0], into[1]) = (1 - (votes.Sums[row] / units), votes.Sums[row] / units);
            else
                for (var c = 0; c < classes; c++)
                    into[c] = votes.Sums[(row * classes) + c] / units;
        }
        return probabilities;
    }

    static double Accuracy(double[] probabilities, int[] labels, int classes)
    {
        int right = 0, known = 0;
        for (var row = 0; row < labels.Length; row++)
        {
            var of = probabilities.AsSpan(row * classes, classes);
            if (double.IsNaN(of[0]))
                continue;
            known++;
            right += Likeliest(classes == 2 ? of[1..] : of) == labels[row] ? 1 : 0;
        }
        return known == 0 ? double.NaN : (double)right / known;
    }

    // One value is the probability of class 1 of two; the first of equals is the likeliest.
    static int Likeliest(ReadOnlySpan<double> leaf)
    {
        if (leaf.Length == 1)
            return leaf[0] > 0.5 ? 1 : 0;
        var best = 0;
        for (var c = 1; c < leaf.Length; c++)
        {
            if (leaf[c] > leaf[best])
                best = c;
        }
        return best;
    }

    static long[] Units(int classes, ForestOptions options)
    {
        var units = new long[classes];
        for (var c = 0; c < classes; c++)
            units[c] = options.ClassWeights is null ? 1 : (long)Math.Round(options.ClassWeights[c] * 1_000);
        return units;
    }
}
