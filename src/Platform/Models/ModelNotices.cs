using System.Text.Json;
using System.Text.Json.Nodes;
using Salus.Learning.Models;
using Salus.Platform.Identity.Passkeys;
using Salus.Platform.Records;

namespace Salus.Platform.Models;

/// <summary>Provenance (FHIR R4) of a release or a withdrawal, Basic of how a model fares, and back.</summary>
static class ModelNotices
{
    public const string ReleaseType = "Provenance";
    public const string WatchType = "Basic";

    const string EventSystem = "https://salus.health/fhir/model-event";
    const string HashSystem = "https://salus.health/fhir/model-hash";
    const string AccountSystem = "https://salus.health/fhir/account";
    const string WatchUrl = "https://salus.health/fhir/StructureDefinition/model-watch";
    const string AuthorsSignature = "1.2.840.10065.1.12.1.1";
    const string Release = "release";
    const string Withdrawal = "withdrawal";

    public static byte[] Write(ModelRelease release)
    {
        var json = Json(release);
        if (release.Signature is { } signed)
        {
            json["signature"] = new JsonArray(new JsonObject
            {
                ["type"] = new JsonArray(new JsonObject { ["system"] = "urn:iso-astm:E1762-95:2013", ["code"] = AuthorsSignature }),
                ["when"] = Instant(release.Time),
                ["who"] = Account(release.By),
                ["sigFormat"] = "application/json",
                ["data"] = Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(signed, JsonSerializerOptions.Web)),
            });
        }
        return JsonSerializer.SerializeToUtf8Bytes(json);
    }

    static JsonObject Json(ModelRelease release) => new()
    {
        ["resourceType"] = ReleaseType,
        ["target"] = new JsonArray(new JsonObject
        {
            ["reference"] = $"Library/{release.Model}",
            ["identifier"] = new JsonObject { ["system"] = HashSystem, ["value"] = release.Hash },
        }),
        ["recorded"] = Instant(release.Time),
        ["reason"] = new JsonArray(new JsonObject { ["text"] = release.Statement }),
        ["activity"] = Concept(release.IsWithdrawal ? Withdrawal : Release),
        ["agent"] = new JsonArray(new JsonObject { ["who"] = Account(release.By) }),
    };

    static JsonObject Account(Guid account) => new() { ["identifier"] = new JsonObject { ["system"] = AccountSystem, ["value"] = account.ToString() } };

    public static ModelRelease ReadRelease(byte[] provenance, string id)
    {
        var json = JsonElement.Parse(provenance);
        var target = json.GetProperty("target")[0];
        return new ModelRelease(
            id,
            target.GetProperty("reference").GetString()!["Library/".Length..],
            target.GetProperty("identifier").GetProperty("value").GetString()!,
            json.GetProperty("activity").GetProperty("coding")[0].GetProperty("code").GetString() == Withdrawal,
            json.GetProperty("agent")[0].GetProperty("who").GetProperty("identifier").GetProperty("value").GetGuid(),
            json.GetProperty("recorded").GetDateTimeOffset(),
            json.GetProperty("reason")[0].GetProperty("text").GetString()!)
        {
            Signature = json.TryGetProperty("signature", out var signature)
                ? JsonSerializer.Deserialize<SignedStatement>(signature[0].GetProperty("data").GetBytesFromBase64(), JsonSerializerOptions.Web)
                : null,
        };
    }

    public static byte[] Write(ModelWatch watch) => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["resourceType"] = WatchType,
        ["code"] = Concept("watch"),
        ["created"] = watch.Time.UtcDateTime.ToString("yyyy-MM-dd"),
        ["extension"] = new JsonArray(new JsonObject { ["url"] = WatchUrl, ["valueString"] = JsonSerializer.Serialize(watch, CardJson.Options) }),
    });

    public static ModelWatch ReadWatch(byte[] basic) =>
        JsonSerializer.Deserialize<ModelWatch>(JsonElement.Parse(basic).GetProperty("extension")[0].GetProperty("valueString").GetString()!, CardJson.Options)!;

    static JsonObject Concept(string code) => new() { ["coding"] = new JsonArray(new JsonObject { ["system"] = EventSystem, ["code"] = code }) };

    static string Instant(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'");
}
