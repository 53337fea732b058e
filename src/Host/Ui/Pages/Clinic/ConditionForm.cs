using System.Globalization;
using Salus.Host.Ui.Components;
using Salus.Platform.Records;

namespace Salus.Host.Ui.Pages.Clinic;

/// <summary>
/// A condition as it is typed: texts under the names by which <see cref="ConditionEntry.Check"/> tells of fields, so that what was typed stands
/// there again beside what is wrong with it.
/// </summary>
sealed class ConditionForm(IFormCollection? typed)
{
    const string BirthDate = "newPatient.birthDate";

    static readonly string[] Particulars = ["newPatient.family", "newPatient.given", BirthDate, "newPatient.sex"];

    /// <summary>What was typed into a field.</summary>
    public string? this[string field] => typed?[field] is [{ } text, ..] ? text : null;

    /// <summary>Whether anything was typed about a new patient.</summary>
    public bool NamesNewPatient => Particulars.Any(name => !string.IsNullOrWhiteSpace(this[name]));

    /// <summary>The entry; what of it cannot be read or is out of range goes to <paramref name="errors"/>.</summary>
    public ConditionEntry Read(FieldErrors errors, DateTimeOffset now)
    {
        var unread = new Dictionary<string, string>();
        var vitals = new VitalSigns(
            Number("vitals.heartRate", unread), Number("vitals.systolicPressure", unread), Number("vitals.diastolicPressure", unread), Number("vitals.temperature", unread),
            Number("vitals.respiratoryRate", unread), Number("vitals.oxygenSaturation", unread), Number("vitals.bodyMassIndex", unread), Number("vitals.glucose", unread));
        if (!Enum.TryParse<Assessment>(this["assessment"], ignoreCase: true, out var assessment) || !Enum.IsDefined(assessment))
        {
            unread["assessment"] = "Choose normal, abnormal or not yet known.";
        }
        var entry = new ConditionEntry(
            this["patientId"]?.Trim() ?? "", NamesNewPatient ? Patient(unread) : null, this["symptoms"]?.Trim() ?? "", Filled("history"), Filled("findings"),
            vitals == new VitalSigns() ? null : vitals, assessment, Time(unread));
        foreach (var (field, message) in entry.Check(now).Where(wrong => !unread.ContainsKey(wrong.Key)).Select(wrong => (wrong.Key, wrong.Value[0])).Concat(unread.Select(wrong => (wrong.Key, wrong.Value))))
        {
            errors.Add(field, message);
        }
        return entry;
    }

    NewPatient Patient(Dictionary<string, string> unread)
    {
        if (!DateOnly.TryParseExact(this[BirthDate], "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var born))
        {
            unread[BirthDate] = "Enter the birth date.";
        }
        return new NewPatient(this["newPatient.family"]?.Trim() ?? "", this["newPatient.given"]?.Trim() ?? "", born, this["newPatient.sex"] ?? "");
    }

    DateTimeOffset? Time(Dictionary<string, string> unread)
    {
        if (Filled("encounterTime") is not { } text)
        {
            return null;
        }
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            return time;
        }
        unread["encounterTime"] = "Enter a date and a time, or leave it empty for now.";
        return null;
    }

    decimal? Number(string field, Dictionary<string, string> unread)
    {
        if (Filled(field) is not { } text)
        {
            return null;
        }
        if (decimal.TryParse(text.Replace(',', '.'), NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }
        unread[field] = $"'{text}' is no number. Enter digits, such as 36.6, or leave it empty.";
        return null;
    }

    string? Filled(string field) => string.IsNullOrWhiteSpace(this[field]) ? null : this[field]!.Trim();
}
