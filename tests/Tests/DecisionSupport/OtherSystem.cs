using System.Buffers.Text;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Salus.Tests.DecisionSupport;

/// <summary>An electronic health record elsewhere, with a key of its own.</summary>
sealed class OtherSystem(string issuer, string algorithm = "ES384") : IDisposable
{
    public const string Origin = "https://node.salus.test";
    public const string Patient = "ehr-77";
    public const string Service = "/cds-services/condition";

    readonly AsymmetricAlgorithm key = algorithm switch
    {
        "ES256" => ECDsa.Create(ECCurve.NamedCurves.nistP256),
        "ES384" => ECDsa.Create(ECCurve.NamedCurves.nistP384),
        _ => RSA.Create(2048),
    };

    public string Issuer => issuer;

    public string Pem => key.ExportSubjectPublicKeyInfoPem();

    /// <summary>The public key as a JWK Set with one key.</summary>
    public string Jwks(string id = "first") => new JsonObject { ["keys"] = new JsonArray(Jwk(id)) }.ToJsonString();

    public JsonObject Jwk(string id)
    {
        if (key is RSA rsa)
        {
            var modulus = rsa.ExportParameters(false);
            return new JsonObject { ["kty"] = "RSA", ["kid"] = id, ["alg"] = "RS384", ["n"] = Base64Url.EncodeToString(modulus.Modulus), ["e"] = Base64Url.EncodeToString(modulus.Exponent) };
        }
        var point = ((ECDsa)key).ExportParameters(false).Q;
        return new JsonObject
        {
            ["kty"] = "EC", ["kid"] = id, ["crv"] = algorithm == "ES256" ? "P-256" : "P-384", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y),
        };
    }

    /// <summary>A token as it should be, but for what is changed.</summary>
    public string Token(DateTimeOffset now, string path = Service, Action<JsonObject>? claims = null, Action<JsonObject>? header = null, Func<byte[], byte[]>? sign = null)
    {
        var head = new JsonObject { ["alg"] = algorithm, ["kid"] = "first", ["typ"] = "JWT" };
        var body = new JsonObject
        {
            ["iss"] = issuer, ["aud"] = Origin + path, ["iat"] = now.ToUnixTimeSeconds(), ["exp"] = now.AddMinutes(5).ToUnixTimeSeconds(), ["jti"] = Guid.NewGuid().ToString(),
        };
        header?.Invoke(head);
        claims?.Invoke(body);
        var signed = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(head.ToJsonString()))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(body.ToJsonString()))}";
        return $"{signed}.{Base64Url.EncodeToString((sign ?? Sign)(Encoding.ASCII.GetBytes(signed)))}";
    }

    /// <summary>The signature over a token's first two parts.</summary>
    public string SignatureOver(string signed) => Base64Url.EncodeToString(Sign(Encoding.ASCII.GetBytes(signed)));

    byte[] Sign(byte[] data) => key is RSA rsa
        ? rsa.SignData(data, HashAlgorithmName.SHA384, RSASignaturePadding.Pkcs1)
        : ((ECDsa)key).SignData(data, algorithm == "ES256" ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA384);

    /// <summary>A call of a racing, feverish patient.</summary>
    public static JsonObject Call(string patient = Patient)
    {
        var subject = new JsonObject { ["reference"] = $"Patient/{patient}" };
        JsonObject Measured(string code, double value, string unit) => new()
        {
            ["resourceType"] = "Observation", ["id"] = $"o-{code}", ["status"] = "final", ["subject"] = subject.DeepClone(),
            ["encounter"] = new JsonObject { ["reference"] = "https://ehr.example.org/fhir/Encounter/visit" },
            ["code"] = new JsonObject { ["coding"] = new JsonArray(new JsonObject { ["system"] = "http://loinc.org", ["code"] = code }) },
            ["valueQuantity"] = new JsonObject { ["value"] = value, ["unit"] = unit, ["system"] = "http://unitsofmeasure.org", ["code"] = unit },
        };
        static JsonObject Bundle(params JsonObject[] resources) => new()
        {
            ["resourceType"] = "Bundle", ["type"] = "searchset", ["entry"] = new JsonArray([.. resources.Select(resource => new JsonObject { ["resource"] = resource })]),
        };
        return new JsonObject
        {
            ["hook"] = "patient-view", ["hookInstance"] = Guid.NewGuid().ToString(), ["fhirServer"] = "https://ehr.example.org/fhir",
            ["fhirAuthorization"] = new JsonObject { ["access_token"] = "of-the-other-side" },
            ["context"] = new JsonObject { ["userId"] = "Practitioner/p9", ["patientId"] = patient, ["encounterId"] = "visit" },
            ["prefetch"] = new JsonObject
            {
                ["patient"] = new JsonObject { ["resourceType"] = "Patient", ["id"] = patient, ["gender"] = "female", ["birthDate"] = "1951-02-03" },
                ["encounters"] = Bundle(new JsonObject
                {
                    ["resourceType"] = "Encounter", ["id"] = "visit", ["status"] = "in-progress", ["subject"] = subject.DeepClone(),
                    ["class"] = new JsonObject { ["system"] = "http://terminology.hl7.org/CodeSystem/v3-ActCode", ["code"] = "AMB" },
                    ["period"] = new JsonObject { ["start"] = "2026-03-01T09:00:00Z" },
                }),
                ["observations"] = Bundle(Measured("8867-4", 134, "/min"), Measured("8310-5", 39.6, "Cel"), Measured("9279-1", 29, "/min"), Measured("59408-5", 87, "%")),
            },
        };
    }

    /// <summary>A request with a token and a body, either of which may be missing.</summary>
    public static HttpRequestMessage Request(HttpMethod method, string path, string? token, JsonNode? body = null)
    {
        var request = new HttpRequestMessage(method, path);
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
        if (body is not null)
        {
            request.Content = new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json"));
        }
        return request;
    }

    public static async Task<JsonElement> JsonAsync(HttpResponseMessage response) =>
        JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

    public void Dispose() => key.Dispose();
}
