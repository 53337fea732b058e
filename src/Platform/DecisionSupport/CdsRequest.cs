using System.Text.Json;
using System.Text.RegularExpressions;
using Salus.Learning.Recipes;

namespace Salus.Platform.DecisionSupport;

/// <summary>Why a call is not answered.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Place">Where in the request, such as <c>context.patientId</c>; empty where it is not in it.</param>
/// <param name="Reason">What is wrong, and what would be right.</param>
sealed record CdsFault(int Status, string Place, string Reason)
{
    const int BadRequest = 400;

    public static CdsFault Bent(string place, string reason) => new(BadRequest, place, reason);
}

/// <summary>A call of a service (CDS Hooks 2.0, patient-view and encounter-discharge). Access tokens and addresses that come with it are not looked at.</summary>
/// <param name="HookInstance">The call's own name.</param>
/// <param name="User">Who opened the record or discharges there, such as <c>Practitioner/7</c>.</param>
/// <param name="Patient">The patient's logical id.</param>
/// <param name="Encounter">The encounter's; null for the newest. Of a discharge always the one that ends.</param>
/// <param name="FhirServer">The base address of references; null where it was not given.</param>
/// <param name="Prefetch">What was sent along, by its key.</param>
sealed partial record CdsRequest(Guid HookInstance, string User, string Patient, string? Encounter, string? FhirServer, IReadOnlyDictionary<string, JsonElement> Prefetch)
{
    const int MembersMax = 50;

    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    /// <summary>Reads a text as JSON, or says where it is none.</summary>
    public static (JsonDocument? Json, CdsFault? Fault) Parse(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            var json = JsonDocument.Parse(utf8, Strict);
            return json.RootElement.ValueKind == JsonValueKind.Object ? (json, null) : (null, CdsFault.Bent("", "Send a JSON object."));
        }
        catch (JsonException broken)
        {
            return (null, CdsFault.Bent($"line {broken.LineNumber + 1}, byte {broken.BytePositionInLine + 1}", "The JSON is not well formed, or names a member twice."));
        }
    }

    /// <summary>A hook's name.</summary>
    public static string NameOf(AdviceHook hook) => hook switch
    {
        AdviceHook.PatientView => "patient-view",
        AdviceHook.EncounterDischarge => "encounter-discharge",
        _ => throw new InvalidOperationException("Every hook has its name."),
    };

    /// <summary>Reads a call of a service of that hook, or says what is wrong with it.</summary>
    public static (CdsRequest? Request, CdsFault? Fault) Read(JsonElement json, AdviceHook hook)
    {
        if (Word(json, "hook") != NameOf(hook))
        {
            return (null, CdsFault.Bent("hook", $"This service answers the hook {NameOf(hook)}."));
        }
        if (!Guid.TryParseExact(Word(json, "hookInstance"), "D", out var instance))
        {
            return (null, CdsFault.Bent("hookInstance", "Give each call a UUID of its own."));
        }
        if (!json.TryGetProperty("context", out var context) || context.ValueKind != JsonValueKind.Object)
        {
            return (null, CdsFault.Bent("context", $"Give an object with userId{(hook == AdviceHook.EncounterDischarge ? ", patientId and encounterId" : " and patientId")}."));
        }
        if (Word(context, "userId") is not { } user || !UserForm().IsMatch(user))
        {
            return (null, CdsFault.Bent("context.userId", "Give who opened the record, such as Practitioner/7."));
        }
        if (Word(context, "patientId") is not { } patient || !IdForm().IsMatch(patient))
        {
            return (null, CdsFault.Bent("context.patientId", "Give the patient's logical id: up to 64 letters, digits, '-' and '.'."));
        }
        var encounter = Word(context, "encounterId");
        if (encounter is null && hook == AdviceHook.EncounterDischarge)
        {
            return (null, CdsFault.Bent("context.encounterId", "Give the logical id of the encounter that ends."));
        }
        if (context.TryGetProperty("encounterId", out var given) && given.ValueKind != JsonValueKind.Null && (encounter is null || !IdForm().IsMatch(encounter)))
        {
            return (null, CdsFault.Bent("context.encounterId", "Give the encounter's logical id, or leave it out."));
        }
        if (json.TryGetProperty("fhirServer", out var server) && (server.ValueKind != JsonValueKind.String || !Uri.TryCreate(server.GetString(), UriKind.Absolute, out _)))
        {
            return (null, CdsFault.Bent("fhirServer", "Give the base address of your FHIR server, or leave it out: it is not asked."));
        }
        var hasPrefetch = json.TryGetProperty("prefetch", out var prefetch) && prefetch.ValueKind != JsonValueKind.Null;
        if (hasPrefetch && (prefetch.ValueKind != JsonValueKind.Object || prefetch.GetPropertyCount() > MembersMax))
        {
            return (null, CdsFault.Bent("prefetch", "Give an object with the keys that GET /cds-services names."));
        }
        return (new CdsRequest(instance, user, patient, encounter, Word(json, "fhirServer")?.TrimEnd('/'),
            hasPrefetch ? prefetch.EnumerateObject().ToDictionary(member => member.Name, member => member.Value, StringComparer.Ordinal) : []), null);
    }

    static string? Word(JsonElement json, string name) => json.TryGetProperty(name, out var word) && word.ValueKind == JsonValueKind.String ? word.GetString() : null;

    [GeneratedRegex(@"\A(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9\-.]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex UserForm();

    [GeneratedRegex(@"\A[A-Za-z0-9\-.]{1,64}\z", RegexOptions.CultureInvariant)]
    private static partial Regex IdForm();
}
