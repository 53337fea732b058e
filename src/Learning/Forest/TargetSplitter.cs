using Salus.Learning.Trees;

namespace Salus.Learning.Forest;

/// <summary>Numbers by the decrease of variance: by bin the drawn rows (lower half) and the different ones (upper), and the sum of targets in fixed point.</summary>
sealed class TargetSplitter(BinnedMatrix data, int leafMin, FixedTargets targets) : ForestSplitter(data, leafMin)
{
    const long Different = 1L << 32;

    readonly long[] counts = new long[256];
    readonly long[] sums = new long[256];
    long totalCount;
    int rowCount;
    long totalSum;
    bool isConstant;

    public override int Width => 1;

    public override long Cover => totalCount;

    public override double Unsplit => (double)totalSum * totalSum / totalCount;

    public override bool Enter(ReadOnlySpan<ulong> rows)
    {
        (totalCount, totalSum, isConstant) = (0, 0, true);
        var first = targets.Units[RowOf(rows[0])];
        foreach (var entry in rows)
        {
            var target = targets.Units[RowOf(entry)];
            totalCount += DrawnOf(entry);
            totalSum += target * DrawnOf(entry);
            isConstant &= target == first;
        }
        rowCount = rows.Length;
        return !isConstant && rowCount >= 2L * LeafMin;
    }

    public override void Leaf(Span<double> values) => values[0] = targets.MeanOf(totalSum, totalCount);

    public override ForestSplit Best(int feature, ReadOnlySpan<ulong> rows, out bool constant)
    {
        foreach (var entry in rows)
        {
            int bin = Data.Codes[((long)RowOf(entry) * Data.FeatureCount) + feature];
            counts[bin] += Different + DrawnOf(entry);
            sums[bin] += targets.Units[RowOf(entry)] * DrawnOf(entry);
            Occupied[bin >> 6] |= 1UL << bin;
        }
        var bins = Data.Bins[feature].Bins;
        var anyMissing = TakeMissing(bins, out var occupied);
        var (missingCount, missingSum) = (counts[bins], sums[bins]);
        (counts[bins], sums[bins]) = (0, 0);
        constant = occupied + (anyMissing ? 1 : 0) < 2;
        var best = new BestSplit(feature);
        long leftCount = 0, leftSum = 0;
        var word = 0;
        for (var bin = NextOccupied(ref word); bin >= 0; bin = NextOccupied(ref word))
        {
            leftCount += counts[bin];
            leftSum += sums[bin];
            (counts[bin], sums[bin]) = (0, 0);
            best.Reach(bin);
            best.Offer(bin, false, Score(leftCount, leftSum));
            if (anyMissing)
                best.Offer(bin, true, Score(leftCount + missingCount, leftSum + missingSum));
        }
        return best.End(bins);
    }

    double Score(long count, long sum)
    {
        var rows = (int)(count / Different);
        if (rows < LeafMin || rowCount - rows < LeafMin)
            return double.NegativeInfinity;
        var drawn = count % Different;
        var (otherDrawn, otherSum) = (totalCount - drawn, totalSum - sum);
        return ((double)sum * sum / drawn) + ((double)otherSum * otherSum / otherDrawn);
    }
}
