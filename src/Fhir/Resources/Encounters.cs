using System.Text;

namespace Salus.Fhir.Resources;

/// <summary>An encounter.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Status">A code of encounter-status, such as finished.</param>
/// <param name="Class">A code of v3-ActCode: AMB, IMP, EMER, …</param>
/// <param name="Subject">Such as Patient/1.</param>
/// <param name="Start">When it began.</param>
/// <param name="End">When it ended.</param>
public sealed record EncounterRecord(string? Id, string Status, string Class, string Subject, DateTimeOffset Start, DateTimeOffset? End = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Encounter", Id, json =>
    {
        json.Text("status", Status);
        json.Coding("class", new Coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", Class));
        json.Reference("subject", Subject);
        json.Period("period", Start, End);
    });
}

/// <summary>A condition in the words of an encounter.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Text">What it is, uncoded.</param>
/// <param name="Subject">Such as Patient/1.</param>
/// <param name="ClinicalStatus">active, recurrence, relapse, inactive, remission or resolved.</param>
/// <param name="VerificationStatus">unconfirmed, provisional, differential, confirmed or refuted.</param>
/// <param name="Recorded">When it was recorded.</param>
/// <param name="Encounter">In which encounter.</param>
public sealed record ConditionRecord(
    string? Id, string Text, string Subject, string ClinicalStatus, string VerificationStatus, DateTimeOffset Recorded, string? Encounter = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Condition", Id, json =>
    {
        json.Concept("clinicalStatus", new Coding("http://terminology.hl7.org/CodeSystem/condition-clinical", ClinicalStatus));
        json.Concept("verificationStatus", new Coding("http://terminology.hl7.org/CodeSystem/condition-ver-status", VerificationStatus));
        json.Concepts("category", new Coding("http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis"));
        json.Concept("code", null, Text);
        json.Reference("subject", Subject);
        json.Reference("encounter", Encounter);
        json.Moment("recordedDate", Recorded);
    });
}

/// <summary>A note as text, as DocumentReference.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Type">What kind of note.</param>
/// <param name="Subject">Such as Patient/1.</param>
/// <param name="Date">When it was written.</param>
/// <param name="Text">The note.</param>
/// <param name="Encounter">In which encounter.</param>
/// <param name="Title">What it is called.</param>
public sealed record NoteRecord(
    string? Id, Coding Type, string Subject, DateTimeOffset Date, string Text, string? Encounter = null, string? Title = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("DocumentReference", Id, json =>
    {
        json.Text("status", "current");
        json.Concept("type", Type);
        json.Reference("subject", Subject);
        json.Moment("date", Date);
        json.Objects("content", [Text], text => json.Object("attachment", () =>
        {
            json.Text("contentType", "text/plain; charset=utf-8");
            json.Text("data", Convert.ToBase64String(Encoding.UTF8.GetBytes(text)));
            json.Text("title", Title);
        }));
        if (Encounter is not null)
        {
            json.Object("context", () => json.References("encounter", [Encounter]));
        }
    });
}

/// <summary>An assessment of a patient, as ClinicalImpression.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Finding">What was found.</param>
/// <param name="Subject">Such as Patient/1.</param>
/// <param name="Effective">When the patient was assessed.</param>
/// <param name="Encounter">In which encounter.</param>
public sealed record AssessmentRecord(string? Id, Coding Finding, string Subject, DateTimeOffset Effective, string? Encounter = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("ClinicalImpression", Id, json =>
    {
        json.Text("status", "completed");
        json.Reference("subject", Subject);
        json.Reference("encounter", Encounter);
        json.Moment("effectiveDateTime", Effective);
        json.Objects("finding", [Finding], finding => json.Concept("itemCodeableConcept", finding));
    });
}
