using System.Text;

namespace Salus.Fhir.Resources;

/// <summary>A document: a note as text, or an attachment whose bytes are a Binary.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Type">What kind of document, in LOINC.</param>
/// <param name="Subject">Such as Patient/1.</param>
/// <param name="Date">When it was written.</param>
/// <param name="Text">The note; null for an attachment.</param>
/// <param name="BinaryUrl">The attachment's Binary, such as Binary/1; null for a note.</param>
/// <param name="ContentType">The attachment's MIME type.</param>
/// <param name="Author">Who wrote it.</param>
/// <param name="Encounter">In which encounter.</param>
/// <param name="Title">What it is called.</param>
public sealed record DocumentRecord(
    string? Id, Coding Type, string Subject, DateTimeOffset Date, string? Text = null, string? BinaryUrl = null,
    string ContentType = "text/plain; charset=utf-8", string? Author = null, string? Encounter = null, string? Title = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("DocumentReference", Id, json =>
    {
        json.Text("status", "current");
        json.Concept("type", Type, Type.Display);
        json.Reference("subject", Subject);
        json.Instant("date", Date);
        json.References("author", Author);
        json.Objects("content", [ContentType], contentType => json.Object("attachment", () =>
        {
            json.Text("contentType", contentType);
            json.Text("data", Text is null ? null : Convert.ToBase64String(Encoding.UTF8.GetBytes(Text)));
            json.Text("url", BinaryUrl);
            json.Text("title", Title);
        }));
        if (Encounter is not null)
        {
            json.Object("context", () => json.References("encounter", Encounter));
        }
    });
}

/// <summary>A consent: who may see what, until when and why.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Status">active, inactive, rejected, …</param>
/// <param name="Patient">Such as Patient/1.</param>
/// <param name="DateTime">When it was given.</param>
/// <param name="IsPermit">Whether it permits or denies.</param>
/// <param name="Grantee">Who is meant, such as Practitioner/1.</param>
/// <param name="ResourceTypes">The resource types it covers; empty for all.</param>
/// <param name="Purposes">Codes of v3-ActReason: TREAT, HRESCH, …</param>
/// <param name="Until">When it ends.</param>
/// <param name="PolicyUri">The policy it is under.</param>
public sealed record ConsentRecord(
    string? Id, string Status, string Patient, DateTimeOffset DateTime, bool IsPermit, string Grantee,
    IReadOnlyList<string> ResourceTypes, IReadOnlyList<string> Purposes, DateTimeOffset? Until = null,
    string PolicyUri = "https://salus.health/policy/consent")
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Consent", Id, json =>
    {
        json.Text("status", Status);
        json.Concept("scope", new Coding("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"));
        json.Concepts("category", new Coding("http://loinc.org", "59284-0", "Consent Document"));
        json.Reference("patient", Patient);
        json.Instant("dateTime", DateTime);
        json.Objects("policy", [PolicyUri], uri => json.Text("uri", uri));
        json.Object("provision", () =>
        {
            json.Text("type", IsPermit ? "permit" : "deny");
            json.Period("period", DateTime, Until);
            json.Objects("actor", [Grantee], grantee =>
            {
                json.Concept("role", new Coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"));
                json.Reference("reference", grantee);
            });
            json.Objects("purpose", Purposes, purpose =>
            {
                json.Text("system", "http://terminology.hl7.org/CodeSystem/v3-ActReason");
                json.Text("code", purpose);
            });
            json.Objects("class", ResourceTypes, type =>
            {
                json.Text("system", "http://hl7.org/fhir/resource-types");
                json.Text("code", type);
            });
        });
    });
}

/// <summary>An access to a record, as AuditEvent.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Interaction">A code of restful-interaction: read, create, search-type, …</param>
/// <param name="Action">C, R, U, D or E.</param>
/// <param name="Recorded">When.</param>
/// <param name="Outcome">0 success, 4, 8 or 12 for failures of rising weight.</param>
/// <param name="AgentReference">Who, such as Practitioner/1; null when only a name is known.</param>
/// <param name="AgentName">Who, by name or account.</param>
/// <param name="Purpose">A code of v3-ActReason.</param>
/// <param name="Entities">What was touched.</param>
/// <param name="Observer">The node that recorded it.</param>
/// <param name="OutcomeText">Why it was refused.</param>
public sealed record AuditRecord(
    string? Id, string Interaction, string Action, DateTimeOffset Recorded, string Outcome, string? AgentReference, string AgentName,
    string? Purpose, IReadOnlyList<string> Entities, string Observer, string? OutcomeText = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("AuditEvent", Id, json =>
    {
        json.Coding("type", new Coding("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "RESTful Operation"));
        json.Objects("subtype", [Interaction], interaction =>
        {
            json.Text("system", "http://hl7.org/fhir/restful-interaction");
            json.Text("code", interaction);
        });
        json.Text("action", Action);
        json.Instant("recorded", Recorded);
        json.Text("outcome", Outcome);
        json.Text("outcomeDesc", OutcomeText);
        if (Purpose is not null)
        {
            json.Concepts("purposeOfEvent", new Coding("http://terminology.hl7.org/CodeSystem/v3-ActReason", Purpose));
        }
        json.Objects("agent", [AgentName], name =>
        {
            json.Reference("who", AgentReference);
            json.Text("name", name);
            json.Json.WriteBoolean("requestor", true);
        });
        json.Object("source", () => json.Object("observer", () => json.Text("display", Observer)));
        json.Objects("entity", Entities, entity => json.Reference("what", entity));
    });
}
