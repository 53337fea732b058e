using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Salus.Host.Engines;

/// <summary>One running engine that cannot outlive this process.</summary>
/// <remarks>
/// A guard shell reads a pipe from this process. When the pipe closes without a word, this process is gone and the guard
/// stops the engine. The kernel's own parent-death signal is no answer: it is cleared when the engine changes its account.
/// The shell also opens the engine's folder as descriptor 9 while it may: an account that the engine changes to reaches the
/// folder through <see cref="OpenedFolder"/> even where it cannot enter the parents.
/// </remarks>
public sealed class EngineProcess : IAsyncDisposable
{
    /// <summary>The engine's folder, as the engine itself is told of it.</summary>
    public const string OpenedFolder = "/proc/self/fd/9";

    // The guard is started twice removed, so that it is no child of the engine; $$ stays the number of the shell that
    // becomes the engine. A word on the pipe releases the guard before the number can belong to somebody else.
    const string Guard = """
        stop=$1; log=$2; folder=$3; shift 3
        umask 077
        exec 3<&0 </dev/null >>"$log" 2>&1
        exec 9<"$folder"
        (
          (
            read -r word <&3 && exit 0
            kill -s "$stop" $$ || exit 0
            tries=0
            while kill -s 0 $$ && [ $tries -lt 30 ]; do sleep 0.1; tries=$((tries+1)); done
            kill -s KILL $$
          ) >/dev/null 2>&1 9<&- &
        )
        exec 3<&-
        exec "$@"
        """;

    readonly Process process;

    EngineProcess(Process process)
    {
        this.process = process;
        Exited = ReleaseGuardAsync();
    }

    /// <summary>The process number of the engine itself.</summary>
    public int Pid => process.Id;

    /// <summary>Completes when the engine has ended, with its exit code.</summary>
    public Task<int> Exited { get; }

    /// <summary>The guarded command line: the engine stops by <paramref name="stopSignal"/> when its standard input closes without a word.</summary>
    public static IReadOnlyList<string> Guarded(string stopSignal, string logPath, string folder, IEnumerable<string> command) =>
        // A session of its own keeps a terminal's Ctrl-C from the engine: the node stops it in order.
        ["setsid", "sh", "-c", Guard, "salus-engine", stopSignal, logPath, folder, .. command];

    /// <summary>Starts <paramref name="command"/>, which finds <paramref name="folder"/> opened; what it prints is appended to <paramref name="logPath"/>.</summary>
    public static EngineProcess Start(string stopSignal, string logPath, string folder, IEnumerable<string> command)
    {
        var words = Guarded(stopSignal, logPath, folder, command);
        var start = new ProcessStartInfo(words[0], words.Skip(1)) { RedirectStandardInput = true, WorkingDirectory = "/" };
        CleanEnvironment(start);
        try
        {
            return new(Process.Start(start)!);
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            throw new EngineException("the program `setsid` is missing: install it (Debian: apt-get install util-linux)", missing);
        }
    }

    /// <summary>Sends each signal in turn until the engine has ended, waiting <paramref name="patience"/> after each; then kills it.</summary>
    public async Task StopAsync(TimeSpan patience, params IEnumerable<PosixSignal> signals)
    {
        foreach (var signal in signals)
        {
            if (Exited.IsCompleted)
            {
                // Its number may belong to somebody else by now.
                break;
            }

            Signals.Send(process.Id, signal);
            try
            {
                await Exited.WaitAsync(patience);
                return;
            }
            catch (TimeoutException)
            {
                // The next signal is harsher.
            }
        }

        await DisposeAsync();
    }

    /// <summary>Kills the engine if it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Exited.IsCompleted)
        {
            process.Kill();
        }

        await Exited;
        process.Dispose();
    }

    internal static void CleanEnvironment(ProcessStartInfo start)
    {
        // A stray PGDATA or ANVIL_IP_ADDR must not steer an engine, and no secret of the node's is its business.
        foreach (var name in start.Environment.Keys.Where(name => name is not ("PATH" or "TZ")).ToList())
        {
            start.Environment.Remove(name);
        }

        start.Environment["LC_ALL"] = "C";
    }

    async Task<int> ReleaseGuardAsync()
    {
        await process.WaitForExitAsync();
        var exitCode = process.ExitCode;
        try
        {
            await process.StandardInput.WriteLineAsync("ended");
            await process.StandardInput.FlushAsync();
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The guard is gone as well.
        }

        return exitCode;
    }
}

/// <summary>Signals to processes by number.</summary>
static class Signals
{
    public static bool Send(int pid, PosixSignal signal) => Kill(pid, signal switch
    {
        PosixSignal.SIGINT => 2,
        PosixSignal.SIGQUIT => 3,
        PosixSignal.SIGTERM => 15,
        _ => throw new ArgumentOutOfRangeException(nameof(signal), signal, "SIGINT, SIGQUIT or SIGTERM"),
    }) == 0;

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Kill(int pid, int signal);
}
