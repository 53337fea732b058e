using System.Runtime.Intrinsics;
using Salus.Learning.Trees;

namespace Salus.Learning.Boosting;

/// <summary>The sums of a node and between which values its estimate must lie.</summary>
readonly record struct NodeSums(double First, double Second, double Rows, double Low, double High)
{
    /// <summary>The estimate that the second-order expansion of the loss puts here (Chen and Guestrin 2016, equation 5).</summary>
    public double Estimate(double lambda) => Math.Clamp(Second + lambda > 0 ? -First / (Second + lambda) : 0, Low, High);
}

/// <summary>A split with its gain and the sums of its two sides.</summary>
sealed record SplitCandidate(NodeSplit Split, double Gain, NodeSums Left, NodeSums Right);

/// <summary>Finds the best split of a node from its histogram (Chen and Guestrin 2016, equation 7).</summary>
sealed class SplitFinder(FeatureBins[] bins, HistogramLayout layout, BoostingOptions options, int[] monotone)
{
    readonly bool isMonotone = Array.Exists(monotone, direction => direction != 0);

    /// <summary>The best split by one feature; null where none gains enough.</summary>
    public SplitCandidate? Best(int feature, ReadOnlySpan<long> histogram, NodeSums node, GradientUnits units)
    {
        var of = bins[feature];
        var own = histogram.Slice(2 * layout.OffsetOf(feature), 2 * (of.Bins + 1));
        Span<double> firsts = stackalloc double[260];
        Span<double> seconds = stackalloc double[260];
        Span<int> order = stackalloc int[256];
        var count = of.IsCategory ? CategoryOrder(own, of.Bins, units, order) : of.Bins;
        long first = 0, second = 0;
        for (var i = 0; i < count; i++)
        {
            var bin = of.IsCategory ? order[i] : i;
            first += own[2 * bin];
            second += own[(2 * bin) + 1];
            (firsts[i], seconds[i]) = (first * units.First, second * units.Second);
        }
        var missing = node with { First = own[^2] * units.First, Second = own[^1] * units.Second };
        if (of.IsCategory)
            Restrict(seconds[..count], node);
        var lambda = options.Lambda + (of.IsCategory ? options.CategorySmoothing : 0);
        var direction = monotone[feature];
        var (score, at) = Scan(firsts[..count], seconds[..count], default, node, lambda, direction);
        var missingLeft = false;
        if (own[^1] != 0)
        {
            var (otherScore, other) = Scan(firsts[..count], seconds[..count], missing, node, lambda, direction);
            if (otherScore > score)
                (score, at, missingLeft) = (otherScore, other, true);
        }
        if (at < 0)
            return null;
        var gain = score - Score(node.First, node.Second, node, lambda);
        if (!(gain > options.GainMin) || !(gain > 1e-10 * score))
            return null;
        var left = node with { First = firsts[at] + (missingLeft ? missing.First : 0), Second = seconds[at] + (missingLeft ? missing.Second : 0) };
        var right = node with { First = node.First - left.First, Second = node.Second - left.Second };
        // Where no missing value was seen, one met later follows the heavier side.
        if (own[^1] == 0)
            missingLeft = left.Second >= right.Second;
        var split = of.IsCategory
            ? new NodeSplit(feature, 0, missingLeft, SetOf(order[..(at + 1)]))
            : new NodeSplit(feature, Centre(own, at, of.Bins), missingLeft);
        (left, right) = Bounded(left, right, direction);
        return new SplitCandidate(split, gain, left, right);
    }

    // Categories in the order of their estimates: the best set of them is then one of the beginnings (Fisher 1958).
    int CategoryOrder(ReadOnlySpan<long> own, int count, GradientUnits units, Span<int> order)
    {
        Span<double> ratios = stackalloc double[256];
        var occupied = 0;
        for (var bin = 0; bin < count; bin++)
        {
            if (own[(2 * bin) + 1] == 0)
                continue;
            ratios[occupied] = own[2 * bin] * units.First / ((own[(2 * bin) + 1] * units.Second) + options.CategorySmoothing + double.Epsilon);
            order[occupied++] = bin;
        }
        // A stable order of equals: the ratios are sorted with the bins as they rise.
        for (var i = 1; i < occupied; i++)
        {
            var (ratio, bin) = (ratios[i], order[i]);
            var at = i;
            for (; at > 0 && ratios[at - 1] > ratio; at--)
                (ratios[at], order[at]) = (ratios[at - 1], order[at - 1]);
            (ratios[at], order[at]) = (ratio, bin);
        }
        return occupied;
    }

    // Sets of rare categories, or of many, fit noise: a place between two categories counts only where enough rows have
    // come since the last that counted, and where one side is a small set. Rows are told by their second derivatives.
    void Restrict(Span<double> seconds, NodeSums node)
    {
        var rowsEach = node.Rows / Math.Max(node.Second, double.Epsilon);
        var (last, count) = (0.0, seconds.Length);
        var few = count <= 4;
        for (var i = 0; i < count; i++)
        {
            var second = seconds[i];
            var counts = (few || (second - last) * rowsEach >= options.CategoryRowsMin) && Math.Min(i + 1, count - i - 1) <= options.CategorySetMax;
            if (counts)
                last = second;
            else
                seconds[i] = double.NaN;
        }
    }

    (double Score, int At) Scan(Span<double> firsts, Span<double> seconds, NodeSums besides, NodeSums node, double lambda, int direction)
    {
        if (isMonotone)
            return ScanBounded(firsts, seconds, besides, node, lambda, direction);
        var best = Vector256.Create(double.NegativeInfinity);
        var bestAt = Vector256.Create(-1.0);
        var at = Vector256.Create(0.0, 1, 2, 3);
        var (lambdas, least) = (Vector256.Create(lambda), Vector256.Create(options.LeafWeightMin));
        var (allFirst, allSecond) = (Vector256.Create(node.First), Vector256.Create(node.Second));
        var (addFirst, addSecond) = (Vector256.Create(besides.First), Vector256.Create(besides.Second));
        var count = firsts.Length;
        for (var i = 0; i < count; i += Vector256<double>.Count)
        {
            // Places beyond the last repeat it, and an equal score does not replace an earlier one.
            var (leftFirst, leftSecond) = i + Vector256<double>.Count <= count
                ? (Vector256.Create(firsts.Slice(i)), Vector256.Create(seconds.Slice(i)))
                : (Tail(firsts, i), Tail(seconds, i));
            leftFirst += addFirst;
            leftSecond += addSecond;
            var (rightFirst, rightSecond) = (allFirst - leftFirst, allSecond - leftSecond);
            var score = (leftFirst * leftFirst / (leftSecond + lambdas)) + (rightFirst * rightFirst / (rightSecond + lambdas));
            var better = Vector256.GreaterThan(score, best)
                & Vector256.GreaterThanOrEqual(leftSecond, least) & Vector256.GreaterThanOrEqual(rightSecond, least)
                & Vector256.GreaterThan(leftSecond, Vector256<double>.Zero) & Vector256.GreaterThan(rightSecond, Vector256<double>.Zero);
            best = Vector256.ConditionalSelect(better, score, best);
            bestAt = Vector256.ConditionalSelect(better, at, bestAt);
            at += Vector256.Create(4.0);
        }
        var (top, topAt) = (double.NegativeInfinity, -1);
        for (var lane = 0; lane < Vector256<double>.Count; lane++)
        {
            var laneAt = (int)bestAt[lane];
            if (laneAt >= 0 && (best[lane] > top || (best[lane] == top && laneAt < topAt)))
                (top, topAt) = (best[lane], laneAt);
        }
        return (top, Math.Min(topAt, count - 1));
    }

    static Vector256<double> Tail(ReadOnlySpan<double> values, int from) => Vector256.Create(
        values[from],
        values[Math.Min(from + 1, values.Length - 1)],
        values[Math.Min(from + 2, values.Length - 1)],
        values[^1]);

    (double Score, int At) ScanBounded(ReadOnlySpan<double> firsts, ReadOnlySpan<double> seconds, NodeSums besides, NodeSums node, double lambda, int direction)
    {
        var (top, topAt) = (double.NegativeInfinity, -1);
        for (var i = 0; i < firsts.Length; i++)
        {
            var left = node with { First = firsts[i] + besides.First, Second = seconds[i] + besides.Second };
            var right = node with { First = node.First - left.First, Second = node.Second - left.Second };
            if (!(left.Second > 0 && right.Second > 0) || left.Second < options.LeafWeightMin || right.Second < options.LeafWeightMin)
                continue;
            if (direction * (right.Estimate(lambda) - left.Estimate(lambda)) < 0)
                continue;
            var score = Score(left.First, left.Second, node, lambda) + Score(right.First, right.Second, node, lambda);
            if (score > top)
                (top, topAt) = (score, i);
        }
        return (top, topAt);
    }

    // Twice what the loss falls by when the estimate is put here; within bounds the free optimum may be out of reach.
    static double Score(double first, double second, NodeSums within, double lambda)
    {
        if (double.IsNegativeInfinity(within.Low) && double.IsPositiveInfinity(within.High))
            return first * first / (second + lambda);
        var estimate = (within with { First = first, Second = second }).Estimate(lambda);
        return -((2 * first * estimate) + ((second + lambda) * estimate * estimate));
    }

    (NodeSums Left, NodeSums Right) Bounded(NodeSums left, NodeSums right, int direction)
    {
        if (direction == 0)
            return (left, right);
        var middle = (left.Estimate(options.Lambda) + right.Estimate(options.Lambda)) / 2;
        return direction > 0
            ? (left with { High = Math.Min(left.High, middle) }, right with { Low = Math.Max(right.Low, middle) })
            : (left with { Low = Math.Max(left.Low, middle) }, right with { High = Math.Min(right.High, middle) });
    }

    // The edge lies in the middle of the empty bins above; where nothing follows, only missing values go right.
    static int Centre(ReadOnlySpan<long> own, int at, int count)
    {
        var next = at + 1;
        while (next < count && own[(2 * next) + 1] == 0)
            next++;
        return next == count ? count - 1 : at + ((next - 1 - at) / 2);
    }

    static ulong[] SetOf(ReadOnlySpan<int> members)
    {
        var set = new ulong[4];
        foreach (var bin in members)
            set[bin >> 6] |= 1UL << (bin & 63);
        return set;
    }
}
