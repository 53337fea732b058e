namespace Salus.Platform.Records;

/// <summary>What a doctor thinks of an encounter.</summary>
public enum Assessment
{
    /// <summary>Nothing to worry about.</summary>
    Normal,
    /// <summary>Something is wrong.</summary>
    Abnormal,
    /// <summary>Not yet known.</summary>
    Unknown,
}

/// <summary>Measured signs; what was not measured is absent.</summary>
/// <param name="HeartRate">Beats per minute, 20 to 300.</param>
/// <param name="SystolicPressure">mmHg, 40 to 300.</param>
/// <param name="DiastolicPressure">mmHg, 20 to 200.</param>
/// <param name="Temperature">Degrees Celsius, 25 to 45.</param>
/// <param name="RespiratoryRate">Breaths per minute, 4 to 80.</param>
/// <param name="OxygenSaturation">Percent, 40 to 100.</param>
/// <param name="BodyMassIndex">kg/m², 8 to 100.</param>
/// <param name="Glucose">mg/dL, 20 to 1000.</param>
public sealed record VitalSigns(
    decimal? HeartRate = null, decimal? SystolicPressure = null, decimal? DiastolicPressure = null, decimal? Temperature = null,
    decimal? RespiratoryRate = null, decimal? OxygenSaturation = null, decimal? BodyMassIndex = null, decimal? Glucose = null);

/// <summary>A new patient's particulars.</summary>
public sealed record NewPatient(string Family, string Given, DateOnly BirthDate, string Sex);

/// <summary>A patient's condition as a doctor enters it.</summary>
/// <param name="PatientId">The hospital's identifier of the patient, or the logical id of a known one.</param>
/// <param name="NewPatient">Particulars, for a patient not known yet.</param>
/// <param name="Symptoms">What the patient complains of.</param>
/// <param name="History">Medical history.</param>
/// <param name="Findings">What the examination found.</param>
/// <param name="Vitals">Measured signs.</param>
/// <param name="Assessment">What the doctor thinks.</param>
/// <param name="EncounterTime">When; now when absent.</param>
public sealed record ConditionEntry(
    string PatientId, NewPatient? NewPatient, string Symptoms, string? History, string? Findings, VitalSigns? Vitals, Assessment Assessment,
    DateTimeOffset? EncounterTime = null)
{
    const int TextMax = 20_000;
    const int NameMax = 200;

    static readonly (string Field, Func<VitalSigns, decimal?> Value, decimal Low, decimal High, string Unit)[] Ranges =
    [
        ("heartRate", vitals => vitals.HeartRate, 20, 300, "beats per minute"),
        ("systolicPressure", vitals => vitals.SystolicPressure, 40, 300, "mmHg"),
        ("diastolicPressure", vitals => vitals.DiastolicPressure, 20, 200, "mmHg"),
        ("temperature", vitals => vitals.Temperature, 25, 45, "°C"),
        ("respiratoryRate", vitals => vitals.RespiratoryRate, 4, 80, "breaths per minute"),
        ("oxygenSaturation", vitals => vitals.OxygenSaturation, 40, 100, "%"),
        ("bodyMassIndex", vitals => vitals.BodyMassIndex, 8, 100, "kg/m²"),
        ("glucose", vitals => vitals.Glucose, 20, 1000, "mg/dL"),
    ];

    /// <summary>What is wrong, by field; empty when all is well.</summary>
    public Dictionary<string, string[]> Check(DateTimeOffset now)
    {
        var wrong = new Dictionary<string, string[]>();
        if (string.IsNullOrWhiteSpace(PatientId) || PatientId.Length > NameMax)
        {
            wrong["patientId"] = [$"Enter the patient's id, up to {NameMax} characters."];
        }
        if (string.IsNullOrWhiteSpace(Symptoms))
        {
            wrong["symptoms"] = ["Enter the symptoms; write 'none' where there are none."];
        }
        foreach (var (field, text) in new[] { ("symptoms", Symptoms), ("history", History), ("findings", Findings) })
        {
            if (text?.Length > TextMax)
            {
                wrong[field] = [$"The text has {text.Length} characters; {TextMax} is the most."];
            }
        }
        if (!Enum.IsDefined(Assessment))
        {
            wrong["assessment"] = ["Choose normal, abnormal or not yet known."];
        }
        if (EncounterTime > now.AddMinutes(5))
        {
            wrong["encounterTime"] = ["The encounter lies in the future."];
        }
        CheckVitals(wrong);
        CheckPatient(wrong, now);
        return wrong;
    }

    void CheckVitals(Dictionary<string, string[]> wrong)
    {
        foreach (var (field, value, low, high, unit) in Ranges)
        {
            if (Vitals is not null && value(Vitals) is { } measured && (measured < low || measured > high))
            {
                wrong[$"vitals.{field}"] = [$"{measured} {unit} is outside {low} to {high}. Check the value and its unit."];
            }
        }
        if (Vitals is { SystolicPressure: { } systolic, DiastolicPressure: { } diastolic } && diastolic >= systolic)
        {
            wrong["vitals.diastolicPressure"] = ["The diastolic pressure must lie below the systolic one."];
        }
    }

    void CheckPatient(Dictionary<string, string[]> wrong, DateTimeOffset now)
    {
        if (NewPatient is not { } patient)
        {
            return;
        }
        if (string.IsNullOrWhiteSpace(patient.Family) || patient.Family.Length > NameMax)
        {
            wrong["newPatient.family"] = ["Enter the family name."];
        }
        if (string.IsNullOrWhiteSpace(patient.Given) || patient.Given.Length > NameMax)
        {
            wrong["newPatient.given"] = ["Enter the given name."];
        }
        if (patient.BirthDate > DateOnly.FromDateTime(now.UtcDateTime) || patient.BirthDate.Year < 1880)
        {
            wrong["newPatient.birthDate"] = ["The birth date must lie between 1880 and today."];
        }
        if (patient.Sex is not ("female" or "male" or "other" or "unknown"))
        {
            wrong["newPatient.sex"] = ["Choose female, male, other or unknown."];
        }
    }
}
