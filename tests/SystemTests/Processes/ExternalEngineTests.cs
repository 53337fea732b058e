using System.Text.Json;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Processes;

/// <summary>A node on a PostgreSQL and an EVM network that somebody else runs.</summary>
public sealed class ExternalEngineTests
{
    const int ChainId = 7001;

    [Fact]
    public async Task The_main_job_holds_on_an_external_PostgreSQL_15_and_an_external_chain_and_nothing_embedded_starts()
    {
        await using var engines = await ExternalEngines.StartAsync();
        using var folders = new NodeFolders();
        var (chain, _) = await engines.StartChainAsync(ChainId);
        var database = await engines.NewDatabaseAsync();
        var kept = Path.Combine(folders.Elsewhere, "demo");
        var run = await ProgramRun.OfAsync(Repository.Cli, "demo", "--json", "--patients", "12", "--keep", kept, "--database", database, "--ledger", chain);
        Assert.True(run.ExitCode == 0, $"{run}");
        Assert.All(run.Lines, line => Assert.True(JsonElement.Parse(line).GetProperty("holds").GetBoolean(), line));
        var data = Path.Combine(kept, "data");
        Assert.Equal([], new[] { "postgres", "chain" }.Where(engine => Directory.Exists(Path.Combine(data, engine))));
        Assert.True((long)(await ExternalEngines.RunAsync(database, "SELECT count(*) FROM anchor"))! > 0);

        (await VerifyAsync(data)).RequireRefusal(1, "external PostgreSQL", "--database");
        (await VerifyAsync(data, "--database", database)).RequireRefusal(1, "external chain", "--ledger");
        var checkedAlone = await VerifyAsync(data, "--database", database, "--ledger", chain);
        Assert.True(checkedAlone.ExitCode == 0, $"{checkedAlone}");
    }

    [Fact]
    public async Task What_is_wrong_with_an_external_engine_is_one_line_with_the_mend()
    {
        await using var engines = await ExternalEngines.StartAsync();
        using var folders = new NodeFolders();
        var (chain, process) = await engines.StartChainAsync(ChainId);
        var (other, _) = await engines.StartChainAsync(ChainId + 1);
        var (old, _) = await engines.StartChainAsync(ChainId + 2, hardfork: "shanghai");
        var database = await engines.NewDatabaseAsync();
        var nothing = $"127.0.0.1:{ExternalEngines.FreePort()}";
        Task<ProgramRun> UpAsync(string database, string ledger) => ProgramRun.OfAsync(
            Repository.Cli, "up", "--data", folders.Data, "--keys", folders.Keys, "--port", "0", "--database", database, "--ledger", ledger);

        (await UpAsync(engines.ConnectionTo("node_1", "wrong"), chain)).RequireRefusal(1, "refuses the account salus", "Check Username and Password");
        (await UpAsync(engines.ConnectionTo("nowhere"), chain)).RequireRefusal(1, "has no database nowhere", "CREATE DATABASE nowhere");
        (await UpAsync($"postgresql://salus:pw@{nothing}/salus", chain)).RequireRefusal(1, nothing, "does not answer", "--database");
        (await UpAsync("somewhere", chain)).RequireRefusal(1, "--database is no connection string", "postgresql://");
        (await UpAsync(database, "somewhere")).RequireRefusal(1, "--ledger 'somewhere'", "http://127.0.0.1:8545");
        (await UpAsync(database, $"http://{nothing}")).RequireRefusal(1, nothing, "does not answer", "--ledger");
        (await UpAsync(database, old)).RequireRefusal(1, "Cancun");

        await using (var node = await RunningNode.StartAsync(folders, patients: 2, $"--Salus:Database:ConnectionString={database}", $"--Salus:Ledger:Endpoint={chain}"))
        {
            Assert.Empty(node.Engines);
            using var doctor = await ApiClient.SignInAsync(node, "Practitioner");
            await doctor.AnchoredAsync();
            await node.StopAsync();
        }
        (await UpAsync(database, other)).RequireRefusal(1, $"chain {ChainId},", $"{ChainId + 1}", "--ledger");
        (await ProgramRun.OfAsync(Repository.Cli, "up", "--data", folders.Data, "--keys", folders.Keys, "--port", "0")).RequireRefusal(1, "external PostgreSQL", "--database");

        ProcessTree.Signal(process.Id, ProcessTree.Kill);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        (await UpAsync(database, chain)).RequireRefusal(1, "does not answer", "--ledger");
        await engines.StartChainAsync(ChainId, new Uri(chain).Port);
        (await UpAsync(database, chain)).RequireRefusal(1, "does not hold the contract", "Restore the chain from a backup");
        (await VerifyAsync(folders.Data, "--database", database, "--ledger", chain)).RequireRefusal(1, "does not hold the contract");
    }

    static Task<ProgramRun> VerifyAsync(string data, params string[] more) => ProgramRun.OfAsync(Repository.Cli, ["verify", "--json", "--data", data, .. more]);
}
