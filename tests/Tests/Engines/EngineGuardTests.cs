using System.Diagnostics;
using System.Globalization;
using Salus.Host.Engines;

namespace Salus.Tests.Engines;

public sealed class EngineGuardTests : IDisposable
{
    readonly string folder = Directory.CreateTempSubdirectory("salus-test-").FullName;

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    string PidFile => Path.Combine(folder, "pid");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData("trap '' TERM; ")]
    public async Task An_engine_dies_when_the_process_that_started_it_is_killed(string manner)
    {
        // A process that holds the pipe stands for the node: `exec` makes it the very one that is killed.
        var guarded = EngineProcess.Guarded("TERM", Path.Combine(folder, "log"), folder, Engine(manner));
        using var node = Process.Start("sh",
        [
            "-c", "mkfifo \"$0/pipe\"; \"$@\" <\"$0/pipe\" & exec sleep 600 >\"$0/pipe\"", folder, .. guarded,
        ]);
        await EmbeddedChainTests.WaitUntilAsync(() => File.Exists(PidFile) && new FileInfo(PidFile).Length > 0);
        var pid = int.Parse(await File.ReadAllTextAsync(PidFile, Cancellation), CultureInfo.InvariantCulture);
        Assert.True(IsAlive(pid));

        node.Kill();
        await EmbeddedChainTests.WaitUntilAsync(() => !IsAlive(pid));
    }

    [Fact]
    public async Task An_engine_that_ends_by_itself_releases_its_guard()
    {
        await using var process = EngineProcess.Start("KILL", Path.Combine(folder, "log"), folder, ["sh", "-c", "exit 7"]);
        Assert.Equal(7, await process.Exited);
        await EmbeddedChainTests.WaitUntilAsync(() => !Directory.EnumerateDirectories("/proc").Any(MentionsFolder));
    }

    IEnumerable<string> Engine(string manner) =>
        ["sh", "-c", manner + "echo $$ >\"$0.new\"; mv \"$0.new\" \"$0\"; while :; do sleep 0.1; done", PidFile];

    // An orphan that nobody has collected yet is dead all the same.
    static bool IsAlive(int pid)
    {
        try
        {
            return !File.ReadAllText($"/proc/{pid}/stat").Contains(") Z ");
        }
        catch (IOException)
        {
            return false;
        }
    }

    bool MentionsFolder(string process)
    {
        try
        {
            return File.ReadAllText(Path.Combine(process, "cmdline")).Contains(folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
