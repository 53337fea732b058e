using System.Numerics;
using System.Runtime.CompilerServices;
using Salus.Learning.Trees;

namespace Salus.Learning.Forest;

/// <summary>A split of one feature and its score: the greater, the less impure the two sides.</summary>
readonly record struct ForestSplit(int Feature, int Bin, bool MissingLeft, double Score)
{
    public static readonly ForestSplit None = new(-1, 0, false, double.NegativeInfinity);
}

/// <summary>
/// Sums a node's rows by bin and finds the best split from the sums. They are integers, so they are exact, do not
/// depend on the order of adding, and may be made elsewhere and added up. A drawn row is 64 bits: its number, how often
/// it was drawn (16 bits) and its class (16 bits). What a side holds at least is counted in different rows: a row that
/// was drawn three times weighs three times, and is one.
/// </summary>
abstract class ForestSplitter(BinnedMatrix data, int leafMin)
{
    // From this many rows on most bins are occupied, so that finding them afterwards is cheaper than marking them.
    const int MarkedRowsMax = 512;

    /// <summary>One bit for each bin that holds a row.</summary>
    protected ulong[] Occupied { get; } = new ulong[4];

    protected BinnedMatrix Data => data;

    protected int LeafMin => leafMin;

    /// <summary>Values per leaf.</summary>
    public abstract int Width { get; }

    /// <summary>Sums a node up; false where its rows cannot be split any further.</summary>
    public abstract bool Enter(ReadOnlySpan<ulong> rows);

    /// <summary>The weight of the node entered last.</summary>
    public abstract long Cover { get; }

    /// <summary>The score of the node entered last, not split.</summary>
    public abstract double Unsplit { get; }

    /// <summary>What a leaf made of the node entered last says.</summary>
    public abstract void Leaf(Span<double> values);

    /// <summary>The best split of the node entered last by one feature. <paramref name="constant"/> tells that all its rows have one value.</summary>
    public abstract ForestSplit Best(int feature, ReadOnlySpan<ulong> rows, out bool constant);

    public static ulong Entry(int row, int drawn, int label) => ((ulong)(uint)row << 32) | ((ulong)drawn << 16) | (uint)label;

    public static int RowOf(ulong entry) => (int)(entry >> 32);

    public static int DrawnOf(ulong entry) => (int)(entry >> 16) & 0xFFFF;

    public static int LabelOf(ulong entry) => (int)entry & 0xFFFF;

    protected static bool Marks(int rows) => rows < MarkedRowsMax;

    /// <summary>Finds the occupied bins where they were not marked.</summary>
    protected void Find(int bins, Func<int, bool> holds)
    {
        for (var bin = 0; bin <= bins; bin++)
        {
            if (holds(bin))
                Occupied[bin >> 6] |= 1UL << bin;
        }
    }

    /// <summary>Whether rows lack the feature, counting the bins that hold rows that have it; takes the mark of the missing ones away.</summary>
    protected bool TakeMissing(int missingBin, out int occupied)
    {
        var bit = 1UL << missingBin;
        var any = (Occupied[missingBin >> 6] & bit) != 0;
        Occupied[missingBin >> 6] &= ~bit;
        occupied = BitOperations.PopCount(Occupied[0]) + BitOperations.PopCount(Occupied[1]) + BitOperations.PopCount(Occupied[2]) + BitOperations.PopCount(Occupied[3]);
        return any;
    }

    /// <summary>Takes the lowest mark away; -1 where there is none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected int NextOccupied(ref int word)
    {
        for (; word < 4; word++)
        {
            var marks = Occupied[word];
            if (marks == 0)
                continue;
            Occupied[word] = marks & (marks - 1);
            return (word << 6) + BitOperations.TrailingZeroCount(marks);
        }
        return -1;
    }
}

/// <summary>The best split so far. Its edge lies in the middle of the empty bins above the rows that go left.</summary>
ref struct BestSplit(int feature)
{
    int bin;
    bool missingLeft;
    double score = double.NegativeInfinity;
    bool isOpen;

    /// <summary>To be called at each occupied bin, before its rows are offered.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Reach(int next)
    {
        if (!isOpen)
            return;
        bin += (next - 1 - bin) / 2;
        isOpen = false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Offer(int upto, bool withMissing, double offered)
    {
        if (!(offered > score))
            return;
        (bin, missingLeft, score, isOpen) = (upto, withMissing, offered, true);
    }

    /// <summary>Where no occupied bin followed, only missing values go right, and so larger values met later must not.</summary>
    public readonly ForestSplit End(int bins) =>
        double.IsNegativeInfinity(score) ? ForestSplit.None : new ForestSplit(feature, isOpen ? bins - 1 : bin, missingLeft, score);
}
