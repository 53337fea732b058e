using System.CommandLine;
using System.Diagnostics;
using Salus.Cli.Api;
using Salus.Cli.Terminal;

namespace Salus.Cli.Commands;

/// <summary><c>salus import</c>: FHIR bundles into a running node.</summary>
static class ImportCommand
{
    const int ClientsMax = 4;
    static readonly Argument<string[]> Files = new("FILES") { Description = "FHIR R4 bundles (JSON), or folders of them.", Arity = ArgumentArity.OneOrMore };
    static readonly SignInOptions SignIn = new();

    public static Command Create()
    {
        var command = new Command("import", "Import FHIR bundles into a running node. Each bundle is kept whole or not at all.") { Files };
        SignIn.AddTo(command);
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var files = BundleImport.Find(arguments.GetValue(Files)!);
        using var client = await SignIn.SignInAsync(arguments, cancellation);
        var begun = Stopwatch.GetTimestamp();
        List<ImportedBundle> imported = [];
        List<string> refused = [];
        await StepTeller.RunAsync("Importing", async (at, line) =>
        {
            await Parallel.ForEachAsync(files, new ParallelOptions { MaxDegreeOfParallelism = ClientsMax, CancellationToken = cancellation }, async (file, token) =>
            {
                try
                {
                    var import = await BundleImport.SendAsync(client, file, token);
                    lock (imported)
                    {
                        imported.Add(import);
                        at($"{imported.Count} of {files.Count} files");
                        line($"✓ {file}: {import.Records.Count} resources");
                    }
                }
                catch (CliException refusal)
                {
                    lock (imported)
                    {
                        refused.Add(file);
                        line($"✗ {refusal.Message}");
                    }
                }
            });
            return 0;
        });
        var seconds = StepTeller.Since(begun);
        var records = imported.SelectMany(import => import.Records).ToList();
        Console.WriteLine($"{records.Count:N0} resources from {imported.Count} of {files.Count} files in {seconds:0.0} s, {records.Count / seconds:0} resources/s");
        foreach (var group in records.GroupBy(record => record.Split('/')[0]).OrderByDescending(group => group.Count()))
        {
            Console.WriteLine($"  {group.Key} {group.Count():N0}");
        }
        return refused.Count == 0 ? 0 : throw new CliException($"{refused.Count} of {files.Count} files were refused.");
    }
}
