using System.Text.Json;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Processes;

/// <summary>The main job on public patient bundles, from the folder that SALUS_DATA names.</summary>
[Trait("Data", "field")]
public sealed class FieldDataTests
{
    const int Bundles = 40;
    const int Resources = 8135;

    [Fact]
    public async Task Every_resource_of_the_public_bundles_is_stored_anchored_retrieved_and_verified()
    {
        var run = await ProgramRun.OfAsync(Repository.Cli, ["demo", "--json", .. Files()]);
        Assert.True(run.ExitCode == 0, $"{run}");
        var lines = run.Lines.Select(line => JsonElement.Parse(line)).ToList();
        Assert.All(lines, line => Assert.True(line.GetProperty("holds").GetBoolean()));
        var import = lines.Single(line => line.TryGetProperty("name", out var name) && name.GetString() == "import").GetProperty("figures");
        Assert.Equal(Resources, import.GetProperty("resources").GetInt32());
        var retrieved = lines.Single(line => line.TryGetProperty("name", out var name) && name.GetString() == "retrieve").GetProperty("figures");
        var totals = lines[^1].GetProperty("totals");
        Assert.Equal(totals.GetProperty("resources").GetInt32(), retrieved.GetProperty("retrieved").GetInt32());
        Assert.True(totals.GetProperty("resources").GetInt32() >= Resources);
    }

    static string[] Files()
    {
        var folder = Environment.GetEnvironmentVariable("SALUS_DATA");
        Assert.True(folder is not null, "SALUS_DATA is not set. Point it at the folder of public data, whose part synthea-r4 is read here.");
        var bundles = Path.Combine(folder, "synthea-r4");
        Assert.True(Directory.Exists(bundles), $"{bundles} is missing.");
        var files = Directory.GetFiles(bundles, "*.json").Order(StringComparer.Ordinal).ToArray();
        Assert.True(files.Length == Bundles, $"{bundles} holds {files.Length} bundles of {Bundles}.");
        return files;
    }
}
