namespace Salus.Learning.Linear;

/// <summary>Limited-memory BFGS (Nocedal 1980) with a backtracking line search, for smooth convex functions.</summary>
static class Lbfgs
{
    const int Memory = 10;
    const double Armijo = 1e-4;
    const int HalvingsMax = 40;

    /// <summary>Gives the value at a point and writes the gradient there.</summary>
    public delegate double Objective(ReadOnlySpan<double> point, Span<double> gradient);

    /// <summary>Moves <paramref name="point"/> to the minimum: until no entry of the gradient exceeds the tolerance, or the iterations are used up.</summary>
    public static void Minimize(double[] point, Objective objective, double tolerance, int iterationsMax)
    {
        var gradient = new double[point.Length];
        var value = objective(point, gradient);
        var history = new LinkedList<(double[] Step, double[] Change, double Curvature)>();
        for (var iteration = 0; iteration < iterationsMax && Largest(gradient) > tolerance; iteration++)
        {
            var direction = Direction(gradient, history);
            var slope = Dot(direction, gradient);
            if (slope >= 0)
                return;
            var length = iteration == 0 ? Math.Min(1, 1 / Math.Sqrt(Dot(gradient, gradient))) : 1.0;
            var (next, nextGradient) = (new double[point.Length], new double[point.Length]);
            var nextValue = double.NaN;
            var halvings = 0;
            for (; halvings < HalvingsMax; halvings++, length /= 2)
            {
                for (var i = 0; i < next.Length; i++)
                    next[i] = point[i] + (length * direction[i]);
                nextValue = objective(next, nextGradient);
                if (nextValue <= value + (Armijo * length * slope))
                    break;
            }
            // No step downhill is left: the minimum, as far as numbers of this precision can tell.
            if (halvings == HalvingsMax)
                return;
            Remember(history, point, next, gradient, nextGradient);
            next.CopyTo(point, 0);
            (gradient, value) = (nextGradient, nextValue);
        }
    }

    static void Remember(LinkedList<(double[] Step, double[] Change, double Curvature)> history, double[] point, double[] next, double[] gradient, double[] nextGradient)
    {
        var (step, change) = (new double[point.Length], new double[point.Length]);
        for (var i = 0; i < step.Length; i++)
        {
            step[i] = next[i] - point[i];
            change[i] = nextGradient[i] - gradient[i];
        }
        var curvature = Dot(step, change);
        if (curvature <= 1e-12 * Dot(change, change))
            return;
        history.AddFirst((step, change, curvature));
        if (history.Count > Memory)
            history.RemoveLast();
    }

    static double[] Direction(double[] gradient, LinkedList<(double[] Step, double[] Change, double Curvature)> history)
    {
        var direction = Array.ConvertAll(gradient, value => -value);
        var shares = new Stack<double>();
        foreach (var (step, change, curvature) in history)
        {
            var share = Dot(step, direction) / curvature;
            shares.Push(share);
            Add(direction, change, -share);
        }
        if (history.First is { } newest)
        {
            var scale = newest.Value.Curvature / Dot(newest.Value.Change, newest.Value.Change);
            for (var i = 0; i < direction.Length; i++)
                direction[i] *= scale;
        }
        foreach (var (step, change, curvature) in history.Reverse())
            Add(direction, step, shares.Pop() - (Dot(change, direction) / curvature));
        return direction;
    }

    static void Add(double[] to, double[] vector, double factor)
    {
        for (var i = 0; i < to.Length; i++)
            to[i] += factor * vector[i];
    }

    static double Dot(double[] left, double[] right)
    {
        var sum = 0.0;
        for (var i = 0; i < left.Length; i++)
            sum += left[i] * right[i];
        return sum;
    }

    static double Largest(double[] vector)
    {
        var most = 0.0;
        foreach (var value in vector)
            most = Math.Max(most, Math.Abs(value));
        return most;
    }
}
