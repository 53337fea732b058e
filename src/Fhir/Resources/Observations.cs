namespace Salus.Fhir.Resources;

/// <summary>What an observation measures: its LOINC code and UCUM unit, for vital signs as R4's profiles name them.</summary>
/// <param name="Loinc">The code in LOINC.</param>
/// <param name="Display">The code's name.</param>
/// <param name="Unit">The unit as people read it.</param>
/// <param name="Ucum">The unit in UCUM.</param>
/// <param name="Category">A code of observation-category.</param>
public sealed record Measure(string Loinc, string Display, string Unit, string Ucum, string Category = Measure.VitalSigns)
{
    internal const string VitalSigns = "vital-signs";

    /// <summary>Heart rate.</summary>
    public static Measure HeartRate { get; } = new("8867-4", "Heart rate", "beats/minute", "/min");

    /// <summary>Respiratory rate.</summary>
    public static Measure RespiratoryRate { get; } = new("9279-1", "Respiratory rate", "breaths/minute", "/min");

    /// <summary>Body temperature in degrees Celsius.</summary>
    public static Measure BodyTemperature { get; } = new("8310-5", "Body temperature", "°C", "Cel");

    /// <summary>Oxygen saturation in arterial blood.</summary>
    public static Measure OxygenSaturation { get; } = new("2708-6", "Oxygen saturation in Arterial blood", "%", "%");

    /// <summary>Body mass index.</summary>
    public static Measure BodyMassIndex { get; } = new("39156-5", "Body mass index (BMI) [Ratio]", "kg/m2", "kg/m2");

    /// <summary>Blood glucose, which a laboratory measures.</summary>
    public static Measure Glucose { get; } = new("2339-0", "Glucose [Mass/volume] in Blood", "mg/dL", "mg/dL", "laboratory");

    internal static Measure Systolic { get; } = new("8480-6", "Systolic blood pressure", "mmHg", "mm[Hg]");

    internal static Measure Diastolic { get; } = new("8462-4", "Diastolic blood pressure", "mmHg", "mm[Hg]");

    internal Coding Coding => new("http://loinc.org", Loinc, Display);
}

/// <summary>One measured value, as Observation.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Measure">What was measured.</param>
/// <param name="Value">In the measure's unit.</param>
/// <param name="Subject">Such as Patient/1.</param>
/// <param name="Effective">When.</param>
/// <param name="Encounter">In which encounter.</param>
public sealed record MeasureRecord(string? Id, Measure Measure, decimal Value, string Subject, DateTimeOffset Effective, string? Encounter = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Observation", Id, json =>
    {
        Observations.Head(json, Measure.Coding, Measure.Category, Subject, Encounter, Effective);
        Observations.Value(json, Measure, Value);
    });
}

/// <summary>A blood pressure in mm[Hg], as the panel 85354-9 with a component for each value measured.</summary>
/// <param name="Id">The logical id, if known.</param>
/// <param name="Systolic">The systolic pressure, if measured.</param>
/// <param name="Diastolic">The diastolic pressure, if measured.</param>
/// <param name="Subject">Such as Patient/1.</param>
/// <param name="Effective">When.</param>
/// <param name="Encounter">In which encounter.</param>
public sealed record BloodPressureRecord(
    string? Id, decimal? Systolic, decimal? Diastolic, string Subject, DateTimeOffset Effective, string? Encounter = null)
{
    /// <summary>The resource in UTF-8.</summary>
    public byte[] ToUtf8() => ResourceJson.Write("Observation", Id, json =>
    {
        var panel = new Coding("http://loinc.org", "85354-9", "Blood pressure panel with all children optional");
        (Measure Measure, decimal? Value)[] parts = [(Measure.Systolic, Systolic), (Measure.Diastolic, Diastolic)];
        Observations.Head(json, panel, Measure.VitalSigns, Subject, Encounter, Effective);
        json.Objects("component", parts.Where(part => part.Value is not null), part =>
        {
            json.Concept("code", part.Measure.Coding);
            Observations.Value(json, part.Measure, part.Value!.Value);
        });
    });
}

static class Observations
{
    public static void Head(ResourceJson json, Coding code, string category, string subject, string? encounter, DateTimeOffset effective)
    {
        json.Text("status", "final");
        json.Concepts("category", new Coding("http://terminology.hl7.org/CodeSystem/observation-category", category));
        json.Concept("code", code);
        json.Reference("subject", subject);
        json.Reference("encounter", encounter);
        json.Moment("effectiveDateTime", effective);
    }

    public static void Value(ResourceJson json, Measure measure, decimal value) => json.Quantity("valueQuantity", value, measure.Unit, measure.Ucum);
}
