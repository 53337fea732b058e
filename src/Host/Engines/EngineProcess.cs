using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Salus.Host.Engines;

/// <summary>An engine as a child process that never outlives this one, and is started again when it dies by itself.</summary>
/// <remarks>
/// A small shell stands between: it holds the reading end of a pipe whose writing end only this process has, so the pipe
/// closes however this process ends, kill -9 included, and the shell then stops the engine. PR_SET_PDEATHSIG would not do:
/// it fires when the thread that started the child ends, and the thread pool ends threads at will. The shell also opens the
/// data folder as descriptor 9 before privileges are dropped.
/// </remarks>
internal sealed partial class EngineProcess : IAsyncDisposable
{
    const int TriesMax = 5;
    const int LinesKept = 20;

    const string Guard = """
        exec 9<"$1" 3<&0 || exit 71
        shift
        "$@" </dev/null 3<&- & engine=$!
        echo "$engine"
        { read -r _ <&3; kill -INT $engine; sleep 10; kill -QUIT $engine; sleep 5; kill -KILL $engine; } >/dev/null 2>&1 9<&- &
        guard=$!
        exec 3<&- 9<&-
        wait $engine; code=$?
        kill $guard 2>/dev/null
        exit $code
        """;

    readonly string name;
    readonly string folder;
    readonly Func<CancellationToken, Task<IReadOnlyList<string>>> command;
    readonly Func<CancellationToken, Task<bool>> ready;
    readonly ILogger logger;
    readonly TimeProvider time;
    readonly ConcurrentQueue<string> lines = new();
    readonly CancellationTokenSource stopping = new();
    Process? process;
    Task supervision = Task.CompletedTask;

    EngineProcess(
        string name, string folder, Func<CancellationToken, Task<IReadOnlyList<string>>> command,
        Func<CancellationToken, Task<bool>> ready, ILogger logger, TimeProvider time) =>
        (this.name, this.folder, this.command, this.ready, this.logger, this.time) = (name, folder, command, ready, logger, time);

    /// <summary>The engine's own process id, not the guard's.</summary>
    public int ProcessId { get; private set; }

    /// <param name="name">The engine's name in messages.</param>
    /// <param name="folder">The folder that the engine finds open as descriptor 9.</param>
    /// <param name="command">Makes ready for a start, and answers the program and its arguments.</param>
    /// <param name="ready">Whether the engine answers by now.</param>
    public static async Task<EngineProcess> StartAsync(
        string name, string folder, Func<CancellationToken, Task<IReadOnlyList<string>>> command,
        Func<CancellationToken, Task<bool>> ready, ILogger logger, TimeProvider time, CancellationToken cancellation)
    {
        var engine = new EngineProcess(name, folder, command, ready, logger, time);
        try
        {
            await engine.LaunchAsync(cancellation);
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }

        engine.supervision = Task.Run(engine.SuperviseAsync, CancellationToken.None);
        return engine;
    }

    async Task LaunchAsync(CancellationToken cancellation)
    {
        await StopProcessAsync();
        lines.Clear();
        var arguments = await command(cancellation);
        // A session of its own: Ctrl+C in a terminal reaches this process alone, which then stops the engine in order.
        string[] session = OperatingSystem.IsLinux() ? ["setsid", "sh"] : ["sh"];
        var start = new ProcessStartInfo(session[0], [.. session[1..], "-c", Guard, "salus-engine", folder, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        start.Environment["LC_ALL"] = "C";
        process = Process.Start(start)!;
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        await WaitUntilReadyAsync(process, cancellation);
    }

    async Task WaitUntilReadyAsync(Process started, CancellationToken cancellation)
    {
        var begun = time.GetTimestamp();
        while (!await ready(cancellation))
        {
            if (started.HasExited)
            {
                await started.WaitForExitAsync(cancellation);
                throw new EngineException($"{name} did not start: {Complaint()}");
            }

            if (time.GetElapsedTime(begun) > TimeSpan.FromMinutes(2))
            {
                throw new EngineException($"{name} did not answer within two minutes: {Complaint()}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), time, cancellation);
        }
    }

    async Task SuperviseAsync()
    {
        var tries = 0;
        try
        {
            while (tries < TriesMax)
            {
                var begun = time.GetTimestamp();
                if (process is not null)
                {
                    await process.WaitForExitAsync(stopping.Token);
                }

                tries = time.GetElapsedTime(begun) > TimeSpan.FromMinutes(1) ? 1 : tries + 1;
                Restarting(name, tries, TriesMax);
                try
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(100 << (2 * (tries - 1))), time, stopping.Token);
                    await LaunchAsync(stopping.Token);
                }
                catch (EngineException failure)
                {
                    RestartFailed(failure.Message);
                }
            }

            GivenUp(name, TriesMax);
        }
        catch (OperationCanceledException)
        {
            // The engine is being stopped.
        }
    }

    void Keep(string? line)
    {
        if (line is null)
        {
            return;
        }

        if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
        {
            ProcessId = id;
            return;
        }

        lines.Enqueue(line);
        while (lines.Count > LinesKept && lines.TryDequeue(out _))
        {
        }

        Said(name, line);
    }

    string Complaint()
    {
        var said = lines.ToArray();
        return Array.FindLast(said, line => line.Contains("FATAL", StringComparison.Ordinal) || line.Contains("rror", StringComparison.Ordinal))
            ?? (said is [.., var last] ? last : "it said nothing");
    }

    async Task StopProcessAsync()
    {
        if (process is null)
        {
            return;
        }

        process.StandardInput.Close();
        await process.WaitForExitAsync(CancellationToken.None);
        process.Dispose();
        process = null;
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await supervision;
        await StopProcessAsync();
        stopping.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "{Engine}: {Line}")]
    partial void Said(string engine, string line);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Engine} died by itself; starting it again, try {Attempt} of {AttemptsMax}")]
    partial void Restarting(string engine, int attempt, int attemptsMax);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Failure}")]
    partial void RestartFailed(string failure);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{Engine} stays down after {Attempts} tries: restart this node")]
    partial void GivenUp(string engine, int attempts);
}
