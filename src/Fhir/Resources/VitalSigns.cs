namespace Salus.Fhir.Resources;

/// <summary>A kind of vital sign: its LOINC code and UCUM unit, as R4's vital signs profiles name them.</summary>
public sealed record VitalSign(string Loinc, string Display, string Unit, string Ucum)
{
    /// <summary>Heart rate.</summary>
    public static VitalSign HeartRate { get; } = new("8867-4", "Heart rate", "beats/minute", "/min");

    /// <summary>Respiratory rate.</summary>
    public static VitalSign RespiratoryRate { get; } = new("9279-1", "Respiratory rate", "breaths/minute", "/min");

    /// <summary>Body temperature in degrees Celsius.</summary>
    public static VitalSign BodyTemperature { get; } = new("8310-5", "Body temperature", "°C", "Cel");

    /// <summary>Oxygen saturation in arterial blood.</summary>
    public static VitalSign OxygenSaturation { get; } = new("2708-6", "Oxygen saturation in Arterial blood", "%", "%");

    /// <summary>Body height in centimetres.</summary>
    public static VitalSign BodyHeight { get; } = new("8302-2", "Body height", "cm", "cm");

    /// <summary>Body weight in kilograms.</summary>
    public static VitalSign BodyWeight { get; } = new("29463-7", "Body weight", "kg", "kg");

    /// <summary>Body mass index.</summary>
    public static VitalSign BodyMassIndex { get; } = new("39156-5", "Body mass index (BMI) [Ratio]", "kg/m2", "kg/m2");

    internal static VitalSign Systolic { get; } = new("8480-6", "Systolic blood pressure", "mmHg", "mm[Hg]");

    internal static VitalSign Diastolic { get; } = new("8462-4", "Diastolic blood pressure", "mmHg", "mm[Hg]");

    internal Coding Coding => new("http://loinc.org", Loinc, Display);
}

/// <summary>One vital sign, as Observation.</summary>
public sealed record VitalSignRecord(
    string? Id, VitalSign Kind, decimal Value, string Subject, DateTimeOffset Effective, string? Encounter = null, string? Performer = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Observation", Id, json =>
    {
        VitalSigns.Head(json, Kind.Coding, Subject, Encounter, Effective, Performer);
        json.Quantity("valueQuantity", Value, Kind.Unit, Kind.Ucum);
    });
}

/// <summary>A blood pressure in mm[Hg], as the panel 85354-9 with its two components.</summary>
public sealed record BloodPressureRecord(
    string? Id, decimal Systolic, decimal Diastolic, string Subject, DateTimeOffset Effective, string? Encounter = null, string? Performer = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Observation", Id, json =>
    {
        var panel = new Coding("http://loinc.org", "85354-9", "Blood pressure panel with all children optional");
        VitalSigns.Head(json, panel, Subject, Encounter, Effective, Performer);
        json.Objects<(VitalSign Kind, decimal Value)>("component", [(VitalSign.Systolic, Systolic), (VitalSign.Diastolic, Diastolic)], part =>
        {
            json.Concept("code", part.Kind.Coding);
            json.Quantity("valueQuantity", part.Value, part.Kind.Unit, part.Kind.Ucum);
        });
    });
}

static class VitalSigns
{
    public static void Head(ResourceJson json, Coding code, string subject, string? encounter, DateTimeOffset effective, string? performer)
    {
        json.Text("status", "final");
        json.Concepts("category", new Coding("http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital Signs"));
        json.Concept("code", code, code.Display);
        json.Reference("subject", subject);
        json.Reference("encounter", encounter);
        json.Instant("effectiveDateTime", effective);
        json.References("performer", performer);
    }
}
