using System.Text.Json;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Processes;

/// <summary>Bundles into a running node, and models from a table and from the node's own records.</summary>
[Collection(SharedNode.Journeys)]
public sealed class LearnAndImportTests(SharedNode shared)
{
    [Fact]
    public async Task Bundles_are_imported_whole_or_not_at_all_and_each_is_told()
    {
        await using var clinic = await Clinic.OpenAsync();
        var folder = clinic.Folders.Elsewhere;
        var (good, bad) = (Path.Combine(folder, "good.json"), Path.Combine(folder, "bad.json"));
        await File.WriteAllTextAsync(good, Bundle("female"), TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(bad, Bundle("unheard-of"), TestContext.Current.CancellationToken);
        var account = clinic.Node.Account("Practitioner");
        Task<ProgramRun> ImportAsync(string password, params string[] files) => ProgramRun.OfAsync(
            Repository.Cli, password + "\n", ["import", .. files, "--url", clinic.Node.Address, "--email", account.Email, "--password-stdin"]);

        var whole = await ImportAsync(account.Password, good);
        Assert.True(whole.ExitCode == 0, $"{whole}");
        Assert.Contains($"✓ {good}: 2 resources", whole.Output, StringComparison.Ordinal);
        Assert.Contains("2 resources from 1 of 1 files", whole.Output, StringComparison.Ordinal);

        var partly = await ImportAsync(account.Password, folder);
        partly.RequireRefusal(1, "1 of 2 files were refused");
        Assert.Contains($"✗ {bad} was refused, and nothing of it was kept", partly.Output, StringComparison.Ordinal);
        Assert.Contains("gender", partly.Output, StringComparison.Ordinal);

        (await ImportAsync("not-the-password", good)).RequireRefusal(1, account.Email, "cannot sign in");
        (await ImportAsync(account.Password, Path.Combine(folder, "none.json"))).RequireRefusal(1, "There is no file");
    }

    [Fact]
    public async Task A_model_from_a_table_is_written_with_its_figures_and_judges_rows()
    {
        using var folders = new NodeFolders();
        var (table, model) = (Path.Combine(folders.Elsewhere, "table.csv"), Path.Combine(folders.Elsewhere, "sick.model"));
        // Sick when the pulse is above 100, but for four: a forest must find that, and the guard must not take it for the label itself.
        await File.WriteAllLinesAsync(table, ["pulse,age,sick", .. Enumerable.Range(0, 120).Select(row => $"{40 + row},{20 + (row * 7 % 60)},{((row > 60) != (row is 30 or 50 or 70 or 90) ? "yes" : "no")}")],
            TestContext.Current.CancellationToken);
        var trained = await ProgramRun.OfAsync(Repository.Cli, "learn", "train", "--csv", table, "--target", "sick", "--positive", "yes", "--trees", "20", "--out", model);
        Assert.True(trained.ExitCode == 0, $"{trained}");
        Assert.Contains("120 rows (61 'no', 59 'yes'); 2 features", trained.Output, StringComparison.Ordinal);
        Assert.Matches(@"accuracy +0\.9\d\d  \(0\.\d{3} to \d\.\d{3}\)", trained.Output);
        Assert.Contains($"✓ {model}", trained.Output, StringComparison.Ordinal);

        var judged = await ProgramRun.OfAsync(Repository.Cli, "learn", "predict", model, "--csv", table);
        Assert.True(judged.ExitCode == 0, $"{judged}");
        Assert.Equal(121, judged.Lines.Count);
        Assert.Equal("row,probability of sick=yes,positive,reasons", judged.Lines[0]);
        Assert.StartsWith("1,0.0", judged.Lines[1], StringComparison.Ordinal);
        Assert.Contains(",yes,", judged.Lines[120], StringComparison.Ordinal);

        (await ProgramRun.OfAsync(Repository.Cli, "learn", "train", "--csv", table, "--target", "ill", "--out", model)).RequireRefusal(1, "no column 'ill'", "pulse, age, sick");
        (await ProgramRun.OfAsync(Repository.Cli, "learn", "predict", table, "--csv", table)).RequireRefusal(1, "is no model");
    }

    [Fact]
    public async Task A_node_trains_from_its_own_records_when_it_is_asked()
    {
        var node = await shared.StartedAsync();
        var account = node.Account("Practitioner");
        var run = await ProgramRun.OfAsync(Repository.Cli, account.Password + "\n",
            ["learn", "train", "--url", node.Address, "--email", account.Email, "--password-stdin", "--trees", "20", "--release", "For a trial among friends."]);
        Assert.True(run.ExitCode == 0, $"{run}");
        Assert.Matches(@"\d+ assessed encounters of \d+ patients whose consent covers it", run.Output);
        Assert.Matches(@"✓ Library/\S+ on the node, released for use by Provenance/\S+", run.Output);
        var other = node.Account("Insurer");
        (await ProgramRun.OfAsync(Repository.Cli, other.Password + "\n", ["learn", "train", "--url", node.Address, "--email", other.Email, "--password-stdin"]))
            .RequireRefusal(1, "The node refuses", "(403)");
    }

    static string Bundle(string gender) => JsonSerializer.Serialize(new
    {
        resourceType = "Bundle", type = "transaction",
        entry = new object[]
        {
            new
            {
                fullUrl = "urn:uuid:6a7a1c4e-0a53-4a3b-9e6c-0f6f5b1f0001", request = new { method = "POST", url = "Patient" },
                resource = new { resourceType = "Patient", gender, name = new[] { new { family = "Imported", given = new[] { "Ida" } } } },
            },
            new
            {
                fullUrl = "urn:uuid:6a7a1c4e-0a53-4a3b-9e6c-0f6f5b1f0002", request = new { method = "POST", url = "Condition" },
                resource = new
                {
                    resourceType = "Condition", subject = new { reference = "urn:uuid:6a7a1c4e-0a53-4a3b-9e6c-0f6f5b1f0001" },
                    code = new { text = "cough" },
                },
            },
        },
    });
}
