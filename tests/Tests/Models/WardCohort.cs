using System.Text;
using System.Text.Json.Nodes;

namespace Salus.Tests.Models;

/// <summary>Bundles of people with a stay in hospital each, after which a third are back within thirty days, and with notes of three specialties.</summary>
static class WardCohort
{
    const string ActCode = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

    public static readonly string[] Fields = ["Cardiology", "Dermatology", "Orthopaedics"];

    static readonly string[][] Words =
    [
        ["chest pain on exertion", "palpitations at night", "a murmur over the aortic valve", "the electrocardiogram shows fibrillation", "breathless on the stairs"],
        ["an itching rash on both arms", "a mole that has grown", "eczema behind the knees", "dry and scaly skin", "psoriasis of the scalp"],
        ["the knee is swollen after a fall", "a fracture of the wrist", "the shoulder cannot be raised", "pain in the hip when walking", "a torn ligament of the ankle"],
    ];

    public static bool IsBack(int index) => index % 3 == 0;

    public static IReadOnlyList<string> Bundles(int people) => [.. Enumerable.Range(0, people).Select(index => Bundle(index).ToJsonString())];

    /// <summary>A stay of a patient.</summary>
    public static JsonObject Stay(string patient, string start, string? end, string kind = "IMP")
    {
        var period = new JsonObject { ["start"] = $"{start}T09:00:00Z" };
        if (end is not null)
        {
            period["end"] = $"{end}T11:00:00Z";
        }
        return new JsonObject
        {
            ["resourceType"] = "Encounter", ["status"] = end is null ? "in-progress" : "finished", ["class"] = new JsonObject { ["system"] = ActCode, ["code"] = kind },
            ["subject"] = new JsonObject { ["reference"] = patient }, ["period"] = period,
        };
    }

    /// <summary>A note of a patient, with or without its specialty.</summary>
    public static JsonObject Note(string patient, string date, string words, string? field)
    {
        var note = new JsonObject
        {
            ["resourceType"] = "DocumentReference", ["status"] = "current", ["date"] = $"{date}T10:00:00Z", ["subject"] = new JsonObject { ["reference"] = patient },
            ["content"] = new JsonArray(new JsonObject
            {
                ["attachment"] = new JsonObject { ["contentType"] = "text/plain; charset=utf-8", ["data"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(words)) },
            }),
        };
        if (field is not null)
        {
            note["context"] = new JsonObject { ["practiceSetting"] = new JsonObject { ["text"] = field } };
        }
        return note;
    }

    /// <summary>A measurement of a patient.</summary>
    public static JsonObject Haemoglobin(string patient, string day, int value) => new()
    {
        ["resourceType"] = "Observation", ["status"] = "final", ["subject"] = new JsonObject { ["reference"] = patient }, ["effectiveDateTime"] = $"{day}T12:00:00Z",
        ["code"] = new JsonObject { ["coding"] = new JsonArray(new JsonObject { ["system"] = "http://loinc.org", ["code"] = "718-7" }) },
        ["valueQuantity"] = new JsonObject { ["value"] = value, ["unit"] = "g/dL", ["system"] = "http://unitsofmeasure.org", ["code"] = "g/dL" },
    };

    static JsonObject Bundle(int index)
    {
        var patient = $"urn:uuid:00000000-0000-4000-8000-{index:000000000000}";
        List<JsonObject> resources =
        [
            new()
            {
                ["resourceType"] = "Patient", ["gender"] = index % 2 == 0 ? "female" : "male", ["birthDate"] = $"{1940 + (index % 40)}-03-04",
                ["name"] = new JsonArray(new JsonObject { ["family"] = $"Person {index}" }),
            },
            Stay(patient, "2021-01-10", $"2021-01-{13 + (index % 4)}"), Haemoglobin(patient, "2021-01-12", IsBack(index) ? 8 + (index % 2) : 13 + (index % 3)),
            Stay(patient, "2021-06-01", "2021-06-01", "AMB"),
            Note(patient, "2021-06-01", $"{Words[index % 3][index / 3 % 5]}, seen by day {index}", Fields[index % 3]),
        ];
        if (IsBack(index))
        {
            resources.Insert(2, Stay(patient, $"2021-01-{20 + (index % 5)}", "2021-01-28"));
        }
        return new JsonObject
        {
            ["resourceType"] = "Bundle", ["type"] = "transaction",
            ["entry"] = new JsonArray([.. resources.Select((resource, place) => (JsonNode)new JsonObject
            {
                ["fullUrl"] = place == 0 ? patient : $"urn:uuid:00000000-0000-4000-9000-{index:000000}{place:000000}", ["resource"] = resource,
                ["request"] = new JsonObject { ["method"] = "POST", ["url"] = resource["resourceType"]!.GetValue<string>() },
            })]),
        };
    }
}
