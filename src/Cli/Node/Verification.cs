using System.Text.Json;
using System.Text.Json.Serialization;

namespace Salus.Cli.Node;

/// <summary>Something that differs from what the log says.</summary>
public sealed record VerifyFinding(string Kind, string? Record, long? Leaf, string Difference);

/// <summary>What the node's offline check found.</summary>
public sealed record VerifyReport(bool Holds, long Leaves, int Heads, int Anchors, int Blobs, bool Truncated, IReadOnlyList<VerifyFinding> Findings, long Erased = 0)
{
    /// <summary>Whether everything was checked that ever was: the chain was asked, and nothing was lost.</summary>
    [JsonIgnore]
    public bool IsWhole => Findings.All(finding => finding.Kind is not ("Unchecked" or "Gap"));
}

/// <summary>Runs the node's offline check of a data folder, beside a running node or alone.</summary>
static class Verification
{
    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);

    sealed record VerifyEvent(string Event, long Leaves, string? Reason, string? Name);

    /// <summary>Checks.</summary>
    /// <param name="settings">The data folder, and where database and chain are when they are external.</param>
    /// <param name="checkpoint">A checkpoint file kept elsewhere.</param>
    /// <param name="progress">Told how many leaves are done.</param>
    /// <param name="cancellation">Ends the check.</param>
    /// <exception cref="CliException">The check was refused.</exception>
    public static async Task<VerifyReport> RunAsync(NodeSettings settings, string? checkpoint, Action<string> progress, CancellationToken cancellation)
    {
        List<string> arguments = ["verify", $"--Salus:Data={settings.Data}"];
        if (checkpoint is not null)
        {
            arguments.Add($"--Salus:Checkpoint={checkpoint}");
        }
        if (settings.Ledger is { Length: > 0 })
        {
            arguments.Add($"--Salus:Ledger:Endpoint={settings.Ledger}");
        }
        using var process = HostProgram.Start(arguments, settings.Environment());
        using var stop = cancellation.Register(() => HostProgram.StopProcess(process.Id));
        var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        VerifyReport? report = null;
        string? refusal = null;
        while (await process.StandardOutput.ReadLineAsync(CancellationToken.None) is { } line)
        {
            switch (Read(line))
            {
                case { Event: "progress" } at: progress($"{at.Leaves} leaves checked"); break;
                case { Event: "step", Name: { } name }: progress(name); break;
                case { Event: "refused" } refused: refusal = refused.Reason; break;
                case { Event: "report" }: report = JsonSerializer.Deserialize<VerifyReport>(line, Json); break;
                default: break;
            }
        }
        await process.WaitForExitAsync(CancellationToken.None);
        cancellation.ThrowIfCancellationRequested();
        return report ?? throw new CliException(refusal
            ?? $"The check ended with code {process.ExitCode} and no report: {(await errors).Split('\n').FirstOrDefault(line => line.Length > 0) ?? "it said nothing."}");
    }

    static VerifyEvent? Read(string line)
    {
        try
        {
            return JsonSerializer.Deserialize<VerifyEvent>(line, Json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
