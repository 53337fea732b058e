using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Salus.Platform.Store;

/// <summary>
/// Does what waits in the database, then sleeps until it is woken or half a minute has passed: another process may have left work. A fault of the
/// database or the disk ends neither it nor the node; it tries again.
/// </summary>
public abstract partial class WokenWorker(TimeProvider time, ILogger logger) : BackgroundService
{
    static readonly TimeSpan IdleWait = TimeSpan.FromSeconds(30);

    readonly SemaphoreSlim awake = new(0, 1);

    /// <summary>The clock that it goes by.</summary>
    protected TimeProvider Time { get; } = time;

    /// <summary>Where it tells what it did.</summary>
    protected ILogger Logger { get; } = logger;

    /// <summary>How soon to look again while something waits for its time.</summary>
    protected virtual TimeSpan BusyWait => IdleWait;

    /// <summary>Tells that there is work.</summary>
    public void Wake()
    {
        try
        {
            awake.Release();
        }
        catch (SemaphoreFullException)
        {
            // Woken by another already.
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        awake.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Does what can be done now; whether something waits for its time.</summary>
    protected abstract Task<bool> WorkAsync(CancellationToken cancellation);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                var isBusy = await WorkAsync(stoppingToken);
                await awake.WaitAsync(isBusy ? BusyWait : IdleWait, stoppingToken);
            }
            catch (Exception fault) when (fault is NpgsqlException or IOException or UnauthorizedAccessException)
            {
                LogFault(Logger, GetType().Name, fault.GetType().Name, fault.Message);
                await Task.Delay(IdleWait, Time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Worker} tries again in half a minute ({Kind}): {Reason}")]
    static partial void LogFault(ILogger logger, string worker, string kind, string reason);
}
