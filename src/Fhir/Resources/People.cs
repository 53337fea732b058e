namespace Salus.Fhir.Resources;

/// <summary>A patient as the product registers one.</summary>
public sealed record PatientRecord(
    string? Id,
    string Family,
    IReadOnlyList<string> Given,
    string Gender,
    DateOnly? BirthDate,
    IReadOnlyList<Identifier> Identifiers,
    string? Phone = null,
    string? Email = null,
    string? ManagingOrganization = null)
{
    /// <summary>The resource in UTF-8. Gender is male, female, other or unknown.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Patient", Id, json =>
    {
        json.Identifiers(Identifiers);
        json.Json.WriteBoolean("active", true);
        People.Name(json, Family, Given);
        People.Telecom(json, Phone, Email);
        json.Text("gender", Gender);
        json.Date("birthDate", BirthDate);
        json.Reference("managingOrganization", ManagingOrganization);
    });
}

/// <summary>A practitioner.</summary>
public sealed record PractitionerRecord(
    string? Id, string Family, IReadOnlyList<string> Given, IReadOnlyList<Identifier> Identifiers, string? Phone = null, string? Email = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Practitioner", Id, json =>
    {
        json.Identifiers(Identifiers);
        json.Json.WriteBoolean("active", true);
        People.Name(json, Family, Given);
        People.Telecom(json, Phone, Email);
    });
}

/// <summary>An organization.</summary>
public sealed record OrganizationRecord(string? Id, string Name, IReadOnlyList<Identifier> Identifiers, Coding? Type = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Organization", Id, json =>
    {
        json.Identifiers(Identifiers);
        json.Json.WriteBoolean("active", true);
        if (Type is not null)
        {
            json.Concepts("type", Type);
        }
        json.Text("name", Name);
    });
}

static class People
{
    public static void Name(ResourceJson json, string family, IReadOnlyList<string> given) => json.Objects("name", [family], _ =>
    {
        json.Text("use", "official");
        json.Text("family", family);
        json.Texts("given", given);
    });

    public static void Telecom(ResourceJson json, string? phone, string? email) =>
        json.Objects("telecom", new (string System, string? Value)[] { ("phone", phone), ("email", email) }.Where(point => !string.IsNullOrEmpty(point.Value)), point =>
        {
            json.Text("system", point.System);
            json.Text("value", point.Value);
        });
}
