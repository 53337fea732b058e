using System.Text.Json;

namespace Salus.Platform.Consent;

/// <summary>The parts that all Consent resources of this node share.</summary>
static class ConsentJson
{
    const string GranteeSystem = "https://salus.health/fhir/grantee";

    static string Instant(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'");

    /// <summary>Up to the time: what each of them begins with.</summary>
    public static void WriteHead(Utf8JsonWriter json, string id, bool active, (string System, string Code) category, string patient, DateTimeOffset time)
    {
        json.WriteString("resourceType", "Consent");
        json.WriteString("id", id);
        json.WriteString("status", active ? "active" : "inactive");
        WriteConcept(json, "scope", "http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy");
        json.WriteStartArray("category");
        WriteConcept(json, null, category.System, category.Code);
        json.WriteEndArray();
        json.WriteStartObject("patient");
        json.WriteString("reference", $"Patient/{patient}");
        json.WriteEndObject();
        json.WriteString("dateTime", Instant(time));
    }

    /// <summary>The kind of provision and its period, of a provision that is open.</summary>
    public static void WritePermit(Utf8JsonWriter json, DateTimeOffset from, DateTimeOffset until)
    {
        json.WriteString("type", "permit");
        json.WriteStartObject("period");
        json.WriteString("start", Instant(from));
        json.WriteString("end", Instant(until));
        json.WriteEndObject();
    }

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
