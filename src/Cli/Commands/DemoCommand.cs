using System.CommandLine;
using Salus.Cli.Api;
using Salus.Cli.Demo;
using Salus.Cli.Node;

namespace Salus.Cli.Commands;

/// <summary><c>salus demo</c>: the main job, headless.</summary>
static class DemoCommand
{
    static readonly Argument<string[]> Files = new("FILES") { Description = "FHIR R4 bundles (JSON), one patient each, or folders of them; none for the synthetic cohort alone." };
    static readonly Option<string?> Keep = new("--keep") { Description = "Keep the node's state in this folder, which must be empty or new.", HelpName = "DIR" };
    static readonly Option<bool> Json = new("--json") { Description = "One JSON object a step, and a last one with the totals." };
    static readonly Option<int> Patients = new("--patients") { Description = "Patients of the synthetic cohort, 10 to 1000.", HelpName = "N", DefaultValueFactory = _ => 40 };

    static readonly Option<string?> Database = new("--database") { Description = "An empty database of an external PostgreSQL instead of the embedded one. The demonstration fills it.", HelpName = "CONNECTION" };
    static readonly Option<string?> Ledger = new("--ledger") { Description = "An external EVM network's JSON-RPC address instead of the embedded chain.", HelpName = "URL" };

    static readonly Option<int> HospitalCount = new("--hospitals")
    {
        Description = $"So many hospitals on one chain, 2 to {Hospitals.CountMax}: how a doctor of one reads what another holds, with the patient's consent.",
        HelpName = "N", DefaultValueFactory = _ => 1,
    };

    public static Command Create()
    {
        Files.Arity = ArgumentArity.ZeroOrMore;
        var command = new Command("demo", "Run the main job against a throwaway node and tell it step by step. Exits non-zero at the first step that does not hold.")
        {
            Files, Keep, Json, Patients, Database, Ledger, HospitalCount,
        };
        command.SetAction((arguments, cancellation) =>
        {
            var keep = arguments.GetValue(Keep) is { } folder ? Path.GetFullPath(folder) : null;
            if (keep is not null && (File.Exists(keep) || (Directory.Exists(keep) && Directory.EnumerateFileSystemEntries(keep).Any())))
            {
                throw new CliException($"{keep} is not an empty folder. Name another with --keep.");
            }
            if (arguments.GetValue(HospitalCount) is not 1 and var hospitals)
            {
                return hospitals is >= 2 and <= Hospitals.CountMax && arguments.GetValue(Files) is null or [] && arguments.GetValue(Database) is null
                    ? new ConsortiumStory(new ConsortiumDemoOptions(hospitals, keep, arguments.GetValue(Json), arguments.GetValue(Ledger))).RunAsync(cancellation)
                    : throw new CliException($"--hospitals {hospitals}: give 2 to {Hospitals.CountMax}, without files and without --database: each hospital has its own.");
            }
            if (arguments.GetValue(Patients) is not (>= 10 and <= 1000) and var patients)
            {
                throw new CliException($"--patients {patients}: give 10 to 1000.");
            }
            return new DemoStory(new DemoOptions(BundleImport.Find(arguments.GetValue(Files) ?? []), keep, arguments.GetValue(Json), arguments.GetValue(Patients),
                arguments.GetValue(Database), arguments.GetValue(Ledger))).RunAsync(cancellation);
        });
        return command;
    }
}
