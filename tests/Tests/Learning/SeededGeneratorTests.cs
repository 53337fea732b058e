using Salus.Learning;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class SeededGeneratorTests
{
    [Fact]
    public void The_stream_is_that_of_xoshiro256_starstar_seeded_by_SplitMix64()
    {
        // SplitMix64 of 0 begins e220a8397b1dcdaf, 6e789e6aa1b965f4, 06c45d188009454f, f88bb8a8724c81ec;
        // the first output is rotl(s1 * 5, 7) * 9.
        var expected = System.Numerics.BitOperations.RotateLeft(unchecked(0x6E789E6AA1B965F4UL * 5), 7) * 9;
        Assert.Equal(expected, new SeededGenerator(0).NextUInt64());
    }

    [Fact]
    public void Bounded_integers_are_uniform()
    {
        var generator = new SeededGenerator(5);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
            counts[generator.NextInt(7)]++;
        // 99.99 % point of chi-square with 6 degrees of freedom.
        Assert.InRange(counts.Sum(count => Math.Pow(count - 10_000, 2) / 10_000), 0, 27.9);
    }
}
