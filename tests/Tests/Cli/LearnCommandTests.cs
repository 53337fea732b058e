using System.Diagnostics;
using System.Text.Json;
using Salus.Cli.Commands;
using Salus.Learning.Tables;
using Salus.Tests.Learning;

namespace Salus.Tests.Cli;

/// <summary>salus learn as it is typed: what it prints, writes and exits with.</summary>
public sealed class LearnCommandTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("salus-learn-").FullName;

    [Fact]
    public async Task Evaluate_prints_one_object_with_the_figures_and_writes_plots()
    {
        var (code, output, _) = await RunAsync("evaluate", "--data", Csv(Leaks.Synthetic()), "--target", "outcome", "--model", "logistic", "--folds", "5", "--repeats", "2", "--seed", "1", "--json", "--plots", folder);
        Assert.Equal(0, code);
        var report = JsonDocument.Parse(output).RootElement;
        Assert.Equal((768, "logistic", 0), (report.GetProperty("rows").GetInt32(), report.GetProperty("model").GetString(), report.GetProperty("guard").GetArrayLength()));
        Assert.InRange(report.GetProperty("auc").GetProperty("mean").GetDouble(), 0.7, 0.95);
        Assert.InRange(report.GetProperty("auc").GetProperty("sd").GetDouble(), 0.001, 0.1);
        foreach (var figure in new[] { "features", "accuracy", "majority", "brier", "macroF1", "fitSeconds", "predictRowsPerSecond" })
            Assert.True(report.GetProperty(figure).GetDouble() > 0, figure);
        foreach (var plot in new[] { "roc.svg", "calibration.svg", "importance.svg" })
            Assert.StartsWith("<svg", await File.ReadAllTextAsync(Path.Combine(folder, plot)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_penalty_of_logistic_regression_is_given_or_chosen_by_the_training_rows()
    {
        var csv = Csv(Leaks.Synthetic());
        async Task<double> AucAsync(string penalty)
        {
            var (code, output, _) = await RunAsync("evaluate", "--data", csv, "--target", "outcome", "--model", "logistic", "--repeats", "1", "--json", "--l2", penalty);
            Assert.Equal(0, code);
            return JsonDocument.Parse(output).RootElement.GetProperty("auc").GetProperty("mean").GetDouble();
        }
        var (chosen, given, heavy) = (await AucAsync("auto"), await AucAsync("1"), await AucAsync("100000"));
        Assert.NotEqual(given, heavy);
        Assert.InRange(chosen, given - 0.01, 1);
        foreach (var bad in new[] { "0", "-1", "much", "1e-20" })
        {
            var (code, _, error) = await RunAsync("evaluate", "--data", csv, "--target", "outcome", "--model", "logistic", "--l2", bad);
            Assert.NotEqual(0, code);
            Assert.Contains($"--l2 {bad}: give a number above 0, or auto", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Evaluate_names_the_leak_gives_no_figure_and_takes_a_written_override()
    {
        var csv = Csv(Leaks.Make("RowsTwice", Leaks.Synthetic()).Table);
        var (code, output, error) = await RunAsync("evaluate", "--data", csv, "--target", "outcome", "--model", "logistic", "--repeats", "1", "--json");
        Assert.Equal(2, code);
        var refused = JsonDocument.Parse(output).RootElement;
        Assert.Equal(("duplicateRows", JsonValueKind.Null, true), (refused.GetProperty("guard")[0].GetProperty("kind").GetString(), refused.GetProperty("auc").ValueKind, refused.GetProperty("refused").GetBoolean()));
        Assert.Contains("--override", error, StringComparison.Ordinal);
        (code, output, _) = await RunAsync("evaluate", "--data", csv, "--target", "outcome", "--model", "logistic", "--repeats", "1", "--json", "--override", "for the lecture");
        Assert.Equal((0, "for the lecture"), (code, JsonDocument.Parse(output).RootElement.GetProperty("override").GetString()));
        (code, output, _) = await RunAsync("evaluate", "--data", csv, "--target", "outcome", "--model", "logistic", "--repeats", "1", "--json", "--deduplicate");
        Assert.Equal((0, 768), (code, JsonDocument.Parse(output).RootElement.GetProperty("rows").GetInt32()));
    }

    [Fact]
    public async Task A_model_is_trained_shown_explained_and_used()
    {
        var (csv, model) = (Csv(Leaks.Synthetic()), Path.Combine(folder, "ill.model"));
        var (code, output, _) = await RunAsync("train", "--data", csv, "--target", "outcome", "--model", "forest", "--trees", "30", "--repeats", "1", "--costs", "1:3", "--calibrate", "platt", "--out", model);
        Assert.Equal(0, code);
        Assert.Contains("ROC-AUC", output, StringComparison.Ordinal);
        (code, output, _) = await RunAsync("card", model);
        Assert.Equal(0, code);
        Assert.Contains("# ill", output, StringComparison.Ordinal);
        Assert.Contains("The leakage guard found nothing.", output, StringComparison.Ordinal);
        Assert.Contains("for costs 1 : 3", output, StringComparison.Ordinal);
        (code, output, _) = await RunAsync("predict", model, "--data", csv);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal((0, 769, "row,probability of outcome=1,positive,reasons"), (code, lines.Length, lines[0]));
        Assert.Matches("^1,0\\.\\d{4},(yes|no),", lines[1]);
        (code, output, _) = await RunAsync("explain", model, "--data", csv, "--row", "3", "--json");
        Assert.Equal((0, 3), (code, JsonDocument.Parse(output).RootElement.GetProperty("rows")[0].GetProperty("row").GetInt32()));
    }

    [Fact]
    public async Task Models_are_compared_on_the_same_folds_and_anomalies_are_scored()
    {
        var csv = Csv(Leaks.Synthetic());
        var (code, output, _) = await RunAsync("compare", "--data", csv, "--target", "outcome", "--models", "forest,boosting,logistic", "--trees", "20", "--repeats", "1", "--json");
        Assert.Equal((0, 3), (code, JsonDocument.Parse(output).RootElement.GetProperty("models").GetArrayLength()));
        (code, output, _) = await RunAsync("anomaly", "--data", csv, "--label", "outcome", "--model", "ecod", "--json");
        Assert.Equal(0, code);
        Assert.InRange(JsonDocument.Parse(output).RootElement.GetProperty("auc").GetDouble(), 0.4, 1);
    }

    [Theory]
    [InlineData("evaluate --data {csv} --target nothing", 1, "there is no column 'nothing'")]
    [InlineData("evaluate --data {csv} --target outcome --model magic", 64, "'magic' is no model; give one of: forest, boosting")]
    [InlineData("evaluate --data {csv} --target outcome --model text-linear", 64, "name their column with --text")]
    [InlineData("evaluate --data {csv} --target outcome --missing bmi", 64, "such as glucose=0")]
    [InlineData("evaluate --data /nowhere.csv --target outcome", 1, "There is no file /nowhere.csv")]
    [InlineData("train --target outcome --out m", 64, "Name the table with --data")]
    [InlineData("card {csv}", 1, "is no model: the bytes do not begin with SALUSMODEL")]
    [InlineData("anomaly --data {csv} --model forest", 64, "'forest' is no detector")]
    public async Task What_cannot_be_done_is_said_in_one_line_with_the_mend(string line, int code, string said)
    {
        var (exit, _, error) = await RunAsync(line.Replace("{csv}", Csv(Leaks.Synthetic()), StringComparison.Ordinal).Split(' '));
        Assert.Equal(code, exit);
        Assert.Contains(said, error, StringComparison.Ordinal);
        Assert.Single(error.Trim().Split('\n'));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    string Csv(Table table)
    {
        var file = Path.Combine(folder, "table.csv");
        File.WriteAllLines(file,
        [
            string.Join(',', table.Columns.Select(column => column.Name)),
            .. Enumerable.Range(0, table.RowCount).Select(row => string.Join(',', table.Columns.Select(column => column.Show(row)))),
        ]);
        return file;
    }

    static async Task<(int Code, string Output, string Error)> RunAsync(params string[] words)
    {
        using var program = Process.Start(new ProcessStartInfo("dotnet", [typeof(LearnCommand).Assembly.Location, "learn", .. words]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (program.StandardOutput.ReadToEndAsync(), program.StandardError.ReadToEndAsync());
        await program.WaitForExitAsync();
        return (program.ExitCode, (await output).ReplaceLineEndings("\n"), (await error).ReplaceLineEndings("\n"));
    }
}
