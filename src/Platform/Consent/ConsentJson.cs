using System.Text.Json;

namespace Salus.Platform.Consent;

/// <summary>The parts that all Consent resources of this node share.</summary>
static class ConsentJson
{
    const string GranteeSystem = "https://salus.health/fhir/grantee";

    public static string Instant(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'");

    public static void WriteConcept(Utf8JsonWriter json, string? name, string system, string code)
    {
        if (name is null)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartObject(name);
        }
        WriteCodings(json, "coding", system, [code]);
        json.WriteEndObject();
    }

    public static void WriteCodings(Utf8JsonWriter json, string name, string system, IEnumerable<string> codes)
    {
        json.WriteStartArray(name);
        foreach (var code in codes)
        {
            json.WriteStartObject();
            json.WriteString("system", system);
            json.WriteString("code", code);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    /// <summary>The one who receives, by an identifier of this node's.</summary>
    public static void WriteActor(Utf8JsonWriter json, string grantee)
    {
        json.WriteStartArray("actor");
        json.WriteStartObject();
        WriteConcept(json, "role", "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP");
        json.WriteStartObject("reference");
        json.WriteStartObject("identifier");
        json.WriteString("system", GranteeSystem);
        json.WriteString("value", grantee);
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }
}
