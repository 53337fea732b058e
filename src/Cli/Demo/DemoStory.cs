using System.Diagnostics;
using Salus.Cli.Api;
using Salus.Cli.Node;
using Salus.Cli.Terminal;

namespace Salus.Cli.Demo;

/// <summary>The main job from end to end against a node of its own.</summary>
sealed class DemoStory(DemoOptions options)
{
    const int BlockLinesMax = 1000;
    readonly DemoTeller teller = new(options.Json);

    /// <summary>Runs the story, stops the node and removes what is not to be kept.</summary>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        var root = options.Keep ?? Directory.CreateTempSubdirectory("salus-demo-").FullName;
        var settings = Settings(root, options);
        try
        {
            await using var node = NodeRun.Start(settings);
            using var world = new DemoWorld(options, settings.Data, Directory.CreateDirectory(Path.Combine(root, "kept")).FullName);
            var begun = Stopwatch.GetTimestamp();
            await TellAsync(world, node, cancellation);
            await TellTotalsAsync(world, StepTeller.Since(begun), cancellation);
            await node.StopAsync();
            teller.Remark(options.Keep is null ? "The node is stopped and removed." : $"The node is stopped. Go on with it: salus up --data {settings.Data} --keys {settings.Keys}");
            return 0;
        }
        finally
        {
            if (options.Keep is null)
            {
                Directory.Delete(root, recursive: true);
            }
        }
    }

    static NodeSettings Settings(string root, DemoOptions options) => new(Path.Combine(root, "data"), Path.Combine(root, "keys"))
    {
        Port = 0,
        Name = "Salus Demonstration Hospital",
        Demonstration = true,
        DemonstrationPatients = 0,
        // Never what the environment names for another node: the demonstration fills what it is given.
        Database = options.Database ?? "",
        Ledger = options.Ledger ?? "",
        // Everyone of the story sits at one network address.
        More = new Dictionary<string, string>
        {
            ["Identity:SignInsPerMinute"] = "100000", ["Identity:SignInsPerMinutePerAccount"] = "1000", ["Identity:RequestsPerMinute"] = "1000000",
        },
    };

    async Task TellAsync(DemoWorld world, NodeRun node, CancellationToken cancellation)
    {
        await teller.StepAsync("node", options is { Database: null, Ledger: null } ? "A node starts on a free port, with its own database and chain" : "A node starts on a free port, with the engines that were named", async notes =>
        {
            var ready = await node.ReadyAsync(happening => notes.At(happening.Name ?? happening.Event), cancellation);
            world.Address = ready.Address!;
            world.Accounts = ready.Accounts ?? [];
            notes.Say($"serves at {ready.Address}");
            if (ready.EmbeddedChain)
            {
                notes.Remark("The embedded chain has one owner, this machine: it is evidence against nobody.");
            }
            notes.Set("address", ready.Address);
            notes.Set("embeddedChain", ready.EmbeddedChain);
        });
        await teller.StepAsync("consortium", "The hospital stands on the consortium's chain", notes => PeopleSteps.ConsortiumAsync(world, notes, cancellation));
        await teller.StepAsync("sign-up", "A doctor and a patient sign up, sign in and out", notes => PeopleSteps.SignUpAsync(world, notes, cancellation));
        if (options.Files.Count > 0)
        {
            await teller.StepAsync("import", "FHIR bundles are imported: validated, sealed, indexed, logged", notes => RecordSteps.ImportAsync(world, notes, cancellation));
        }
        await teller.StepAsync("conditions", "The doctor enters the encounters of a synthetic cohort", notes => RecordSteps.EnterAsync(world, notes, cancellation));
        await teller.StepAsync("consent", "No consent, no data; then the patients sign up and consent", notes => PeopleSteps.ConsentAsync(world, notes, cancellation));
        await teller.StepAsync("retrieve", "The doctor retrieves every record by patient id, each with its proof", notes => RecordSteps.RetrieveAsync(world, notes, cancellation));
        await teller.StepAsync("upload", "A document is uploaded and read back", notes => RecordSteps.UploadAsync(world, notes, cancellation));
        await teller.StepAsync("revoke", "A patient revokes", notes => PeopleSteps.RevokeAsync(world, notes, cancellation));
        await teller.StepAsync("train", "A model learns from the records that consents cover", notes => ModelSteps.TrainAsync(world, notes, cancellation));
        await teller.StepAsync("predict", "The model judges an encounter", notes => ModelSteps.PredictAsync(world, notes, cancellation));
        await teller.StepAsync("data-set", "A data set is loaded, processed, noised, sealed and anchored", notes => DataSetSteps.RunAsync(world, notes, cancellation));
        await teller.StepAsync("accesses", "The patient sees who read what", notes => PeopleSteps.AccessesAsync(world, notes, cancellation));
        await teller.StepAsync("tamper", "One byte is bent at rest, and the alarm names it", notes => TamperSteps.RunAsync(world, notes, cancellation));
    }

    async Task TellTotalsAsync(DemoWorld world, double seconds, CancellationToken cancellation)
    {
        var blocks = await world.Nobody.GetAsync<List<BlockAnswer>>($"/api/log/blocks?count={BlockLinesMax}", cancellation);
        var byType = DemoWorld.ByType(world.Records.Distinct());
        var resources = byType.Values.Sum();
        var rate = world.ImportedResources / world.ImportSeconds;
        var gas = blocks.Sum(block => block.GasUsed);
        var byPurpose = blocks.GroupBy(block => block.Purpose).OrderBy(group => group.Key, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => new { Transactions = group.Count(), Gas = group.Sum(block => block.GasUsed) });
        var report = world.Report!;
        var width = byType.Keys.Max(type => type.Length);
        teller.Totals(
            new
            {
                Resources = resources, ByType = byType, Patients = world.Patients.Count, ImportSeconds = Math.Round(world.ImportSeconds, 2), ResourcesPerSecond = Math.Round(rate, 1),
                report.Leaves, report.Heads, report.Anchors, Transactions = blocks.Count, Gas = gas, ByPurpose = byPurpose, Seconds = Math.Round(seconds, 1),
            },
            [
                "",
                $"Totals: {resources:N0} resources of {world.Patients.Count} patients, stored, sealed, anchored, retrieved and verified",
                .. byType.OrderByDescending(pair => pair.Value).Select(pair => $"  {pair.Key.PadRight(width)} {pair.Value,8:N0}"),
                $"  entered or imported in {world.ImportSeconds:0.0} s, {rate:0} resources/s; the whole story took {seconds:0.0} s",
                $"  {report.Leaves:N0} leaves, {report.Heads} signed heads, {report.Anchors} anchored",
                $"  {(blocks.Count == BlockLinesMax ? "the newest " : "")}{blocks.Count} transactions, {gas:N0} gas: {string.Join(", ", byPurpose.Select(pair => $"{pair.Value.Transactions} {pair.Key} ({pair.Value.Gas:N0})"))}",
            ]);
    }
}
