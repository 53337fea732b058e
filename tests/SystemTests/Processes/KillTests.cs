using Salus.SystemTests.Support;

namespace Salus.SystemTests.Processes;

/// <summary>What a node promises when a part of it dies without a warning while somebody writes.</summary>
public sealed class KillTests
{
    const int WritesBefore = 20;
    const int WritesAfter = 20;
    const int WritesExported = 200;

    [Fact]
    public async Task A_killed_node_loses_nothing_it_acknowledged_and_leaves_no_process_behind()
    {
        await using var clinic = await Clinic.OpenAsync();
        var engines = clinic.Node.Engines;
        Assert.Contains(engines, process => process.Name == "postgres");
        Assert.Contains(engines, process => process.Name == "anvil");

        await WhileWritingAsync(clinic, async () =>
        {
            await clinic.UntilWrittenAsync(WritesBefore);
            await clinic.Node.KillAsync();
        });
        await Waiting.UntilAsync(() => !engines.Any(process => process.IsAlive), "the engines of the killed node to end");

        await clinic.StartAgainAsync();
        await clinic.RequireAllAnchoredAsync();
        await RequireStopsCleanlyAsync(clinic);
    }

    [Fact]
    public async Task An_export_goes_on_where_its_node_was_killed_and_its_files_hold_every_resource_once()
    {
        const string oneRecordAtATime = "--Salus:Export:RecordsPerFile=1";
        await using var clinic = await Clinic.OpenAsync(oneRecordAtATime);
        await WhileWritingAsync(clinic, () => clinic.UntilWrittenAsync(WritesExported));
        var job = await clinic.AskExportAsync();
        await clinic.UntilExportingAsync(job, 5);
        var engines = clinic.Node.Engines;
        await clinic.Node.KillAsync();
        await Waiting.UntilAsync(() => !engines.Any(process => process.IsAlive), "the engines of the killed node to end");

        await clinic.StartAgainAsync(oneRecordAtATime);
        await clinic.RequireExportedOnceAsync(job);
        await clinic.Node.StopAsync();
    }

    [Fact]
    public async Task A_killed_database_comes_back_with_every_write_it_acknowledged()
    {
        await using var clinic = await Clinic.OpenAsync();
        await WhileWritingAsync(clinic, async () =>
        {
            await clinic.UntilWrittenAsync(WritesBefore);
            Kill(clinic, "postgres");
            await clinic.UntilWrittenAsync(WritesAfter);
        });
        await clinic.RequireAllAnchoredAsync();
        await RequireStopsCleanlyAsync(clinic);

        await clinic.StartAgainAsync();
        await clinic.RequireAllAnchoredAsync();
    }

    [Fact]
    public async Task A_killed_chain_holds_up_no_write_and_every_write_is_anchored_once_it_is_back()
    {
        await using var clinic = await Clinic.OpenAsync();
        await WhileWritingAsync(clinic, async () =>
        {
            await clinic.UntilWrittenAsync(WritesBefore);
            Kill(clinic, "anvil");
            await clinic.UntilWrittenAsync(WritesAfter);
        });
        Assert.Equal(0, clinic.Refused);
        await clinic.RequireAllAnchoredAsync();
        await RequireStopsCleanlyAsync(clinic);

        await clinic.StartAgainAsync();
        await clinic.RequireAllAnchoredAsync();
    }

    [Fact]
    public async Task A_killed_program_takes_its_node_and_its_engines_along_and_a_folder_with_spaces_starts_again()
    {
        using var folders = new NodeFolders();
        var (data, keys) = (Path.Combine(folders.Elsewhere, "St. Mary's data"), Path.Combine(folders.Elsewhere, "her keys"));
        string[] up = ["up", "--data", data, "--keys", keys, "--port", "0", "--patients", "2"];
        using (var program = ProgramRun.Start(Repository.Cli, up))
        {
            await UntilServedAsync(program);
            var started = ProcessTree.Descendants(program.Id);
            Assert.Contains(started, process => process.Name == "postgres");
            ProcessTree.Signal(program.Id, ProcessTree.Kill);
            await Waiting.UntilAsync(() => !started.Any(process => process.IsAlive), "the killed program's node and engines to end");
        }
        using (var program = ProgramRun.Start(Repository.Cli, up))
        {
            await UntilServedAsync(program);
            ProcessTree.Signal(program.Id, ProcessTree.Interrupt);
            await program.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.Equal(0, program.ExitCode);
        }
        var check = await ProgramRun.OfAsync(Repository.Cli, "verify", "--data", data);
        Assert.True(check.ExitCode == 0, $"{check}");
    }

    static async Task UntilServedAsync(System.Diagnostics.Process program)
    {
        List<string> said = [];
        while (await program.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            said.Add(line);
            if (line.StartsWith("Ctrl+C", StringComparison.Ordinal))
            {
                return;
            }
        }
        Assert.Fail($"It ended before it served: {string.Join('\n', said)}\n{await program.StandardError.ReadToEndAsync()}");
    }

    static async Task WhileWritingAsync(Clinic clinic, Func<Task> meanwhile)
    {
        using var stop = new CancellationTokenSource();
        var writing = clinic.WriteAsync(stop.Token);
        try
        {
            await meanwhile();
        }
        finally
        {
            await stop.CancelAsync();
            await writing;
        }
    }

    /// <summary>Kills the oldest process of that name: PostgreSQL's postmaster has children of its own name.</summary>
    static void Kill(Clinic clinic, string name)
    {
        var victim = clinic.Node.Engines.Where(process => process.Name == name).MinBy(process => (process.Start, process.Id));
        Assert.True(victim is not null, $"The node runs no {name}.");
        ProcessTree.Signal(victim.Id, ProcessTree.Kill);
    }

    static async Task RequireStopsCleanlyAsync(Clinic clinic)
    {
        var engines = clinic.Node.Engines;
        await clinic.Node.StopAsync();
        await Waiting.UntilAsync(() => !engines.Any(process => process.IsAlive), "the engines of the stopped node to end", secondsMax: 10);
    }
}
