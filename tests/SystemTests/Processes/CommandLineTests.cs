using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Processes;

/// <summary>The salus program, as it is typed.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public async Task The_demonstration_tells_each_step_as_JSON_and_ends_with_totals()
    {
        var run = await ProgramRun.OfAsync(Repository.Cli, "demo", "--json", "--patients", "12");
        Assert.True(run.ExitCode == 0, $"{run}");
        var lines = run.Lines.Select(line => JsonElement.Parse(line)).ToList();
        Assert.All(lines, line => Assert.True(line.GetProperty("holds").GetBoolean()));
        Assert.Equal(Enumerable.Range(1, lines.Count - 1), lines.SkipLast(1).Select(line => line.GetProperty("step").GetInt32()));
        var totals = lines[^1].GetProperty("totals");
        Assert.Equal(12, totals.GetProperty("byType").GetProperty("Patient").GetInt32());
        Assert.Equal(totals.GetProperty("resources").GetInt32(), totals.GetProperty("byType").EnumerateObject().Sum(type => type.Value.GetInt32()));
        Assert.True(totals.GetProperty("leaves").GetInt64() > totals.GetProperty("resources").GetInt64());
        Assert.True(totals.GetProperty("anchors").GetInt32() > 0);
    }

    [Fact]
    public async Task A_taken_port_is_one_clear_line_and_exit_code_1()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        var port = ((IPEndPoint)taken.LocalEndpoint).Port;
        using var folders = new NodeFolders();
        var run = await ProgramRun.OfAsync(Repository.Cli, "up", "--data", folders.Data, "--keys", folders.Keys, "--port", $"{port}");
        Assert.Equal(1, run.ExitCode);
        var line = Assert.Single(run.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains($"{port} is taken", line, StringComparison.Ordinal);
        Assert.Contains("--port", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("demo --patience 12", "--patience", "did you mean --patients?", "salus demo --help")]
    [InlineData("verfy", "'verfy'", "did you mean verify?", "salus --help")]
    public async Task A_slip_is_one_line_that_names_the_nearest(string line, params string[] named) =>
        (await ProgramRun.OfAsync(Repository.Cli, line.Split(' '))).RequireRefusal(64, named);

    [Fact]
    public async Task Without_a_word_the_help_is_shown()
    {
        var run = await ProgramRun.OfAsync(Repository.Cli);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal((await ProgramRun.OfAsync(Repository.Cli, "--help")).Output, run.Output);
        Assert.Contains("salus [command] [options]", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_a_node_uses_refuses_a_second_and_one_that_cannot_be_written_is_named()
    {
        await using var clinic = await Clinic.OpenAsync();
        (await UpAsync(clinic.Folders.Data, clinic.Folders.Keys)).RequireRefusal(1, $"another Salus node (pid {clinic.Node.Id}) uses this data folder: {clinic.Folders.Data}");
        var file = Path.Combine(clinic.Folders.Elsewhere, "file");
        await File.WriteAllTextAsync(file, "", TestContext.Current.CancellationToken);
        (await UpAsync(Path.Combine(file, "data"), clinic.Folders.Keys)).RequireRefusal(1, Path.Combine(file, "data"), "--data");
    }

    [Fact]
    public async Task A_missing_engine_is_one_line_with_the_mend()
    {
        using var folders = new NodeFolders();
        var engines = folders.Elsewhere;
        await File.WriteAllTextAsync(Path.Combine(engines, "package.json"), "{}", TestContext.Current.CancellationToken);
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo("dotnet", [Repository.Cli, "up", "--data", folders.Data, "--keys", folders.Keys, "--port", "0"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["SALUS_ENGINES"] = engines },
        })!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        new ProgramRun(process.ExitCode, await output, await errors).RequireRefusal(1, "PostgreSQL is not installed", "npm ci --prefix engines --ignore-scripts");
    }

    [Fact]
    public async Task The_version_is_three_numbers()
    {
        var run = await ProgramRun.OfAsync(Repository.Cli, "--version");
        Assert.Equal(0, run.ExitCode);
        Assert.Matches(@"^\d+\.\d+\.\d+", run.Output);
    }

    [Theory]
    [InlineData("up", "--data", "--keys", "--port", "--database", "--ledger")]
    [InlineData("demo", "--keep", "--json")]
    [InlineData("verify", "--data", "--checkpoint")]
    public async Task Help_names_the_options_of_a_command(string command, params string[] options)
    {
        var run = await ProgramRun.OfAsync(Repository.Cli, command, "--help");
        Assert.Equal(0, run.ExitCode);
        Assert.All(options, option => Assert.Contains(option, run.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Help_names_every_command()
    {
        var run = await ProgramRun.OfAsync(Repository.Cli, "--help");
        Assert.Equal(0, run.ExitCode);
        Assert.All(new[] { "up", "demo", "verify", "learn" }, command => Assert.Matches($@"\n\s+{command}\b", run.Output));
    }

    static Task<ProgramRun> UpAsync(string data, string keys) => ProgramRun.OfAsync(Repository.Cli, "up", "--data", data, "--keys", keys, "--port", "0");
}
