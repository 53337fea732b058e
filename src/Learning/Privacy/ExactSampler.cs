using System.Numerics;

namespace Salus.Learning.Privacy;

/// <summary>
/// Exact sampling by integers alone (Canonne, Kamath and Steinke 2020, "The Discrete Gaussian for Differential Privacy",
/// algorithms 1 and 2): no floating point, whose gaps would betray the value under the noise (Mironov 2012).
/// </summary>
sealed class ExactSampler(ByteSource source)
{
    /// <summary>True with probability <paramref name="chance"/>, which must not be above 1.</summary>
    public bool Bernoulli(Ratio chance) =>
        chance.Over <= chance.Under
            ? source.Below(chance.Under) < chance.Over
            : throw new ArgumentOutOfRangeException(nameof(chance), "a probability is not above 1");

    /// <summary>True with probability exp(-<paramref name="gamma"/>).</summary>
    public bool BernoulliExp(Ratio gamma)
    {
        // exp(-γ) is exp(-1) for each whole part of γ, times exp of what is left.
        var whole = BigInteger.DivRem(gamma.Over, gamma.Under, out var rest);
        for (var i = BigInteger.Zero; i < whole; i++)
        {
            if (!BernoulliExpUnit(new Ratio(1, 1)))
                return false;
        }
        return BernoulliExpUnit(new Ratio(rest, gamma.Under));
    }

    /// <summary>An integer x with probability proportional to exp(-|x| · <paramref name="rate"/>).</summary>
    public BigInteger DiscreteLaplace(Ratio rate)
    {
        if (rate.Over.IsZero)
            throw new ArgumentOutOfRangeException(nameof(rate), "the rate must be above 0");
        var (s, t) = (rate.Over, rate.Under);
        while (true)
        {
            var low = source.Below(t);
            if (!BernoulliExp(new Ratio(low, t)))
                continue;
            var high = BigInteger.Zero;
            while (BernoulliExpUnit(new Ratio(1, 1)))
                high++;
            var size = (low + (t * high)) / s;
            var negative = source.Below(2).IsOne;
            // Zero would otherwise come twice, once with each sign.
            if (!(negative && size.IsZero))
                return negative ? -size : size;
        }
    }

    /// <summary>
    /// One of <paramref name="levels"/> codes: the true one with weight 1, each other with weight exp(-ε), so that the
    /// true one is kept with probability e^ε / (e^ε + levels - 1). A uniform draw is accepted by its weight.
    /// </summary>
    public int RandomisedResponse(int code, int levels, Ratio epsilon)
    {
        while (true)
        {
            var drawn = (int)source.Below(levels);
            if (drawn == code || BernoulliExp(epsilon))
                return drawn;
        }
    }

    // γ in [0, 1]: count how long draws of γ/k succeed; the first failure is at an odd k with probability exp(-γ).
    bool BernoulliExpUnit(Ratio gamma)
    {
        var k = BigInteger.One;
        while (Bernoulli(new Ratio(gamma.Over, gamma.Under * k)))
            k++;
        return !k.IsEven;
    }
}
