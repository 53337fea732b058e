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
public sealed class IndexState(NpgsqlDataSource database, KeyVault vault, RecordDefinitions definitions, TimeProvider time) : IDisposable
{
    /// <summary>After this time every process knows.</summary>
    internal static readonly TimeSpan Settle = TimeSpan.FromSeconds(5);
    static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    readonly SealedStore store = new(vault);
    readonly SemaphoreSlim reading = new(1, 1);
    readonly Dictionary<int, IndexKey> keys = [];
    IReadOnlyList<ParameterRow> known = [];
    volatile IndexSnapshot? held;
    long readAt;

    /// <summary>What was read last.</summary>
    internal IndexSnapshot Current => held ?? throw new InvalidOperationException("Refresh first.");

    /// <summary>Reads what there is, unless that was done a moment ago.</summary>
    internal async ValueTask RefreshAsync(CancellationToken cancellation)
    {
        if (IsFresh())
        {
            return;
        }
        await reading.WaitAsync(cancellation);
        try
        {
            if (!IsFresh())
            {
                var at = time.GetTimestamp();
                await using var connection = await database.OpenConnectionAsync(cancellation);
                await ReadAsync(connection, cancellation);
                Volatile.Write(ref readAt, at);
            }
        }
        finally
        {
            reading.Release();
        }
    }

    /// <summary>Forgets when it was read.</summary>
    internal void Expire() => Volatile.Write(ref readAt, 0);

    /// <inheritdoc/>
    public void Dispose() => reading.Dispose();

    bool IsFresh() => held is not null && Volatile.Read(ref readAt) is > 0 and var at && time.GetElapsedTime(at) < Fresh;

    async Task ReadAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        var rows = await IndexingStore.KeysAsync(connection, cancellation);
        if (rows.Count == 0)
        {
            rows = await IndexingStore.FirstKeyAsync(connection, vault, time.GetUtcNow(), cancellation);
        }
        foreach (var gone in keys.Keys.Except(rows.Select(row => row.Number)).ToList())
        {
            keys.Remove(gone);
        }
        foreach (var row in rows.Where(row => !keys.ContainsKey(row.Number)))
        {
            // Gone in this moment, with no row left under it
            if (await vault.FindOwnerAsync(connection, row.Owner, cancellation) is { } owner)
            {
                keys[row.Number] = new IndexKey(row.Number, owner);
            }
        }
        List<IndexKey> all = [.. rows.Where(row => keys.ContainsKey(row.Number)).Select(row => keys[row.Number])];
        var writing = keys[rows.Where(row => row.Active is not null).Max(row => row.Number)];
        var parameters = await IndexingStore.ParametersAsync(connection, cancellation);
        var stored = held?.Parameters ?? [];
        if (!parameters.SequenceEqual(known))
        {
            stored = await OpenAsync(connection, parameters, cancellation);
            definitions.Extend([.. stored.Where(parameter => parameter.IsReady).Select(parameter => parameter.Resource)], [.. stored.Select(parameter => parameter.Resource)]);
            known = parameters;
        }
        held = new IndexSnapshot(all, writing, stored);
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
