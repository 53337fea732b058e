using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Salus.Cli.Commands;
using Salus.Tests.Learning;

namespace Salus.Tests.Cli;

/// <summary>salus learn with recipes, as it is typed.</summary>
public sealed class LearnRecipeTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("salus-recipe-").FullName;

    [Fact]
    public async Task Recipes_are_listed_with_a_sentence_each_and_one_in_full()
    {
        var (code, output, _) = await RunAsync("recipes");
        Assert.Equal((0, 14), (code, output.Trim().Split('\n').Length));
        (_, output, _) = await RunAsync("recipes", "diabetes");
        Assert.Contains("Not for", output, StringComparison.Ordinal);
        Assert.Contains("glucose: number, plasma glucose two hours into a tolerance test, mg/dL; 0 is missing", output, StringComparison.Ordinal);
        (_, output, _) = await RunAsync("recipes", "--json");
        Assert.Equal("44054006", JsonDocument.Parse(output).RootElement[1].GetProperty("outcome").GetProperty("codes")[0].GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_model_is_trained_from_bundles_and_the_same_lines_of_an_export_give_the_same_rows()
    {
        var (bundles, lines) = (Directory.CreateDirectory(Path.Combine(folder, "bundles")).FullName, Directory.CreateDirectory(Path.Combine(folder, "lines")).FullName);
        await WriteAsync(bundles, lines, 60);
        var model = Path.Combine(folder, "diabetes.model");
        var (code, output, error) = await RunAsync("train", "--recipe", "diabetes", "--fhir", bundles, "--out", model, "--repeats", "1", "--json");
        Assert.True(code == 0, error);
        var card = JsonDocument.Parse(output).RootElement;
        Assert.Equal((60, "logistic", "platt"), (card.GetProperty("rows").GetInt32(), card.GetProperty("kind").GetString(), card.GetProperty("calibration").GetString()));
        Assert.Contains("Not a diagnosis", card.GetProperty("intendedUse").GetString(), StringComparison.Ordinal);
        Assert.Equal([1, 4], card.GetProperty("costs").EnumerateArray().Select(cost => cost.GetInt32()));
        var auc = card.GetProperty("evaluation").GetProperty("aucMean").GetDouble();
        Assert.InRange(auc, 0.6, 0.97);
        (code, output, error) = await RunAsync("evaluate", "--recipe", "diabetes", "--fhir", lines, "--repeats", "1", "--json");
        Assert.True(code == 0, error);
        Assert.Equal(auc, JsonDocument.Parse(output).RootElement.GetProperty("auc").GetProperty("mean").GetDouble(), 12);
    }

    [Theory]
    [InlineData("evaluate --recipe magic --data x.csv", 64, "'magic' is no recipe; give one of: condition, diabetes")]
    [InlineData("evaluate --recipe diabetes", 64, "Name the table with --data, or a folder of FHIR files with --fhir")]
    [InlineData("evaluate --recipe diabetes --data {csv} --target ill", 64, "leave --target out")]
    [InlineData("evaluate --recipe diabetes --data {csv} --fhir {dir}", 64, "either --data or --fhir")]
    [InlineData("evaluate --recipe diabetes --data {csv}", 1, "there is no column 'pregnancies' (how often pregnant); add it, or name yours with --column pregnancies=YOURS")]
    [InlineData("evaluate --recipe condition --fhir {dir}", 64, "The recipe condition reads a table")]
    [InlineData("evaluate --recipe diabetes --fhir {dir}", 1, "holds no files that end with .json or .ndjson")]
    [InlineData("evaluate --recipe diabetes --fhir /nowhere", 1, "There is no folder /nowhere")]
    [InlineData("evaluate --fhir {dir} --target ill", 64, "name it with --recipe")]
    [InlineData("recipes magic", 64, "'magic' is no recipe")]
    public async Task What_cannot_be_done_is_said_in_one_line_with_the_mend(string line, int code, string said)
    {
        var csv = Path.Combine(folder, "own.csv");
        await File.WriteAllTextAsync(csv, "ill,weight\n1,70\n0,80\n");
        var empty = Directory.CreateDirectory(Path.Combine(folder, "empty")).FullName;
        var (exit, _, error) = await RunAsync(line.Replace("{csv}", csv, StringComparison.Ordinal).Replace("{dir}", empty, StringComparison.Ordinal).Split(' '));
        Assert.Equal(code, exit);
        Assert.Contains(said, error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
    }

    [Fact]
    public async Task Files_that_are_no_FHIR_and_cohorts_too_small_are_told()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "a.ndjson"), "{\"resourceType\":\"Patient\",\"id\":\"a\"}\n\n{\"resourceType\":\"Patient\",");
        var (code, _, error) = await RunAsync("evaluate", "--recipe", "diabetes", "--fhir", folder);
        Assert.Equal(1, code);
        Assert.Contains("a.ndjson, line 3", error, StringComparison.Ordinal);
        File.Delete(Path.Combine(folder, "a.ndjson"));
        await WriteAsync(folder, folder, 9);
        (code, _, error) = await RunAsync("evaluate", "--recipe", "diabetes", "--fhir", folder);
        Assert.Equal(1, code);
        Assert.Contains("A model asks for at least 20, and 5 of each", error, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    static async Task WriteAsync(string bundles, string lines, int people)
    {
        var exported = new List<string>();
        foreach (var (index, bundle) in FhirCohort.Bundles(people).Index())
        {
            await File.WriteAllTextAsync(Path.Combine(bundles, $"{index}.json"), bundle);
            var patient = $"urn:uuid:00000000-0000-4000-8000-{index:000000000000}";
            exported.AddRange(JsonNode.Parse(bundle)!["entry"]!.AsArray().Select(entry => entry!["resource"]!.ToJsonString().Replace(patient, $"Patient/p{index}", StringComparison.Ordinal)));
        }
        if (lines != bundles)
        {
            await File.WriteAllLinesAsync(Path.Combine(lines, "all.ndjson"), exported);
        }
    }

    static async Task<(int Code, string Output, string Error)> RunAsync(params string[] words)
    {
        using var program = Process.Start(new ProcessStartInfo("dotnet", [typeof(LearnCommand).Assembly.Location, "learn", .. words]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (program.StandardOutput.ReadToEndAsync(), program.StandardError.ReadToEndAsync());
        await program.WaitForExitAsync();
        return (program.ExitCode, (await output).ReplaceLineEndings("\n"), (await error).ReplaceLineEndings("\n"));
    }
}
