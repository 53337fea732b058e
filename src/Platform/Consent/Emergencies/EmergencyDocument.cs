using System.Buffers;
using System.Text.Json;

namespace Salus.Platform.Consent.Emergencies;

/// <summary>An opening of a record without consent, as it is sealed and logged: a Consent (FHIR R4) that nobody gave, under HL7's "break the glass".</summary>
/// <param name="Patient">Whose record.</param>
/// <param name="Account">The practitioner who opened it.</param>
/// <param name="Reason">Why, in the practitioner's words.</param>
/// <param name="From">When it was opened.</param>
/// <param name="Until">Its last moment.</param>
/// <param name="IsOpen">False once it was ended before its time.</param>
sealed record EmergencyDocument(string Patient, Guid Account, string Reason, DateTimeOffset From, DateTimeOffset Until, bool IsOpen)
{
    /// <summary>HL7 v3 ActReason: to break the glass.</summary>
    public const string Code = "BTG";

    const string ReasonSystem = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
    const string PatientPrefix = "Patient/";

    public byte[] Write(string id, DateTimeOffset time)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            ConsentJson.WriteHead(json, id, IsOpen, ("http://terminology.hl7.org/CodeSystem/consentcategorycodes", "emrgonly"), Patient, time);
            json.WriteStartObject("policyRule");
            ConsentJson.WriteCodings(json, "coding", ReasonSystem, [Code]);
            json.WriteString("text", Reason);
            json.WriteEndObject();
            json.WriteStartObject("provision");
            ConsentJson.WritePermit(json, From, Until);
            ConsentJson.WriteActor(json, Account.ToString());
            ConsentJson.WriteCodings(json, "purpose", ReasonSystem, [Code]);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    public static EmergencyDocument Read(ReadOnlyMemory<byte> bytes)
    {
        using var document = JsonDocument.Parse(bytes);
        var root = document.RootElement;
        var provision = root.GetProperty("provision");
        var period = provision.GetProperty("period");
        return new EmergencyDocument(
            root.GetProperty("patient").GetProperty("reference").GetString()![PatientPrefix.Length..],
            provision.GetProperty("actor")[0].GetProperty("reference").GetProperty("identifier").GetProperty("value").GetGuid(),
            root.GetProperty("policyRule").GetProperty("text").GetString()!,
            period.GetProperty("start").GetDateTimeOffset(),
            period.GetProperty("end").GetDateTimeOffset(),
            root.GetProperty("status").GetString() == "active");
    }
}
