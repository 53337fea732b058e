using Npgsql;
using Salus.Fhir.Elements;
using Salus.Platform.Audit;
using Salus.Platform.Identity;
using Salus.Platform.Records.Indexing;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

// Rows of the index made anew from the records that they stand for.
public sealed partial class RecordsDesk
{
    /// <summary>Makes rows anew under the key and by the parameters of now.</summary>
    internal async Task ReindexAsync(IReadOnlyList<(string Type, string Id)> rows, CancellationToken cancellation)
    {
        await indexing.RefreshAsync(cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var held = await ReindexAsync(connection, rows, waits: false, cancellation);
        // A row that somebody writes may stay as it was after all. One at a time: two that hold many and wait for more could wait for each other.
        foreach (var row in rows.Except(held))
        {
            await ReindexAsync(connection, [row], waits: true, cancellation);
        }
    }

    async Task<List<(string Type, string Id)>> ReindexAsync(NpgsqlConnection connection, IReadOnlyList<(string Type, string Id)> rows, bool waits, CancellationToken cancellation)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var held = await IndexingStore.HoldAsync(connection, rows, waits, cancellation);
        List<Draft> drafts = [];
        foreach (var type in held.GroupBy(row => row.Type))
        {
            foreach (var entry in await RecordStore.NewestAsync(connection, type.Key, [.. type.Select(row => row.Id)], cancellation))
            {
                if (await store.OpenAsync(entry, cancellation) is { } bytes && FhirJson.Read(bytes) is FhirReadOutcome.Ok { Resource: var resource })
                {
                    drafts.Add(new Draft(resource, null, entry.Id));
                }
            }
        }
        var now = time.GetUtcNow();
        var made = index.RowsOf(drafts, [.. drafts.Select(_ => (string?)null)], now, _ => null);
        // What does not open is found by its id alone, under whichever key
        var empty = held.Except(drafts.Select(draft => (draft.Type, draft.Id)))
            .Select(row => new IndexRow(row.Type, row.Id, null, now, indexing.Current.Writing.Number, [], [], []));
        await IndexStore.ReplaceAsync(connection, [.. made, .. empty], cancellation);
        await transaction.CommitAsync(cancellation);
        return held;
    }

    /// <summary>Announces a new key of the index; false while the last one is not in its place.</summary>
    internal async Task<bool> RenewIndexKeyAsync(Caller caller, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (!await IndexingStore.AnnounceKeyAsync(connection, vault, time.GetUtcNow(), cancellation))
        {
            return false;
        }
        await audit.RecordAsync(connection, new AuditFact(AuditAction.Update, true, caller.Account, null, "search index key", null), cancellation);
        await transaction.CommitAsync(cancellation);
        sequencer.Wake();
        return true;
    }

    /// <summary>What is wrong with SearchParameters that are to be stored.</summary>
    async Task<IReadOnlyList<FhirIssue>> ObjectionsAsync(IReadOnlyList<RecordWrite> writes, CancellationToken cancellation)
    {
        List<FhirIssue> issues = [];
        foreach (var write in writes.Where(write => write is { Type: "SearchParameter", Resource: not null }))
        {
            await indexing.RefreshAsync(cancellation);
            issues.AddRange((StoredParameter.Of(write.Id ?? "", write.Resource!, false)?.Objections(definitions.Own, indexing.Current.Parameters)
                ?? [new FhirIssue(IssueSeverity.Error, "required", "SearchParameter", "A SearchParameter needs url, code and type.")])
                .Select(issue => write.Path.Length == 0 ? issue : issue with { Expression = $"{write.Path}.{issue.Expression}" }));
        }
        return issues;
    }

    /// <summary>Lets the index know of SearchParameters that the caller's transaction writes.</summary>
    static async Task NoteParametersAsync(NpgsqlConnection connection, IEnumerable<RowWrite> rows, DateTimeOffset now, CancellationToken cancellation)
    {
        foreach (var row in rows.Where(row => row.Write.Type == "SearchParameter"))
        {
            await (row.Draft is { } draft && StoredParameter.Of(row.Write.Id!, draft.Resource, false) is { } parameter
                ? IndexingStore.NoteParameterAsync(connection, row.Write.Id!, row.Version, [.. parameter.Definition.Bases], now, cancellation)
                : IndexingStore.RemoveParameterAsync(connection, row.Write.Id!, cancellation));
        }
    }

    /// <summary>The parameters of a search that cannot be searched by yet.</summary>
    IReadOnlyList<FhirIssue> Unready(IReadOnlyList<KeyValuePair<string, string>> parameters) =>
    [
        .. from parameter in indexing.Current.Parameters
           where !parameter.IsReady && parameters.Any(pair => pair.Key.Split('.', ':').Contains(parameter.Definition.Code) || (pair.Key == "_sort" && pair.Value.Split(',', '-').Contains(parameter.Definition.Code)))
           select new FhirIssue(IssueSeverity.Error, "transient", "", $"{parameter.Definition.Code}: the records that were here before are still being indexed by this parameter. Search by it again in a while."),
    ];
}
