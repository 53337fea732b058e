using System.Text.Json;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Processes;

/// <summary>Several hospitals at once, as whoever tries them out runs them.</summary>
public sealed class HospitalsTests
{
    [Fact]
    public async Task The_story_of_three_hospitals_holds_step_by_step()
    {
        var run = await ProgramRun.OfAsync(Repository.Cli, "demo", "--hospitals", "3", "--json");
        Assert.True(run.ExitCode == 0, $"{run}");
        var steps = run.Lines.Select(line => JsonElement.Parse(line)).ToList();
        Assert.Equal(
            ["hospitals", "directory", "record", "no-consent", "consent", "read", "limits", "revoke", "expel", "accesses"],
            steps.SkipLast(1).Select(step => step.GetProperty("name").GetString()));
        Assert.All(steps, step => Assert.True(step.GetProperty("holds").GetBoolean(), $"{step}"));
        Assert.Equal(3, steps[0].GetProperty("figures").GetProperty("addresses").EnumerateArray().Select(address => address.GetString()).Distinct().Count());
    }

    [Theory]
    [InlineData("up", "--hospitals", "9", "give 1 to 8")]
    [InlineData("demo", "--hospitals", "0", "give 2 to 8")]
    public async Task As_many_hospitals_as_a_machine_cannot_run_are_refused_in_one_line(string command, string option, string count, string mend) =>
        (await ProgramRun.OfAsync(Repository.Cli, command, option, count)).RequireRefusal(1, mend);

    [Fact]
    public async Task Hospitals_that_are_to_share_a_database_are_refused() =>
        (await ProgramRun.OfAsync(Repository.Cli, "up", "--hospitals", "2", "--database", "Host=db")).RequireRefusal(1, "a database of its own", "--database");
}
