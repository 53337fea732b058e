using System.CommandLine;
using System.Text.Json;
using Salus.Cli.Node;
using Salus.Cli.Terminal;

namespace Salus.Cli.Commands;

/// <summary><c>salus backup</c>: a consistent copy of a node's state, while it runs or not.</summary>
static class BackupCommand
{
    static readonly Option<string> Data = new("--data") { Description = "The node's data folder.", HelpName = "DIR", DefaultValueFactory = _ => NodeSettings.DefaultData };
    static readonly Option<string> Out = new("--out") { Description = "The folder to make; it may not exist yet. Best on another machine.", HelpName = "DIR", Required = true };
    static readonly Option<string?> Database = new("--database") { Description = "The node's external PostgreSQL, when it has one and does not run.", HelpName = "CONNECTION" };
    static readonly Option<string?> Ledger = new("--ledger") { Description = "The node's external chain, when it has one and does not run.", HelpName = "URL" };
    static readonly Option<bool> Json = new("--json") { Description = "The result as one JSON object." };

    public static Command Create()
    {
        var command = new Command("backup", "Copy a node's state, while it runs: the database at one moment, the log, sealed files, the embedded chain. Never the master key: keep that apart.")
        {
            Data, Out, Database, Ledger, Json,
        };
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var settings = new NodeSettings(Path.GetFullPath(arguments.GetValue(Data)!), "") { Database = arguments.GetValue(Database) };
        List<string> work = ["backup", $"--Salus:Data={settings.Data}", $"--Salus:Out={Path.GetFullPath(arguments.GetValue(Out)!)}"];
        if (arguments.GetValue(Ledger) is { Length: > 0 } ledger)
        {
            work.Add($"--Salus:Ledger:Endpoint={ledger}");
        }
        if (arguments.GetValue(Json))
        {
            Console.WriteLine(await HostTask.RunAsync(work, settings.Environment(), _ => { }, cancellation));
            return ExitCodes.Done;
        }
        var made = await StepTeller.RunAsync("Backing up", (at, _) => HostTask.RunAsync(work, settings.Environment(), at, cancellation));
        Console.WriteLine($"✓ {Text(made, "folder")}: {Number(made, "rows")} rows, {Number(made, "files")} files, {Number(made, "bytes")} bytes; the log has {Number(made, "logSize")} leaves there.");
        Console.WriteLine($"  Manifest {Text(made, "manifestHash")}: keep this elsewhere, for salus restore --manifest-hash.");
        Console.WriteLine("  The master key is not in it. Without that key the backup opens nothing; whoever has both, opens all that was not erased before.");
        return ExitCodes.Done;
    }

    internal static string Text(JsonElement answer, string name) => answer.GetProperty(name).GetString()!;

    internal static string Number(JsonElement answer, string name) => answer.GetProperty(name).GetInt64().ToString("N0");
}
