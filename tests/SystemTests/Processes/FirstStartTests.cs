using Salus.SystemTests.Support;

namespace Salus.SystemTests.Processes;

/// <summary>The consortium that an empty node begins with, where its making does not go as it should.</summary>
public sealed class FirstStartTests
{
    const int Patients = 20;
    const int Roles = 8;

    [Fact]
    public async Task A_first_start_that_is_cut_off_is_finished_by_the_next()
    {
        using var folders = new NodeFolders();
        // The log has taken some of the patients' encounters by then
        var cutOff = await ProgramRun.OfAsync(Repository.Host, "serve", $"--Salus:Data={folders.Data}", $"--Salus:Keys={folders.Keys}", "--Salus:Port=0",
            $"--Salus:DemonstrationPatients={Patients}", "--Salus:Faults:Enabled=true", "--Salus:Faults:At=SequencerCommitted", "--Salus:Faults:After=15");
        Assert.NotEqual(0, cutOff.ExitCode);
        Assert.DoesNotContain("\"ready\"", cutOff.Output, StringComparison.Ordinal);

        await using var node = await RunningNode.StartAsync(folders, Patients);
        await RequireAccountsAsync(node);
        using var doctor = await ApiClient.SignInAsync(node, "Practitioner");
        await Waiting.UntilAsync(
            async () => (await doctor.GetAsync("/fhir/Patient?_summary=count")).GetProperty("total").GetInt32() == Patients, $"the consents of {Patients} patients");
        await node.StopAsync();
    }

    [Fact]
    public async Task Where_its_state_is_removed_and_its_keys_are_kept_the_accounts_told_are_those_that_are_there()
    {
        using var folders = new NodeFolders();
        IReadOnlyList<NodeAccount> before;
        await using (var first = await RunningNode.StartAsync(folders, patients: 0))
        {
            before = first.Accounts;
            await first.StopAsync();
        }
        Directory.Delete(folders.Data, recursive: true);

        await using var node = await RunningNode.StartAsync(folders, patients: 0);
        await RequireAccountsAsync(node);
        Assert.Empty(node.Accounts.Select(account => account.Password).Intersect(before.Select(account => account.Password)));
        await node.StopAsync();
    }

    static async Task RequireAccountsAsync(RunningNode node)
    {
        Assert.Equal(Roles, node.Accounts.Count);
        foreach (var account in node.Accounts)
        {
            (await ApiClient.SignInAsync(node, account.Role)).Dispose();
        }
    }
}
