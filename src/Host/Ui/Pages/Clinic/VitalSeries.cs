using System.Text.Json;
using Salus.Platform.Records;

namespace Salus.Host.Ui.Pages.Clinic;

/// <summary>Measurements over time, by their LOINC codes.</summary>
static class VitalSeries
{
    const string Loinc = "http://loinc.org";
    const string Systolic = "8480-6";
    const string Diastolic = "8462-4";

    /// <summary>What is charted, in the order of the page; codes that measure the same thing share a chart.</summary>
    static readonly (string Name, string Unit, string[] Codes)[] Measures =
    [
        ("Heart rate", "/min", ["8867-4"]),
        ("Body temperature", "°C", ["8310-5", "8331-1"]),
        ("Oxygen saturation", "%", ["2708-6", "59408-5"]),
        ("Respiratory rate", "/min", ["9279-1"]),
        ("Glucose", "mg/dL", ["2339-0", "2345-7"]),
        ("Body mass index", "kg/m²", ["39156-5"]),
        ("Body weight", "kg", ["29463-7"]),
        ("Body height", "cm", ["8302-2"]),
        ("Haemoglobin A1c", "%", ["4548-4"]),
        ("Total cholesterol", "mg/dL", ["2093-3"]),
        ("Creatinine", "mg/dL", ["38483-4", "2160-0"]),
    ];

    /// <summary>The charts of a record: those measures of which it holds at least one value.</summary>
    public static IReadOnlyList<VitalChart> Charts(IEnumerable<ProvenRecord> records)
    {
        var values = new Dictionary<string, List<(DateTimeOffset, double)>>();
        foreach (var record in records.Where(proven => proven.Record.Type == "Observation"))
        {
            var json = JsonElement.Parse(record.Record.Bytes);
            if (json.Moment("effectiveDateTime", "effectivePeriod", "issued") is not { } when)
            {
                continue;
            }
            Add(values, json, when);
            foreach (var component in json.Items("component"))
            {
                Add(values, component, when);
            }
        }
        List<VitalChart> charts = [];
        if (Line(values, "Systolic", Systolic) is { } systolic && Line(values, "Diastolic", Diastolic) is { } diastolic)
        {
            charts.Add(new VitalChart("Blood pressure", "mmHg", [systolic, diastolic]));
        }
        foreach (var (name, unit, codes) in Measures)
        {
            if (Line(values, name, codes) is { } line)
            {
                charts.Add(new VitalChart(name, unit, [line]));
            }
        }
        return charts;
    }

    /// <summary>The two pressures of a blood pressure panel.</summary>
    public static (double Systolic, double Diastolic)? Pressure(JsonElement observation)
    {
        double? Find(string code) => observation.Items("component").Where(part => part.Code("code", Loinc) == code).Select(part => part.Number()).FirstOrDefault();
        return (Find(Systolic), Find(Diastolic)) is ({ } high, { } low) ? (high, low) : null;
    }

    static void Add(Dictionary<string, List<(DateTimeOffset, double)>> values, JsonElement measured, DateTimeOffset when)
    {
        if (measured.Code("code", Loinc) is { } code && measured.Number() is { } number)
        {
            if (!values.TryGetValue(code, out var list))
            {
                values[code] = list = [];
            }
            list.Add((when, number));
        }
    }

    static VitalLine? Line(Dictionary<string, List<(DateTimeOffset When, double Value)>> values, string name, params ReadOnlySpan<string> codes)
    {
        List<(DateTimeOffset When, double Value)> points = [];
        foreach (var code in codes)
        {
            points.AddRange(values.GetValueOrDefault(code, []));
        }
        return points.Count == 0 ? null : new VitalLine(name, [.. points.OrderBy(point => point.When)]);
    }
}
