using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Records.Indexing;

/// <summary>
/// Keeps the index with its keys and parameters: puts an announced key to use, goes through the rows that must be made anew, a batch at a time and the place
/// kept after each, and destroys a key under which no row stands any more.
/// </summary>
sealed partial class IndexingWorker(
    NpgsqlDataSource database, KeyVault vault, RecordsDesk records, IndexState state, TimeProvider time, ILogger<IndexingWorker> logger) : WokenWorker(time, logger)
{
    const int BatchMax = 200;
    static readonly TimeSpan PassesKept = TimeSpan.FromDays(30);

    /// <inheritdoc/>
    protected override TimeSpan BusyWait => TimeSpan.FromMilliseconds(250);

    /// <inheritdoc/>
    protected override async Task<bool> WorkAsync(CancellationToken cancellation)
    {
        await state.RefreshAsync(cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var now = Time.GetUtcNow();
        await IndexingStore.ActivateKeyAsync(connection, now - IndexState.Settle, now, cancellation);
        await IndexingStore.ForgetAsync(connection, now - PassesKept, cancellation);
        await IndexingStore.SetBarriersAsync(connection, now - IndexState.Settle, cancellation);
        while (await StepAsync(connection, cancellation))
        {
        }
        return await IndexingStore.IsBusyAsync(connection, cancellation);
    }

    /// <summary>Takes the oldest pass a batch further; false where none can go on.</summary>
    async Task<bool> StepAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await IndexingStore.TakeAsync(connection, cancellation) is not { } pass)
        {
            return false;
        }
        pass = pass with { Total = pass.Total ?? await IndexingStore.CountAsync(connection, pass.Types, cancellation) };
        var rows = await IndexingStore.NextAsync(connection, pass, BatchMax, cancellation);
        if (rows.Count > 0)
        {
            await records.ReindexAsync(rows, cancellation);
            pass = pass with { Done = pass.Done + rows.Count, Type = rows[^1].Type, After = rows[^1].Id };
        }
        else
        {
            pass = await EndAsync(connection, pass, cancellation);
        }
        await IndexingStore.MoveAsync(connection, pass, cancellation);
        await transaction.CommitAsync(cancellation);
        if (pass.Ended is not null)
        {
            state.Expire();
            await state.RefreshAsync(cancellation);
            LogEnded(Logger, pass.Id, pass.Done);
        }
        return true;
    }

    async Task<PassRow> EndAsync(NpgsqlConnection connection, PassRow pass, CancellationToken cancellation)
    {
        var now = Time.GetUtcNow();
        if (pass.Parameter is { } parameter)
        {
            await IndexingStore.MakeReadyAsync(connection, parameter, pass.Version ?? 0, now, cancellation);
            return pass with { Ended = now };
        }
        return await IndexingStore.RetireKeysAsync(connection, vault, state.Current.Writing.Number, cancellation)
            ? pass with { Ended = now }
            : pass with { Type = "", After = "", Done = 0 };
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Pass {Pass} over the search index is done: {Count} rows were made anew")]
    static partial void LogEnded(ILogger logger, long pass, long count);
}
