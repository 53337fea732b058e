using System.CommandLine;
using Salus.Cli.Node;
using Salus.Cli.Terminal;

namespace Salus.Cli.Commands;

/// <summary><c>salus restore</c>: a data folder from a backup.</summary>
static class RestoreCommand
{
    static readonly Option<string> From = new("--from") { Description = "The folder that salus backup made.", HelpName = "BACKUP", Required = true };
    static readonly Option<string> Data = new("--data") { Description = "The data folder to make; empty, or not there yet.", HelpName = "DIR", Required = true };
    static readonly Option<string?> Log = new("--log") { Description = "The folder log of the lost node's data folder, if it is still there: the log then goes on after a visible gap, under its own name.", HelpName = "DIR" };
    static readonly Option<string?> ManifestHash = new("--manifest-hash") { Description = "The hash that salus backup printed, kept elsewhere.", HelpName = "HEX" };
    static readonly Option<string?> Database = new("--database") { Description = "An empty external PostgreSQL to restore into.", HelpName = "CONNECTION" };

    public static Command Create()
    {
        var command = new Command("restore", "Make a data folder from a backup. The backup is verified first; salus up then starts the node on it, with the master key that it had.")
        {
            From, Data, Log, ManifestHash, Database,
        };
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var settings = new NodeSettings(Path.GetFullPath(arguments.GetValue(Data)!), "") { Database = arguments.GetValue(Database) };
        List<string> work = ["restore", $"--Salus:Data={settings.Data}", $"--Salus:From={Path.GetFullPath(arguments.GetValue(From)!)}"];
        if (arguments.GetValue(Log) is { } log)
        {
            work.Add($"--Salus:Log={Path.GetFullPath(log)}");
        }
        if (arguments.GetValue(ManifestHash) is { } hash)
        {
            work.Add($"--Salus:ManifestHash={hash}");
        }
        var made = await StepTeller.RunAsync("Restoring", (at, _) => HostTask.RunAsync(work, settings.Environment(), at, cancellation));
        Console.WriteLine($"✓ {BackupCommand.Text(made, "folder")}: {BackupCommand.Number(made, "rows")} rows as of {made.GetProperty("made").GetDateTimeOffset():u}; the log has {BackupCommand.Number(made, "logSize")} leaves.");
        Console.WriteLine("  Start it with salus up. What was anchored since stays visible as a gap, or by a successor of the log; salus verify names it.");
        Console.WriteLine("  Patients who were erased after the backup was made are in it again: erase them anew.");
        return ExitCodes.Done;
    }
}
