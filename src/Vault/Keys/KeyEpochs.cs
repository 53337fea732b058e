using System.Security.Cryptography;
using Npgsql;

namespace Salus.Vault.Keys;

/// <summary>What a turn of the epochs did.</summary>
/// <param name="Epoch">The epoch that new keys are wrapped under.</param>
/// <param name="Rewrapped">Owners' keys that were wrapped anew.</param>
/// <param name="Destroyed">Epochs whose keys were destroyed.</param>
public sealed record EpochTurn(int Epoch, int Rewrapped, IReadOnlyList<int> Destroyed);

// Epochs: a new one now and then, living owners taken along, the old ones' keys destroyed. What is left under an old epoch in a stray copy
// of a row (dead tuples, the write-ahead log, a replica) then opens for nobody.
public sealed partial class KeyVault
{
    const int OwnersPerBatch = 500;

    /// <summary>
    /// Begins a new epoch where the newest is older than <paramref name="age"/>, wraps every living owner's key under the newest, and destroys
    /// the keys of epochs that ended longer ago than <paramref name="window"/> and wrap no living owner's key any more.
    /// </summary>
    /// <param name="age">How long an epoch lasts.</param>
    /// <param name="window">How long backups are kept.</param>
    /// <param name="cancellation">Ends the work; what is done stays done, the rest comes with the next turn.</param>
    public async Task<EpochTurn> TurnAsync(TimeSpan age, TimeSpan window, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using (var transaction = await connection.BeginTransactionAsync(cancellation))
        {
            await ExecuteAsync(connection, "LOCK TABLE vault_epoch IN SHARE ROW EXCLUSIVE MODE", cancellation);
            await LoadEpochsAsync(connection, cancellation);
            if (await BegunAsync(connection, currentEpoch, cancellation) + age <= now)
            {
                await AddEpochAsync(connection, currentEpoch + 1, cancellation);
            }
            await transaction.CommitAsync(cancellation);
        }
        var rewrapped = 0;
        while (await RewrapAsync(connection, cancellation) is > 0 and var count)
        {
            rewrapped += count;
        }
        return new EpochTurn(currentEpoch, rewrapped, await DestroyAsync(connection, now - window, now, cancellation));
    }

    static async Task<DateTimeOffset> BegunAsync(NpgsqlConnection connection, int epoch, CancellationToken cancellation)
    {
        await using var read = new NpgsqlCommand("SELECT created FROM vault_epoch WHERE epoch = $1", connection) { Parameters = { new() { Value = epoch } } };
        return new DateTimeOffset((DateTime)(await read.ExecuteScalarAsync(cancellation))!);
    }

    /// <summary>Wraps a batch of living owners' keys under the newest epoch; how many there were.</summary>
    async Task<int> RewrapAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        List<(Guid Id, OwnerKind Kind, int Epoch, byte[] Wrapped)> batch = [];
        await using (var read = new NpgsqlCommand(
            "SELECT id, kind, epoch, wrapped FROM vault_owner WHERE epoch < $1 AND wrapped IS NOT NULL ORDER BY id LIMIT $2 FOR NO KEY UPDATE", connection)
        {
            Parameters = { new() { Value = currentEpoch }, new() { Value = OwnersPerBatch } },
        })
        await using (var rows = await read.ExecuteReaderAsync(cancellation))
        {
            while (await rows.ReadAsync(cancellation))
            {
                batch.Add((rows.GetGuid(0), (OwnerKind)rows.GetInt16(1), rows.GetInt32(2), rows.GetFieldValue<byte[]>(3)));
            }
        }
        foreach (var (id, kind, epoch, wrapped) in batch)
        {
            var key = UnwrapOwner(epochs[epoch], wrapped, id, kind);
            await using var update = new NpgsqlCommand("UPDATE vault_owner SET epoch = $2, wrapped = $3 WHERE id = $1", connection)
            {
                Parameters = { new() { Value = id }, new() { Value = currentEpoch }, new() { Value = Wrap(epochs[currentEpoch], key, OwnerContext(id, kind)) } },
            };
            await update.ExecuteNonQueryAsync(cancellation);
            CryptographicOperations.ZeroMemory(key);
        }
        await transaction.CommitAsync(cancellation);
        return batch.Count;
    }

    /// <summary>Destroys the keys of epochs that ended by a time. An epoch ends where the next begins.</summary>
    async Task<IReadOnlyList<int>> DestroyAsync(NpgsqlConnection connection, DateTimeOffset endedBy, DateTimeOffset now, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // Locked first: who makes a key under one of them has done so by now, or finds it destroyed.
        await ExecuteAsync(connection, "SELECT FROM vault_epoch WHERE wrapped IS NOT NULL ORDER BY epoch FOR UPDATE", cancellation);
        List<int> destroyed = [];
        await using (var update = new NpgsqlCommand(
            """
            UPDATE vault_epoch e SET wrapped = NULL, destroyed = $2
            WHERE wrapped IS NOT NULL
              AND EXISTS (SELECT FROM vault_epoch next WHERE next.epoch = e.epoch + 1 AND next.created <= $1)
              AND NOT EXISTS (SELECT FROM vault_owner o WHERE o.epoch = e.epoch AND o.wrapped IS NOT NULL)
            RETURNING epoch
            """, connection)
        {
            Parameters = { new() { Value = endedBy }, new() { Value = now } },
        })
        await using (var rows = await update.ExecuteReaderAsync(cancellation))
        {
            while (await rows.ReadAsync(cancellation))
            {
                destroyed.Add(rows.GetInt32(0));
            }
        }
        await transaction.CommitAsync(cancellation);
        foreach (var epoch in destroyed)
        {
            epochs.TryRemove(epoch, out _);
        }
        return [.. destroyed.Order()];
    }
}
