using System.Globalization;
using System.Text.Json;

namespace Salus.Host.Ui.Pages.Clinic;

/// <summary>Words and figures out of FHIR JSON, as a reader wants them. What is absent is null; nothing throws on what is merely unusual.</summary>
static class FhirText
{
    /// <summary>The member, or null where there is none.</summary>
    public static JsonElement? Member(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) ? member : null;

    /// <summary>The items of a list, or none.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [];

    /// <summary>A string or code as it stands.</summary>
    public static string? Text(this JsonElement element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>The words of a CodeableConcept, or of the first in a list of them.</summary>
    public static string? Concept(this JsonElement element, string name) => element.Member(name) switch
    {
        { ValueKind: JsonValueKind.Array } list => list.EnumerateArray().Select(Words).FirstOrDefault(words => words is not null),
        { ValueKind: JsonValueKind.Object } concept => Words(concept),
        _ => null,
    };

    /// <summary>The code of a CodeableConcept in a system, or the first code where no system is asked for.</summary>
    public static string? Code(this JsonElement element, string name, string? system = null) =>
        element.Member(name) is { } concept
            ? concept.Items("coding").FirstOrDefault(coding => system is null || coding.Text("system") == system) is { ValueKind: JsonValueKind.Object } found ? found.Text("code") : null
            : null;

    /// <summary>The moment of the first member that has one: a dateTime, date, instant or the start of a Period. Years and months stand for their first day.</summary>
    public static DateTimeOffset? Moment(this JsonElement element, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            var text = element.Member(name) is { ValueKind: JsonValueKind.Object } period ? period.Text("start") ?? period.Text("end") : element.Text(name);
            if (ParseMoment(text) is { } moment)
            {
                return moment;
            }
        }
        return null;
    }

    /// <summary>The logical id that a reference to a type names.</summary>
    public static string? Reference(this JsonElement element, string name, string type)
    {
        var target = element.Member(name) is { ValueKind: JsonValueKind.Array } list
            ? list.EnumerateArray().Select(item => item.Text("reference")).FirstOrDefault()
            : element.Member(name)?.Text("reference");
        return target?.StartsWith(type + "/", StringComparison.Ordinal) == true ? target[(type.Length + 1)..].Split('/')[0] : null;
    }

    /// <summary>The value of an Observation or of one of its components, with its unit.</summary>
    public static string? Value(this JsonElement observation) =>
        observation.Member("valueQuantity") is { } quantity ? Quantity(quantity)
        : observation.Concept("valueCodeableConcept")
            ?? observation.Text("valueString")
            ?? (observation.Member("valueBoolean") is { } flag ? flag.ValueKind == JsonValueKind.True ? "yes" : "no" : null)
            ?? (observation.Member("valueInteger") is { } number ? number.ToString() : null)
            ?? (observation.Moment("valueDateTime") is { } moment ? Day(moment) : null);

    /// <summary>The number of an Observation's or a component's quantity.</summary>
    public static double? Number(this JsonElement observation) =>
        observation.Member("valueQuantity")?.Member("value") is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : null;

    /// <summary>A quantity, rounded to what is worth reading.</summary>
    public static string? Quantity(JsonElement quantity) =>
        quantity.Member("value") is { ValueKind: JsonValueKind.Number } value
            ? $"{Round(value.GetDouble())} {Unit(quantity.Text("unit") ?? quantity.Text("code"))}".TrimEnd()
            : null;

    /// <summary>A unit as it is written in a clinic.</summary>
    public static string? Unit(string? unit) => unit switch
    {
        "Cel" => "°C",
        "mm[Hg]" => "mmHg",
        "/min" or "beats/minute" => "/min",
        "kg/m2" => "kg/m²",
        "{score}" or "{nominal}" or "1" => null,
        _ => unit,
    };

    /// <summary>A number with at most two places.</summary>
    public static string Round(double value) => value.ToString(Math.Abs(value) >= 1000 ? "0" : "0.##", CultureInfo.InvariantCulture);

    /// <summary>A day, such as <c>3 May 2021</c>.</summary>
    public static string Day(DateTimeOffset moment) => moment.ToString("d MMM yyyy", CultureInfo.InvariantCulture);

    /// <summary>A minute in UTC, such as <c>3 May 2021 09:15</c>.</summary>
    public static string Minute(DateTimeOffset moment) => moment.UtcDateTime.ToString("d MMM yyyy HH:mm", CultureInfo.InvariantCulture);

    /// <summary>A size in bytes as people say it.</summary>
    public static string Bytes(long count) => count switch
    {
        < 1024 => $"{count} bytes",
        < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{count / 1024.0:0.#} KiB"),
        < 1024 * 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{count / (1024.0 * 1024):0.#} MiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{count / (1024.0 * 1024 * 1024):0.##} GiB"),
    };

    /// <summary>A sum of money.</summary>
    public static string? Money(this JsonElement element, string name) =>
        element.Member(name) is { } money && money.Member("value") is { ValueKind: JsonValueKind.Number } value
            ? string.Create(CultureInfo.InvariantCulture, $"{value.GetDouble():#,0.00} {money.Text("currency")}").TrimEnd()
            : null;

    /// <summary>A LOINC name without the property that it measures: <c>Glucose [Mass/volume] in Blood</c> is glucose in blood.</summary>
    public static string Plain(string name)
    {
        while (name.IndexOf('[') is >= 0 and var open && name.IndexOf(']', open) is > 0 and var close)
        {
            name = $"{name[..open].TrimEnd()} {name[(close + 1)..].TrimStart()}".Trim();
        }
        return name;
    }

    /// <summary>A code such as <c>entered-in-error</c> or <c>CarePlan</c> in words.</summary>
    public static string Words(string code) =>
        string.Concat(code.Select((letter, i) => i > 0 && char.IsUpper(letter) && char.IsLower(code[i - 1]) ? " " + char.ToLowerInvariant(letter) : letter.ToString())).Replace('-', ' ');

    static string? Words(JsonElement concept) =>
        concept.Text("text")
            ?? concept.Items("coding").Select(coding => coding.Text("display") ?? coding.Text("code")).FirstOrDefault(words => words is not null);

    static DateTimeOffset? ParseMoment(string? text) => text switch
    {
        null => null,
        { Length: 4 } when DateTimeOffset.TryParseExact(text, "yyyy", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var year) => year,
        { Length: 7 } when DateTimeOffset.TryParseExact(text, "yyyy-MM", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var month) => month,
        _ => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) ? moment : null,
    };
}
