namespace Salus.Learning.Calibration;

/// <summary>Mends the probability of class 1 of two: a monotone step or curve learned from rows the model had not seen.</summary>
public abstract class ProbabilityCalibration
{
    const byte PlattTag = 1;
    const byte IsotonicTag = 2;

    private protected ProbabilityCalibration()
    {
    }

    /// <summary>The ways there are, by name.</summary>
    public static IReadOnlyList<string> Names { get; } = ["platt", "isotonic"];

    /// <summary>What it is called.</summary>
    public abstract string Name { get; }

    /// <summary>The mended probability.</summary>
    public abstract double Apply(double probability);

    /// <summary>Learns the way of that name from probabilities of rows that the model had not seen.</summary>
    public static ProbabilityCalibration Fit(string name, ReadOnlySpan<double> probabilities, ReadOnlySpan<int> labels) => name switch
    {
        "platt" => PlattCalibration.Fit(probabilities, labels),
        "isotonic" => IsotonicCalibration.Fit(probabilities, labels),
        _ => throw new ArgumentException($"'{name}' is no calibration; give {string.Join(" or ", Names)}", nameof(name)),
    };

    internal void Write(BoundedWriter writer)
    {
        switch (this)
        {
            case PlattCalibration platt:
                writer.Byte(PlattTag);
                writer.Double(platt.Slope);
                writer.Double(platt.Offset);
                break;
            case IsotonicCalibration isotonic:
                writer.Byte(IsotonicTag);
                writer.Int32(isotonic.From.Length);
                for (var i = 0; i < isotonic.From.Length; i++)
                {
                    writer.Double(isotonic.From[i]);
                    writer.Double(isotonic.To[i]);
                }
                break;
        }
    }

    internal static ProbabilityCalibration Read(ref BoundedReader reader) => reader.Byte() switch
    {
        PlattTag => new PlattCalibration(reader.Finite("a slope"), reader.Finite("an offset")),
        IsotonicTag => IsotonicCalibration.ReadSteps(ref reader),
        var tag => throw new FormatRefusedException($"the calibration is of kind {tag}"),
    };

    private protected static void Check(ReadOnlySpan<double> probabilities, ReadOnlySpan<int> labels)
    {
        if (probabilities.Length != labels.Length || labels.IsEmpty)
            throw new ArgumentException($"there are {probabilities.Length} probabilities and {labels.Length} labels; give as many of each, at least one");
        foreach (var probability in probabilities)
        {
            if (!(probability is >= 0 and <= 1))
                throw new ArgumentException($"the probability {probability} is outside 0 to 1");
        }
        if (labels.ContainsAnyExcept(0, 1) || !labels.Contains(0) || !labels.Contains(1))
            throw new ArgumentException("labels must be 0 and 1, with at least one of each");
    }
}

/// <summary>Platt scaling (Platt 1999, with the targets of Lin, Lin and Weng 2007): the logistic function of a line through the log-odds.</summary>
public sealed class PlattCalibration : ProbabilityCalibration
{
    const int StepsMax = 100;
    const double Edge = 1e-12;

    internal PlattCalibration(double slope, double offset) => (Slope, Offset) = (slope, offset);

    /// <summary>The line's slope.</summary>
    public double Slope { get; }

    /// <summary>The line's value at even odds.</summary>
    public double Offset { get; }

    /// <inheritdoc/>
    public override string Name => "platt";

    /// <inheritdoc/>
    public override double Apply(double probability) => Linear.LinearClassifier.Logistic((Slope * LogOdds(probability)) + Offset);

    /// <summary>Learns from held-out probabilities by Newton steps with halving.</summary>
    public static PlattCalibration Fit(ReadOnlySpan<double> probabilities, ReadOnlySpan<int> labels)
    {
        Check(probabilities, labels);
        var odds = Array.ConvertAll(probabilities.ToArray(), LogOdds);
        var positives = labels.Count(1);
        var (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (labels.Length - positives + 2.0));
        var targets = Array.ConvertAll(labels.ToArray(), label => label == 1 ? high : low);
        var (slope, offset) = (0.0, Math.Log((positives + 1.0) / (labels.Length - positives + 1.0)));
        var loss = Loss(odds, targets, slope, offset);
        for (var step = 0; step < StepsMax; step++)
        {
            double a = 1e-12, b = 0, c = 1e-12, first = 0, second = 0;
            for (var i = 0; i < odds.Length; i++)
            {
                var probability = Linear.LinearClassifier.Logistic((slope * odds[i]) + offset);
                var (weight, error) = (probability * (1 - probability), probability - targets[i]);
                a += weight * odds[i] * odds[i];
                b += weight * odds[i];
                c += weight;
                first += error * odds[i];
                second += error;
            }
            if (Math.Abs(first) < 1e-8 && Math.Abs(second) < 1e-8)
                break;
            var determinant = (a * c) - (b * b);
            var (slopeStep, offsetStep) = (-((c * first) - (b * second)) / determinant, -((a * second) - (b * first)) / determinant);
            var length = 1.0;
            for (; length > 1e-10; length /= 2)
            {
                if (Loss(odds, targets, slope + (length * slopeStep), offset + (length * offsetStep)) is var tried && tried < loss)
                {
                    (slope, offset, loss) = (slope + (length * slopeStep), offset + (length * offsetStep), tried);
                    break;
                }
            }
            if (length <= 1e-10)
                break;
        }
        return new PlattCalibration(slope, offset);
    }

    static double Loss(double[] odds, double[] targets, double slope, double offset)
    {
        var loss = 0.0;
        for (var i = 0; i < odds.Length; i++)
        {
            var sum = (slope * odds[i]) + offset;
            loss += (sum > 0 ? Math.Log(1 + Math.Exp(-sum)) + sum : Math.Log(1 + Math.Exp(sum))) - (targets[i] * sum);
        }
        return loss;
    }

    static double LogOdds(double probability)
    {
        var kept = Math.Clamp(probability, Edge, 1 - Edge);
        return Math.Log(kept / (1 - kept));
    }
}

/// <summary>Isotonic regression by pooling adjacent violators (Ayer and others 1955; Zadrozny and Elkan 2002), linear between the pools.</summary>
public sealed class IsotonicCalibration : ProbabilityCalibration
{
    const int StepsMax = 1 << 20;

    IsotonicCalibration(double[] from, double[] to) => (From, To) = (from, to);

    /// <inheritdoc/>
    public override string Name => "isotonic";

    internal double[] From { get; }

    internal double[] To { get; }

    /// <inheritdoc/>
    public override double Apply(double probability)
    {
        var at = Array.BinarySearch(From, probability);
        if (at >= 0)
            return To[at];
        at = ~at;
        if (at == 0)
            return To[0];
        if (at == From.Length)
            return To[^1];
        var share = (probability - From[at - 1]) / (From[at] - From[at - 1]);
        return To[at - 1] + (share * (To[at] - To[at - 1]));
    }

    /// <summary>Learns from held-out probabilities.</summary>
    public static IsotonicCalibration Fit(ReadOnlySpan<double> probabilities, ReadOnlySpan<int> labels)
    {
        Check(probabilities, labels);
        var (scores, known) = (probabilities.ToArray(), labels.ToArray());
        Array.Sort(scores, known);
        var pools = new List<(double Least, double Most, double Sum, int Count)>();
        for (var i = 0; i < scores.Length;)
        {
            var pool = (Least: scores[i], Most: scores[i], Sum: 0.0, Count: 0);
            for (; i < scores.Length && scores[i] == pool.Least; i++)
                pool = pool with { Sum = pool.Sum + known[i], Count = pool.Count + 1 };
            while (pools.Count > 0 && pools[^1] is var before && before.Sum * pool.Count >= pool.Sum * before.Count)
            {
                pool = (before.Least, pool.Most, before.Sum + pool.Sum, before.Count + pool.Count);
                pools.RemoveAt(pools.Count - 1);
            }
            pools.Add(pool);
        }
        var (from, to) = (new List<double>(), new List<double>());
        foreach (var (least, most, sum, count) in pools)
        {
            from.Add(least);
            to.Add(sum / count);
            if (most > least)
            {
                from.Add(most);
                to.Add(sum / count);
            }
        }
        return new IsotonicCalibration([.. from], [.. to]);
    }

    internal static IsotonicCalibration ReadSteps(ref BoundedReader reader)
    {
        var steps = reader.Count("steps", 1, StepsMax, 16);
        var (from, to) = (new double[steps], new double[steps]);
        for (var i = 0; i < steps; i++)
        {
            (from[i], to[i]) = (reader.Finite("a step"), reader.Finite("a probability"));
            if (to[i] is < 0 or > 1 || (i > 0 && (from[i] <= from[i - 1] || to[i] < to[i - 1])))
                throw new FormatRefusedException($"step {i} of the calibration falls, or leaves 0 to 1");
        }
        return new IsotonicCalibration(from, to);
    }
}
