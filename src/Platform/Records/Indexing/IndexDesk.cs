using Npgsql;
using Salus.Platform.Identity;

namespace Salus.Platform.Records.Indexing;

/// <summary>A key of the index.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Made">When it was announced.</param>
/// <param name="Active">Since when rows are written under it; null before.</param>
public sealed record KeyView(int Number, DateTimeOffset Made, DateTimeOffset? Active);

/// <summary>A parameter that was added here.</summary>
/// <param name="Id">The SearchParameter's logical id.</param>
/// <param name="Code">Its name in a search.</param>
/// <param name="Types">The resource types it is for.</param>
/// <param name="Ready">Whether every record can be found by it.</param>
public sealed record ParameterView(string Id, string Code, IReadOnlyList<string> Types, bool Ready);

/// <summary>A pass over the index.</summary>
/// <param name="For">The SearchParameter it is for, or the packages', or a new key.</param>
/// <param name="Asked">When it was asked for.</param>
/// <param name="Done">Rows made anew.</param>
/// <param name="Total">Rows that there were; null before it has begun.</param>
/// <param name="Ended">When it was done; null before.</param>
public sealed record PassView(string For, DateTimeOffset Asked, long Done, long? Total, DateTimeOffset? Ended);

/// <summary>The index as it stands.</summary>
/// <param name="Keys">One, but for the time in which rows are rewritten under the next.</param>
/// <param name="Parameters">Those that were added here.</param>
/// <param name="Passes">The last, newest first.</param>
public sealed record IndexView(IReadOnlyList<KeyView> Keys, IReadOnlyList<ParameterView> Parameters, IReadOnlyList<PassView> Passes);

/// <summary>The search index for those who run the node: what it is about, and a new key.</summary>
public sealed class IndexDesk
{
    const int PassesShown = 20;

    readonly NpgsqlDataSource database;
    readonly IndexState state;
    readonly RecordsDesk records;
    readonly IndexingWorker worker;

    internal IndexDesk(NpgsqlDataSource database, IndexState state, RecordsDesk records, IndexingWorker worker) =>
        (this.database, this.state, this.records, this.worker) = (database, state, records, worker);

    /// <summary>Keys, added parameters, and the last passes.</summary>
    public async Task<IndexView> ShowAsync(CancellationToken cancellation)
    {
        await state.RefreshAsync(cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return new IndexView(
            [.. (await IndexingStore.KeysAsync(connection, cancellation)).Select(key => new KeyView(key.Number, key.Made, key.Active))],
            [.. state.Current.Parameters.Select(parameter => new ParameterView(parameter.Id, parameter.Definition.Code, parameter.Definition.Bases, parameter.IsReady))],
            [.. (await IndexingStore.PassesAsync(connection, PassesShown, cancellation))
                .Select(pass => new PassView(pass.Parameter switch { null => "key", IndexingStore.Packages => "packages", var id => $"SearchParameter/{id}" }, pass.Asked, pass.Done, pass.Total, pass.Ended))]);
    }

    /// <summary>Gives the index a new key, under which its rows are rewritten; false while that goes on for the last one.</summary>
    public async Task<bool> RenewKeyAsync(Caller caller, CancellationToken cancellation)
    {
        if (!await records.RenewIndexKeyAsync(caller, cancellation))
        {
            return false;
        }
        worker.Wake();
        return true;
    }
}
