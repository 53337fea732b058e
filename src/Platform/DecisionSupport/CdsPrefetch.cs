using System.Runtime.InteropServices;
using System.Text.Json;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;
using Salus.Platform.Models;
using Salus.Platform.Records;

namespace Salus.Platform.DecisionSupport;

/// <summary>What a service asks to be sent along, and what comes of it: resources of the one patient that the call is about, each held to FHIR R4.</summary>
static class CdsPrefetch
{
    const int PreconditionFailed = 412;
    const int ResourcesMax = 5_000;
    const string PatientKey = "patient";

    /// <summary>By key: the type, the search that fetches it, and whether nothing is judged without.</summary>
    public static IReadOnlyList<(string Key, string Type, string Query, bool IsNeeded)> Templates { get; } =
    [
        (PatientKey, "Patient", "Patient/{{context.patientId}}", true),
        ("encounters", "Encounter", "Encounter?patient={{context.patientId}}&_sort=-date&_count=50", true),
        ("observations", "Observation", $"Observation?patient={{{{context.patientId}}}}&code={string.Join(',', EncounterReader.Codes.Select(code => $"http://loinc.org|{code}"))}&_sort=-date&_count=200", true),
        ("conditions", "Condition", "Condition?patient={{context.patientId}}&_count=100", false),
        ("documents", "DocumentReference", "DocumentReference?patient={{context.patientId}}&_count=50", false),
    ];

    /// <summary>The keys that nothing is judged without and that a call lacks; a fault where there are any.</summary>
    public static CdsFault? Missing(CdsRequest request) =>
        Templates.Where(template => template.IsNeeded && !(request.Prefetch.TryGetValue(template.Key, out var sent) && sent.ValueKind == JsonValueKind.Object))
            .Select(template => template.Key).ToList() is { Count: > 0 } missing
            ? new CdsFault(PreconditionFailed, string.Join(", ", missing.Select(key => $"prefetch.{key}")), "Send these prefetched: nothing is fetched from the caller's server.")
            : null;

    /// <summary>The keys that were asked for and not sent.</summary>
    public static IReadOnlyList<string> NotSent(CdsRequest request) =>
        [.. Templates.Select(template => template.Key).Where(key => !(request.Prefetch.TryGetValue(key, out var sent) && sent.ValueKind == JsonValueKind.Object))];

    /// <summary>The resources that were sent, or the first thing that is wrong with them.</summary>
    public static (IReadOnlyList<StoredRecord> Records, CdsFault? Fault) Read(CdsRequest request, Validator validator, DateTimeOffset now)
    {
        List<StoredRecord> records = [];
        foreach (var (key, type, _, _) in Templates)
        {
            if (!request.Prefetch.TryGetValue(key, out var sent) || sent.ValueKind != JsonValueKind.Object)
            {
                continue;
            }
            var place = $"prefetch.{key}";
            if (FhirJson.Read(JsonMarshal.GetRawUtf8Value(sent).ToArray()) is not FhirReadOutcome.Ok { Resource: var root })
            {
                return ([], CdsFault.Bent(place, "This is no FHIR R4 resource."));
            }
            if (Fault(validator, root, place) is { } fault)
            {
                return ([], fault);
            }
            foreach (var (resource, at) in Resources(root, place))
            {
                if (resource.ResourceType != type)
                {
                    return ([], CdsFault.Bent(at, $"This is a {resource.ResourceType}; {key} holds resources of type {type}."));
                }
                if (Stranger(resource, request, at) is { } stranger)
                {
                    return ([], stranger);
                }
                if (records.Count == ResourcesMax)
                {
                    return ([], CdsFault.Bent(at, $"At most {ResourcesMax} resources are looked at. Send the newest."));
                }
                records.Add(new StoredRecord(type, resource.Id ?? "", 1, now, request.Patient, resource.Utf8.ToArray()));
            }
        }
        return (records, null);
    }

    /// <summary>The resource itself; of a Bundle its entries, but for what a server says of the search.</summary>
    static IEnumerable<(Resource Resource, string Place)> Resources(Resource root, string place)
    {
        if (root.ResourceType != "Bundle")
        {
            yield return (root, place);
            yield break;
        }
        var number = 0;
        foreach (var entry in root["entry"].Items)
        {
            if (!entry["search"]["mode"].Is("outcome"u8) && Resource.From(entry["resource"]) is { } resource)
            {
                yield return (resource, $"{place}.entry[{number}].resource");
            }
            number++;
        }
    }

    static CdsFault? Fault(Validator validator, Resource resource, string place)
    {
        foreach (var issue in validator.Validate(resource))
        {
            if (issue.Severity is IssueSeverity.Error or IssueSeverity.Fatal)
            {
                return CdsFault.Bent($"{place}: {issue.Expression}", issue.Message);
            }
        }
        return null;
    }

    /// <summary>A fault where a resource is not about the patient of the call.</summary>
    static CdsFault? Stranger(Resource resource, CdsRequest request, string place)
    {
        if (resource.ResourceType == "Patient")
        {
            return resource.Id == request.Patient ? null : CdsFault.Bent($"{place}.id", "This is another patient than context.patientId.");
        }
        var about = resource["subject"]["reference"].Text;
        var asked = $"Patient/{request.Patient}";
        return about == asked || (request.FhirServer is { } server && about == $"{server}/{asked}")
            ? null
            : CdsFault.Bent($"{place}.subject", "This is not said to be about the patient of context.patientId.");
    }
}
