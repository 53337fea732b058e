using System.Globalization;
using System.Text;
using System.Text.Json;
using Salus.Learning.Models;
using Salus.Platform.Records;

namespace Salus.Platform.Models;

/// <summary>One encounter as a model sees it.</summary>
/// <param name="Id">The logical id of the Encounter.</param>
/// <param name="Start">When it began, where known.</param>
/// <param name="Features">What was measured and written.</param>
/// <param name="IsAbnormal">The doctor's recorded assessment; null where there is none, or it says not yet known.</param>
/// <param name="Basis">The records that it was read from, such as <c>Observation/…</c>.</param>
public sealed record ReadEncounter(string Id, DateTimeOffset? Start, EncounterFeatures Features, bool? IsAbnormal, IReadOnlyList<string> Basis)
{
    /// <summary>When the encounter itself was written.</summary>
    public required DateTimeOffset Written { get; init; }

    /// <summary>When its assessment was first written; null where there is none, or it was changed since.</summary>
    public DateTimeOffset? Assessed { get; init; }

    /// <summary>Whether anything was measured or written; age and sex alone are no ground to judge on.</summary>
    public bool HasContent => Features with { AgeYears = null, Sex = null } != new EncounterFeatures();
}

/// <summary>Reads encounters from a patient's FHIR R4 records: vital signs by LOINC code, notes, and the recorded assessment.</summary>
public static class EncounterReader
{
    /// <summary>The resource types that are read.</summary>
    public static IReadOnlyList<string> Types { get; } =
        ["Patient", "Encounter", "Observation", "DocumentReference", "Condition", "ClinicalImpression"];

    /// <summary>The LOINC codes of what is read of Observations; of pressures, the panel's too.</summary>
    public static IReadOnlyList<string> Codes { get; } = ["8867-4", "85354-9", "8480-6", "8462-4", "8310-5", "9279-1", "2708-6", "59408-5", "39156-5", "2339-0", "2345-7"];

    const string Loinc = "http://loinc.org";

    static readonly string[] NoteParts = ["symptoms", "history", "findings"];
    static readonly string[] Void = ["entered-in-error", "cancelled"];

    /// <summary>The encounters of one patient's records, oldest first.</summary>
    public static IReadOnlyList<ReadEncounter> Read(IReadOnlyList<StoredRecord> records)
    {
        Dictionary<string, Draft> drafts = [];
        Person? person = null;
        List<(StoredRecord Record, JsonElement Json)> parts = [];
        foreach (var record in records)
        {
            var json = JsonElement.Parse(record.Bytes);
            switch (record.Type)
            {
                case "Encounter":
                    drafts[record.Id] = new Draft(record, json);
                    break;
                case "Patient":
                    person = new Person(Text(json, "gender"), Date(Text(json, "birthDate")));
                    break;
                default:
                    parts.Add((record, json));
                    break;
            }
        }
        foreach (var (record, json) in parts.OrderBy(part => EffectiveOf(part.Json, part.Record)))
        {
            foreach (var encounter in EncountersOf(json))
            {
                if (drafts.TryGetValue(encounter, out var draft) && !Void.Contains(Text(json, "status")))
                {
                    draft.Add(record, json);
                }
            }
        }
        return [.. drafts.Values.Select(draft => draft.Finish(person)).OrderBy(encounter => encounter.Start ?? DateTimeOffset.MinValue)];
    }

    static DateTimeOffset EffectiveOf(JsonElement json, StoredRecord record) =>
        Instant(Text(json, "effectiveDateTime") ?? Text(json, "date") ?? Text(json, "recordedDate")) ?? record.Written;

    static IEnumerable<string> EncountersOf(JsonElement json)
    {
        if (json.TryGetProperty("encounter", out var encounter))
        {
            yield return IdOf(encounter);
        }
        if (json.TryGetProperty("context", out var context) && context.TryGetProperty("encounter", out var several))
        {
            foreach (var one in several.EnumerateArray())
            {
                yield return IdOf(one);
            }
        }
    }

    // Another system may write its own address before it.
    static string IdOf(JsonElement reference) =>
        Text(reference, "reference") is { } text && $"/{text}".LastIndexOf("/Encounter/", StringComparison.Ordinal) is >= 0 and var at ? text[(at + "Encounter/".Length)..].Split('/')[0] : "";

    static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    static JsonElement.ArrayEnumerator Each(JsonElement json, string name) => json.TryGetProperty(name, out var array) ? array.EnumerateArray() : default;

    static string? CodeIn(JsonElement concept, string system) =>
        Each(concept, "coding").Where(coding => Text(coding, "system") == system).Select(coding => Text(coding, "code")).FirstOrDefault();

    static DateTimeOffset? Instant(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant) ? instant : null;

    // A birth date may be a year, or a year and a month.
    static DateOnly? Date(string? text) =>
        DateOnly.TryParseExact(text, ["yyyy-MM-dd", "yyyy-MM", "yyyy"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var date) ? date : null;

    sealed record Person(string? Sex, DateOnly? Born);

    sealed class Draft(StoredRecord encounter, JsonElement json)
    {
        readonly List<string> basis = [$"Encounter/{encounter.Id}"];
        readonly SortedDictionary<int, string> notes = [];
        readonly List<string> conditions = [];
        readonly DateTimeOffset? start = json.TryGetProperty("period", out var period) ? Instant(Text(period, "start")) : null;
        EncounterFeatures features = new();
        bool? abnormal;
        DateTimeOffset? assessed;

        public void Add(StoredRecord record, JsonElement part)
        {
            var read = record.Type switch
            {
                "Observation" => AddObservation(part),
                "DocumentReference" => AddNote(part),
                "Condition" => AddCondition(part),
                "ClinicalImpression" => AddAssessment(record, part),
                _ => false,
            };
            if (read)
            {
                basis.Add($"{record.Type}/{record.Id}");
            }
        }

        public ReadEncounter Finish(Person? person)
        {
            var symptoms = string.Join(' ', notes.Values);
            // A doctor's entry writes the symptoms as the condition's text too; a word counts once.
            var text = string.Join(' ', notes.Values.Concat(conditions.Distinct(StringComparer.Ordinal).Where(condition => !symptoms.Contains(condition, StringComparison.Ordinal))));
            var at = DateOnly.FromDateTime((start ?? encounter.Written).UtcDateTime);
            return new ReadEncounter(encounter.Id, start,
                features with { AgeYears = AgeOn(at, person?.Born), Sex = person?.Sex, Notes = text.Length == 0 ? null : text }, abnormal, basis)
            {
                Written = encounter.Written,
                Assessed = assessed,
            };
        }

        bool AddObservation(JsonElement observation)
        {
            var before = features;
            AddValue(observation);
            foreach (var component in Each(observation, "component"))
            {
                AddValue(component);
            }
            return features != before;
        }

        void AddValue(JsonElement measured)
        {
            if (!measured.TryGetProperty("code", out var code) || !measured.TryGetProperty("valueQuantity", out var quantity)
                || !quantity.TryGetProperty("value", out var number) || !number.TryGetDouble(out var value) || !double.IsFinite(value))
            {
                return;
            }
            var unit = Text(quantity, "code") ?? Text(quantity, "unit") ?? "";
            features = Each(code, "coding").Where(coding => Text(coding, "system") == Loinc).Aggregate(features, (known, coding) => Text(coding, "code") switch
            {
                "8867-4" => known with { HeartRate = value },
                "8480-6" => known with { SystolicPressure = value },
                "8462-4" => known with { DiastolicPressure = value },
                "8310-5" => known with { Temperature = unit is "[degF]" or "°F" ? (value - 32) / 1.8 : value },
                "9279-1" => known with { RespiratoryRate = value },
                "2708-6" or "59408-5" => known with { OxygenSaturation = value },
                "39156-5" => known with { BodyMassIndex = value },
                "2339-0" or "2345-7" => known with { Glucose = unit == "mmol/L" ? value : value / MilligramsPerMillimole },
                _ => known,
            });
        }

        bool AddNote(JsonElement document)
        {
            if (!document.TryGetProperty("type", out var type) || CodeIn(type, RecordsDesk.NoteSystem) is not { } part || Array.IndexOf(NoteParts, part) is not (>= 0 and var place))
            {
                return false;
            }
            foreach (var content in Each(document, "content"))
            {
                if (content.TryGetProperty("attachment", out var attachment) && Text(attachment, "contentType")?.StartsWith("text/plain", StringComparison.Ordinal) == true
                    && attachment.TryGetProperty("data", out var data) && data.TryGetBytesFromBase64(out var bytes))
                {
                    notes[place] = Encoding.UTF8.GetString(bytes);
                    return true;
                }
            }
            return false;
        }

        bool AddCondition(JsonElement condition)
        {
            if (!condition.TryGetProperty("code", out var code) || Text(code, "text") is not { } text)
            {
                return false;
            }
            conditions.Add(text);
            return true;
        }

        bool AddAssessment(StoredRecord record, JsonElement impression)
        {
            foreach (var finding in Each(impression, "finding"))
            {
                if (finding.TryGetProperty("itemCodeableConcept", out var concept) && CodeIn(concept, RecordsDesk.AssessmentSystem) is { } code)
                {
                    abnormal = code switch { "abnormal" => true, "normal" => false, _ => null };
                    assessed = record.Version == 1 && abnormal is not null ? record.Written : null;
                }
            }
            // The assessment is what is to be told, never what it is told from.
            return false;
        }

        static double? AgeOn(DateOnly day, DateOnly? born)
        {
            if (born is not { } birth || birth > day)
            {
                return null;
            }
            var years = day.Year - birth.Year;
            return birth.AddYears(years) > day ? years - 1 : years;
        }
    }

    // Glucose, 180.16 g/mol.
    const double MilligramsPerMillimole = 18.016;
}
