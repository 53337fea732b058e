using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Salus.Platform.DecisionSupport;

namespace Salus.Tests.DecisionSupport;

public sealed class CdsKeyTests
{
    [Theory]
    [InlineData("ES256")]
    [InlineData("ES384")]
    [InlineData("RS384")]
    public void A_key_is_read_from_each_of_its_forms_and_used_with_one_algorithm(string algorithm)
    {
        using var system = new OtherSystem("x", algorithm);
        var forms = (CdsKey[])[CdsKey.ReadAll(system.Jwks("one"))[0], CdsKey.ReadAll(system.Jwk("one").ToJsonString())[0], CdsKey.ReadAll(system.Pem)[0]];
        Assert.All(forms, key => Assert.Equal((algorithm, Convert.ToHexString(forms[0].Spki)), (key.Algorithm, Convert.ToHexString(key.Spki))));
        Assert.Equal(["one", "one", null], forms.Select(key => key.Id));
    }

    [Fact]
    public void What_is_no_public_key_for_signatures_is_refused_with_what_would_be_right()
    {
        using var system = new OtherSystem("x", "ES256");
        using var small = RSA.Create(1024);
        using var koblitz = ECDsa.Create(ECCurve.NamedCurves.brainpoolP256r1);
        using var own = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        JsonObject With(string name, string value)
        {
            var key = system.Jwk("one");
            key[name] = value;
            return key;
        }
        Assert.Contains("private or a secret key", Refusal(With("d", "AQ").ToJsonString()), StringComparison.Ordinal);
        Assert.Contains("private or a secret key", Refusal("{\"kty\":\"oct\",\"k\":\"AQ\"}"), StringComparison.Ordinal);
        Assert.Contains("use must be sig", Refusal(With("use", "enc").ToJsonString()), StringComparison.Ordinal);
        Assert.Contains("used with ES256", Refusal(With("alg", "HS256").ToJsonString()), StringComparison.Ordinal);
        Assert.Contains("curve 'P-521'", Refusal(With("crv", "P-521").ToJsonString()), StringComparison.Ordinal);
        Assert.Contains("Give a JWK Set", Refusal(With("x", system.Jwk("one")["y"]!.GetValue<string>()).ToJsonString()), StringComparison.Ordinal);
        Assert.Contains("same kid", Refusal(new JsonObject { ["keys"] = new JsonArray(system.Jwk("one"), system.Jwk("one")) }.ToJsonString()), StringComparison.Ordinal);
        Assert.Contains("9 keys", Refusal(new JsonObject { ["keys"] = new JsonArray([.. Enumerable.Range(0, 9).Select(i => system.Jwk($"{i}"))]) }.ToJsonString()), StringComparison.Ordinal);
        Assert.Contains("1024 bits", Refusal(small.ExportSubjectPublicKeyInfoPem()), StringComparison.Ordinal);
        Assert.Contains("another curve", Refusal(koblitz.ExportSubjectPublicKeyInfoPem()), StringComparison.Ordinal);
        Assert.Contains("BEGIN PUBLIC KEY", Refusal(own.ExportPkcs8PrivateKeyPem()), StringComparison.Ordinal);
        Assert.Contains("Give a JWK Set", Refusal("{\"kty\":"), StringComparison.Ordinal);
        Assert.Contains("at most", Refusal(new string(' ', 30_000)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_signature_of_another_text_or_key_does_not_hold()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var read = CdsKey.ReadAll(key.ExportSubjectPublicKeyInfoPem())[0];
        var (text, other) = (Encoding.ASCII.GetBytes("a.b"), Encoding.ASCII.GetBytes("a.c"));
        var signature = key.SignData(text, HashAlgorithmName.SHA256);
        Assert.True(read.Verifies(text, signature));
        Assert.False(read.Verifies(other, signature));
        Assert.False(read.Verifies(text, signature.AsSpan(0, signature.Length - 1)));
        Assert.False(read.Verifies(text, new byte[64]));
        Assert.False(read.Verifies(text, []));
    }

    static string Refusal(string text) => Assert.Throws<FormatException>(() => CdsKey.ReadAll(text)).Message;
}
