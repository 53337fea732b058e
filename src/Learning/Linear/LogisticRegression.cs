using Salus.Learning.Tables;

namespace Salus.Learning.Linear;

/// <summary>How a logistic regression is fitted.</summary>
public sealed record LogisticOptions
{
    /// <summary>How much a row's loss counts beside half the squared length of the weights: the inverse of the L2 penalty.</summary>
    public double Cost { get; init; } = 1;

    /// <summary>Parts of the training rows by which Cost is chosen, each judged by what the others say (<see cref="CostChoice"/>); 0 leaves Cost as it is given.</summary>
    public int CostParts { get; init; }

    /// <summary>The same seed splits rows into the same parts.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Whether the penalty is on weights of columns divided by their standard deviation, so that units do not matter.</summary>
    public bool Standardize { get; init; } = true;

    /// <summary>Whether classes weigh alike, however many rows each has.</summary>
    public bool Balanced { get; init; }

    /// <summary>The fit ends when no entry of the mean loss's gradient exceeds this.</summary>
    public double Tolerance { get; init; } = 1e-6;

    /// <summary>The most steps.</summary>
    public int IterationsMax { get; init; } = 1_000;

    /// <summary>Threads used; 0 means every processor. They do not change the result.</summary>
    public int Threads { get; init; }

    /// <summary>What is wrong with these options and the mend, or null.</summary>
    public string? Objection() => this switch
    {
        { Cost: not (> 0 and <= 1e9) } => $"Cost is {Cost}; give a number above 0, up to 1e9",
        { CostParts: not 0 and (< 2 or > 100) } => $"CostParts is {CostParts}; give 2 to 100, or 0 for the cost as it is given",
        { Tolerance: not (> 0 and < 1) } => $"Tolerance is {Tolerance}; give a number between 0 and 1",
        { IterationsMax: < 1 or > 1_000_000 } => $"IterationsMax is {IterationsMax}; give 1 to 1000000",
        { Threads: < 0 or > 1_024 } => $"Threads is {Threads}; give 1 to 1024, or 0 for every processor",
        _ => null,
    };
}

/// <summary>Logistic regression with an L2 penalty that leaves the intercept alone; multinomial for more than two classes.</summary>
public static class LogisticRegression
{
    // Sums are made over blocks of this many rows and added in their order, so that threads change no bit.
    const int Block = 2_048;

    /// <summary>Fits on rows with labels in [0, <paramref name="classes"/>). Throws ArgumentException with the mend where the data cannot train.</summary>
    public static LinearClassifier Fit(CsrMatrix rows, int[] labels, int classes, LogisticOptions options)
    {
        if ((options.Objection() ?? TrainingRows.Objection(rows, labels, classes)) is { } objection)
            throw new ArgumentException(objection);
        var chosen = options.CostParts == 0 ? options : options with { Cost = CostChoice.Of(rows, labels, classes, options) };
        return Fit(rows, labels, classes, chosen, new double[PointLength(rows, classes)]);
    }

    internal static int PointLength(CsrMatrix rows, int classes) => (classes == 2 ? 1 : classes) * (rows.ColumnCount + 1);

    /// <summary>Fits from where <paramref name="point"/> stands, and leaves it where it came to: in units of its own, good to go on from with another cost on the same rows.</summary>
    internal static LinearClassifier Fit(CsrMatrix rows, int[] labels, int classes, LogisticOptions options, double[] point)
    {
        var scales = Scales(rows, options);
        var scaled = options.Standardize ? rows.Scaled(scales) : rows;
        var vectors = classes == 2 ? 1 : classes;
        var width = rows.ColumnCount + 1;
        var fit = new Loss(scaled, labels, TrainingRows.Weights(labels, classes, options.Balanced), vectors, options);
        Lbfgs.Minimize(point, fit.Evaluate, options.Tolerance, options.IterationsMax);
        var weights = Enumerable.Range(0, vectors).Select(c => point.AsSpan(c * width, rows.ColumnCount).ToArray()).ToArray();
        foreach (var vector in weights)
        {
            for (var i = 0; i < vector.Length; i++)
                vector[i] *= scales[i];
        }
        return new LinearClassifier(weights, [.. Enumerable.Range(0, vectors).Select(c => point[(c * width) + rows.ColumnCount])], LinearLink.Softmax);
    }

    // Centring is left to the intercept, which has no penalty: the optimum is the same, and zeros stay unstored.
    static double[] Scales(CsrMatrix rows, LogisticOptions options) =>
        options.Standardize ? Array.ConvertAll(rows.Moments().Deviations, deviation => deviation > 0 ? 1 / deviation : 0) : [.. Enumerable.Repeat(1.0, rows.ColumnCount)];

    sealed class Loss(CsrMatrix rows, int[] labels, double[] weights, int vectors, LogisticOptions options)
    {
        readonly int width = rows.ColumnCount + 1;
        readonly int blocks = (rows.RowCount + Block - 1) / Block;
        readonly double total = weights.Sum();
        readonly ParallelOptions parallel = new() { MaxDegreeOfParallelism = options.Threads == 0 ? Environment.ProcessorCount : options.Threads };
        readonly double[]?[] partials = new double[(rows.RowCount + Block - 1) / Block][];
        readonly double[] losses = new double[(rows.RowCount + Block - 1) / Block];

        public double Evaluate(ReadOnlySpan<double> point, Span<double> gradient)
        {
            var at = point.ToArray();
            Parallel.For(0, blocks, parallel, block => losses[block] = Add(block, at, partials[block] ??= new double[at.Length]));
            gradient.Clear();
            var value = 0.0;
            for (var block = 0; block < blocks; block++)
            {
                value += losses[block];
                for (var i = 0; i < gradient.Length; i++)
                    gradient[i] += partials[block]![i];
            }
            value /= total;
            var penalty = 1 / (options.Cost * total);
            for (var i = 0; i < gradient.Length; i++)
            {
                gradient[i] /= total;
                if (i % width == width - 1)
                    continue;
                gradient[i] += penalty * point[i];
                value += penalty * point[i] * point[i] / 2;
            }
            return value;
        }

        double Add(int block, double[] point, double[] gradient)
        {
            Array.Clear(gradient);
            var loss = 0.0;
            Span<double> sums = stackalloc double[vectors];
            for (var row = block * Block; row < Math.Min(rows.RowCount, (block + 1) * Block); row++)
            {
                for (var c = 0; c < vectors; c++)
                    sums[c] = rows.Dot(row, point.AsSpan(c * width, width - 1)) + point[(c * width) + width - 1];
                loss += weights[row] * Errors(sums, labels[row]);
                for (var c = 0; c < vectors; c++)
                {
                    var error = weights[row] * sums[c];
                    rows.AddTo(row, error, gradient.AsSpan(c * width, width - 1));
                    gradient[(c * width) + width - 1] += error;
                }
            }
            return loss;
        }

        // Replaces each sum by its class's error, and gives the loss.
        double Errors(Span<double> sums, int label)
        {
            if (vectors == 1)
            {
                var margin = label == 1 ? sums[0] : -sums[0];
                sums[0] = LinearClassifier.Logistic(sums[0]) - label;
                return margin > 0 ? Math.Log(1 + Math.Exp(-margin)) : Math.Log(1 + Math.Exp(margin)) - margin;
            }
            var own = sums[label];
            var loss = LinearClassifier.Softmax(sums) - own;
            sums[label] -= 1;
            return loss;
        }
    }
}
