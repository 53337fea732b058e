using System.Text.Json;
using Salus.SystemTests.Support;

namespace Salus.SystemTests.Processes;

/// <summary>A node killed where a kill is worst, and one killed again and again wherever it happens to be.</summary>
public sealed class FailpointTests
{
    const int WritesBefore = 5;
    const int Kills = 10;
    const int KillSpreadMilliseconds = 1500;

    // Passed a few times before: the sign-in at the start is logged and anchored, too.
    [Theory]
    [InlineData("SequencerCommitted", 5)]
    [InlineData("SequencerWritten", 5)]
    [InlineData("TransactionSent", 1)]
    [InlineData("AnchorMined", 4)]
    [InlineData("AnchorStored", 4)]
    public async Task A_node_killed_between_two_steps_takes_the_second_at_its_next_start(string point, int after)
    {
        await using var clinic = await Clinic.OpenAsync();
        using (var stop = new CancellationTokenSource())
        {
            var writing = clinic.WriteAsync(stop.Token);
            await clinic.UntilWrittenAsync(WritesBefore);
            await stop.CancelAsync();
            await writing;
        }
        await clinic.Node.StopAsync();
        await clinic.StartAgainAsync("--Salus:Faults:Enabled=true", $"--Salus:Faults:At={point}", $"--Salus:Faults:After={after}");
        var engines = clinic.Node.Engines;
        using (var stop = new CancellationTokenSource())
        {
            var writing = clinic.WriteAsync(stop.Token);
            // Each member that signs up is a transaction of the outbox; each write asks for an anchor.
            await clinic.SignUpAsync(3);
            await clinic.Node.EndedAsync();
            await stop.CancelAsync();
            await writing;
        }
        await Waiting.UntilAsync(() => !engines.Any(process => process.IsAlive), "the engines of the killed node to end");

        await clinic.StartAgainAsync();
        await clinic.RequireAllAnchoredAsync();
        await clinic.RequireVerifiedAsync();
        await clinic.Node.StopAsync();
    }

    [Fact]
    public async Task A_node_killed_ten_times_under_load_keeps_every_write_and_one_history()
    {
        await using var clinic = await Clinic.OpenAsync();
        var moments = new Random(20260704);
        for (var kill = 0; kill < Kills; kill++)
        {
            using var stop = new CancellationTokenSource();
            var writing = clinic.WriteAsync(stop.Token);
            await clinic.UntilWrittenAsync(1);
            await Task.Delay(moments.Next(KillSpreadMilliseconds), TestContext.Current.CancellationToken);
            await clinic.Node.KillAsync();
            await stop.CancelAsync();
            await writing;
            await clinic.StartAgainAsync();
        }
        await clinic.RequireAllAnchoredAsync();
        await clinic.RequireVerifiedAsync();
        await clinic.Node.StopAsync();
    }

    [Fact]
    public async Task A_failpoint_is_refused_unless_faults_are_asked_for()
    {
        using var folders = new NodeFolders();
        var refused = await ProgramRun.OfAsync(Repository.Host, "serve", $"--Salus:Data={folders.Data}", $"--Salus:Keys={folders.Keys}", "--Salus:Port=0",
            "--Salus:DemonstrationPatients=0", "--Salus:Faults:At=AnchorMined");
        Assert.Equal(1, refused.ExitCode);
        var line = JsonElement.Parse(refused.Lines[^1]);
        Assert.Equal("refused", line.GetProperty("event").GetString());
        Assert.Contains("Salus:Faults:At", line.GetProperty("reason").GetString(), StringComparison.Ordinal);
    }
}
