using System.Numerics;

namespace Salus.Learning;

/// <summary>
/// xoshiro256** (Blackman and Vigna 2018), its state filled from the seed by SplitMix64: the same seed gives the same
/// bits on every machine. For repeatable learning and synthetic data, never for secrets.
/// </summary>
public sealed class SeededGenerator
{
    readonly ulong[] state = new ulong[4];

    /// <summary>Starts the stream of <paramref name="seed"/>.</summary>
    public SeededGenerator(ulong seed)
    {
        for (var i = 0; i < state.Length; i++)
        {
            seed += 0x9E3779B97F4A7C15;
            state[i] = Mix(seed);
        }
    }

    /// <summary>An independent stream for one part of a larger job (a tree, a fold), whatever order the parts run in.</summary>
    public static SeededGenerator For(ulong seed, ulong part) => new(Derive(seed, part));

    /// <summary>The seed of one part of a larger job.</summary>
    public static ulong Derive(ulong seed, ulong part) =>
        Mix(Mix(seed + 0x9E3779B97F4A7C15) ^ Mix((part * 0xD1342543DE82EF95) + 0x2545F4914F6CDD1D));

    /// <summary>64 uniform bits.</summary>
    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(state[1] * 5, 7) * 9;
        var shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = BitOperations.RotateLeft(state[3], 45);
        return result;
    }

    /// <summary>A uniform integer in [0, <paramref name="bound"/>), without modulo bias (Lemire 2019).</summary>
    public int NextInt(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(bound);
        var range = (ulong)bound;
        var high = Math.BigMul(NextUInt64(), range, out var low);
        if (low < range)
        {
            var threshold = (0UL - range) % range;
            while (low < threshold)
                high = Math.BigMul(NextUInt64(), range, out low);
        }
        return (int)high;
    }

    /// <summary>A uniform number in [0, 1) on a grid of 2^-53.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>Puts the items in a uniformly random order (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = NextInt(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
