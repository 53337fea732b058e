using System.Text.Json;
using System.Text.Json.Nodes;
using Salus.Fhir.Elements;
using Salus.Platform.Audit;
using Salus.Platform.Identity;

namespace Salus.Platform.Records;

/// <summary>What became of an entry.</summary>
public abstract record ConditionOutcome
{
    ConditionOutcome() { }

    /// <summary>Sealed, stored, on its way into the log.</summary>
    public sealed record Recorded(string Patient, IReadOnlyList<StoredRecord> Records) : ConditionOutcome;

    /// <summary>Fields that are wrong, by name.</summary>
    public sealed record Invalid(Dictionary<string, string[]> Fields) : ConditionOutcome;

    /// <summary>The records' door refused it.</summary>
    public sealed record Refused(WriteOutcome Write) : ConditionOutcome;
}

// A doctor's entry becomes FHIR resources.
public sealed partial class RecordsDesk
{
    /// <summary>The system of the hospital's own patient identifiers.</summary>
    public const string PatientIdSystem = "https://salus.health/fhir/patient-id";

    /// <summary>The code system of assessments: <c>normal</c>, <c>abnormal</c>, <c>unknown</c>.</summary>
    public const string AssessmentSystem = "https://salus.health/fhir/assessment";

    /// <summary>The code system that tells the parts of an encounter's note apart: <c>symptoms</c>, <c>history</c>, <c>findings</c>.</summary>
    public const string NoteSystem = "https://salus.health/fhir/note-part";

    /// <summary>
    /// Records a patient's condition: Patient (when new), Encounter, Condition, an Observation for each sign, a DocumentReference for each part
    /// of the note, and a ClinicalImpression with the assessment.
    /// </summary>
    public async Task<ConditionOutcome> RecordConditionAsync(Caller caller, ConditionEntry entry, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        var wrong = entry.Check(now);
        if (wrong.Count > 0)
        {
            return new ConditionOutcome.Invalid(wrong);
        }
        if (caller.Role != Role.Practitioner)
        {
            return new ConditionOutcome.Refused(await ForbidAsync(caller, null, "Condition", $"The role {caller.Role} may not record conditions.", cancellation));
        }
        var known = Guid.TryParse(entry.PatientId, out _) && await PatientExistsAsync(entry.PatientId, cancellation)
            ? entry.PatientId
            : await FindPatientAsync(caller, entry.PatientId, cancellation);
        if (known is null && entry.NewPatient is null)
        {
            return new ConditionOutcome.Invalid(new()
            {
                ["patientId"] = ["No patient has this id here. Check it, or enter the new patient's name, birth date and sex."],
            });
        }
        List<Draft> drafts = [];
        var patient = known ?? NewId();
        if (known is null)
        {
            drafts.Add(new Draft(Parse(PatientJson(entry)), null, patient));
        }
        drafts.AddRange(new EncounterJson(entry, patient, NewId(), entry.EncounterTime ?? now).Drafts(NewId));
        return await CreateAsync(caller, drafts, AuditAction.Create, cancellation) switch
        {
            WriteOutcome.Written written => new ConditionOutcome.Recorded(patient, written.Records),
            var refused => new ConditionOutcome.Refused(refused),
        };
    }

    static JsonObject PatientJson(ConditionEntry entry) => new()
    {
        ["resourceType"] = "Patient",
        ["identifier"] = new JsonArray(new JsonObject { ["system"] = PatientIdSystem, ["value"] = entry.PatientId.Trim() }),
        ["name"] = new JsonArray(new JsonObject { ["family"] = entry.NewPatient!.Family.Trim(), ["given"] = new JsonArray(entry.NewPatient.Given.Trim()) }),
        ["gender"] = entry.NewPatient.Sex,
        ["birthDate"] = entry.NewPatient.BirthDate.ToString("yyyy-MM-dd"),
    };

    static Resource Parse(JsonObject json) =>
        FhirJson.Read(JsonSerializer.SerializeToUtf8Bytes(json)) is FhirReadOutcome.Ok { Resource: var read }
            ? read
            : throw new InvalidOperationException("The node wrote a resource that it cannot read.");

    /// <summary>One encounter's resources.</summary>
    sealed class EncounterJson(ConditionEntry entry, string patient, string encounter, DateTimeOffset at)
    {
        static readonly (Func<VitalSigns, decimal?> Value, string Loinc, string Name, string Unit, string Ucum)[] Signs =
        [
            (vitals => vitals.HeartRate, "8867-4", "Heart rate", "beats/minute", "/min"),
            (vitals => vitals.Temperature, "8310-5", "Body temperature", "°C", "Cel"),
            (vitals => vitals.RespiratoryRate, "9279-1", "Respiratory rate", "breaths/minute", "/min"),
            (vitals => vitals.OxygenSaturation, "2708-6", "Oxygen saturation in Arterial blood", "%", "%"),
            (vitals => vitals.BodyMassIndex, "39156-5", "Body mass index (BMI) [Ratio]", "kg/m2", "kg/m2"),
            (vitals => vitals.Glucose, "2339-0", "Glucose [Mass/volume] in Blood", "mg/dL", "mg/dL"),
        ];

        readonly string instant = at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");

        public IEnumerable<Draft> Drafts(Func<string> newId)
        {
            yield return new Draft(Parse(Encounter()), null, encounter);
            yield return new Draft(Parse(Condition()), null, newId());
            foreach (var observation in Observations())
            {
                yield return new Draft(Parse(observation), null, newId());
            }
            foreach (var (part, text) in new[] { ("symptoms", entry.Symptoms), ("history", entry.History), ("findings", entry.Findings) })
            {
                if (!string.IsNullOrWhiteSpace(text))
                {
                    yield return new Draft(Parse(Note(part, text)), null, newId());
                }
            }
            yield return new Draft(Parse(Impression()), null, newId());
        }

        JsonObject Encounter() => new()
        {
            ["resourceType"] = "Encounter",
            ["status"] = "finished",
            ["class"] = Coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "AMB"),
            ["subject"] = Subject(),
            ["period"] = new JsonObject { ["start"] = instant, ["end"] = instant },
        };

        JsonObject Condition() => new()
        {
            ["resourceType"] = "Condition",
            ["clinicalStatus"] = Concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active"),
            ["verificationStatus"] = Concept("http://terminology.hl7.org/CodeSystem/condition-ver-status", entry.Assessment == Assessment.Abnormal ? "confirmed" : "provisional"),
            ["category"] = new JsonArray(Concept("http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis")),
            ["code"] = new JsonObject { ["text"] = entry.Symptoms.Trim() },
            ["subject"] = Subject(),
            ["encounter"] = EncounterReference(),
            ["recordedDate"] = instant,
        };

        IEnumerable<JsonObject> Observations()
        {
            if (entry.Vitals is not { } vitals)
            {
                yield break;
            }
            foreach (var (value, loinc, name, unit, ucum) in Signs)
            {
                if (value(vitals) is { } measured)
                {
                    var observation = Observation(loinc, name, loinc == "2339-0" ? "laboratory" : "vital-signs");
                    observation["valueQuantity"] = Quantity(measured, unit, ucum);
                    yield return observation;
                }
            }
            if (vitals.SystolicPressure is not null || vitals.DiastolicPressure is not null)
            {
                var pressure = Observation("85354-9", "Blood pressure panel with all children optional", "vital-signs");
                var components = new JsonArray();
                AddPressure(components, vitals.SystolicPressure, "8480-6", "Systolic blood pressure");
                AddPressure(components, vitals.DiastolicPressure, "8462-4", "Diastolic blood pressure");
                pressure["component"] = components;
                yield return pressure;
            }
        }

        JsonObject Observation(string loinc, string name, string category) => new()
        {
            ["resourceType"] = "Observation",
            ["status"] = "final",
            ["category"] = new JsonArray(Concept("http://terminology.hl7.org/CodeSystem/observation-category", category)),
            ["code"] = Concept("http://loinc.org", loinc, name),
            ["subject"] = Subject(),
            ["encounter"] = EncounterReference(),
            ["effectiveDateTime"] = instant,
        };

        JsonObject Note(string part, string text) => new()
        {
            ["resourceType"] = "DocumentReference",
            ["status"] = "current",
            ["type"] = Concept(NoteSystem, part),
            ["subject"] = Subject(),
            ["date"] = instant,
            ["content"] = new JsonArray(new JsonObject
            {
                ["attachment"] = new JsonObject
                {
                    ["contentType"] = "text/plain; charset=utf-8",
                    ["data"] = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text.Trim())),
                    ["title"] = part,
                },
            }),
            ["context"] = new JsonObject { ["encounter"] = new JsonArray(EncounterReference()) },
        };

        JsonObject Impression() => new()
        {
            ["resourceType"] = "ClinicalImpression",
            ["status"] = "completed",
            ["subject"] = Subject(),
            ["encounter"] = EncounterReference(),
            ["effectiveDateTime"] = instant,
            ["finding"] = new JsonArray(new JsonObject
            {
                ["itemCodeableConcept"] = Concept(AssessmentSystem, entry.Assessment.ToString().ToLowerInvariant()),
            }),
        };

        static void AddPressure(JsonArray components, decimal? value, string loinc, string name)
        {
            if (value is { } measured)
            {
                components.Add(new JsonObject { ["code"] = Concept("http://loinc.org", loinc, name), ["valueQuantity"] = Quantity(measured, "mmHg", "mm[Hg]") });
            }
        }

        static JsonObject Quantity(decimal value, string unit, string ucum) =>
            new() { ["value"] = value, ["unit"] = unit, ["system"] = "http://unitsofmeasure.org", ["code"] = ucum };

        static JsonObject Coding(string system, string code, string? display = null)
        {
            var coding = new JsonObject { ["system"] = system, ["code"] = code };
            if (display is not null)
            {
                coding["display"] = display;
            }
            return coding;
        }

        static JsonObject Concept(string system, string code, string? display = null) => new() { ["coding"] = new JsonArray(Coding(system, code, display)) };

        JsonObject Subject() => new() { ["reference"] = $"Patient/{patient}" };

        JsonObject EncounterReference() => new() { ["reference"] = $"Encounter/{encounter}" };
    }
}
