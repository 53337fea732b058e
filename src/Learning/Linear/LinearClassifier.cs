using System.Diagnostics.CodeAnalysis;
using Salus.Learning.Tables;

namespace Salus.Learning.Linear;

/// <summary>How sums of weights become probabilities.</summary>
public enum LinearLink
{
    /// <summary>Two classes: the logistic function of one sum. More: the softmax of one sum a class.</summary>
    Softmax,

    /// <summary>The logistic function of one sum a class, each told apart from all others, divided by their sum.</summary>
    OneVersusRest,
}

/// <summary>A linear classifier over sparse rows. Two classes share one vector of weights, that of class 1.</summary>
public sealed class LinearClassifier
{
    readonly double[][] weights;
    readonly double[] intercepts;

    internal LinearClassifier(double[][] weights, double[] intercepts, LinearLink link)
    {
        this.weights = weights;
        this.intercepts = intercepts;
        Link = link;
    }

    /// <summary>The number of classes.</summary>
    public int ClassCount => weights.Length == 1 ? 2 : weights.Length;

    /// <summary>The number of columns a row has.</summary>
    public int ColumnCount => weights[0].Length;

    /// <summary>How sums become probabilities.</summary>
    public LinearLink Link { get; }

    /// <summary>The weights of a class; those of class 0 of two are the negative of class 1's.</summary>
    public double Weight(int classIndex, int column) => weights.Length == 1 ? (classIndex == 1 ? weights[0][column] : -weights[0][column]) : weights[classIndex][column];

    /// <summary>What is added to the sum of a class whatever the row.</summary>
    public double Intercept(int classIndex) => weights.Length == 1 ? (classIndex == 1 ? intercepts[0] : -intercepts[0]) : intercepts[classIndex];

    internal double[][] Weights => weights;

    internal double[] Intercepts => intercepts;

    /// <summary>The sums of one row before the link: one for two classes, else one a class.</summary>
    public double[] Sums(CsrMatrix rows, int row)
    {
        var sums = new double[weights.Length];
        for (var c = 0; c < sums.Length; c++)
            sums[c] = rows.Dot(row, weights[c]) + intercepts[c];
        return sums;
    }

    /// <summary>The probability of each class for each row.</summary>
    public double[][] Predict(CsrMatrix rows)
    {
        if (rows.ColumnCount != ColumnCount)
            throw new ArgumentException($"the rows have {rows.ColumnCount} columns, the model was trained on {ColumnCount}");
        var predicted = new double[rows.RowCount][];
        Parallel.For(0, (rows.RowCount + 255) / 256, block =>
        {
            for (var row = block * 256; row < Math.Min(rows.RowCount, (block + 1) * 256); row++)
                predicted[row] = Probabilities(Sums(rows, row));
        });
        return predicted;
    }

    double[] Probabilities(double[] sums)
    {
        if (sums.Length == 1)
        {
            var one = Logistic(sums[0]);
            return [1 - one, one];
        }
        if (Link == LinearLink.Softmax)
        {
            Softmax(sums);
            return sums;
        }
        var total = 0.0;
        for (var c = 0; c < sums.Length; c++)
            total += sums[c] = Math.Max(Logistic(sums[c]), double.Epsilon);
        for (var c = 0; c < sums.Length; c++)
            sums[c] /= total;
        return sums;
    }

    internal static double Logistic(double sum) => sum >= 0 ? 1 / (1 + Math.Exp(-sum)) : Math.Exp(sum) / (1 + Math.Exp(sum));

    /// <summary>Turns sums into shares, and gives the logarithm of their exponentials' sum.</summary>
    internal static double Softmax(Span<double> sums)
    {
        var most = double.NegativeInfinity;
        foreach (var sum in sums)
            most = Math.Max(most, sum);
        var total = 0.0;
        for (var c = 0; c < sums.Length; c++)
            total += sums[c] = Math.Exp(sums[c] - most);
        for (var c = 0; c < sums.Length; c++)
            sums[c] /= total;
        return most + Math.Log(total);
    }

    /// <summary>Writes the model in its own versioned format.</summary>
    public void Write(Stream stream) => LinearFormat.Write(this, new BoundedWriter(stream));

    /// <summary>Reads what <see cref="Write"/> wrote; anything else is refused with the reason.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out LinearClassifier? model, [NotNullWhen(false)] out string? refusal) =>
        BoundedReader.TryRead(bytes, LinearFormat.Read, out model, out refusal);
}
