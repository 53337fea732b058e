using System.Numerics;

namespace Salus.Learning.Privacy;

/// <summary>An exact non-negative fraction.</summary>
readonly record struct Ratio
{
    public Ratio(BigInteger over, BigInteger under)
    {
        if (over.Sign < 0 || under.Sign <= 0)
            throw new ArgumentOutOfRangeException(nameof(over), $"{over}/{under} is no fraction of 0 or more");
        var divisor = BigInteger.GreatestCommonDivisor(over, under);
        (Over, Under) = (over / divisor, under / divisor);
    }

    public BigInteger Over { get; }

    public BigInteger Under { get; }

    /// <summary>The decimal exactly.</summary>
    public static Ratio Of(decimal value)
    {
        var bits = decimal.GetBits(value);
        var over = (new BigInteger((uint)bits[2]) << 64) | (new BigInteger((uint)bits[1]) << 32) | (uint)bits[0];
        return value < 0
            ? throw new ArgumentOutOfRangeException(nameof(value), value, "the value must not be below 0")
            : new Ratio(over, BigInteger.Pow(10, (bits[3] >> 16) & 0xFF));
    }

    public static Ratio operator *(Ratio one, Ratio other) => new(one.Over * other.Over, one.Under * other.Under);

    public static Ratio operator /(Ratio one, Ratio other) => new(one.Over * other.Under, one.Under * other.Over);

    public double ToDouble() => Math.Exp(BigInteger.Log(Over) - BigInteger.Log(Under));
}
