using Salus.Learning.Tables;

namespace Salus.Learning.Explain;

/// <summary>What one feature added to an output.</summary>
/// <param name="Feature">The feature's name.</param>
/// <param name="Value">Its value in this row, NaN where missing.</param>
/// <param name="Share">What it added to, or took from, the output, on the explanation's scale.</param>
/// <param name="Description">The feature with its value as a reader would say it.</param>
public sealed record Contribution(string Feature, double Value, double Share, string Description);

/// <summary>What the parts of an explanation add up to.</summary>
public enum ExplanationScale
{
    /// <summary>The probability of a class.</summary>
    Probability,

    /// <summary>The logarithm of the odds of class 1, of two.</summary>
    LogOdds,

    /// <summary>The margin of a class among several, before the softmax.</summary>
    Margin,

    /// <summary>The estimated number.</summary>
    Value,
}

/// <summary>An output taken apart: <paramref name="Base"/> plus the sum of <paramref name="Contributions"/> (one per feature) is <paramref name="Total"/>, on the given scale.</summary>
public sealed record Explanation(double Base, double[] Contributions, double Total, ExplanationScale Scale = ExplanationScale.Probability)
{
    /// <summary>The probability that <see cref="Total"/> stands for; NaN where it stands for none by itself.</summary>
    public double Probability => Scale switch
    {
        ExplanationScale.Probability => Total,
        ExplanationScale.LogOdds => 1 / (1 + Math.Exp(-Total)),
        _ => double.NaN,
    };

    /// <summary>The features that moved the output most, either way; features that did not move it are left out.</summary>
    public IReadOnlyList<Contribution> Top(IReadOnlyList<Feature> features, ReadOnlySpan<double> row, int count)
    {
        var top = new List<Contribution>();
        foreach (var i in Enumerable.Range(0, Contributions.Length).OrderByDescending(i => Math.Abs(Contributions[i])).ThenBy(i => i))
        {
            if (top.Count == count || Contributions[i] == 0)
                break;
            top.Add(new Contribution(features[i].Name, row[i], Contributions[i], features[i].Describe(row[i])));
        }
        return top;
    }
}
