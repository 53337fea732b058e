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

    [Fact]
    public async Task An_unknown_option_is_refused_by_name()
    {
        var run = await ProgramRun.OfAsync(Repository.Cli, "demo", "--patience", "12");
        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("--patience", run.Errors, StringComparison.Ordinal);
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
}
