using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>What is known of a patient at one encounter; null is not measured.</summary>
public sealed record EncounterFeatures
{
    /// <summary>Beats per minute.</summary>
    public double? HeartRate { get; init; }

    /// <summary>Systolic blood pressure, mmHg.</summary>
    public double? SystolicPressure { get; init; }

    /// <summary>Diastolic blood pressure, mmHg.</summary>
    public double? DiastolicPressure { get; init; }

    /// <summary>Body temperature, °C.</summary>
    public double? Temperature { get; init; }

    /// <summary>Breaths per minute.</summary>
    public double? RespiratoryRate { get; init; }

    /// <summary>Oxygen saturation, %.</summary>
    public double? OxygenSaturation { get; init; }

    /// <summary>Body mass index, kg/m².</summary>
    public double? BodyMassIndex { get; init; }

    /// <summary>Blood glucose, mmol/L.</summary>
    public double? Glucose { get; init; }

    /// <summary>Age in whole years at the encounter.</summary>
    public double? AgeYears { get; init; }

    /// <summary>Administrative sex.</summary>
    public string? Sex { get; init; }

    /// <summary>Symptoms, medical history and examination findings as written.</summary>
    public string? Notes { get; init; }

    internal const string SexColumn = "sex";
    internal const string AgeColumn = "age (years)";

    static readonly (string Name, Func<EncounterFeatures, double?> Value)[] Numbers =
    [
        (AgeColumn, encounter => encounter.AgeYears),
        ("heart rate (/min)", encounter => encounter.HeartRate),
        ("systolic pressure (mmHg)", encounter => encounter.SystolicPressure),
        ("diastolic pressure (mmHg)", encounter => encounter.DiastolicPressure),
        ("temperature (°C)", encounter => encounter.Temperature),
        ("respiratory rate (/min)", encounter => encounter.RespiratoryRate),
        ("oxygen saturation (%)", encounter => encounter.OxygenSaturation),
        ("body mass index (kg/m²)", encounter => encounter.BodyMassIndex),
        ("glucose (mmol/L)", encounter => encounter.Glucose),
    ];

    /// <summary>The encounters as a table, one row each.</summary>
    public static Table ToTable(IReadOnlyList<EncounterFeatures> encounters) => new(
    [
        .. Numbers.Select(number => new NumberColumn(number.Name, [.. encounters.Select(encounter => number.Value(encounter) ?? double.NaN)])),
        CategoryColumn.Of(SexColumn, [.. encounters.Select(encounter => encounter.Sex)]),
        new TextColumn("notes", [.. encounters.Select(encounter => encounter.Notes)]),
    ]);
}
