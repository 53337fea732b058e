using System.Numerics;
using System.Security.Cryptography;

namespace Salus.Ledger.Evm;

/// <summary>A signature with what recovers its signer: s is at most half the order (EIP-2), the parity is that of R's y.</summary>
public sealed record RecoverableSignature(BigInteger R, BigInteger S, int YParity)
{
    /// <summary>The address that signed <paramref name="hash"/> (32 bytes); null where the signature belongs to nobody or its s is high.</summary>
    public Address? Signer(ReadOnlySpan<byte> hash)
    {
        if (hash.Length != Keccak256.Size || S > Secp256k1.HalfN)
            return null;
        return Secp256k1.Recover(hash, R, S, YParity) is { } key ? Secp256k1Key.AddressOf(key) : null;
    }
}

/// <summary>An account's private key on secp256k1. The platform's ECDSA signs; nothing here touches the secret scalar.</summary>
public sealed class Secp256k1Key : IDisposable
{
    const string CurveOid = "1.3.132.0.10";

    static readonly byte[] Order = Secp256k1.N.ToByteArray(isUnsigned: true, isBigEndian: true);

    readonly ECDsa ecdsa;
    readonly byte[] publicKey;

    Secp256k1Key(ECDsa ecdsa)
    {
        this.ecdsa = ecdsa;
        var point = ecdsa.ExportParameters(includePrivateParameters: false).Q;
        publicKey = [.. point.X!, .. point.Y!];
        Address = AddressOf(publicKey);
    }

    /// <summary>The account's address.</summary>
    public Address Address { get; }

    /// <summary>The public key, x ‖ y, 64 bytes.</summary>
    public ReadOnlyMemory<byte> PublicKey => publicKey;

    /// <summary>A new random key.</summary>
    public static Secp256k1Key Create() => new(ECDsa.Create(ECCurve.CreateFromValue(CurveOid)));

    /// <summary>A key from its private scalar of 32 bytes.</summary>
    /// <exception cref="CryptographicException">The scalar is zero or not below the order.</exception>
    public static Secp256k1Key FromPrivate(ReadOnlySpan<byte> scalar)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(scalar.Length, 32);
        if (!scalar.ContainsAnyExcept((byte)0) || scalar.SequenceCompareTo(Order) >= 0)
            throw new CryptographicException("A private key lies between 1 and the order of the curve.");
        var d = scalar.ToArray();
        try
        {
            return new Secp256k1Key(ECDsa.Create(new ECParameters { Curve = ECCurve.CreateFromValue(CurveOid), D = d }));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(d);
        }
    }

    /// <summary>The private scalar, 32 bytes, for whoever stores the key; the caller zeroes it.</summary>
    public byte[] ExportPrivate() => ecdsa.ExportParameters(includePrivateParameters: true).D!;

    /// <summary>Signs a hash of 32 bytes.</summary>
    public RecoverableSignature Sign(ReadOnlySpan<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, Keccak256.Size);
        while (true)
        {
            var bytes = ecdsa.SignHash(hash.ToArray());
            var r = new BigInteger(bytes.AsSpan(0, 32), isUnsigned: true, isBigEndian: true);
            var s = new BigInteger(bytes.AsSpan(32), isUnsigned: true, isBigEndian: true);
            if (s > Secp256k1.HalfN)
                s = Secp256k1.N - s;
            for (var parity = 0; parity <= 1; parity++)
            {
                if (Secp256k1.Recover(hash, r, s, parity) is { } key && key.AsSpan().SequenceEqual(publicKey))
                    return new RecoverableSignature(r, s, parity);
            }
            // R's x was above the order, which has no place in a signature's parity bit; the next nonce will not be
        }
    }

    /// <summary>The address of a public key of 64 bytes.</summary>
    internal static Address AddressOf(ReadOnlySpan<byte> publicKey) => new(Keccak256.Hash(publicKey).AsSpan(12));

    /// <inheritdoc/>
    public void Dispose() => ecdsa.Dispose();
}
