using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;

namespace Salus.Platform.DecisionSupport;

/// <summary>A public key that signs tokens, with the one algorithm that it is used with, so that no token chooses another.</summary>
/// <param name="Id">Its <c>kid</c>; null where it was given without.</param>
/// <param name="Algorithm"><c>ES256</c>, <c>ES384</c> or <c>RS384</c> (RFC 7518 section 3).</param>
/// <param name="Spki">The key as SubjectPublicKeyInfo.</param>
public sealed record CdsKey(string? Id, string Algorithm, byte[] Spki)
{
    /// <summary>The most keys of one system.</summary>
    public const int CountMax = 8;

    /// <summary>The most characters that keys are read from.</summary>
    public const int TextMax = 20_000;

    const string P256 = "1.2.840.10045.3.1.7";
    const string P384 = "1.3.132.0.34";
    const int RsaBitsMin = 2048;
    const int RsaBitsMax = 8192;

    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    /// <summary>Reads keys from a JWK Set (RFC 7517), one JWK, or one public key in PEM. Throws <see cref="FormatException"/> with what would be right.</summary>
    public static IReadOnlyList<CdsKey> ReadAll(string text)
    {
        if (text.Length > TextMax)
        {
            throw new FormatException($"Give at most {TextMax} characters.");
        }
        try
        {
            return text.TrimStart().StartsWith('{') ? ReadJson(text) : [OfPem(text)];
        }
        catch (Exception unreadable) when (unreadable is JsonException or CryptographicException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException("Give a JWK Set, one JWK, or one public key in PEM, of kind EC (P-256, P-384) or RSA (2048 to 8192 bits).", unreadable);
        }
    }

    /// <summary>Whether the signature over the bytes is this key's.</summary>
    public bool Verifies(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (Algorithm == "RS384")
        {
            using var rsa = RSA.Create();
            rsa.ImportSubjectPublicKeyInfo(Spki, out _);
            return rsa.VerifyData(data, signature, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1);
        }
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportSubjectPublicKeyInfo(Spki, out _);
        return ecdsa.VerifyData(data, signature, Algorithm == "ES256" ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA384, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }

    static CdsKey[] ReadJson(string text)
    {
        using var json = JsonDocument.Parse(text, Strict);
        CdsKey[] keys = json.RootElement.TryGetProperty("keys", out var set) ? [.. set.EnumerateArray().Select(OfJwk)] : [OfJwk(json.RootElement)];
        if (keys.Length is 0 or > CountMax)
        {
            throw new FormatException($"The set holds {keys.Length} keys; give 1 to {CountMax}.");
        }
        return keys.DistinctBy(key => (key.Id, key.Algorithm)).Count() == keys.Length ? keys : throw new FormatException("Two keys have the same kid; give each its own.");
    }

    static CdsKey OfJwk(JsonElement jwk)
    {
        if (jwk.TryGetProperty("d", out _) || jwk.TryGetProperty("k", out _))
        {
            throw new FormatException("This holds a private or a secret key. Give the public keys alone, and make a new pair: this one has been shown.");
        }
        var key = jwk.GetProperty("kty").GetString() switch
        {
            "EC" => OfEc(jwk),
            "RSA" => OfRsa(jwk),
            var kind => throw new FormatException($"A key is of kind '{kind}'; give EC or RSA."),
        };
        if (jwk.TryGetProperty("use", out var use) && use.GetString() != "sig")
        {
            throw new FormatException("A key is not for signatures: its use must be sig, or be left out.");
        }
        if (jwk.TryGetProperty("alg", out var algorithm) && algorithm.GetString() != key.Algorithm)
        {
            throw new FormatException($"A key says alg '{algorithm.GetString()}'; this kind is used with {key.Algorithm}.");
        }
        return jwk.TryGetProperty("kid", out var id) ? key with { Id = id.GetString() } : key;
    }

    static CdsKey OfEc(JsonElement jwk)
    {
        var curve = jwk.GetProperty("crv").GetString() switch
        {
            "P-256" => ECCurve.NamedCurves.nistP256,
            "P-384" => ECCurve.NamedCurves.nistP384,
            var other => throw new FormatException($"A key is on the curve '{other}'; give P-256 or P-384."),
        };
        using var ecdsa = ECDsa.Create(new ECParameters { Curve = curve, Q = new ECPoint { X = Bytes(jwk, "x"), Y = Bytes(jwk, "y") } });
        return Of(ecdsa);
    }

    static CdsKey OfRsa(JsonElement jwk)
    {
        using var rsa = RSA.Create(new RSAParameters { Modulus = Bytes(jwk, "n"), Exponent = Bytes(jwk, "e") });
        return Of(rsa);
    }

    static CdsKey OfPem(string text)
    {
        var fields = PemEncoding.Find(text);
        if (!text.AsSpan()[fields.Label].SequenceEqual("PUBLIC KEY"))
        {
            throw new FormatException("Give the public key alone, between BEGIN PUBLIC KEY and END PUBLIC KEY.");
        }
        var spki = Convert.FromBase64String(text[fields.Base64Data]);
        try
        {
            using var ecdsa = ECDsa.Create();
            ecdsa.ImportSubjectPublicKeyInfo(spki, out _);
            return Of(ecdsa);
        }
        catch (CryptographicException)
        {
            using var rsa = RSA.Create();
            rsa.ImportSubjectPublicKeyInfo(spki, out _);
            return Of(rsa);
        }
    }

    static CdsKey Of(ECDsa key) => key.ExportParameters(includePrivateParameters: false).Curve.Oid.Value switch
    {
        P256 => new CdsKey(null, "ES256", key.ExportSubjectPublicKeyInfo()),
        P384 => new CdsKey(null, "ES384", key.ExportSubjectPublicKeyInfo()),
        _ => throw new FormatException("The key is on another curve than P-256 and P-384."),
    };

    static CdsKey Of(RSA key) => key.KeySize is >= RsaBitsMin and <= RsaBitsMax
        ? new CdsKey(null, "RS384", key.ExportSubjectPublicKeyInfo())
        : throw new FormatException($"The RSA key has {key.KeySize} bits; give {RsaBitsMin} to {RsaBitsMax}.");

    static byte[] Bytes(JsonElement jwk, string name) => Base64Url.DecodeFromChars(jwk.GetProperty(name).GetString());
}
