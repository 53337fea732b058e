namespace Salus.Fhir.Resources;

/// <summary>A patient as the product registers one.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Family">The family name.</param>
/// <param name="Given">The given names.</param>
/// <param name="Gender">male, female, other or unknown.</param>
/// <param name="BirthDate">The date of birth.</param>
/// <param name="Identifiers">By what the patient is known elsewhere.</param>
public sealed record PatientRecord(
    string? Id, string Family, IReadOnlyList<string> Given, string Gender, DateOnly BirthDate, IReadOnlyList<Identifier> Identifiers)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Patient", Id, json =>
    {
        json.Identifiers(Identifiers);
        json.Objects("name", [Family], family =>
        {
            json.Text("family", family);
            json.Texts("given", Given);
        });
        json.Text("gender", Gender);
        json.Date("birthDate", BirthDate);
    });
}
