using System.Text.Json;
using System.Text.Json.Serialization;

namespace Salus.Host.Ui.Components;

/// <summary>What a chart shows.</summary>
/// <param name="Kind"><c>line</c> over time or numbers, or <c>bar</c> over categories.</param>
/// <param name="X">The places along the axis: for a line over time, seconds since 1970; for bars, 0, 1, 2 and so on.</param>
/// <param name="Series">The values, each as long as <paramref name="X"/>.</param>
/// <param name="Labels">For bars, the name of each place.</param>
/// <param name="IsTime">Whether <paramref name="X"/> are moments.</param>
/// <param name="Unit">The unit of the values.</param>
public sealed record ChartData(
    string Kind, IReadOnlyList<double> X, IReadOnlyList<ChartSeries> Series, IReadOnlyList<string>? Labels = null, bool IsTime = false, string? Unit = null)
{
    static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    /// <summary>Bars: one value for each category.</summary>
    public static ChartData Bars(string name, IReadOnlyList<(string Label, double Value)> bars, string? unit = null) =>
        new("bar", [.. Enumerable.Range(0, bars.Count).Select(i => (double)i)], [new ChartSeries(name, [.. bars.Select(bar => (double?)bar.Value)])],
            [.. bars.Select(bar => bar.Label)], Unit: unit);

    /// <summary>A line over time.</summary>
    public static ChartData OverTime(string name, IReadOnlyList<(DateTimeOffset At, double Value)> points, string? unit = null) =>
        new("line", [.. points.Select(point => (double)point.At.ToUnixTimeSeconds())], [new ChartSeries(name, [.. points.Select(point => (double?)point.Value)])],
            IsTime: true, Unit: unit);

    /// <summary>As the page's script reads it; the serializer escapes what could end the block.</summary>
    internal string Json() => JsonSerializer.Serialize(this, Web);

    internal string LabelOf(int i) => Labels is { } labels ? labels[i]
        : IsTime ? DateTimeOffset.FromUnixTimeSeconds((long)X[i]).ToString("yyyy-MM-dd HH:mm")
        : X[i].ToString("0.###");
}

/// <summary>One line, or one colour of bars.</summary>
public sealed record ChartSeries(string Name, IReadOnlyList<double?> Values);
