using Salus.Learning.Tables;

namespace Salus.Learning.Linear;

/// <summary>The loss of a linear one-versus-rest classifier.</summary>
public enum LinearLoss
{
    /// <summary>The squared hinge loss of a support vector machine.</summary>
    SquaredHinge,

    /// <summary>The logistic loss.</summary>
    Logistic,
}

/// <summary>How a linear one-versus-rest classifier is fitted.</summary>
public sealed record OneVersusRestOptions
{
    /// <summary>The loss.</summary>
    public LinearLoss Loss { get; init; } = LinearLoss.SquaredHinge;

    /// <summary>How much a row's loss counts beside half the squared length of the weights.</summary>
    public double Cost { get; init; } = 1;

    /// <summary>Whether rows of a rare class count more when that class is told apart from the rest.</summary>
    public bool Balanced { get; init; } = true;

    /// <summary>The fit ends when the projected gradients lie this close together.</summary>
    public double Tolerance { get; init; } = 1e-3;

    /// <summary>The most passes over the rows.</summary>
    public int PassesMax { get; init; } = 1_000;

    /// <summary>The share of rows kept apart to turn sums into probabilities, as 1 over this many; 0 leaves the sums alone.</summary>
    public int CalibrationParts { get; init; } = 5;

    /// <summary>The same seed gives the same bits, whatever the number of threads.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Threads used; 0 means every processor.</summary>
    public int Threads { get; init; }

    /// <summary>What is wrong with these options and the mend, or null.</summary>
    public string? Objection() => this switch
    {
        { Cost: not (> 0 and <= 1e9) } => $"Cost is {Cost}; give a number above 0, up to 1e9",
        { Tolerance: not (> 0 and < 1) } => $"Tolerance is {Tolerance}; give a number between 0 and 1",
        { PassesMax: < 1 or > 1_000_000 } => $"PassesMax is {PassesMax}; give 1 to 1000000",
        { CalibrationParts: < 0 or 1 or > 100 } => $"CalibrationParts is {CalibrationParts}; give 2 to 100, or 0 for none",
        { Threads: < 0 or > 1_024 } => $"Threads is {Threads}; give 1 to 1024, or 0 for every processor",
        _ => null,
    };
}

/// <summary>
/// Dual coordinate descent for linear classifiers of two classes, the intercept being the weight of a column of ones:
/// squared hinge (Hsieh, Chang, Lin, Keerthi and Sundararajan 2008, with shrinking), logistic (Yu, Huang and Lin 2011).
/// </summary>
sealed class DualCoordinateDescent(CsrMatrix rows, OneVersusRestOptions options)
{
    const int InnerMax = 100;
    const double InnerStart = 1e-2;

    readonly double[] squares = [.. Enumerable.Range(0, rows.RowCount).Select(row => Squares(rows.Values(row)) + 1)];

    /// <summary>Fits weights, the last of which is the intercept, to targets of -1 and 1 with a cost for each row.</summary>
    public double[] Fit(sbyte[] targets, double positiveCost, double negativeCost, ulong seed) =>
        options.Loss == LinearLoss.SquaredHinge ? SquaredHinge(targets, positiveCost, negativeCost, seed) : Logistic(targets, positiveCost, negativeCost, seed);

    double[] SquaredHinge(sbyte[] targets, double positiveCost, double negativeCost, ulong seed)
    {
        var generator = new SeededGenerator(seed);
        var weights = new double[rows.ColumnCount + 1];
        var alphas = new double[targets.Length];
        int[] order = [.. Enumerable.Range(0, targets.Length)];
        var active = order.Length;
        var (mostBefore, leastBefore) = (double.PositiveInfinity, double.NegativeInfinity);
        for (var pass = 0; pass < options.PassesMax; pass++)
        {
            var (most, least) = (double.NegativeInfinity, double.PositiveInfinity);
            generator.Shuffle(order.AsSpan(0, active));
            for (var at = 0; at < active; at++)
            {
                var row = order[at];
                var diagonal = 0.5 / (targets[row] > 0 ? positiveCost : negativeCost);
                var gradient = (targets[row] * (rows.Dot(row, weights) + weights[^1])) - 1 + (alphas[row] * diagonal);
                var projected = gradient;
                if (alphas[row] == 0)
                {
                    if (gradient > mostBefore)
                    {
                        active--;
                        (order[at], order[active]) = (order[active], order[at]);
                        at--;
                        continue;
                    }
                    projected = Math.Min(gradient, 0);
                }
                most = Math.Max(most, projected);
                least = Math.Min(least, projected);
                if (Math.Abs(projected) <= 1e-12)
                    continue;
                var next = Math.Max(alphas[row] - (gradient / (squares[row] + diagonal)), 0);
                Move(row, (next - alphas[row]) * targets[row], weights);
                alphas[row] = next;
            }
            if (most - least <= options.Tolerance)
            {
                if (active == order.Length)
                    break;
                // Rows set aside are looked at once more before the fit is called done.
                (active, mostBefore, leastBefore) = (order.Length, double.PositiveInfinity, double.NegativeInfinity);
                continue;
            }
            mostBefore = most <= 0 ? double.PositiveInfinity : most;
            leastBefore = least >= 0 ? double.NegativeInfinity : least;
        }
        return weights;
    }

    double[] Logistic(sbyte[] targets, double positiveCost, double negativeCost, ulong seed)
    {
        var generator = new SeededGenerator(seed);
        var weights = new double[rows.ColumnCount + 1];
        var (alphas, rests) = (new double[targets.Length], new double[targets.Length]);
        for (var row = 0; row < targets.Length; row++)
        {
            var cost = targets[row] > 0 ? positiveCost : negativeCost;
            alphas[row] = Math.Min(0.001 * cost, 1e-8);
            rests[row] = cost - alphas[row];
            Move(row, alphas[row] * targets[row], weights);
        }
        int[] order = [.. Enumerable.Range(0, targets.Length)];
        var (innerTolerance, innerLeast) = (InnerStart, Math.Min(1e-8, options.Tolerance));
        for (var pass = 0; pass < options.PassesMax; pass++)
        {
            generator.Shuffle<int>(order);
            var (newtons, most) = (0, 0.0);
            foreach (var row in order)
            {
                var cost = targets[row] > 0 ? positiveCost : negativeCost;
                var slope = targets[row] * (rows.Dot(row, weights) + weights[^1]);
                var (own, other, sign) = 0.5 * squares[row] * (rests[row] - alphas[row]) + slope < 0 ? (rests, alphas, -1) : (alphas, rests, 1);
                var (before, at) = (own[row], own[row]);
                if (cost - at < 0.5 * cost)
                    at *= 0.1;
                var gradient = (squares[row] * (at - before)) + (sign * slope) + Math.Log(at / (cost - at));
                most = Math.Max(most, Math.Abs(gradient));
                for (var inner = 0; inner <= InnerMax && Math.Abs(gradient) >= innerTolerance; inner++, newtons++)
                {
                    var moved = at - (gradient / (squares[row] + (cost / (cost - at) / at)));
                    at = moved <= 0 ? at * 0.1 : Math.Min(moved, cost - 1e-300);
                    gradient = (squares[row] * (at - before)) + (sign * slope) + Math.Log(at / (cost - at));
                }
                if (at == before)
                    continue;
                own[row] = at;
                other[row] = cost - at;
                Move(row, sign * (at - before) * targets[row], weights);
            }
            if (most < options.Tolerance)
                break;
            if (newtons <= targets.Length / 10)
                innerTolerance = Math.Max(innerLeast, 0.1 * innerTolerance);
        }
        return weights;
    }

    void Move(int row, double step, double[] weights)
    {
        rows.AddTo(row, step, weights);
        weights[^1] += step;
    }

    static double Squares(ReadOnlySpan<double> values)
    {
        var sum = 0.0;
        foreach (var value in values)
            sum += value * value;
        return sum;
    }
}
