using Salus.Learning.Tables;
using Salus.Learning.Trees;

namespace Salus.Learning.Boosting;

/// <summary>One training: the rounds, one after the other.</summary>
sealed class BoostingRun
{
    /// <summary>Streams of random numbers, apart from those of the rounds.</summary>
    public const ulong HeldStream = 0x68656C64;

    const int BlockRows = 16_384;

    readonly Loss loss;
    readonly BoostingOptions options;
    readonly int[] training;
    readonly int[] held;
    readonly ParallelOptions parallel;
    readonly FeatureBins[] bins;
    readonly BinnedMatrix data;
    readonly LocalGradientSums sums;
    readonly LeafwiseGrower grower;
    readonly double[] margins;
    readonly long[] gradients;

    public BoostingRun(FeatureMatrix features, Loss loss, BoostingOptions options, int[] training, int[] held, CancellationToken cancellation)
    {
        (this.loss, this.options, this.training, this.held) = (loss, options, training, held);
        parallel = new ParallelOptions
        {
            MaxDegreeOfParallelism = options.Threads == 0 ? Environment.ProcessorCount : options.Threads,
            CancellationToken = cancellation,
        };
        bins = FeatureBins.Of(features, options.BinsMax, options.NativeCategories ? options.NativeLevelsMax : 0, parallel);
        data = BinnedMatrix.Of(features, bins, parallel, byColumn: true);
        var layout = new HistogramLayout(bins);
        sums = new LocalGradientSums(data, layout, training, parallel);
        int[] monotone = [.. features.Features.Select(feature => options.Monotone?.GetValueOrDefault(feature.Name) ?? 0)];
        grower = new LeafwiseGrower(sums, layout, new SplitFinder(bins, layout, options, monotone), options, parallel);
        margins = new double[(long)data.RowCount * loss.Outputs];
        for (var output = 0; output < loss.Outputs; output++)
            margins.AsSpan(output * data.RowCount, data.RowCount).Fill(loss.Start[output]);
        gradients = new long[data.RowCount];
    }

    public (TreeEnsemble Trees, List<double> HeldLoss) Grow()
    {
        var trees = new List<Tree>();
        var losses = new List<double>();
        var best = (Loss: double.PositiveInfinity, Rounds: options.PatienceRounds > 0 ? 1 : options.Trees);
        for (var round = 0; round < options.Trees; round++)
        {
            trees.AddRange(Round(round));
            if (options.PatienceRounds == 0)
                continue;
            losses.Add(loss.Mean(margins, held));
            if (losses[^1] < best.Loss)
                best = (losses[^1], round + 1);
            else if (round + 1 - best.Rounds >= options.PatienceRounds)
                break;
        }
        return (new TreeEnsemble(bins, [.. trees.Take(best.Rounds * loss.Outputs)], loss.Outputs), losses);
    }

    Tree[] Round(int round)
    {
        parallel.CancellationToken.ThrowIfCancellationRequested();
        var trees = new Tree[loss.Outputs];
        loss.Begin(margins, training);
        var seed = SeededGenerator.Derive(options.Seed, (ulong)round);
        var taken = Sampled(seed);
        // All trees of a round are grown from the margins before it.
        var before = loss.Outputs == 1 ? margins : (double[])margins.Clone();
        for (var output = 0; output < trees.Length; output++)
        {
            Differentiate(before, output, taken);
            var chosen = Chosen(SeededGenerator.Derive(seed, (ulong)output));
            sums.Begin(gradients, chosen);
            trees[output] = grower.Grow(training.Length, chosen, loss.Units);
            Advance(trees[output], output);
        }
        return trees;
    }

    void Differentiate(double[] before, int output, bool[]? taken)
    {
        var rows = data.RowCount;
        Parallel.For(0, (rows + BlockRows - 1) / BlockRows, parallel, block =>
        {
            var (from, upto) = (block * BlockRows, Math.Min(rows, (block + 1) * BlockRows));
            loss.Gradients(before, output, from..upto, gradients.AsSpan(from, upto - from));
            for (var row = from; taken is not null && row < upto; row++)
                gradients[row] = taken[row] ? gradients[row] : 0;
        });
    }

    bool[]? Sampled(ulong seed)
    {
        if (options.RowShare >= 1)
            return null;
        var generator = new SeededGenerator(seed);
        var taken = new bool[data.RowCount];
        for (var row = 0; row < taken.Length; row++)
            taken[row] = generator.NextDouble() < options.RowShare;
        return taken;
    }

    int[] Chosen(ulong seed)
    {
        var all = Enumerable.Range(0, data.FeatureCount).ToArray();
        if (options.FeatureShare >= 1)
            return all;
        SeededGenerator.For(seed, 1).Shuffle<int>(all);
        return [.. all.Take(Math.Max(1, (int)Math.Round(all.Length * options.FeatureShare))).Order()];
    }

    void Advance(Tree tree, int output)
    {
        var from = output * data.RowCount;
        var leaves = Enumerable.Range(0, tree.NodeCount).Where(tree.IsLeaf).ToArray();
        Parallel.ForEach(leaves, parallel, leaf =>
        {
            var value = tree.ValuesAt(leaf)[0];
            foreach (var row in sums.RowsAt(leaf))
                margins[from + row] += value;
        });
        if (held.Length == 0)
            return;
        var added = new double[held.Length];
        new TreeWalker(new TreeEnsemble(bins, [tree], 1)).AddBinned(data, held, added);
        for (var i = 0; i < held.Length; i++)
            margins[from + held[i]] += added[i];
    }
}
