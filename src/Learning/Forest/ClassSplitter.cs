using Salus.Learning.Trees;

namespace Salus.Learning.Forest;

/// <summary>More than two classes by Gini impurity (Breiman 2001): drawn rows by bin and class, and different ones by bin.</summary>
sealed class ClassSplitter(BinnedMatrix data, int leafMin, long[] units) : ForestSplitter(data, leafMin)
{
    readonly int classes = units.Length;
    readonly int[] histogram = new int[256 * units.Length];
    readonly int[] different = new int[256];
    readonly int[] totals = new int[units.Length];
    readonly int[] left = new int[units.Length];
    int rowCount;

    public override int Width => classes;

    public override long Cover
    {
        get
        {
            long sum = 0;
            for (var c = 0; c < classes; c++)
                sum += units[c] * totals[c];
            return sum;
        }
    }

    public override double Unsplit
    {
        get
        {
            var squares = 0.0;
            for (var c = 0; c < classes; c++)
                squares += (double)(units[c] * totals[c]) * (units[c] * totals[c]);
            return squares / Cover;
        }
    }

    public override bool Enter(ReadOnlySpan<ulong> rows)
    {
        totals.AsSpan().Clear();
        foreach (var entry in rows)
            totals[LabelOf(entry)] += DrawnOf(entry);
        rowCount = rows.Length;
        var present = 0;
        foreach (var total in totals)
            present += total > 0 ? 1 : 0;
        return present > 1 && rowCount >= 2L * LeafMin;
    }

    public override void Leaf(Span<double> values)
    {
        var cover = Cover;
        for (var c = 0; c < classes; c++)
            values[c] = (double)(units[c] * totals[c]) / cover;
    }

    public override ForestSplit Best(int feature, ReadOnlySpan<ulong> rows, out bool constant)
    {
        foreach (var entry in rows)
        {
            int bin = Data.Codes[((long)RowOf(entry) * Data.FeatureCount) + feature];
            histogram[(bin * classes) + LabelOf(entry)] += DrawnOf(entry);
            different[bin]++;
            Occupied[bin >> 6] |= 1UL << bin;
        }
        var bins = Data.Bins[feature].Bins;
        var anyMissing = TakeMissing(bins, out var occupied);
        var missing = histogram.AsSpan(bins * classes, classes);
        var missingRows = different[bins];
        different[bins] = 0;
        constant = occupied + (anyMissing ? 1 : 0) < 2;
        left.AsSpan().Clear();
        var best = new BestSplit(feature);
        var (leftRows, word) = (0, 0);
        for (var bin = NextOccupied(ref word); bin >= 0; bin = NextOccupied(ref word))
        {
            var counts = histogram.AsSpan(bin * classes, classes);
            for (var c = 0; c < classes; c++)
                left[c] += counts[c];
            counts.Clear();
            leftRows += different[bin];
            different[bin] = 0;
            best.Reach(bin);
            best.Offer(bin, false, Score(default, leftRows));
            if (anyMissing)
                best.Offer(bin, true, Score(missing, leftRows + missingRows));
        }
        missing.Clear();
        return best.End(bins);
    }

    double Score(ReadOnlySpan<int> besides, int rowsHere)
    {
        if (rowsHere < LeafMin || rowCount - rowsHere < LeafMin)
            return double.NegativeInfinity;
        double leftSquares = 0, rightSquares = 0;
        long leftSum = 0, rightSum = 0;
        for (var c = 0; c < classes; c++)
        {
            var here = left[c] + (besides.IsEmpty ? 0 : besides[c]);
            var there = totals[c] - here;
            long leftWeight = units[c] * here, rightWeight = units[c] * there;
            leftSum += leftWeight;
            rightSum += rightWeight;
            leftSquares += (double)leftWeight * leftWeight;
            rightSquares += (double)rightWeight * rightWeight;
        }
        return (leftSquares / leftSum) + (rightSquares / rightSum);
    }
}
