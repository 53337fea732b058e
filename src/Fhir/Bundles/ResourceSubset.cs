using System.Buffers;
using System.Text.Json;
using Salus.Fhir.Definitions;
using Salus.Fhir.Search;

namespace Salus.Fhir.Bundles;

/// <summary>Parts of resources, marked as such (R4 sections 3.1.1.5.8 and 3.1.1.5.9).</summary>
public static class ResourceSubset
{
    const string TagSystem = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
    const string TagCode = "SUBSETTED";

    /// <summary>The part of a stored resource that is asked for; itself when that is all of it.</summary>
    /// <param name="utf8">The stored bytes.</param>
    /// <param name="summary">Which part.</param>
    /// <param name="elements">Only these elements besides the mandatory ones; empty for all.</param>
    public static ReadOnlyMemory<byte> Of(ReadOnlyMemory<byte> utf8, SummaryMode summary, IReadOnlyList<string> elements)
    {
        if (utf8.IsEmpty || (elements.Count == 0 && summary is SummaryMode.False or SummaryMode.Count))
        {
            return utf8;
        }
        using var document = JsonDocument.Parse(utf8);
        var root = document.RootElement;
        var type = FhirDefinitions.R4.Type(root.GetProperty("resourceType").GetString()!)!;
        var output = new ArrayBufferWriter<byte>(utf8.Length + 128);
        using (var json = new Utf8JsonWriter(output, BundleWriter.WriterOptions))
        {
            json.WriteStartObject();
            foreach (var property in root.EnumerateObject())
            {
                if (property.NameEquals("meta"u8))
                {
                    WriteMeta(json, property.Value);
                }
                else if (Keeps(type, property.Name, summary, elements))
                {
                    property.WriteTo(json);
                }
            }
            json.WriteEndObject();
        }
        return output.WrittenMemory;
    }

    static bool Keeps(TypeDefinition type, string name, SummaryMode summary, IReadOnlyList<string> elements)
    {
        if (name is "resourceType" or "id")
        {
            return true;
        }
        var own = name.TrimStart('_');
        var element = type.Elements.FirstOrDefault(element => element.IsChoice
            ? own.StartsWith(element.Name, StringComparison.Ordinal) && own.Length > element.Name.Length && char.IsAsciiLetterUpper(own[element.Name.Length])
            : own == element.Name);
        return element is not null && (element.Min > 0 || (elements.Count > 0
            ? elements.Contains(element.Name)
            : summary switch
            {
                SummaryMode.True => element.IsSummary,
                SummaryMode.Text => element.Name == "text",
                SummaryMode.Data => element.Name != "text",
                _ => true,
            }));
    }

    static void WriteMeta(Utf8JsonWriter json, JsonElement meta)
    {
        json.WriteStartObject("meta"u8);
        foreach (var property in meta.EnumerateObject().Where(property => property.Name != "tag"))
        {
            property.WriteTo(json);
        }
        json.WriteStartArray("tag"u8);
        if (meta.TryGetProperty("tag"u8, out var tags))
        {
            foreach (var tag in tags.EnumerateArray())
            {
                tag.WriteTo(json);
            }
        }
        json.WriteStartObject();
        json.WriteString("system"u8, TagSystem);
        json.WriteString("code"u8, TagCode);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
