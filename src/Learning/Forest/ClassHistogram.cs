namespace Salus.Learning.Forest;

/// <summary>A split of one feature: bins up to <paramref name="Bin"/> go left, missing values where it says.</summary>
readonly record struct Split(int Feature, int Bin, bool MissingLeft, double Score)
{
    public static readonly Split None = new(-1, 0, false, double.NegativeInfinity);
}

/// <summary>
/// Weights of the rows of a node by bin and class, and the choice of a split from them. Weights are Int64, so sums are
/// exact, do not depend on the order of adding, and may be made elsewhere (another thread, another site) and added up.
/// </summary>
static class ClassHistogram
{
    /// <summary>Adds the rows' weights: <paramref name="into"/> has a place for each class within each bin, missing last.</summary>
    public static void Accumulate(ReadOnlySpan<byte> bins, ReadOnlySpan<int> rows, ReadOnlySpan<int> labels, ReadOnlySpan<long> weights, int classes, Span<long> into)
    {
        if (classes == 2)
        {
            foreach (var row in rows)
                into[(bins[row] << 1) + labels[row]] += weights[row];
            return;
        }
        foreach (var row in rows)
            into[(bins[row] * classes) + labels[row]] += weights[row];
    }

    /// <summary>
    /// The split with the greatest decrease of Gini impurity (Breiman 2001), scored by the sum over both sides of
    /// (Σ weight²)/weight. <paramref name="constant"/> tells that every row has one value, so nothing could be split.
    /// </summary>
    public static Split Best(int feature, ReadOnlySpan<long> histogram, int bins, ReadOnlySpan<long> totals, SplitLimits limits, out bool constant)
    {
        var classes = totals.Length;
        var missing = histogram.Slice(bins * classes, classes);
        Span<long> left = stackalloc long[classes];
        Span<long> tilted = stackalloc long[classes];
        left.Clear();
        var anyMissing = missing.ContainsAnyExcept(0L);
        var best = Split.None;
        var bestUpto = -1;
        var occupied = 0;
        for (var bin = 0; bin < bins; bin++)
        {
            var counts = histogram.Slice(bin * classes, classes);
            if (!counts.ContainsAnyExcept(0L))
                continue;
            occupied++;
            // The edge lies in the middle of the empty bins between two occupied ones, not close to the lower one.
            if (best.Bin == bestUpto && best.Feature >= 0)
                best = best with { Bin = bestUpto + ((bin - 1 - bestUpto) / 2) };
            bestUpto = -1;
            for (var c = 0; c < classes; c++)
                left[c] += counts[c];
            var score = Score(left, totals, limits);
            if (score > best.Score)
            {
                best = new Split(feature, bin, false, score);
                bestUpto = bin;
            }
            if (!anyMissing)
                continue;
            for (var c = 0; c < classes; c++)
                tilted[c] = left[c] + missing[c];
            score = Score(tilted, totals, limits);
            if (score > best.Score)
            {
                best = new Split(feature, bin, true, score);
                bestUpto = bin;
            }
        }
        // Every value goes left and only the missing ones right: so must larger values met later.
        if (bestUpto >= 0)
            best = best with { Bin = bins - 1 };
        constant = occupied + (anyMissing ? 1 : 0) < 2;
        return best;
    }

    static double Score(ReadOnlySpan<long> left, ReadOnlySpan<long> totals, SplitLimits limits)
    {
        double leftSquares = 0, rightSquares = 0;
        long leftSum = 0, rightSum = 0, leftRows = 0, rightRows = 0;
        for (var c = 0; c < totals.Length; c++)
        {
            var right = totals[c] - left[c];
            leftSum += left[c];
            rightSum += right;
            leftRows += left[c] / limits.Units[c];
            rightRows += right / limits.Units[c];
            leftSquares += (double)left[c] * left[c];
            rightSquares += (double)right * right;
        }
        return leftRows < limits.LeafMin || rightRows < limits.LeafMin
            ? double.NegativeInfinity
            : (leftSquares / leftSum) + (rightSquares / rightSum);
    }
}

/// <summary>The weight that one drawn row of each class has, and the fewest drawn rows in a leaf.</summary>
sealed record SplitLimits(long[] Units, int LeafMin);
