namespace Salus.Learning.Forest;

/// <summary>
/// One tree as flat arrays, the root first and every child after its parent. <c>Feature</c> is -1 at a leaf; a value not
/// above <c>Threshold</c> goes left, a missing one where <c>MissingLeft</c> says. <c>Weights</c> holds the training
/// weight of each class at each node, from which probabilities and explanations come.
/// </summary>
sealed class DecisionTree(int classes, int[] feature, double[] threshold, bool[] missingLeft, int[] left, int[] right, long[] weights)
{
    public int Classes => classes;

    public int NodeCount => feature.Length;

    public ReadOnlySpan<int> Feature => feature;

    public ReadOnlySpan<double> Threshold => threshold;

    public ReadOnlySpan<bool> MissingLeft => missingLeft;

    public ReadOnlySpan<int> Left => left;

    public ReadOnlySpan<int> Right => right;

    public ReadOnlySpan<long> Weights => weights;

    /// <summary>Probability of each class at each node.</summary>
    readonly double[] probabilities = ProbabilitiesOf(classes, weights);

    public long WeightAt(int node)
    {
        long sum = 0;
        for (var c = 0; c < classes; c++)
            sum += weights[(node * classes) + c];
        return sum;
    }

    public double ProbabilityAt(int node, int classIndex) => probabilities[(node * classes) + classIndex];

    public ReadOnlySpan<double> ProbabilitiesAt(int node) => probabilities.AsSpan(node * classes, classes);

    public int ChildFor(int node, double value) =>
        (double.IsNaN(value) ? missingLeft[node] : value <= threshold[node]) ? left[node] : right[node];

    public int LeafFor(ReadOnlySpan<double> row)
    {
        var node = 0;
        while (feature[node] >= 0)
            node = ChildFor(node, row[feature[node]]);
        return node;
    }

    static double[] ProbabilitiesOf(int classes, long[] weights)
    {
        var probabilities = new double[weights.Length];
        for (var start = 0; start < weights.Length; start += classes)
        {
            long sum = 0;
            for (var c = 0; c < classes; c++)
                sum += weights[start + c];
            for (var c = 0; c < classes; c++)
                probabilities[start + c] = (double)weights[start + c] / sum;
        }
        return probabilities;
    }
}
