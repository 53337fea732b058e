using System.Numerics;
using System.Security.Cryptography;

namespace Salus.Learning.Privacy;

/// <summary>Where the random bytes of noise come from.</summary>
abstract class ByteSource
{
    /// <summary>The operating system's generator: the only source for real data.</summary>
    public static ByteSource System { get; } = new SystemSource();

    /// <summary>A repeatable source, to test distributions with: whoever knows the seed can take the noise off again.</summary>
    public static ByteSource Seeded(ulong seed) => new SeededSource(new SeededGenerator(seed));

    public abstract void Fill(Span<byte> bytes);

    /// <summary>A uniform integer in [0, bound), by rejection: no bias, however large the bound.</summary>
    public BigInteger Below(BigInteger bound)
    {
        if (bound.Sign <= 0)
            throw new ArgumentOutOfRangeException(nameof(bound), bound, "the bound must be above 0");
        var bits = (int)(bound - 1).GetBitLength();
        if (bits == 0)
            return BigInteger.Zero;
        var bytes = new byte[(bits + 7) / 8];
        var mask = (byte)(0xFF >> ((bytes.Length * 8) - bits));
        while (true)
        {
            Fill(bytes);
            bytes[^1] &= mask;
            var drawn = new BigInteger(bytes, isUnsigned: true);
            if (drawn < bound)
                return drawn;
        }
    }

    sealed class SystemSource : ByteSource
    {
        public override void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);
    }

    sealed class SeededSource(SeededGenerator generator) : ByteSource
    {
        public override void Fill(Span<byte> bytes)
        {
            foreach (ref var one in bytes)
                one = (byte)generator.NextUInt64();
        }
    }
}
