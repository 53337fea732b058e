using System.Numerics;

namespace Salus.Ledger.Evm;

/// <summary>
/// Arithmetic of the curve secp256k1 (SEC 2 section 2.4.1) over public data: recovery and verification. Not constant
/// in time; private keys never come here.
/// </summary>
static class Secp256k1
{
    /// <summary>The order of the group.</summary>
    public static readonly BigInteger N = Parse("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141");

    /// <summary>Half of the order: the greatest s that Ethereum accepts (EIP-2).</summary>
    public static readonly BigInteger HalfN = N >> 1;

    static readonly BigInteger P = Parse("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2F");
    static readonly BigInteger SquareRootExponent = (P + 1) >> 2;
    static readonly Jacobian G = new(
        Parse("79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798"),
        Parse("483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8"),
        BigInteger.One);

    /// <summary>The public key (64 bytes, x ‖ y) under which a signature was made (SEC 1 section 4.1.6); null where none is.</summary>
    public static byte[]? Recover(ReadOnlySpan<byte> hash, BigInteger r, BigInteger s, int yParity)
    {
        if (r.Sign <= 0 || r >= N || s.Sign <= 0 || s >= N || yParity is not (0 or 1))
            return null;
        var ySquared = Mod(BigInteger.ModPow(r, 3, P) + 7);
        var y = BigInteger.ModPow(ySquared, SquareRootExponent, P);
        if (Mod(y * y) != ySquared)
            return null;
        if ((int)(y & 1) != yParity)
            y = P - y;
        var inverse = BigInteger.ModPow(r, N - 2, N);
        var z = new BigInteger(hash, isUnsigned: true, isBigEndian: true) % N;
        var (u1, u2) = ((N - z) * inverse % N, s * inverse % N);
        return Sum(u1, G, u2, new Jacobian(r, y, BigInteger.One)).ToAffine();
    }

    static BigInteger Parse(string hex) => new(Convert.FromHexString(hex), isUnsigned: true, isBigEndian: true);

    static BigInteger Mod(BigInteger value)
    {
        var rest = value % P;
        return rest.Sign < 0 ? rest + P : rest;
    }

    static Jacobian Sum(BigInteger a, Jacobian pointA, BigInteger b, Jacobian pointB)
    {
        var both = pointA.Add(pointB);
        var sum = Jacobian.Infinity;
        for (var bit = (int)Math.Max((long)a.GetBitLength(), b.GetBitLength()) - 1; bit >= 0; bit--)
        {
            sum = sum.Double();
            var (hasA, hasB) = (!((a >> bit) & 1).IsZero, !((b >> bit) & 1).IsZero);
            if (hasA || hasB)
                sum = sum.Add(hasA && hasB ? both : hasA ? pointA : pointB);
        }
        return sum;
    }

    readonly record struct Jacobian(BigInteger X, BigInteger Y, BigInteger Z)
    {
        public static readonly Jacobian Infinity = new(BigInteger.One, BigInteger.One, BigInteger.Zero);

        public Jacobian Double()
        {
            if (Z.IsZero || Y.IsZero)
                return Infinity;
            var ySquared = Mod(Y * Y);
            var s = Mod(4 * X * ySquared);
            var m = Mod(3 * X * X);
            var x = Mod(m * m - 2 * s);
            return new Jacobian(x, Mod(m * (s - x) - 8 * ySquared * ySquared), Mod(2 * Y * Z));
        }

        public Jacobian Add(Jacobian other)
        {
            if (Z.IsZero)
                return other;
            if (other.Z.IsZero)
                return this;
            var (z1, z2) = (Mod(Z * Z), Mod(other.Z * other.Z));
            var (u1, u2) = (Mod(X * z2), Mod(other.X * z1));
            var (s1, s2) = (Mod(Y * other.Z * z2), Mod(other.Y * Z * z1));
            var (h, r) = (Mod(u2 - u1), Mod(s2 - s1));
            if (h.IsZero)
                return r.IsZero ? Double() : Infinity;
            var hSquared = Mod(h * h);
            var hCubed = Mod(h * hSquared);
            var v = Mod(u1 * hSquared);
            var x = Mod(r * r - hCubed - 2 * v);
            return new Jacobian(x, Mod(r * (v - x) - s1 * hCubed), Mod(h * Z * other.Z));
        }

        public byte[]? ToAffine()
        {
            if (Z.IsZero)
                return null;
            var inverse = BigInteger.ModPow(Z, P - 2, P);
            var squared = Mod(inverse * inverse);
            var key = new byte[64];
            WordOf(Mod(X * squared), key.AsSpan(0, 32));
            WordOf(Mod(Y * squared * inverse), key.AsSpan(32));
            return key;
        }
    }

    /// <summary>Writes a number below 2^256 as 32 bytes, big-endian.</summary>
    public static void WordOf(BigInteger value, Span<byte> destination)
    {
        destination.Clear();
        var length = value.GetByteCount(isUnsigned: true);
        if (!value.TryWriteBytes(destination[(32 - length)..], out _, isUnsigned: true, isBigEndian: true))
            throw new ArgumentOutOfRangeException(nameof(value), "The number does not fit 32 bytes.");
    }
}
