using System.Diagnostics;
using System.Text.Json;
using Salus.Cli.Terminal;

namespace Salus.Cli.Demo;

/// <summary>What one step of the demonstration found.</summary>
sealed class StepNotes(Action<string> at, Action<string> line)
{
    readonly Dictionary<string, object?> figures = [];

    /// <summary>Figures by name, for the JSON form.</summary>
    public IReadOnlyDictionary<string, object?> Figures => figures;

    /// <summary>Says what is being done now.</summary>
    public void At(string what) => at(what);

    /// <summary>Says what holds.</summary>
    public void Say(string what) => line($"  ✓ {what}");

    /// <summary>Says something that is no finding.</summary>
    public void Remark(string what) => line($"    {what}");

    /// <summary>Keeps a figure.</summary>
    public void Set(string name, object? value) => figures[name] = value;

    /// <summary>Ends the demonstration where something does not hold.</summary>
    public static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new CliException(otherwise);
        }
    }
}

/// <summary>Tells the demonstration step by step: lines for people, or one JSON object a step.</summary>
sealed class DemoTeller(bool json)
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    int step;

    /// <summary>Whether every step so far held.</summary>
    public bool Holds { get; private set; } = true;

    /// <summary>Does a step and tells of it.</summary>
    /// <exception cref="CliException">It does not hold.</exception>
    public async Task StepAsync(string name, string title, Func<StepNotes, Task> work)
    {
        step++;
        var begun = Stopwatch.GetTimestamp();
        StepNotes? notes = null;
        try
        {
            if (json)
            {
                await work(notes = new StepNotes(_ => { }, _ => { }));
                Write(new { Step = step, Name = name, Title = title, Holds = true, Seconds = Math.Round(StepTeller.Since(begun), 2), notes.Figures });
                return;
            }
            Console.WriteLine($"{step}. {title}");
            await StepTeller.RunAsync(title, async (at, line) =>
            {
                await work(notes = new StepNotes(at, line));
                return 0;
            });
        }
        catch (Exception broken) when (broken is CliException or HttpRequestException or IOException or JsonException or TaskCanceledException { InnerException: TimeoutException })
        {
            Holds = false;
            if (json)
            {
                Write(new { Step = step, Name = name, Title = title, Holds = false, Seconds = Math.Round(StepTeller.Since(begun), 2), Reason = broken.Message, notes?.Figures });
            }
            else
            {
                Console.WriteLine($"  ✗ {broken.Message}");
            }
            throw new CliException($"Step {step} does not hold: {broken.Message}");
        }
    }

    /// <summary>Tells the totals.</summary>
    public void Totals(object totals, IEnumerable<string> lines)
    {
        if (json)
        {
            Write(new { Totals = totals, Holds });
            return;
        }
        foreach (var line in lines)
        {
            Console.WriteLine(line);
        }
    }

    /// <summary>A line for people only.</summary>
    public void Remark(string line)
    {
        if (!json)
        {
            Console.WriteLine(line);
        }
    }

    static void Write(object value) => Console.WriteLine(JsonSerializer.Serialize(value, Json));
}
