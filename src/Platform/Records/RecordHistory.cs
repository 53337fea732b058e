using Salus.Fhir.Elements;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Records;

/// <summary>A version in a history; a deletion has no bytes.</summary>
public sealed record HistoricRecord(StoredRecord Record, bool IsDeleted);

/// <summary>What became of the wish for a history.</summary>
public abstract record HistoryOutcome
{
    HistoryOutcome() { }

    /// <summary>A page of versions, newest first.</summary>
    /// <param name="Versions">The versions.</param>
    /// <param name="Total">How many there are; null where nobody counted.</param>
    /// <param name="Next">The cursor of the next page; null on the last.</param>
    public sealed record Page(IReadOnlyList<HistoricRecord> Versions, int? Total, string? Next) : HistoryOutcome;

    /// <summary>A parameter is wrong.</summary>
    public sealed record Invalid(IReadOnlyList<FhirIssue> Issues) : HistoryOutcome;

    /// <summary>The caller may not read it, or it is not there.</summary>
    public sealed record Refused(ReadOutcome Read) : HistoryOutcome;
}

// Histories: of a record, of a type, of everything.
public sealed partial class RecordsDesk
{
    /// <summary>The versions of one record, of a type or of everything that the caller may read, newest first.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="type">The resource type; null for all.</param>
    /// <param name="id">The logical id; null for all of the type.</param>
    /// <param name="parameters"><c>_count</c>, <c>_since</c>, or a cursor.</param>
    /// <param name="purpose">For what.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<HistoryOutcome> HistoryAsync(
        Caller caller, string? type, string? id, IReadOnlyList<KeyValuePair<string, string>> parameters, Purpose purpose, CancellationToken cancellation)
    {
        if (caller.Role is Role.Administrator or Role.Auditor or Role.Researcher)
        {
            await RefusedAsync(caller, AuditAction.Search, null, type, $"The role {caller.Role} reads no records.", cancellation);
            return new HistoryOutcome.Refused(new ReadOutcome.Forbidden($"The role {caller.Role} reads no records."));
        }
        var key = await vault.EnsureOwnerAsync(Owners.Node, OwnerKind.Organization, cancellation);
        var name = $"history/{type}/{id}";
        var (cursor, count, since, issue) = HistoryPage(parameters, name, key, caller.Account);
        if (issue is not null)
        {
            return new HistoryOutcome.Invalid([issue]);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var reach = new RecordReach(await consents.ScopesAsync(caller, purpose, cancellation), caller.Role, time.GetUtcNow());
        if (id is not null && (type == "AuditEvent" || await SealedStore.FindAsync(connection, type!, id, null, cancellation) is not { } newest || !reach.Sees(newest)))
        {
            var (opened, refusal) = await OpenAsync(caller, type!, id, null, purpose, cancellation);
            return new HistoryOutcome.Refused(opened is null ? refusal! : new ReadOutcome.NotFound());
        }
        List<HistoricRecord> versions = [];
        var at = cursor is null ? null : new HistoryPlace(cursor.Written, cursor.Id, int.Parse(cursor.Keys[0]!));
        var isMore = true;
        for (var round = 0; isMore && versions.Count <= count && round < RoundsMax; round++)
        {
            var entries = await RecordStore.HistoryAsync(connection, type, id, reach.PatientsOf(type), since, at, HistoryBatch, cancellation);
            isMore = entries.Count == HistoryBatch;
            foreach (var entry in entries.TakeWhile(_ => versions.Count <= count))
            {
                at = new HistoryPlace(entry.Written, entry.Id, entry.Version);
                if (reach.Sees(entry) && (entry.Deleted ? [] : await store.OpenAsync(entry, cancellation)) is { } bytes)
                {
                    versions.Add(new HistoricRecord(new StoredRecord(entry.Type, entry.Id, entry.Version, entry.Written, entry.Patient, bytes), entry.Deleted));
                }
            }
        }
        string? next = null;
        if (versions.Count > count)
        {
            var last = count == 0 ? null : versions[count - 1].Record;
            next = last is null ? null : new SearchCursor(name, cursor?.Parameters ?? parameters, [last.Version.ToString()], last.Id, last.Written).Seal(key, caller.Account);
        }
        List<HistoricRecord> page = [.. versions.Take(count)];
        int? total = id is null ? null : await RecordStore.CountVersionsAsync(connection, type!, id, cancellation);
        await connection.CloseAsync();
        await AuditSearchAsync(caller, $"versions{(type is null ? "" : $" of {type}{(id is null ? "" : $"/{id}")}")}", [.. page.Select(version => version.Record)], page.Count, purpose, cancellation);
        return new HistoryOutcome.Page(page, total, next);
    }

    const int HistoryBatch = 500;
    const int RoundsMax = 20;

    static (SearchCursor? Cursor, int Count, DateTimeOffset? Since, FhirIssue? Issue) HistoryPage(
        IReadOnlyList<KeyValuePair<string, string>> parameters, string name, OwnerKey key, Guid account)
    {
        SearchCursor? cursor = null;
        var count = CountDefault;
        DateTimeOffset? since = null;
        if (parameters.FirstOrDefault(pair => pair.Key == CursorName).Value is { } sealedCursor)
        {
            cursor = SearchCursor.Open(sealedCursor, key, account);
            if (cursor is null || cursor.Type != name)
            {
                return (null, 0, null, Issue("value", $"{CursorName} is not one that was given to you here. Begin anew."));
            }
            parameters = cursor.Parameters;
        }
        foreach (var (parameter, value) in parameters)
        {
            switch (parameter)
            {
                case "_count" when int.TryParse(value, out count) && count >= 0:
                    count = Math.Min(count, CountMax);
                    break;
                case "_format" or "_pretty":
                    break;
                case "_since" when FhirTime.TryParse(System.Text.Encoding.UTF8.GetBytes(value.Replace(' ', '+')), out var time):
                    since = time.Low;
                    break;
                default:
                    return (null, 0, null, Issue("value", $"{parameter}: a history takes _count from 0 and _since with an instant, not '{parameter}={value}'."));
            }
        }
        return (cursor, count, since, null);
    }

    static FhirIssue Issue(string code, string message) => new(IssueSeverity.Error, code, "", message);
}
