using System.Globalization;
using Salus.Platform.Records;

namespace Salus.Host.Ui.Pages.Clinic;

/// <summary>A condition as it is typed; texts, so that what was typed stands there again beside what is wrong with it.</summary>
public sealed class ConditionForm
{
    /// <summary>The hospital's identifier of the patient, or the record's id.</summary>
    public string? PatientId { get; set; }
    /// <summary>A new patient's family name.</summary>
    public string? Family { get; set; }
    /// <summary>A new patient's given name.</summary>
    public string? Given { get; set; }
    /// <summary>A new patient's birth date, yyyy-MM-dd.</summary>
    public string? BirthDate { get; set; }
    /// <summary>A new patient's sex.</summary>
    public string? Sex { get; set; }
    /// <summary>What the patient complains of.</summary>
    public string? Symptoms { get; set; }
    /// <summary>Medical history.</summary>
    public string? History { get; set; }
    /// <summary>What the examination found.</summary>
    public string? Findings { get; set; }
    /// <summary>Beats per minute.</summary>
    public string? HeartRate { get; set; }
    /// <summary>mmHg.</summary>
    public string? SystolicPressure { get; set; }
    /// <summary>mmHg.</summary>
    public string? DiastolicPressure { get; set; }
    /// <summary>Degrees Celsius.</summary>
    public string? Temperature { get; set; }
    /// <summary>Breaths per minute.</summary>
    public string? RespiratoryRate { get; set; }
    /// <summary>Percent.</summary>
    public string? OxygenSaturation { get; set; }
    /// <summary>kg/m².</summary>
    public string? BodyMassIndex { get; set; }
    /// <summary>mg/dL.</summary>
    public string? Glucose { get; set; }
    /// <summary>What the doctor thinks.</summary>
    public string? Assessment { get; set; }
    /// <summary>When, in UTC; now when empty.</summary>
    public string? EncounterTime { get; set; }

    /// <summary>Whether anything was typed about a new patient.</summary>
    public bool NamesNewPatient => new[] { Family, Given, BirthDate, Sex }.Any(text => !string.IsNullOrWhiteSpace(text));

    /// <summary>The entry, and what of it could not be read, by field as <see cref="ConditionEntry.Check"/> names them.</summary>
    public (ConditionEntry Entry, Dictionary<string, string[]> Wrong) Read()
    {
        var wrong = new Dictionary<string, string[]>();
        var vitals = new VitalSigns(
            Number(HeartRate, "heartRate", wrong), Number(SystolicPressure, "systolicPressure", wrong), Number(DiastolicPressure, "diastolicPressure", wrong),
            Number(Temperature, "temperature", wrong), Number(RespiratoryRate, "respiratoryRate", wrong), Number(OxygenSaturation, "oxygenSaturation", wrong),
            Number(BodyMassIndex, "bodyMassIndex", wrong), Number(Glucose, "glucose", wrong));
        if (!Enum.TryParse<Assessment>(Assessment, ignoreCase: true, out var assessment) || !Enum.IsDefined(assessment))
        {
            wrong["assessment"] = ["Choose normal, abnormal or not yet known."];
        }
        var entry = new ConditionEntry(
            PatientId?.Trim() ?? "", NamesNewPatient ? Patient(wrong) : null, Symptoms?.Trim() ?? "", Blank(History), Blank(Findings),
            vitals == new VitalSigns() ? null : vitals, assessment, Time(wrong));
        return (entry, wrong);
    }

    NewPatient Patient(Dictionary<string, string[]> wrong)
    {
        if (!DateOnly.TryParseExact(BirthDate, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var born))
        {
            wrong["newPatient.birthDate"] = ["Enter the birth date."];
            born = new DateOnly(2000, 1, 1);
        }
        return new NewPatient(Family?.Trim() ?? "", Given?.Trim() ?? "", born, Sex ?? "");
    }

    DateTimeOffset? Time(Dictionary<string, string[]> wrong)
    {
        if (string.IsNullOrWhiteSpace(EncounterTime))
        {
            return null;
        }
        if (DateTimeOffset.TryParse(EncounterTime, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return time;
        }
        wrong["encounterTime"] = ["Enter a date and a time, or leave it empty for now."];
        return null;
    }

    static decimal? Number(string? text, string field, Dictionary<string, string[]> wrong)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return null;
        }
        if (decimal.TryParse(text.Trim().Replace(',', '.'), NumberStyles.Number & ~NumberStyles.AllowThousands, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }
        wrong[$"vitals.{field}"] = [$"'{text.Trim()}' is no number. Enter digits, such as 36.6, or leave it empty."];
        return null;
    }

    static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();
}
