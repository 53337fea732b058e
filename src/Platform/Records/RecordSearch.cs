using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Schema;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Records;

// The searching part of the door.
public sealed partial class RecordsDesk
{
    const int CountDefault = 50;
    const int CountMax = 500;
    const int SortedMax = 20_000;
    const string CursorName = "_cursor";

    /// <summary>Finds records. Only what the caller may read is counted, gone through, included or shown, so that an answer tells of nothing else.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="type">The resource type.</param>
    /// <param name="parameters">As they stood in the query, decoded; or the cursor of a page alone.</param>
    /// <param name="purpose">For what.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <param name="isLenient">Whether parameters that are not understood are left out and named, rather than refused.</param>
    public async Task<SearchResult> SearchAsync(
        Caller caller, string type, IReadOnlyList<KeyValuePair<string, string>> parameters, Purpose purpose, CancellationToken cancellation, bool isLenient = false)
    {
        if (FhirDefinitions.R4.Type(type) is not { Kind: TypeKind.Resource, IsAbstract: false } || type == "AuditEvent")
        {
            return Refused("not-supported", $"There is nothing to search under {type}.");
        }
        if (caller.Role is Role.Administrator or Role.Auditor or Role.Researcher)
        {
            await RefusedAsync(caller, AuditAction.Search, null, type, $"The role {caller.Role} reads no records.", cancellation);
            return new SearchResult.Forbidden($"The role {caller.Role} reads no records.");
        }
        var key = await vault.EnsureOwnerAsync(Owners.Node, OwnerKind.Organization, cancellation);
        SearchCursor? cursor = null;
        if (parameters.FirstOrDefault(pair => pair.Key == CursorName).Value is { } sealedCursor)
        {
            cursor = SearchCursor.Open(sealedCursor, key, caller.Account);
            if (cursor is null || cursor.Type != type)
            {
                return Refused("value", $"{CursorName} is not one that was given to you for {type}. Begin the search anew.");
            }
            parameters = cursor.Parameters;
        }
        await indexing.RefreshAsync(cancellation);
        if (Unready(parameters) is { Count: > 0 } unready && !isLenient)
        {
            return new SearchResult.Invalid(unready);
        }
        if (SearchQuery.Parse(type, parameters, isLenient, time.GetUtcNow(), definitions.Fhir) is not SearchOutcome.Ok { Query: var query })
        {
            return new SearchResult.Invalid(((SearchOutcome.Refused)SearchQuery.Parse(type, parameters, isLenient, definitions: definitions.Fhir)).Issues);
        }
        // No connection is held before one is needed: what is asked goes with the questions of others
        var reach = new RecordReach(await consents.ScopesAsync(caller, purpose, cancellation), caller.Role, time.GetUtcNow());
        await using var connection = new LazyConnection(database);
        var run = new SearchRun(connection, index, frequencies, store, reach);
        var page = reach.Of(type).IsEmpty ? new SearchResult.Page([], 0) : await PageAsync(connection, run, reach, query, cursor, key, caller.Account, cancellation);
        if (run.Refusal is { } refusal)
        {
            return new SearchResult.Invalid([refusal]);
        }
        await connection.CloseAsync();
        await AuditSearchAsync(caller, type, [.. page.Records, .. page.Included], page.Records.Count, purpose, cancellation);
        return page with { Query = query, Issues = [.. query.Ignored, .. page.Issues] };
    }

    async Task<SearchResult.Page> PageAsync(
        LazyConnection connection, SearchRun run, RecordReach reach, SearchQuery query, SearchCursor? cursor, OwnerKey key, Guid account, CancellationToken cancellation)
    {
        var type = query.ResourceType;
        var isCountOnly = query.Count == 0 || query.Summary == SummaryMode.Count;
        // Who asks for more than a page holds is given a page (R4 section 3.1.1.5.5)
        var count = isCountOnly ? 0 : Math.Min(query.Count ?? CountDefault, CountMax);
        var (plan, isRough) = await run.PlanAsync(type, query.Criteria, cancellation);
        var order = new SearchOrder(query.Sort, definitions.Indexer);
        List<StoredRecord> records;
        int? total;
        SearchCursor? next = null;
        if (run.Refusal is not null)
        {
            return new SearchResult.Page([], null);
        }
        if (!isRough && (order.IsByRow || isCountOnly))
        {
            var last = cursor is null ? null : new IndexMatch(cursor.Id, cursor.Written);
            var matches = isCountOnly ? [] : await MatchesAsync(connection, type, reach.Of(type), plan, order.ByRow(last), count + 1, cancellation);
            // A first page that is not full has shown how many there are
            total = !isCountOnly && cursor is null && matches.Count <= count ? matches.Count : await TotalAsync(connection, reach.Of(type), query, plan, isCountOnly, cancellation);
            records = await run.OpenAsync(matches.Take(count).Select(match => match.Entry), cancellation);
            if (matches.Count > count)
            {
                next = new SearchCursor(type, query.Understood, [], matches[count - 1].Match.Id, matches[count - 1].Match.Written);
            }
        }
        else
        {
            var sorted = await SortAsync(connection, run, reach, query, plan, isRough, order, cancellation);
            total = sorted.Count;
            var rest = cursor is null ? sorted : [.. sorted.SkipWhile(match => order.Compare(match, new SortedMatch(cursor.Id, cursor.Keys)) <= 0)];
            records = await run.OpenAsync(type, [.. rest.Take(count).Select(match => match.Id)], cancellation);
            if (rest.Count > count && count > 0)
            {
                next = new SearchCursor(type, query.Understood, rest[count - 1].Keys, rest[count - 1].Id, default);
            }
        }
        return await WithIncludesAsync(new SearchResult.Page(records, query.Total == TotalMode.None && !isCountOnly ? null : total), connection, run, reach, query, next, key, account, cancellation);
    }

    async Task<List<(IndexMatch Match, SealedEntry? Entry)>> MatchesAsync(
        LazyConnection connection, string type, IndexReach reach, IndexPlan plan, IndexOrder order, int countMax, CancellationToken cancellation)
    {
        var way = await frequencies.WayAsync(connection, reach, plan, order, countMax, cancellation);
        return await pages.FindAsync(IndexStore.Page(type, reach, plan, order, way, countMax), way.IsShort, connection, cancellation);
    }

    /// <summary>How many match; null where that is not asked for, or they are too many to be counted unasked.</summary>
    static async Task<int?> TotalAsync(LazyConnection connection, IndexReach reach, SearchQuery query, IndexPlan plan, bool isCountOnly, CancellationToken cancellation)
    {
        if (query.Total == TotalMode.None && !isCountOnly)
        {
            return null;
        }
        var isExact = query.Total == TotalMode.Accurate || isCountOnly;
        var found = await IndexStore.CountAsync(await connection.OpenAsync(cancellation), query.ResourceType, reach, plan, isExact ? int.MaxValue : IndexStore.CountedMax + 1, cancellation);
        return isExact || found <= IndexStore.CountedMax ? found : null;
    }

    /// <summary>All matches in an order that the index's rows do not have, within the bound up to which they are opened or sorted.</summary>
    async Task<List<SortedMatch>> SortAsync(
        LazyConnection connection, SearchRun run, RecordReach reach, SearchQuery query, IndexPlan plan, bool isRough, SearchOrder order, CancellationToken cancellation)
    {
        var type = query.ResourceType;
        if (isRough || order.IsBlind)
        {
            return order.Sort(await run.OpenMatchingAsync(type, plan, isRough ? query.Criteria : [], cancellation));
        }
        var matches = await IndexStore.MatchAsync(await connection.OpenAsync(cancellation), type, reach.Of(type), plan, SortedMax + 1, cancellation);
        if (matches.Count > SortedMax)
        {
            run.Refuse("too-costly", $"_sort: more than {SortedMax} {type} match. Narrow the search by another parameter, or sort by _lastUpdated.");
            return [];
        }
        return await order.SortAsync(await connection.OpenAsync(cancellation), index, type, matches, cancellation);
    }

    async Task<SearchResult.Page> WithIncludesAsync(
        SearchResult.Page page, LazyConnection connection, SearchRun run, RecordReach reach, SearchQuery query, SearchCursor? next, OwnerKey key, Guid account, CancellationToken cancellation)
    {
        List<FhirIssue> issues = [];
        if (query.Includes.Count > 0)
        {
            var includes = new SearchIncludes(connection, index, run, reach);
            page = page with { Included = await includes.OfAsync(page.Records, query.Includes, cancellation) };
            if (includes.IsCut)
            {
                issues.Add(new FhirIssue(IssueSeverity.Warning, "incomplete", "", "There is more to include than one page holds. Ask for fewer matches with _count, or for what is missing by itself."));
            }
        }
        if (next is not null && (page = page with { Next = next.Seal(key, account) }).Next is null)
        {
            issues.Add(new FhirIssue(IssueSeverity.Warning, "incomplete", "", $"There are more matches, but the search is too long to be continued. Ask for up to {CountMax} at once with _count, or for fewer values."));
        }
        return page with { Issues = issues };
    }

    static SearchResult.Invalid Refused(string code, string message) => new([new FhirIssue(IssueSeverity.Error, code, "", message)]);

    Task AuditSearchAsync(
        Caller caller, string type, IReadOnlyList<StoredRecord> shown, int matchCount, Purpose purpose, CancellationToken cancellation) =>
        AuditShownAsync(caller, AuditAction.Search, $"{matchCount} {type}", shown, purpose, cancellation);

    async Task AuditShownAsync(
        Caller caller, AuditAction action, string entity, IReadOnlyList<StoredRecord> shown, Purpose purpose, CancellationToken cancellation)
    {
        List<string> aliases = [];
        foreach (var patient in shown.Select(record => record.Patient).OfType<string>().Distinct())
        {
            if (Guid.TryParse(patient, out var id) && await vault.FindOwnerAsync(id, cancellation) is { } owner)
            {
                aliases.Add(AuditTrail.AliasOf(owner));
            }
        }
        // One search is one access by one person, of however many patients.
        var fact = new AuditFact(action, true, caller.Account, aliases is [var only] ? only : null, entity, ConsentTerms.CodeOf(purpose))
        {
            PatientAliases = aliases.Count > 1 ? aliases : [],
        };
        await audit.RecordAsync(fact, cancellation);
        sequencer.Wake();
    }
}
