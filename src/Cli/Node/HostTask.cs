using System.Text.Json;

namespace Salus.Cli.Node;

/// <summary>A piece of work that the node's program does in a process of its own, and tells of line by line.</summary>
static class HostTask
{
    /// <summary>Does it; what it answered.</summary>
    /// <param name="arguments">The work and its settings.</param>
    /// <param name="environment">What is not to be seen in the list of processes.</param>
    /// <param name="progress">Told what it is at.</param>
    /// <param name="cancellation">Stops the process.</param>
    /// <exception cref="CliException">It was refused, or ended without an answer.</exception>
    public static async Task<JsonElement> RunAsync(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string> environment, Action<string> progress, CancellationToken cancellation)
    {
        using var process = HostProgram.Start(arguments, environment);
        using var stop = cancellation.Register(() => HostProgram.StopProcess(process.Id));
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        JsonElement? result = null;
        string? refusal = null;
        while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
        {
            if (!line.StartsWith('{'))
            {
                continue;
            }
            var happening = JsonElement.Parse(line);
            switch (happening.GetProperty("event").GetString())
            {
                case "progress": progress(happening.GetProperty("what").GetString()!); break;
                case "step": progress(happening.GetProperty("name").GetString()!); break;
                case "refused": refusal = happening.GetProperty("reason").GetString(); break;
                case "result": result = happening; break;
                default: break;
            }
        }
        await process.WaitForExitAsync(CancellationToken.None);
        cancellation.ThrowIfCancellationRequested();
        return result ?? throw new CliException(refusal
            ?? $"The node's program ended with code {process.ExitCode}: {(await errors).Split('\n').FirstOrDefault(line => line.Length > 0) ?? "it said nothing."}");
    }
}
