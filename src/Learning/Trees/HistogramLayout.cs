namespace Salus.Learning.Trees;

/// <summary>Where the bins of each feature lie in a histogram: side by side, the bin of missing values last of each.</summary>
sealed class HistogramLayout
{
    readonly int[] offsets;

    public HistogramLayout(FeatureBins[] bins)
    {
        offsets = new int[bins.Length];
        var total = 0L;
        for (var feature = 0; feature < bins.Length; feature++)
        {
            offsets[feature] = (int)total;
            total += bins[feature].Bins + 1;
        }
        if (total > Array.MaxLength / 2)
            throw new ArgumentException($"the features have {total} bins in all; give fewer features or bins");
        BinCount = (int)total;
    }

    /// <summary>Bins of all features, missing ones included.</summary>
    public int BinCount { get; }

    public int FeatureCount => offsets.Length;

    public int OffsetOf(int feature) => offsets[feature];
}

/// <summary>
/// Where the sums of a growing tree come from: the rows of this machine, or those of several sites whose sums are added
/// up. Sums are Int64 in fixed point, so that it does not matter who adds them, or in which order.
/// </summary>
interface IGradientSums
{
    /// <summary>Writes the sums of some nodes, each into its histogram: first derivative of bin b at 2b, second at 2b + 1, as the layout has it.</summary>
    void Sum(IReadOnlyList<(int Node, long[] Histogram)> nodes);

    /// <summary>Sends the rows of some nodes to their children and says how many go to each.</summary>
    (long Left, long Right)[] Split(IReadOnlyList<NodeDivision> nodes);
}

/// <summary>A node with its split and the numbers of its children.</summary>
readonly record struct NodeDivision(int Node, NodeSplit Split, int Left, int Right);

/// <summary>What one unit of a sum stands for.</summary>
readonly record struct GradientUnits(double First, double Second);
