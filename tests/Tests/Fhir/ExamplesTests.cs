using System.Text.Json;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;

namespace Salus.Tests.Fhir;

/// <summary>HL7's own examples of R4, from the package that the definitions are compiled from: npm ci --prefix engines/definitions --ignore-scripts.</summary>
public sealed class ExamplesTests(ITestOutputHelper output)
{
    const int ExampleCount = 745;
    const int DefinitionCount = 4_560;

    static readonly string[] Definitions = ["SearchParameter", "ValueSet", "CodeSystem", "StructureDefinition", "ConceptMap", "OperationDefinition"];

    /// <summary>The examples that R4's own rules forbid.</summary>
    static readonly Dictionary<string, string> Exceptions = new()
    {
        ["ActivityDefinition-blood-tubes-supply"] = "its narrative is blank, which txt-2 forbids",
        ["ActivityDefinition-heart-valve-replacement"] = "its narrative is blank, which txt-2 forbids",
        ["EventDefinition-example"] = "its narrative is blank, which txt-2 forbids",
        ["Questionnaire-zika-virus-exposure-assessment"] = "its narrative is blank, which txt-2 forbids",
        ["Bundle-10bb101f-a121-4264-a920-67be9cb82c74"] = "a fullUrl names another id than its resource has",
        ["Bundle-3a0707d3-549e-4467-b8b8-5a2ab3800efe"] = "a fullUrl names another id than its resource has",
        ["Bundle-lri-example"] = "its fullUrls name other ids than the resources have",
        ["Bundle-dataelements"] = "several entries have the same fullUrl, which bdl-7 forbids",
        ["DeviceMetric-example"] = "its parent is a DeviceDefinition, which must be a Device",
        ["DeviceUseStatement-example"] = "its reason is a Procedure, which is not among the types allowed",
        ["ImplementationGuide-fhir"] = "it lacks its name and status",
        ["MedicationRequest-medrx0301"] = "its dispensing performer is a Practitioner, which must be an Organization",
        ["Observation-clinical-gender"] = "its performer is an Encounter, which is not among the types allowed",
        ["Questionnaire-qs1"] = "its items lack the linkId",
    };

    /// <summary>The definitions that R4's own rules forbid.</summary>
    static readonly Dictionary<string, string> DefinitionExceptions = new()
    {
        ["SearchParameter-codesystem-extensions-CodeSystem-author"] = "it lacks its base",
        ["SearchParameter-codesystem-extensions-CodeSystem-effective"] = "it lacks its base",
        ["SearchParameter-codesystem-extensions-CodeSystem-end"] = "it lacks its base",
        ["SearchParameter-codesystem-extensions-CodeSystem-keyword"] = "it lacks its base",
        ["SearchParameter-codesystem-extensions-CodeSystem-workflow"] = "it lacks its base",
        ["SearchParameter-valueset-extensions-ValueSet-author"] = "it lacks its base",
        ["SearchParameter-valueset-extensions-ValueSet-effective"] = "it lacks its base",
        ["SearchParameter-valueset-extensions-ValueSet-end"] = "it lacks its base",
        ["SearchParameter-valueset-extensions-ValueSet-keyword"] = "it lacks its base",
        ["SearchParameter-valueset-extensions-ValueSet-workflow"] = "it lacks its base",
        ["SearchParameter-questionnaireresponse-extensions-QuestionnaireResponse-item-subject"] = "its id has more than 64 characters",
        ["StructureDefinition-Definition"] = "it has no base, which sdf-4 demands",
        ["StructureDefinition-Event"] = "it has no base, which sdf-4 demands",
        ["StructureDefinition-FiveWs"] = "it has no base, which sdf-4 demands",
        ["StructureDefinition-Request"] = "it has no base, which sdf-4 demands",
    };

    [Fact]
    public void Every_official_example_is_read_written_as_it_was_and_valid() => Check(isDefinition: false, ExampleCount, Exceptions);

    [Fact]
    public void Every_official_definition_is_read_written_as_it_was_and_valid() => Check(isDefinition: true, DefinitionCount, DefinitionExceptions);

    void Check(bool isDefinition, int count, Dictionary<string, string> exceptions)
    {
        var files = Files().Where(file => Definitions.Contains(Path.GetFileName(file).Split('-')[0]) == isDefinition).ToList();
        Assert.Equal(count, files.Count);
        Assert.True(exceptions.Count <= count / 50, "At most one in fifty is an exception.");
        var invalid = new List<string>();
        foreach (var file in files)
        {
            var name = Path.GetFileNameWithoutExtension(file);
            var resource = FhirText.Read(File.ReadAllBytes(file));
            AssertWrittenAsRead(name, resource);
            var errors = Validator.R4.Validate(resource, issuesMax: 3);
            if (errors.Count > 0)
            {
                invalid.Add(name);
                output.WriteLine($"{name} ({exceptions.GetValueOrDefault(name, "unexpected")}): {string.Join(" | ", errors)}");
            }
        }
        output.WriteLine($"{count - invalid.Count} of {count} are valid.");
        Assert.Equal(exceptions.Keys.Order(StringComparer.Ordinal), invalid.Order(StringComparer.Ordinal));
    }

    internal static IEnumerable<string> Files()
    {
        var folder = Path.Combine(Root(), "engines", "definitions", "node_modules", "hl7.fhir.r4.examples");
        Assert.True(Directory.Exists(folder), $"{folder} is missing. Install it first: npm ci --prefix engines/definitions --ignore-scripts");
        return Directory.GetFiles(folder, "*-*.json").Where(file => !Path.GetFileName(file).StartsWith("ig-", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
    }

    static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Salus.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run outside the repository.");
        }
        return folder;
    }

    static void AssertWrittenAsRead(string name, Resource resource)
    {
        var written = ResourceRewriter.Rewrite(resource, resource.Id ?? "1", "1", DateTimeOffset.UnixEpoch, _ => null);
        using var before = JsonDocument.Parse(resource.Utf8);
        using var after = JsonDocument.Parse(written);
        foreach (var member in before.RootElement.EnumerateObject())
        {
            if (member.Name is not ("id" or "meta"))
            {
                Assert.True(after.RootElement.TryGetProperty(member.Name, out var same) && IsSame(member.Value, same), $"{name} was changed in {member.Name}.");
            }
        }
    }

    /// <summary>Equal in names, order and values, numbers as written: 1.10 is not 1.1.</summary>
    static bool IsSame(JsonElement left, JsonElement right)
    {
        if (left.ValueKind != right.ValueKind)
        {
            return false;
        }
        return left.ValueKind switch
        {
            JsonValueKind.Object => left.EnumerateObject().SequenceEqual(right.EnumerateObject(), MemberComparer),
            JsonValueKind.Array => left.GetArrayLength() == right.GetArrayLength() && left.EnumerateArray().Zip(right.EnumerateArray()).All(pair => IsSame(pair.First, pair.Second)),
            JsonValueKind.Number => left.GetRawText() == right.GetRawText(),
            JsonValueKind.String => left.GetString() == right.GetString(),
            _ => true,
        };
    }

    static readonly EqualityComparer<JsonProperty> MemberComparer =
        EqualityComparer<JsonProperty>.Create((left, right) => left.Name == right.Name && IsSame(left.Value, right.Value), member => member.Name.GetHashCode(StringComparison.Ordinal));
}
