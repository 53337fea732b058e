using System.CommandLine;
using System.Text.Json;
using Salus.Cli.Node;
using Salus.Cli.Terminal;

namespace Salus.Cli.Commands;

/// <summary><c>salus verify</c>: a node's data against its log, the chain and a checkpoint kept elsewhere.</summary>
static class VerifyCommand
{
    static readonly Option<string> Data = new("--data") { Description = "The node's data folder.", HelpName = "DIR", DefaultValueFactory = _ => NodeSettings.DefaultData };
    static readonly Option<string?> Checkpoint = new("--checkpoint") { Description = "A checkpoint kept elsewhere (see salus checkpoint).", HelpName = "FILE" };
    static readonly Option<string?> Database = new("--database") { Description = "The node's external PostgreSQL, when it has one and does not run.", HelpName = "CONNECTION" };
    static readonly Option<string?> Ledger = new("--ledger") { Description = "The node's external chain, when it has one and does not run.", HelpName = "URL" };
    static readonly Option<bool> Json = new("--json") { Description = "The report as one JSON object." };

    public static Command Create()
    {
        var command = new Command("verify", "Recompute every leaf and head of a node's log, against the chain and a checkpoint kept elsewhere, beside the running node or alone.")
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
            return ExitCodeOf(found);
        }
        var report = await StepTeller.RunAsync("Checking", (at, _) => Verification.RunAsync(settings, checkpoint, at, cancellation));
        Console.Write(VerifyText.Of(report, checkpoint));
        return ExitCodeOf(report);
    }

    static int ExitCodeOf(VerifyReport report) => !report.Holds ? ExitCodes.Findings : report.IsWhole ? ExitCodes.Done : ExitCodes.Unchecked;
}
