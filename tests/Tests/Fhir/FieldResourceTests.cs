using System.Text.Json;
using System.Text.Json.Nodes;
using Salus.Fhir.Bundles;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Fhir.Validation;

namespace Salus.Tests.Fhir;

[Trait("Data", "field")]
public sealed class FieldResourceTests(ITestOutputHelper output)
{
    const int BundleCount = 40;
    const int ResourceCount = 8_135;

    static readonly string[] OutsideCompartment = ["Organization", "Practitioner", "Medication"];

    [Fact]
    public void Every_synthetic_record_is_read_valid_indexed_rewritten_and_its_patients()
    {
        var count = 0;
        foreach (var file in FieldData.Files("synthea-r4", "*.json", BundleCount))
        {
            var bundle = FhirText.Read(File.ReadAllBytes(file));
            Assert.Empty(Validator.R4.Validate(bundle));
            var entries = Assert.IsType<BundleOutcome.Ok>(BundleReader.Read(bundle)).Entries;
            var stored = entries.Select((entry, position) => (entry, position))
                .ToDictionary(pair => pair.entry.FullUrl!, pair => $"{pair.entry.Resource!.ResourceType}/n{pair.position}");
            var patient = stored.Values.Single(name => name.StartsWith("Patient/", StringComparison.Ordinal))[8..];
            foreach (var entry in entries)
            {
                Check(entry.Resource!, stored[entry.FullUrl!], BundleReferences.Mapper(stored), patient);
                count++;
            }
        }
        Assert.Equal(ResourceCount, count);
    }

    static void Check(Resource original, string name, Func<string, string?> map, string patient)
    {
        var id = name[(name.IndexOf('/') + 1)..];
        var rewritten = ResourceRewriter.Rewrite(original, id, "1", DateTimeOffset.UnixEpoch, map);
        var resource = FhirText.Read(rewritten);
        Assert.Empty(Validator.R4.Validate(resource));
        Assert.Equal((id, "1"), (resource.Id, resource.VersionId));
        Assert.DoesNotContain(ResourceRewriter.References(resource), reference => reference.StartsWith("urn:uuid:", StringComparison.Ordinal));
        Assert.NotEmpty(SearchIndexer.R4.Extract(resource));
        Assert.Equal(OutsideCompartment.Contains(resource.ResourceType) ? null : patient, PatientCompartment.PatientOf(resource));
        Assert.True(JsonNode.DeepEquals(Expected(original, id, map), JsonNode.Parse(rewritten)), $"{name} was changed in more than its id, version and references.");
    }

    /// <summary>The same change made by another road: on a JSON object model.</summary>
    static JsonObject Expected(Resource original, string id, Func<string, string?> map)
    {
        var json = JsonNode.Parse(original.Utf8.Span)!.AsObject();
        MapStrings(json, map);
        json["id"] = id;
        var meta = json["meta"]?.AsObject() ?? [];
        meta["versionId"] = "1";
        meta["lastUpdated"] = "1970-01-01T00:00:00.000Z";
        json["meta"] = meta;
        return json;
    }

    static void MapStrings(JsonNode node, Func<string, string?> map)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array.OfType<JsonNode>())
            {
                MapStrings(item, map);
            }
        }
        else if (node is JsonObject members)
        {
            foreach (var (name, value) in members.ToList())
            {
                if (name == "reference" && value is JsonValue && map(value.GetValue<string>()) is { } mapped)
                {
                    members[name] = mapped;
                }
                else if (value is not null)
                {
                    MapStrings(value, map);
                }
            }
        }
    }

    [Fact]
    public void Every_example_of_the_FHIRPath_suite_is_read_validated_and_indexed()
    {
        foreach (var file in FieldData.Files(Path.Combine("fhirpath", "input"), "*.json", 30))
        {
            var utf8 = File.ReadAllBytes(file);
            using var json = JsonDocument.Parse(utf8);
            var isResource = json.RootElement.TryGetProperty("resourceType", out _);
            var outcome = FhirJson.Read(utf8);
            Assert.True(outcome is FhirReadOutcome.Ok == isResource, Path.GetFileName(file));
            if (outcome is FhirReadOutcome.Ok { Resource: var resource })
            {
                var issues = Validator.R4.Validate(resource);
                output.WriteLine($"{Path.GetFileName(file)}: {issues.Count} issues, {SearchIndexer.R4.Extract(resource).Count} values. {string.Join(" | ", issues.Take(2))}");
            }
        }
    }
}
