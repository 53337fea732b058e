using Salus.Fhir.Elements;
using Salus.Fhir.Resources;
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
        List<RecordWrite> writes = [];
        var patient = known ?? NewId();
        if (known is null)
        {
            writes.Add(NewRecord(patient, Registration(entry.PatientId, entry.NewPatient!).ToUtf8()));
        }
        writes.AddRange(Encounter(entry, patient, entry.EncounterTime ?? now));
        return await WriteAsync(caller, writes, AuditAction.Create, cancellation) switch
        {
            WriteOutcome.Written written => new ConditionOutcome.Recorded(patient, written.Records),
            var refused => new ConditionOutcome.Refused(refused),
        };
    }

    static PatientRecord Registration(string identifier, NewPatient patient) => new(
        null, patient.Family.Trim(), [patient.Given.Trim()], patient.Sex, patient.BirthDate, [new Identifier(PatientIdSystem, identifier.Trim())]);

    /// <summary>One encounter's resources.</summary>
    static IEnumerable<RecordWrite> Encounter(ConditionEntry entry, string patientId, DateTimeOffset at)
    {
        var patient = $"Patient/{patientId}";
        var encounterId = NewId();
        var encounter = $"Encounter/{encounterId}";
        yield return NewRecord(encounterId, new EncounterRecord(null, "finished", "AMB", patient, at, at).ToUtf8());
        var verification = entry.Assessment == Assessment.Abnormal ? "confirmed" : "provisional";
        yield return NewRecord(NewId(), new ConditionRecord(null, entry.Symptoms.Trim(), patient, "active", verification, at, encounter).ToUtf8());
        foreach (var (measure, value) in Measured(entry.Vitals ?? new VitalSigns()))
        {
            yield return NewRecord(NewId(), new MeasureRecord(null, measure, value, patient, at, encounter).ToUtf8());
        }
        if (entry.Vitals is { SystolicPressure: not null } or { DiastolicPressure: not null })
        {
            var pressure = new BloodPressureRecord(null, entry.Vitals.SystolicPressure, entry.Vitals.DiastolicPressure, patient, at, encounter);
            yield return NewRecord(NewId(), pressure.ToUtf8());
        }
        foreach (var (part, text) in new[] { ("symptoms", entry.Symptoms), ("history", entry.History), ("findings", entry.Findings) })
        {
            if (!string.IsNullOrWhiteSpace(text))
            {
                yield return NewRecord(NewId(), new NoteRecord(null, new Coding(NoteSystem, part), patient, at, text.Trim(), encounter, part).ToUtf8());
            }
        }
        var assessment = new Coding(AssessmentSystem, entry.Assessment.ToString().ToLowerInvariant());
        yield return NewRecord(NewId(), new AssessmentRecord(null, assessment, patient, at, encounter).ToUtf8());
    }

    static IEnumerable<(Measure Measure, decimal Value)> Measured(VitalSigns vitals) =>
        from sign in new (Measure Measure, decimal? Value)[]
        {
            (Measure.HeartRate, vitals.HeartRate),
            (Measure.BodyTemperature, vitals.Temperature),
            (Measure.RespiratoryRate, vitals.RespiratoryRate),
            (Measure.OxygenSaturation, vitals.OxygenSaturation),
            (Measure.BodyMassIndex, vitals.BodyMassIndex),
            (Measure.Glucose, vitals.Glucose),
        }
        where sign.Value is not null
        select (sign.Measure, sign.Value!.Value);

    static RecordWrite NewRecord(string id, byte[] utf8) => FhirJson.Read(utf8) is FhirReadOutcome.Ok { Resource: var read }
        ? new RecordWrite(WriteVerb.Create, read.ResourceType) { Resource = read, Id = id }
        : throw new InvalidOperationException("The node wrote a resource that it cannot read.");
}
