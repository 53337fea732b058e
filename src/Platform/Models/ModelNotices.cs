using System.Text.Json;
using System.Text.Json.Nodes;
using Salus.Learning.Models;
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
    const string Release = "release";
    const string Withdrawal = "withdrawal";

    public static byte[] Write(ModelRelease release) => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
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
        ["agent"] = new JsonArray(new JsonObject
        {
            ["who"] = new JsonObject { ["identifier"] = new JsonObject { ["system"] = AccountSystem, ["value"] = release.By.ToString() } },
        }),
    });

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
            json.GetProperty("reason")[0].GetProperty("text").GetString()!);
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
