using System.Buffers;
using System.Text.Json;
using Salus.Fhir.Definitions;
using Salus.Platform.Identity;

namespace Salus.Platform.Records;

/// <summary>What the FHIR endpoint can do, as FHIR R4 asks it to be said: of each type, what some role may do with it.</summary>
static class CapabilityStatement
{
    static readonly (string Type, string Name)[] Operations =
    [
        ("Resource", "validate"), ("Resource", "meta"), ("Patient", "everything"), ("ValueSet", "expand"), ("ValueSet", "validate-code"), ("CodeSystem", "lookup"), ("CodeSystem", "validate-code"),
    ];

    /// <summary>Bulk Data Access IG.</summary>
    static readonly (string Type, string Definition)[] Exports = [("", "export"), ("Patient", "patient-export"), ("Group", "group-export")];

    public static byte[] Write(FhirDefinitions definitions)
    {
        var output = new ArrayBufferWriter<byte>(1 << 18);
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteString("resourceType"u8, "CapabilityStatement"u8);
            json.WriteString("status"u8, "active"u8);
            json.WriteString("date"u8, "2026-11-21"u8);
            json.WriteString("kind"u8, "instance"u8);
            WriteObject(json, "software", "name", "Salus");
            WriteObject(json, "implementation", "description", "A Salus node");
            json.WriteString("fhirVersion"u8, "4.0.1"u8);
            WriteTexts(json, "format", ["application/fhir+json", "application/fhir+xml"]);
            WriteTexts(json, "patchFormat", [FhirRequest.JsonPatchType, "application/fhir+json", "application/fhir+xml"]);
            json.WriteStartArray("rest"u8);
            json.WriteStartObject();
            json.WriteString("mode"u8, "server"u8);
            json.WriteString("documentation"u8, "Reads need the patient's consent; what a caller may not see is neither counted nor gone through. Ids are given by the server."u8);
            WriteObject(json, "security", "description", "Bearer tokens from /api/token.");
            json.WriteStartArray("resource"u8);
            foreach (var type in definitions.ResourceTypes.Where(IsServed).Order(StringComparer.Ordinal))
            {
                WriteType(json, definitions, type);
            }
            json.WriteEndArray();
            WriteCodes(json, "interaction", ["transaction", "batch", "history-system"]);
            json.WriteStartArray("operation"u8);
            WriteExport(json, "");
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The audit trail has its own door, and of provenance the log tells.</summary>
    static bool IsServed(string type) => type is not ("AuditEvent" or "Provenance");

    static void WriteType(Utf8JsonWriter json, FhirDefinitions definitions, string type)
    {
        var isWritten = AccessRules.MayWrite(Role.Practitioner, type) || AccessRules.MayWrite(Role.Administrator, type);
        var parameters = definitions.SearchParametersOf(type).Where(RecordIndex.IsTaken).DistinctBy(parameter => parameter.Code).OrderBy(parameter => parameter.Code, StringComparer.Ordinal).ToList();
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        WriteCodes(json, "interaction", isWritten
            ? ["read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"]
            : ["read", "vread", "history-instance", "history-type", "search-type"]);
        json.WriteString("versioning"u8, "versioned-update"u8);
        json.WriteBoolean("readHistory"u8, true);
        json.WriteBoolean("updateCreate"u8, false);
        if (isWritten)
        {
            json.WriteBoolean("conditionalCreate"u8, true);
        }
        json.WriteString("conditionalRead"u8, "full-support"u8);
        if (isWritten)
        {
            json.WriteBoolean("conditionalUpdate"u8, true);
            json.WriteString("conditionalDelete"u8, "single"u8);
        }
        WriteTexts(json, "referencePolicy", ["literal", "local"]);
        WriteTexts(json, "searchInclude", ["*", .. parameters.Where(parameter => parameter.Type == SearchType.Reference).Select(parameter => $"{type}:{parameter.Code}")]);
        WriteTexts(json, "searchRevInclude", [.. RevIncludes(definitions, type)]);
        json.WriteStartArray("searchParam"u8);
        foreach (var parameter in parameters)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, parameter.Code);
            json.WriteString("definition"u8, parameter.Url);
            json.WriteString("type"u8, parameter.Type == SearchType.Text ? "string" : parameter.Type.ToString().ToLowerInvariant());
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("operation"u8);
        foreach (var (of, name) in Operations.Where(operation => operation.Type == type || operation.Type == "Resource"))
        {
            json.WriteStartObject();
            json.WriteString("name"u8, name);
            json.WriteString("definition"u8, $"http://hl7.org/fhir/OperationDefinition/{of}-{name}");
            json.WriteEndObject();
        }
        WriteExport(json, type);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    static void WriteExport(Utf8JsonWriter json, string type)
    {
        foreach (var (_, definition) in Exports.Where(export => export.Type == type))
        {
            json.WriteStartObject();
            json.WriteString("name"u8, "export"u8);
            json.WriteString("definition"u8, $"http://hl7.org/fhir/uv/bulkdata/OperationDefinition/{definition}");
            json.WriteEndObject();
        }
    }

    static IEnumerable<string> RevIncludes(FhirDefinitions definitions, string type) =>
        from source in definitions.ResourceTypes.Where(IsServed).Order(StringComparer.Ordinal)
        from parameter in definitions.SearchParametersOf(source)
        where parameter.Type == SearchType.Reference && parameter.Targets.Contains(type)
        select $"{source}:{parameter.Code}";

    static void WriteObject(Utf8JsonWriter json, string name, string member, string value)
    {
        json.WriteStartObject(name);
        json.WriteString(member, value);
        json.WriteEndObject();
    }

    static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        if (values.Count == 0)
        {
            return;
        }
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }
        json.WriteEndArray();
    }

    static void WriteCodes(Utf8JsonWriter json, string name, IReadOnlyList<string> codes)
    {
        json.WriteStartArray(name);
        foreach (var code in codes)
        {
            json.WriteStartObject();
            json.WriteString("code"u8, code);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
