namespace Salus.Learning.Linear;

/// <summary>The one factor on sums under which held-out labels are likeliest.</summary>
static class Temperature
{
    const int Steps = 60;
    static readonly double Golden = (Math.Sqrt(5) - 1) / 2;

    public static double Fit(double[][] sums, int[] labels)
    {
        // The loss is convex in the factor; the search is over its logarithm.
        var (low, high) = (Math.Log(0.05), Math.Log(50));
        for (var step = 0; step < Steps; step++)
        {
            var (left, right) = (high - (Golden * (high - low)), low + (Golden * (high - low)));
            if (Loss(sums, labels, Math.Exp(left)) <= Loss(sums, labels, Math.Exp(right)))
                high = right;
            else
                low = left;
        }
        return Math.Exp((low + high) / 2);
    }

    static double Loss(double[][] sums, int[] labels, double factor)
    {
        var loss = 0.0;
        for (var row = 0; row < sums.Length; row++)
        {
            double[] scaled = sums[row].Length == 1 ? [0, sums[row][0] * factor] : Array.ConvertAll(sums[row], sum => sum * factor);
            var own = scaled[labels[row]];
            loss += LinearClassifier.Softmax(scaled) - own;
        }
        return loss;
    }
}
