using System.Diagnostics;
using System.Text.Json;

namespace Salus.Host.Node;

/// <summary>Tells the one who started the node how far it is: a JSON object a line on standard output.</summary>
static class Progress
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    static readonly Lock Writing = new();

    /// <summary>Does a step and tells of its beginning and end.</summary>
    public static async Task<T> StepAsync<T>(string name, Func<Task<T>> work)
    {
        Write(new { Event = "step", Name = name });
        var started = Stopwatch.GetTimestamp();
        var result = await work();
        Write(new { Event = "done", Name = name, Seconds = Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 2) });
        return result;
    }

    /// <summary>Does a step without a result.</summary>
    public static Task StepAsync(string name, Func<Task> work) => StepAsync(name, async () =>
    {
        await work();
        return 0;
    });

    /// <summary>Writes one event.</summary>
    public static void Write(object happening)
    {
        lock (Writing)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(happening, Json));
            Console.Out.Flush();
        }
    }
}
