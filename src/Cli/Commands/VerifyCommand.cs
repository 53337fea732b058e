using System.CommandLine;
using System.Text.Json;
using Salus.Cli.Node;
using Salus.Cli.Terminal;
using Spectre.Console;

namespace Salus.Cli.Commands;

/// <summary><c>salus verify</c>: a node's data against its log, the chain and a checkpoint kept elsewhere.</summary>
static class VerifyCommand
{
    const int FindingsExitCode = 2;
    static readonly Option<string> Data = new("--data") { Description = "The node's data folder.", HelpName = "DIR", DefaultValueFactory = _ => NodeSettings.DefaultData };
    static readonly Option<string?> Checkpoint = new("--checkpoint") { Description = "A checkpoint kept elsewhere (see salus checkpoint).", HelpName = "FILE" };
    static readonly Option<string?> Database = new("--database") { Description = "The node's external PostgreSQL, when it has one and does not run.", HelpName = "CONNECTION" };
    static readonly Option<string?> Ledger = new("--ledger") { Description = "The node's external chain, when it has one and does not run.", HelpName = "URL" };
    static readonly Option<bool> Json = new("--json") { Description = "The report as one JSON object." };

    public static Command Create()
    {
        var command = new Command("verify", "Recompute every leaf and head of a node's log, beside the running node or alone. Exit code 0: all holds; 2: something differs; 1: not checked.")
        {
            Data, Checkpoint, Database, Ledger, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var settings = new NodeSettings(Path.GetFullPath(arguments.GetValue(Data)!), "") { Database = arguments.GetValue(Database), Ledger = arguments.GetValue(Ledger) };
        var checkpoint = arguments.GetValue(Checkpoint) is { } file ? Path.GetFullPath(file) : null;
        if (arguments.GetValue(Json))
        {
            var found = await Verification.RunAsync(settings, checkpoint, _ => { }, cancellation);
            Console.WriteLine(JsonSerializer.Serialize(found, JsonSerializerOptions.Web));
            return found.Holds ? 0 : FindingsExitCode;
        }
        var report = await StepTeller.RunAsync("Checking", (at, _) => Verification.RunAsync(settings, checkpoint, at, cancellation));
        Tell(report, checkpoint);
        return report.Holds ? 0 : FindingsExitCode;
    }

    static void Tell(VerifyReport report, string? checkpoint)
    {
        var against = checkpoint is null ? "" : $" and the checkpoint in {checkpoint}";
        Console.WriteLine($"{report.Leaves:N0} leaves, {report.Heads} signed heads, {report.Anchors} heads on the chain, {report.Blobs} sealed files{against}");
        if (report.Findings.Count > 0)
        {
            var table = new Table().AddColumns("Kind", "Record", "Leaf", "What differs");
            foreach (var finding in report.Findings)
            {
                table.AddRow(new Text(finding.Kind), new Text(finding.Record ?? "–"), new Text(finding.Leaf?.ToString() ?? "–"), new Text(finding.Difference));
            }
            AnsiConsole.Write(table);
        }
        if (report.Truncated)
        {
            Console.WriteLine("There is more; only the first findings are shown.");
        }
        Console.WriteLine(report.Holds
            ? "✓ All of it holds. This tells that nothing was changed since it was logged; not that it was true, nor that all was logged."
            : "✗ It does not hold. Keep the folder as it is, and compare with a backup.");
    }
}
