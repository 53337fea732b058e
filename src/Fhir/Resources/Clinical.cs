namespace Salus.Fhir.Resources;

/// <summary>An encounter.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Status">A code of encounter-status, such as finished.</param>
/// <param name="Class">A code of v3-ActCode: AMB, IMP, EMER, …</param>
/// <param name="Subject">Such as Patient/1.</param>
/// <param name="Start">When it began.</param>
/// <param name="End">When it ended.</param>
/// <param name="Practitioner">Who attended.</param>
/// <param name="ServiceProvider">The organization.</param>
public sealed record EncounterRecord(
    string? Id, string Status, string Class, string Subject, DateTimeOffset Start, DateTimeOffset? End = null, string? Practitioner = null, string? ServiceProvider = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Encounter", Id, json =>
    {
        json.Text("status", Status);
        json.Coding("class", new Coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", Class));
        json.Reference("subject", Subject);
        if (Practitioner is not null)
        {
            json.Objects("participant", [Practitioner], who => json.Reference("individual", who));
        }
        json.Period("period", Start, End);
        json.Reference("serviceProvider", ServiceProvider);
    });
}

/// <summary>A condition. <c>ClinicalStatus</c> is active, recurrence, relapse, inactive, remission or resolved.</summary>
public sealed record ConditionRecord(
    string? Id, Coding Code, string Subject, string ClinicalStatus, DateTimeOffset? Onset = null, string? Encounter = null, string? Recorder = null, string? Note = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Condition", Id, json =>
    {
        json.Concept("clinicalStatus", new Coding("http://terminology.hl7.org/CodeSystem/condition-clinical", ClinicalStatus));
        json.Concept("verificationStatus", new Coding("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed"));
        json.Concepts("category", new Coding("http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis"));
        json.Concept("code", Code, Code.Display);
        json.Reference("subject", Subject);
        json.Reference("encounter", Encounter);
        json.Instant("onsetDateTime", Onset);
        json.Reference("recorder", Recorder);
        json.Note(Note);
    });
}

/// <summary>An assessment of a patient, as ClinicalImpression.</summary>
public sealed record AssessmentRecord(
    string? Id, Assessment Result, string Subject, DateTimeOffset Effective, string? Assessor = null, string? Encounter = null, string? Summary = null)
{
    /// <summary>The code system of <see cref="Assessment"/>: its codes are normal, abnormal and unknown.</summary>
    public const string CodeSystem = "https://salus.health/fhir/CodeSystem/assessment";

    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("ClinicalImpression", Id, json =>
    {
        var coding = Result switch
        {
            Assessment.Normal => new Coding(CodeSystem, "normal", "Normal"),
            Assessment.Abnormal => new Coding(CodeSystem, "abnormal", "Abnormal"),
            _ => new Coding(CodeSystem, "unknown", "Unknown"),
        };
        json.Text("status", "completed");
        json.Reference("subject", Subject);
        json.Reference("encounter", Encounter);
        json.Instant("effectiveDateTime", Effective);
        json.Instant("date", Effective);
        json.Reference("assessor", Assessor);
        json.Text("summary", Summary);
        json.Objects("finding", [coding], finding => json.Concept("itemCodeableConcept", finding));
    });
}

/// <summary>What an assessment found.</summary>
public enum Assessment
{
    /// <summary>Nothing out of the ordinary.</summary>
    Normal,

    /// <summary>Something out of the ordinary.</summary>
    Abnormal,

    /// <summary>It could not be told.</summary>
    Unknown,
}

/// <summary>A model's prediction, as RiskAssessment.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Subject">Such as Patient/1.</param>
/// <param name="Outcome">What is predicted.</param>
/// <param name="Probability">From 0 to 1.</param>
/// <param name="Model">The model's name.</param>
/// <param name="ModelVersion">Its version.</param>
/// <param name="Occurrence">When it was predicted.</param>
/// <param name="Explanation">What moved the prediction, in words.</param>
/// <param name="Basis">References to what it was made from.</param>
public sealed record PredictionRecord(
    string? Id, string Subject, Coding Outcome, decimal Probability, string Model, string ModelVersion, DateTimeOffset Occurrence,
    string? Explanation = null, IReadOnlyList<string>? Basis = null)
{
    /// <summary>The system that names models: a method's code is <c>name/version</c>.</summary>
    public const string ModelSystem = "https://salus.health/fhir/CodeSystem/model";

    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("RiskAssessment", Id, json =>
    {
        json.Text("status", "final");
        json.Concept("method", new Coding(ModelSystem, $"{Model}/{ModelVersion}"), $"{Model} {ModelVersion}");
        json.Reference("subject", Subject);
        json.Instant("occurrenceDateTime", Occurrence);
        json.References("basis", Basis ?? []);
        json.Objects("prediction", [Outcome], outcome =>
        {
            json.Concept("outcome", outcome, outcome.Display);
            json.Json.WriteNumber("probabilityDecimal", Probability);
        });
        json.Note(Explanation);
    });
}
