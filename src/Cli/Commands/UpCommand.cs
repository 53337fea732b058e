using System.CommandLine;
using Salus.Cli.Node;
using Salus.Cli.Terminal;
using Spectre.Console;

namespace Salus.Cli.Commands;

/// <summary><c>salus up</c>: a node, until Ctrl+C.</summary>
static class UpCommand
{
    const int PatientsOfEach = 40;

    static readonly Option<string> Data = new("--data") { Description = "The folder of all state.", HelpName = "DIR", DefaultValueFactory = _ => NodeSettings.DefaultData };
    static readonly Option<string> Keys = new("--keys") { Description = "The folder of the master key; it may not lie in the data folder.", HelpName = "DIR", DefaultValueFactory = _ => NodeSettings.DefaultKeys };
    static readonly Option<int?> Port = new("--port") { Description = "The port to serve on at this machine (7411 unless told); 0 takes a free one.", HelpName = "N" };
    static readonly Option<string?> Name = new("--name") { Description = "The hospital's name, at the first start.", HelpName = "HOSPITAL" };
    static readonly Option<string?> Database = new("--database") { Description = "An external PostgreSQL (15 or later), as Host=…;Database=…;Username=…;Password=… or postgresql://…; none is started then.", HelpName = "CONNECTION" };
    static readonly Option<string?> Ledger = new("--ledger") { Description = "An external EVM network's JSON-RPC address, or several with commas between them; none is started then.", HelpName = "URL" };
    static readonly Option<bool> NoDemonstration = new("--no-demonstration") { Description = "Leave an empty node empty: no demonstration accounts, no synthetic patients." };
    static readonly Option<int?> Patients = new("--patients") { Description = "Synthetic patients that an empty node begins with (120 unless told).", HelpName = "N" };

    static readonly Option<int> HospitalCount = new("--hospitals")
    {
        Description = $"So many hospitals at once, 1 to {Hospitals.CountMax}: a node, a folder and a database each, one chain; each admitted by the votes of those before it.",
        HelpName = "N", DefaultValueFactory = _ => 1,
    };

    static readonly Dictionary<string, string> Work = new()
    {
        ["Administrator"] = "approve accounts, invite, check the node's integrity",
        ["Practitioner"] = "add a condition, open a record that consent covers, predict",
        ["Patient"] = "see the own record and who read it, grant and revoke consent, upload",
        ["Auditor"] = "read the audit trail, check integrity",
        ["Researcher"] = "load, process and noise data sets",
        ["Laboratory"] = "add results to a record",
        ["Pharmacy"] = "add what was dispensed",
        ["Insurer"] = "see what a patient's consent for payment covers",
    };

    public static Command Create()
    {
        var command = new Command("up", "Start a node and serve it until Ctrl+C. The first start makes a demonstration consortium.")
        {
            Data, Keys, Port, Name, Database, Ledger, NoDemonstration, Patients, HospitalCount,
        };
        command.SetAction((arguments, cancellation) =>
        {
            var settings = new NodeSettings(Path.GetFullPath(arguments.GetValue(Data)!), Path.GetFullPath(arguments.GetValue(Keys)!))
            {
                Port = arguments.GetValue(Port),
                Name = arguments.GetValue(Name),
                Database = arguments.GetValue(Database),
                Ledger = arguments.GetValue(Ledger),
                Demonstration = arguments.GetValue(NoDemonstration) ? false : null,
                DemonstrationPatients = arguments.GetValue(Patients),
            };
            var count = arguments.GetValue(HospitalCount);
            Require(count is >= 1 and <= Hospitals.CountMax, $"--hospitals {count}: give 1 to {Hospitals.CountMax}.");
            if (count == 1)
            {
                return RunAsync(settings, cancellation);
            }
            Require(settings.Database is null, "Each of several hospitals has a database of its own. Leave --database away, or start them one by one with Salus:Ledger:Members.");
            Require(settings.Name is null, "Several hospitals name themselves A, B, C. Leave --name away, or start them one by one with Salus:Ledger:Members.");
            Require(settings.Demonstration is null, "Several hospitals are admitted by the votes of their demonstration administrators. Leave --no-demonstration away, or start them one by one with Salus:Ledger:Members.");
            return RunAsync(Hospitals.Settings(settings with { DemonstrationPatients = settings.DemonstrationPatients ?? PatientsOfEach }, count), cancellation);
        });
        return command;
    }

    static void Require(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new CliException(otherwise);
        }
    }

    static async Task<int> RunAsync(IReadOnlyList<NodeSettings> settings, CancellationToken cancellation)
    {
        await using var hospitals = new Hospitals();
        try
        {
            await StepTeller.RunAsync("Starting", async (at, line) =>
            {
                foreach (var one in settings)
                {
                    line($"{one.Name}:");
                    var hospital = await hospitals.StartAsync(one, happening => Tell(happening, at, line), cancellation);
                    at($"The members vote on {hospital.Name}");
                    var votes = await hospitals.AdmitAsync(hospital, cancellation);
                    line(votes > 0 ? $"✓ Admitted by {votes} {(votes == 1 ? "vote" : "votes")}" : "✓ Member of the consortium");
                }
                return 0;
            });
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await StopAsync(hospitals);
            return ExitCodes.Interrupted;
        }
        foreach (var hospital in hospitals.All)
        {
            Welcome(hospital.Ready);
        }
        Console.WriteLine();
        Console.WriteLine($"State lies in {string.Join(", ", settings.Select(one => one.Data))}; the master keys in {string.Join(", ", settings.Select(one => one.Keys))}.");
        Farewell(hospitals.All[0].Ready);
        var end = hospitals.EndAsync();
        if (await Task.WhenAny(end, Task.Delay(Timeout.InfiniteTimeSpan, cancellation)) == end)
        {
            throw new CliException(await end);
        }
        await StopAsync(hospitals);
        return 0;
    }

    static async Task<int> RunAsync(NodeSettings settings, CancellationToken cancellation)
    {
        await using var node = NodeRun.Start(settings);
        NodeEvent ready;
        try
        {
            ready = await StepTeller.RunAsync("Starting", (at, line) => node.ReadyAsync(happening => Tell(happening, at, line), cancellation));
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await StopAsync(node);
            return ExitCodes.Interrupted;
        }
        Welcome(settings, ready);
        var end = node.EndAsync();
        if (await Task.WhenAny(end, Task.Delay(Timeout.InfiniteTimeSpan, cancellation)) == end)
        {
            throw new CliException(await end);
        }
        await StopAsync(node);
        return 0;
    }

    static void Tell(NodeEvent happening, Action<string> at, Action<string> line)
    {
        switch (happening)
        {
            case { Event: "step", Name: { } name }:
                at(name);
                if (!StepTeller.IsLive)
                {
                    line($"{name} …");
                }
                break;
            case { Event: "done", Name: { } name, Seconds: { } seconds }:
                line($"✓ {name} ({StepTeller.Seconds(seconds)})");
                break;
        }
    }

    static async Task StopAsync(IAsyncDisposable node)
    {
        Console.WriteLine();
        await StepTeller.RunAsync("Stopping", async (at, line) =>
        {
            if (!StepTeller.IsLive)
            {
                line("Stopping …");
            }
            await node.DisposeAsync();
            line("✓ Stopped");
            return 0;
        });
    }

    static void Welcome(NodeSettings settings, NodeEvent ready)
    {
        Welcome(ready);
        Console.WriteLine();
        Console.WriteLine($"State lies in {settings.Data}, the master key in {settings.Keys}. Keep the second apart from copies of the first.");
        Farewell(ready);
    }

    static void Welcome(NodeEvent ready)
    {
        Console.WriteLine();
        AnsiConsole.MarkupLine($"[bold]{Markup.Escape(ready.Hospital ?? "Salus")}[/] serves at [bold]{ready.Address}[/]");
        if (ready.Accounts is { Count: > 0 } accounts)
        {
            Console.WriteLine();
            Console.WriteLine("Sign in as (demonstration accounts; the patients are synthetic, nobody of them exists):");
            var width = accounts.Max(account => account.Role.Length);
            var email = accounts.Max(account => account.Email.Length);
            foreach (var account in accounts)
            {
                Console.WriteLine($"  {account.Role.ToLowerInvariant().PadRight(width)}  {account.Email.PadRight(email)}  {account.Password}  {Work.GetValueOrDefault(account.Role, "")}");
            }
        }
    }

    static void Farewell(NodeEvent ready)
    {
        if (ready.EmbeddedChain)
        {
            Console.WriteLine("The embedded chain has one owner, this machine: it shows how anchoring works and is evidence against nobody.");
        }
        Console.WriteLine("Ctrl+C stops all of it.");
    }
}
