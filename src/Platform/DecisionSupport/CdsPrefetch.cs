using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text.Json;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;
using Salus.Learning.Recipes;
using Salus.Platform.Models;
using Salus.Platform.Records;

namespace Salus.Platform.DecisionSupport;

/// <summary>One search that a service asks to be sent along.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Type">The type of its resources.</param>
/// <param name="Query">The search.</param>
/// <param name="IsNeeded">Whether nothing is judged without.</param>
sealed record CdsTemplate(string Key, string Type, string Query, bool IsNeeded);

/// <summary>What a service asks to be sent along, and what comes of it: resources of the one patient that the call is about, each held to FHIR R4.</summary>
static class CdsPrefetch
{
    const int PreconditionFailed = 412;
    const int ResourcesMax = 5_000;
    const string PatientKey = "patient";

    const string Panel = "85354-9";

    static readonly string[] PanelParts = ["8480-6", "8462-4"];
    static readonly CdsTemplate Person = new(PatientKey, "Patient", "Patient/{{context.patientId}}", true);

    static readonly IReadOnlyList<CdsTemplate> OfVisits =
    [
        Person,
        new("encounters", "Encounter", "Encounter?patient={{context.patientId}}&_sort=-date&_count=50", true),
        new("observations", "Observation", Observations(EncounterReader.Codes), true),
        new("conditions", "Condition", "Condition?patient={{context.patientId}}&_count=100", false),
        new("documents", "DocumentReference", "DocumentReference?patient={{context.patientId}}&_count=50", false),
    ];

    static readonly ConcurrentDictionary<string, IReadOnlyList<CdsTemplate>> Known = new(StringComparer.Ordinal);

    /// <summary>What a recipe's service asks for. Of one that makes rows by views everything is needed: what was not sent would look as if it were not there.</summary>
    public static IReadOnlyList<CdsTemplate> Of(Recipe recipe) => recipe.Encounters ? OfVisits : Known.GetOrAdd(recipe.Name, _ => [.. new RecordViews(recipe).Types.Select(type => type switch
    {
        "Patient" => Person,
        "Encounter" => new CdsTemplate("encounters", type, "Encounter?patient={{context.patientId}}&_sort=-date&_count=500", true),
        "Observation" => new CdsTemplate("observations", type, Observations([.. Codes(recipe)]), true),
        "Condition" => new CdsTemplate("conditions", type, "Condition?patient={{context.patientId}}&_count=500", true),
        "DocumentReference" => new CdsTemplate("documents", type, "DocumentReference?patient={{context.patientId}}&_sort=-date&_count=50", true),
        _ => throw new InvalidDataException($"The recipe {recipe.Name} reads {type}, which nobody is asked to send."),
    })]);

    static string Observations(IReadOnlyList<string> codes) => $"Observation?patient={{{{context.patientId}}}}&code={string.Join(',', codes.Select(code => $"http://loinc.org|{code}"))}&_sort=-date&_count=500";

    // Pressures stand in a panel as a rule, which a search finds by its own code.
    static IEnumerable<string> Codes(Recipe recipe)
    {
        var codes = recipe.Records!.Features.Where(feature => feature.From == "measures" && feature.Where.ContainsKey("code")).SelectMany(feature => feature.Where["code"]).Distinct(StringComparer.Ordinal).ToList();
        return codes.Intersect(PanelParts, StringComparer.Ordinal).Any() ? codes.Prepend(Panel) : codes;
    }

    /// <summary>The keys that nothing is judged without and that a call lacks; a fault where there are any.</summary>
    public static CdsFault? Missing(Recipe recipe, CdsRequest request) =>
        Of(recipe).Where(template => template.IsNeeded && !IsSent(request, template.Key)).Select(template => template.Key).ToList() is { Count: > 0 } missing
            ? new CdsFault(PreconditionFailed, string.Join(", ", missing.Select(key => $"prefetch.{key}")), "Send these prefetched: nothing is fetched from the caller's server.")
            : null;

    /// <summary>The keys that were asked for and not sent.</summary>
    public static IReadOnlyList<string> NotSent(Recipe recipe, CdsRequest request) => [.. Of(recipe).Select(template => template.Key).Where(key => !IsSent(request, key))];

    /// <summary>A fault where diagnoses were sent that are not all: who has one on the next page would look as if they had none.</summary>
    static CdsFault? Cut(Recipe recipe, Resource root, string place)
    {
        if (recipe.Encounters || place != "prefetch.conditions")
        {
            return null;
        }
        foreach (var link in root["link"].Items)
        {
            if (link["relation"].Is("next"u8))
            {
                return new CdsFault(PreconditionFailed, place, "There is a next page. Send all conditions in one Bundle.");
            }
        }
        return null;
    }

    static bool IsSent(CdsRequest request, string key) => request.Prefetch.TryGetValue(key, out var sent) && sent.ValueKind == JsonValueKind.Object;

    /// <summary>The resources that were sent, or the first thing that is wrong with them.</summary>
    public static (IReadOnlyList<StoredRecord> Records, CdsFault? Fault) Read(Recipe recipe, CdsRequest request, Validator validator, DateTimeOffset now)
    {
        List<StoredRecord> records = [];
        foreach (var (key, type, _, _) in Of(recipe))
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
            if ((Cut(recipe, root, place) ?? Fault(validator, root, place)) is { } fault)
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
