using System.Globalization;
using Salus.Host.Ui.Components;
using Salus.Learning.Models;

namespace Salus.Host.Ui.Pages.Models;

/// <summary>Values as they are typed in to try a model: of nobody's record, in the units of the clinic's forms.</summary>
sealed record WhatIfForm(IReadOnlyDictionary<string, string> Typed)
{
    // Glucose, 180.16 g/mol.
    const double MilligramsPerMillimole = 18.016;

    /// <summary>The fields of numbers: name, label, and what is asked for.</summary>
    public static IReadOnlyList<(string Name, string Label, string Hint)> Numbers { get; } =
    [
        ("age", "Age", "years"), ("heartRate", "Heart rate", "per minute"), ("systolic", "Systolic pressure", "mmHg"), ("diastolic", "Diastolic pressure", "mmHg"),
        ("temperature", "Temperature", "°C"), ("respiratory", "Respiratory rate", "per minute"), ("saturation", "Oxygen saturation", "%"), ("bmi", "Body mass index", "kg/m²"),
        ("glucose", "Glucose", "mg/dL"),
    ];

    /// <summary>Reads what was typed.</summary>
    public static WhatIfForm Of(IFormCollection form) =>
        new(Numbers.Select(field => field.Name).Append("sex").Append("notes").ToDictionary(name => name, name => form[name].ToString().Trim()));

    /// <summary>What was typed into a field.</summary>
    public string? this[string field] => Typed.GetValueOrDefault(field);

    /// <summary>The values; what cannot be read goes to <paramref name="errors"/>.</summary>
    public EncounterFeatures Read(FieldErrors errors) => new()
    {
        AgeYears = Number("age", errors), HeartRate = Number("heartRate", errors), SystolicPressure = Number("systolic", errors), DiastolicPressure = Number("diastolic", errors),
        Temperature = Number("temperature", errors), RespiratoryRate = Number("respiratory", errors), OxygenSaturation = Number("saturation", errors), BodyMassIndex = Number("bmi", errors),
        Glucose = Number("glucose", errors) / MilligramsPerMillimole, Sex = Filled("sex"), Notes = Filled("notes"),
    };

    string? Filled(string field) => this[field] is { Length: > 0 } text ? text : null;

    double? Number(string field, FieldErrors errors)
    {
        if (Filled(field) is not { } text)
        {
            return null;
        }
        if (double.TryParse(text.Replace(',', '.'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var value))
        {
            return value;
        }
        errors.Add(field, $"{Numbers.First(known => known.Name == field).Label}: enter a number such as 72, or nothing.");
        return null;
    }
}
