using System.Globalization;
using System.Text.Json.Nodes;
using Salus.Learning;

namespace Salus.Tests.Learning;

/// <summary>Bundles of people, a third of whom come to have diabetes in June 2021; drawn by a seed.</summary>
static class FhirCohort
{
    public const string Diagnosed = "2021-06-15";

    /// <summary>A transaction bundle for each of so many people. What was measured on the day of the diagnosis or later gives it away.</summary>
    public static IReadOnlyList<string> Bundles(int people, ulong seed = 5)
    {
        var draw = new SeededGenerator(seed);
        return [.. Enumerable.Range(0, people).Select(index => Bundle(index, draw))];
    }

    public static bool IsIll(int index) => index % 3 == 0;

    static string Bundle(int index, SeededGenerator draw)
    {
        var ill = IsIll(index);
        var patient = $"urn:uuid:00000000-0000-4000-8000-{index:000000000000}";
        var entries = new JsonArray();
        void Add(JsonObject resource, string? address = null) => entries.Add(new JsonObject
        {
            ["fullUrl"] = address ?? $"urn:uuid:00000000-0000-4000-9000-{index:000000}{entries.Count:000000}",
            ["resource"] = resource,
            ["request"] = new JsonObject { ["method"] = "POST", ["url"] = resource["resourceType"]!.GetValue<string>() },
        });
        Add(new JsonObject
        {
            ["resourceType"] = "Patient", ["id"] = $"p{index}", ["gender"] = index % 2 == 0 ? "female" : "male", ["birthDate"] = $"{1940 + (index % 40)}-03-04",
            ["name"] = new JsonArray(new JsonObject { ["family"] = $"Person {index}" }),
        }, patient);
        foreach (var day in (string[])["2020-01-10", $"2020-09-{1 + (index % 28):00}", $"2021-03-{1 + (index % 28):00}"])
        {
            Add(Visit(patient, day));
            Add(Measured(patient, "2339-0", 98 + (18 * Normal(draw)) + (ill ? 22 : 0), "mg/dL", day));
            Add(Measured(patient, "39156-5", 26 + (4 * Normal(draw)) + (ill ? 2 : 0), "kg/m2", day));
            Add(Measured(patient, "8480-6", 128 + (14 * Normal(draw)), "mm[Hg]", day));
        }
        if (ill)
        {
            Add(new JsonObject
            {
                ["resourceType"] = "Condition", ["subject"] = Reference(patient), ["onsetDateTime"] = Diagnosed,
                ["clinicalStatus"] = Concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"), ["code"] = Concept("http://snomed.info/sct", "44054006"),
            });
        }
        foreach (var day in (string[])["2021-06-01", Diagnosed, "2021-08-01"])
        {
            Add(Visit(patient, day));
            Add(Measured(patient, "2339-0", ill ? 400 : 98 + (18 * Normal(draw)), "mg/dL", day));
        }
        return new JsonObject { ["resourceType"] = "Bundle", ["type"] = "transaction", ["entry"] = entries }.ToJsonString();
    }

    // The sum of twelve uniform draws is near enough to a normal one.
    static double Normal(SeededGenerator draw) => Enumerable.Range(0, 12).Sum(_ => draw.NextDouble()) - 6;

    static JsonObject Visit(string patient, string day) => new()
    {
        ["resourceType"] = "Encounter", ["status"] = "finished", ["class"] = new JsonObject { ["system"] = "http://terminology.hl7.org/CodeSystem/v3-ActCode", ["code"] = "AMB" },
        ["subject"] = Reference(patient), ["period"] = new JsonObject { ["start"] = $"{day}T09:00:00Z", ["end"] = $"{day}T09:20:00Z" },
    };

    static JsonObject Measured(string patient, string code, double value, string unit, string day) => new()
    {
        ["resourceType"] = "Observation", ["status"] = "final", ["code"] = Concept("http://loinc.org", code), ["subject"] = Reference(patient), ["effectiveDateTime"] = $"{day}T09:05:00Z",
        ["valueQuantity"] = new JsonObject
        {
            ["value"] = decimal.Parse(value.ToString("0.0", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture), ["unit"] = unit, ["system"] = "http://unitsofmeasure.org", ["code"] = unit,
        },
    };

    static JsonObject Reference(string address) => new() { ["reference"] = address };

    static JsonObject Concept(string system, string code) => new() { ["coding"] = new JsonArray(new JsonObject { ["system"] = system, ["code"] = code }) };
}
