using Salus.Learning.Models;

namespace Salus.Learning.Cohort;

/// <summary>Vital signs of an encounter; null where not measured.</summary>
public sealed record SyntheticVitals(
    int HeartRate, int SystolicPressure, int DiastolicPressure, decimal Temperature, int RespiratoryRate, int OxygenSaturation, decimal BodyMassIndex, decimal? Glucose);

/// <summary>One encounter of a synthetic patient.</summary>
public sealed record SyntheticEncounter
{
    /// <summary>The day of the encounter.</summary>
    public required DateOnly Date { get; init; }

    /// <summary>What the patient reports.</summary>
    public required string Symptoms { get; init; }

    /// <summary>The medical history as written.</summary>
    public required string History { get; init; }

    /// <summary>Examination findings as written.</summary>
    public required string Examination { get; init; }

    /// <summary>The vital signs.</summary>
    public required SyntheticVitals Vitals { get; init; }

    /// <summary>The doctor's recorded assessment: the state, or by a stated chance its opposite.</summary>
    public required bool AssessedAbnormal { get; init; }

    /// <summary>The state from which everything followed. Not for training: no record would hold it.</summary>
    public required bool LatentAbnormal { get; init; }

    /// <summary>The probability that the assessment is abnormal, given everything else and the generating model.</summary>
    public required double TrueProbability { get; init; }
}

/// <summary>A patient who does not exist.</summary>
public sealed record SyntheticPatient
{
    /// <summary>An identifier such as P-1001.</summary>
    public required string Id { get; init; }

    /// <summary>A given name, marked as synthetic by the family name.</summary>
    public required string GivenName { get; init; }

    /// <summary>A family name beginning with "Synth".</summary>
    public required string FamilyName { get; init; }

    /// <summary>Administrative sex: female or male.</summary>
    public required string Sex { get; init; }

    /// <summary>The day of birth.</summary>
    public required DateOnly BirthDate { get; init; }

    /// <summary>The encounters in order of date.</summary>
    public required IReadOnlyList<SyntheticEncounter> Encounters { get; init; }

    /// <summary>The age in whole years on a day.</summary>
    public int AgeOn(DateOnly day)
    {
        var years = day.Year - BirthDate.Year;
        return BirthDate.AddYears(years) > day ? years - 1 : years;
    }
}

/// <summary>A synthetic cohort and the best that any model could do on it.</summary>
/// <param name="Patients">The patients.</param>
/// <param name="Seed">The seed that makes the same cohort again.</param>
/// <param name="BestAccuracy">The accuracy on the recorded assessment of whoever knows the generating model (the Bayes rate), by Monte Carlo over fresh encounters.</param>
/// <param name="BestAccuracyError">The standard error of that figure.</param>
/// <param name="BestAccuracyHere">The accuracy of the same rule on these encounters.</param>
public sealed record SyntheticCohort(IReadOnlyList<SyntheticPatient> Patients, ulong Seed, double BestAccuracy, double BestAccuracyError, double BestAccuracyHere)
{
    /// <summary>The encounters as a model is trained on them.</summary>
    public IReadOnlyList<AssessedEncounter> ToAssessedEncounters() =>
    [
        .. Patients.SelectMany(patient => patient.Encounters.Select(encounter => new AssessedEncounter(
            patient.Id,
            new EncounterFeatures
            {
                HeartRate = encounter.Vitals.HeartRate,
                SystolicPressure = encounter.Vitals.SystolicPressure,
                DiastolicPressure = encounter.Vitals.DiastolicPressure,
                Temperature = (double)encounter.Vitals.Temperature,
                RespiratoryRate = encounter.Vitals.RespiratoryRate,
                OxygenSaturation = encounter.Vitals.OxygenSaturation,
                BodyMassIndex = (double)encounter.Vitals.BodyMassIndex,
                Glucose = (double?)encounter.Vitals.Glucose,
                AgeYears = patient.AgeOn(encounter.Date),
                Sex = patient.Sex,
                Notes = $"{encounter.Symptoms} {encounter.History} {encounter.Examination}",
            },
            encounter.AssessedAbnormal))),
    ];
}
