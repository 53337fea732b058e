using System.Runtime.Intrinsics;
using Salus.Learning.Trees;

namespace Salus.Learning.Boosting;

/// <summary>A loss by its derivatives. Margins of an output lie together: output k of row r at k × rows + r.</summary>
abstract class Loss
{
    /// <summary>The greatest whole number that a derivative is written as.</summary>
    protected const int UnitsMax = (1 << (HistogramBlock.Bits - 1)) - 1;

    /// <summary>Margins per row.</summary>
    public abstract int Outputs { get; }

    /// <summary>The margins before the first tree.</summary>
    public abstract double[] Start { get; }

    /// <summary>To be called at the beginning of each round. The sums do not depend on the rows' order.</summary>
    public virtual void Begin(double[] margins, ReadOnlySpan<int> training)
    {
    }

    /// <summary>What the units of both derivatives stand for in this round.</summary>
    public abstract GradientUnits Units { get; }

    /// <summary>Writes the packed derivatives of one output for a range of rows.</summary>
    public abstract void Gradients(double[] margins, int output, Range rows, Span<long> into);

    /// <summary>The mean loss over some rows.</summary>
    public abstract double Mean(double[] margins, ReadOnlySpan<int> rows);

    /// <summary>Both derivatives in their units. The second is at least one unit, so that a bin with rows can be told from an empty one.</summary>
    protected static long Packed(double first, double second) =>
        HistogramBlock.Pack((int)Math.Round(first), Math.Clamp((int)Math.Round(second), 1, UnitsMax));

    /// <summary>The logistic function of some margins; each result depends on its own margin alone.</summary>
    public static void Logistic(ReadOnlySpan<double> margins, Span<double> into)
    {
        var i = 0;
        for (; i + 4 <= margins.Length; i += 4)
            Logistic(Vector256.Create(margins[i..])).CopyTo(into[i..]);
        // The same arithmetic for the last ones, so that a row's result does not depend on its place.
        for (; i < margins.Length; i++)
            into[i] = Logistic(Vector256.Create(margins[i]))[0];
    }

    static Vector256<double> Logistic(Vector256<double> margins) =>
        Vector256<double>.One / (Vector256<double>.One + Vector256.Exp(-margins));
}

/// <summary>The negative log likelihood of two classes.</summary>
sealed class LogisticLoss : Loss
{
    readonly int[] labels;
    readonly double[] weights;
    readonly double scale;

    public LogisticLoss(int[] labels, IReadOnlyList<double>? classWeights, ReadOnlySpan<int> training)
    {
        this.labels = labels;
        weights = [classWeights?[0] ?? 1, classWeights?[1] ?? 1];
        // A first derivative is at most the weight.
        scale = UnitsMax / weights.Max();
        Span<long> counts = [0, 0];
        foreach (var row in training)
            counts[labels[row]]++;
        Start = [Math.Log((weights[1] * counts[1]) + 1e-9) - Math.Log((weights[0] * counts[0]) + 1e-9)];
    }

    public override int Outputs => 1;

    public override double[] Start { get; }

    public override GradientUnits Units => new(1 / scale, 1 / scale);

    public override void Gradients(double[] margins, int output, Range rows, Span<long> into)
    {
        var known = labels.AsSpan(rows);
        Span<double> probabilities = stackalloc double[256];
        var own = margins.AsSpan(rows);
        for (var from = 0; from < into.Length; from += probabilities.Length)
        {
            var count = Math.Min(probabilities.Length, into.Length - from);
            Logistic(own.Slice(from, count), probabilities[..count]);
            for (var i = 0; i < count; i++)
            {
                var label = known[from + i];
                var weight = weights[label] * scale;
                var probability = probabilities[i];
                into[from + i] = Packed(weight * (probability - label), weight * probability * (1 - probability));
            }
        }
    }

    public override double Mean(double[] margins, ReadOnlySpan<int> rows)
    {
        double loss = 0, all = 0;
        foreach (var row in rows)
        {
            var away = labels[row] == 1 ? -margins[row] : margins[row];
            // log(1 + e^x) without overflow.
            loss += weights[labels[row]] * (Math.Max(away, 0) + Math.Log(1 + Math.Exp(-Math.Abs(away))));
            all += weights[labels[row]];
        }
        return loss / all;
    }
}

/// <summary>The negative log likelihood of several classes, by the softmax of their margins.</summary>
sealed class SoftmaxLoss : Loss
{
    readonly int[] labels;
    readonly double[] weights;
    readonly double scale;

    public SoftmaxLoss(int[] labels, int classes, IReadOnlyList<double>? classWeights, ReadOnlySpan<int> training)
    {
        this.labels = labels;
        weights = [.. Enumerable.Range(0, classes).Select(c => classWeights?[c] ?? 1)];
        scale = UnitsMax / weights.Max();
        var counts = new double[classes];
        foreach (var row in training)
            counts[labels[row]] += weights[labels[row]];
        var sum = counts.Sum();
        Start = Array.ConvertAll(counts, count => Math.Log(Math.Max(count, 1e-3) / sum));
    }

    public override int Outputs => weights.Length;

    public override double[] Start { get; }

    public override GradientUnits Units => new(1 / scale, 1 / scale);

    public override void Gradients(double[] margins, int output, Range rows, Span<long> into)
    {
        var (from, count) = rows.GetOffsetAndLength(labels.Length);
        for (var i = 0; i < count; i++)
        {
            var row = from + i;
            var probability = Probability(margins, row, output);
            var weight = weights[labels[row]] * scale;
            // The factor of 2 bounds the Hessian's row (Friedman, Hastie and Tibshirani 2000, section 6).
            into[i] = Packed(weight * (probability - (labels[row] == output ? 1 : 0)), weight * 2 * probability * (1 - probability));
        }
    }

    double Probability(double[] margins, int row, int output)
    {
        var greatest = double.NegativeInfinity;
        for (var k = 0; k < Outputs; k++)
            greatest = Math.Max(greatest, margins[(k * labels.Length) + row]);
        var sum = 0.0;
        for (var k = 0; k < Outputs; k++)
            sum += Math.Exp(margins[(k * labels.Length) + row] - greatest);
        return Math.Exp(margins[(output * labels.Length) + row] - greatest) / sum;
    }

    public override double Mean(double[] margins, ReadOnlySpan<int> rows)
    {
        double loss = 0, all = 0;
        foreach (var row in rows)
        {
            loss -= weights[labels[row]] * Math.Log(Math.Max(Probability(margins, row, labels[row]), 1e-300));
            all += weights[labels[row]];
        }
        return loss / all;
    }
}

/// <summary>Half the squared error.</summary>
sealed class SquaredLoss : Loss
{
    readonly double[] targets;
    double scale = 1;

    public SquaredLoss(double[] targets, ReadOnlySpan<int> training)
    {
        this.targets = targets;
        var fixedTargets = new FixedTargets(targets);
        long sum = 0;
        foreach (var row in training)
            sum += fixedTargets.Units[row];
        Start = [fixedTargets.MeanOf(sum, training.Length)];
    }

    public override int Outputs => 1;

    public override double[] Start { get; }

    public override GradientUnits Units => new(1 / scale, 1.0 / UnitsMax);

    public override void Begin(double[] margins, ReadOnlySpan<int> training)
    {
        var greatest = 1e-300;
        foreach (var row in training)
            greatest = Math.Max(greatest, Math.Abs(margins[row] - targets[row]));
        // A power of two, so that scaling itself rounds nothing.
        scale = Math.ScaleB(1, HistogramBlock.Bits - 2 - Math.ILogB(greatest));
    }

    public override void Gradients(double[] margins, int output, Range rows, Span<long> into)
    {
        var (from, count) = rows.GetOffsetAndLength(targets.Length);
        for (var i = 0; i < count; i++)
            into[i] = Packed(Math.Clamp((margins[from + i] - targets[from + i]) * scale, -UnitsMax, UnitsMax), UnitsMax);
    }

    public override double Mean(double[] margins, ReadOnlySpan<int> rows)
    {
        var loss = 0.0;
        foreach (var row in rows)
            loss += (margins[row] - targets[row]) * (margins[row] - targets[row]) / 2;
        return loss / rows.Length;
    }
}
