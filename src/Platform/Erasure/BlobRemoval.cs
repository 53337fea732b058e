using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Platform.Store;
using Salus.Vault.Blobs;

namespace Salus.Platform.Erasure;

/// <summary>Removes the sealed files of erased records, each until it is gone. Their key died with the erasure; this frees the disk.</summary>
public sealed class BlobRemoval(NpgsqlDataSource database, BlobStore blobs, TimeProvider time, ILogger<BlobRemoval> logger) : WokenWorker(time, logger)
{
    const int BatchMax = 100;

    /// <inheritdoc/>
    protected override async Task<bool> WorkAsync(CancellationToken cancellation)
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
        return false;
    }
}
