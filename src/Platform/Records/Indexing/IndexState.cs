using Npgsql;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Records.Indexing;

/// <summary>By what the index is kept at one moment.</summary>
/// <param name="Keys">The keys under which rows may stand.</param>
/// <param name="Writing">The one under which rows are written.</param>
/// <param name="Parameters">The parameters that were added here.</param>
sealed record IndexSnapshot(IReadOnlyList<IndexKey> Keys, IndexKey Writing, IReadOnlyList<StoredParameter> Parameters);

/// <summary>
/// What this process knows of the index's keys and parameters. It is read anew each second, so that every process of the node knows what another began
/// well before <see cref="Settle"/> has passed: nothing is written under a new key, and no pass for a parameter begins, earlier.
/// </summary>
public sealed class IndexState(NpgsqlDataSource database, KeyVault vault, RecordDefinitions definitions, TimeProvider time)
{
    /// <summary>After this time every process knows.</summary>
    internal static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);

    /// <summary>What is older is read anew, by one caller; what is older than this twice over is waited for.</summary>
    static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    readonly SealedStore store = new(vault);
    readonly Lock publishing = new();
    volatile Held? held;
    int readers;
    int expired;

    sealed record Held(long At, IReadOnlyDictionary<int, IndexKey> Keys, IReadOnlyList<ParameterRow> Rows, IndexSnapshot Snapshot);

    /// <summary>What was read last.</summary>
    internal IndexSnapshot Current => held?.Snapshot ?? throw new InvalidOperationException("Refresh first.");

    /// <summary>Reads what there is, unless that was done a moment ago.</summary>
    /// <param name="cancellation">Ends the wait.</param>
    /// <param name="own">The connection that the caller holds: who holds one must not wait for another.</param>
    internal async ValueTask RefreshAsync(CancellationToken cancellation, NpgsqlConnection? own = null)
    {
        var last = held;
        var age = last is null || Volatile.Read(ref expired) == 1 ? TimeSpan.MaxValue : time.GetElapsedTime(last.At);
        if (age < Fresh)
        {
            return;
        }
        try
        {
            if (Interlocked.Increment(ref readers) > 1 && age < Fresh + Fresh)
            {
                return;
            }
            Volatile.Write(ref expired, 0);
            var at = time.GetTimestamp();
            if (own is not null && last is not null)
            {
                await ReadAsync(own, last, at, cancellation);
                return;
            }
            await using var connection = await database.OpenConnectionAsync(cancellation);
            await ReadAsync(connection, last, at, cancellation);
        }
        finally
        {
            Interlocked.Decrement(ref readers);
        }
    }

    /// <summary>Says that what was read counts no more.</summary>
    internal void Expire() => Volatile.Write(ref expired, 1);

    async Task ReadAsync(NpgsqlConnection connection, Held? last, long at, CancellationToken cancellation)
    {
        var rows = await IndexingStore.KeysAsync(connection, cancellation);
        if (rows.Count == 0)
        {
            rows = await IndexingStore.FirstKeyAsync(connection, vault, time.GetUtcNow(), cancellation);
        }
        Dictionary<int, IndexKey> keys = [];
        foreach (var row in rows)
        {
            if (last?.Keys.GetValueOrDefault(row.Number) is { } known)
            {
                keys[row.Number] = known;
            }
            // A key that is gone in this moment has no row left under it
            else if (await vault.FindOwnerAsync(connection, row.Owner, cancellation) is { } owner)
            {
                keys[row.Number] = new IndexKey(row.Number, owner);
            }
        }
        var parameters = await IndexingStore.ParametersAsync(connection, cancellation);
        var isChanged = !parameters.SequenceEqual(last?.Rows ?? []);
        var stored = isChanged ? await OpenAsync(connection, parameters, cancellation) : last?.Snapshot.Parameters ?? [];
        var writing = keys[rows.Where(row => row.Active is not null).Max(row => row.Number)];
        lock (publishing)
        {
            if (held is not { } published || published.At < at)
            {
                if (isChanged)
                {
                    definitions.Extend([.. stored.Where(parameter => parameter.IsReady).Select(parameter => parameter.Resource)], [.. stored.Select(parameter => parameter.Resource)]);
                }
                held = new Held(at, keys, parameters, new IndexSnapshot([.. keys.Values], writing, stored));
            }
        }
    }

    /// <summary>The parameters as their records say. Of two that were added in one moment and do not go together the first counts.</summary>
    async Task<IReadOnlyList<StoredParameter>> OpenAsync(NpgsqlConnection connection, IReadOnlyList<ParameterRow> rows, CancellationToken cancellation)
    {
        List<StoredParameter> stored = [];
        foreach (var row in rows)
        {
            if (await SealedStore.FindAsync(connection, "SearchParameter", row.Id, row.Version, cancellation) is { Patient: null } entry
                && await store.OpenAsync(entry, cancellation) is { } bytes && FhirJson.Read(bytes) is FhirReadOutcome.Ok { Resource: var resource }
                && StoredParameter.Of(row.Id, resource, row.Ready is not null) is { } parameter && parameter.Objections(definitions.Own, stored).Count == 0)
            {
                stored.Add(parameter);
            }
        }
        return stored;
    }
}
