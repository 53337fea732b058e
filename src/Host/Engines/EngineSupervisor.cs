namespace Salus.Host.Engines;

/// <summary>Keeps one engine running: starts it again when it dies by itself, at most five times in a row.</summary>
sealed partial class EngineSupervisor(
    string engine, Func<CancellationToken, Task<EngineProcess>> launch, ILogger logger, TimeProvider time) : IDisposable
{
    const int TriesMax = 5;
    static readonly TimeSpan DelayFirst = TimeSpan.FromMilliseconds(200);
    static readonly TimeSpan Steady = TimeSpan.FromMinutes(1);

    // Owned by the watch loop from StartAsync to StopAsync.
    EngineProcess? current;
    Task watch = Task.CompletedTask;
    readonly CancellationTokenSource stopping = new();
    readonly TaskCompletionSource given = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>The running process, or the last one.</summary>
    public EngineProcess Current => current ?? throw new InvalidOperationException("not started");

    /// <summary>Ends after a stop, or with an <see cref="EngineException"/> when the engine stays down.</summary>
    public Task Completion => given.Task;

    public async Task StartAsync(CancellationToken cancellation)
    {
        current = await launch(cancellation);
        watch = WatchAsync();
    }

    /// <summary>Ends the watching and hands the process over to be stopped.</summary>
    public async Task<EngineProcess?> ReleaseAsync()
    {
        await stopping.CancelAsync();
        await watch;
        given.TrySetResult();
        return current;
    }

    public void Dispose() => stopping.Dispose();

    async Task WatchAsync()
    {
        var tries = 0;
        try
        {
            while (true)
            {
                var since = time.GetTimestamp();
                var exitCode = await Current.Exited.WaitAsync(stopping.Token);
                tries = time.GetElapsedTime(since) > Steady ? 0 : tries;
                tries = await RestartAsync(exitCode, tries);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // Asked to stop.
        }
        catch (EngineException error)
        {
            LogGivenUp(engine, error.Message);
            given.TrySetException(error);
        }
    }

    async Task<int> RestartAsync(int exitCode, int tries)
    {
        for (var error = ""; ;)
        {
            if (tries == TriesMax)
            {
                throw new EngineException($"{engine} ended (exit {exitCode}) and {TriesMax} restarts failed: {error} See its log file, then start Salus again");
            }

            await Task.Delay(DelayFirst * (1 << tries), time, stopping.Token);
            tries++;
            try
            {
                var ended = Current;
                current = await launch(stopping.Token);
                await ended.DisposeAsync();
                LogRestarted(engine, exitCode, current.Pid, tries);
                return tries;
            }
            catch (Exception failed) when (!stopping.IsCancellationRequested)
            {
                // Whatever it was, a full disk for one: the tries are counted, and the last reason is told.
                error = failed.Message;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Engine} ended by itself (exit {ExitCode}) and runs again as {Pid} after {Tries} tries")]
    partial void LogRestarted(string engine, int exitCode, int pid, int tries);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{Engine} stays down: {Reason}")]
    partial void LogGivenUp(string engine, string reason);
}
