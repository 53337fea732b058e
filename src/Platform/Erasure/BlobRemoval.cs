using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Vault.Blobs;

namespace Salus.Platform.Erasure;

/// <summary>Removes the sealed files of erased records, each until it is gone. Their key died with the erasure; this frees the disk.</summary>
public sealed partial class BlobRemoval(NpgsqlDataSource database, BlobStore blobs, TimeProvider time, ILogger<BlobRemoval> logger) : BackgroundService
{
    const int BatchMax = 100;
    static readonly TimeSpan IdleWait = TimeSpan.FromSeconds(30);

    readonly SemaphoreSlim awake = new(0, 1);

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
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RemoveAsync(stoppingToken);
                await awake.WaitAsync(IdleWait, stoppingToken);
            }
            catch (Exception fault) when (fault is NpgsqlException or IOException or UnauthorizedAccessException)
            {
                LogFault(logger, fault.GetType().Name, fault.Message);
                await Task.Delay(IdleWait, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    async Task RemoveAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        while (await ErasureStore.QueuedBlobsAsync(connection, BatchMax, cancellation) is { Count: > 0 } queued)
        {
            foreach (var hash in queued)
            {
                blobs.Delete(hash);
                await ErasureStore.RemovedBlobAsync(connection, hash, cancellation);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A sealed file of an erased record is not removed yet ({Kind}): {Reason}")]
    static partial void LogFault(ILogger logger, string kind, string reason);
}
