using Npgsql;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records.Export;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

// The part of the door through which records leave in bulk.
public sealed partial class RecordsDesk
{
    const int ExportedAtOnce = 500;

    /// <summary>Whether a role may ask for an export at all; what it then holds is a matter of consent.</summary>
    internal static bool MayExport(Role role) => AccessRules.MayReadDirectory(role);

    /// <summary>Opens the next records of a range that the caller may read now; null while it is not known what they may.</summary>
    internal async Task<ExportBatch?> OpenRangeAsync(Caller caller, ExportRange range, int countMax, CancellationToken cancellation)
    {
        if (caller.Role != Role.Patient && !consents.IsFresh)
        {
            return null;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var reach = await ExportReachAsync(connection, caller, range.Request, cancellation);
        var (count, of) = (Math.Min(countMax, ExportedAtOnce), reach.Of(range.Type));
        var entries = of.IsEmpty ? [] : await ExportStore.EntriesAsync(connection, range, of, count, cancellation);
        var filters = await FiltersAsync(connection, caller, range.Request, range.Type, cancellation);
        List<StoredRecord> records = [];
        List<string> altered = [];
        foreach (var entry in entries.Where(reach.Sees))
        {
            if (await store.OpenAsync(entry, cancellation) is { } bytes)
            {
                if (filters is not null && !(FhirJson.Read(bytes) is FhirReadOutcome.Ok { Resource: var resource } && filters.Any(filter => SearchMatcher.Matches(resource, filter, definitions.Indexer))))
                {
                    continue;
                }
                records.Add(new StoredRecord(entry.Type, entry.Id, entry.Version, entry.Written, entry.Patient, bytes));
            }
            else if (await vault.FindOwnerAsync(connection, entry.Owner, cancellation) is not null)
            {
                altered.Add(entry.Id);
            }
        }
        return new ExportBatch(records, altered, entries.Count < count ? null : entries[^1].Id);
    }

    /// <summary>The same, to be handed to the caller: each patient among them is told of it before a byte leaves.</summary>
    internal async Task<ExportBatch?> HandOutRangeAsync(Caller caller, ExportRange range, CancellationToken cancellation)
    {
        var batch = await OpenRangeAsync(caller, range, ExportedAtOnce, cancellation);
        if (batch is { Records.Count: > 0 })
        {
            await AuditShownAsync(caller, AuditAction.Export, $"{batch.Records.Count} {range.Type}", batch.Records, range.Request.Purpose, cancellation);
        }
        return batch;
    }

    /// <summary>
    /// What was deleted between the moment since which the export is and its own, as far as the caller might read it, some at a time; each patient among them is
    /// told. Null while it is not known what the caller may read.
    /// </summary>
    internal async Task<DeletionBatch?> DeletionsAsync(
        Caller caller, ExportRequest request, DateTimeOffset at, (DateTimeOffset Written, string Id) after, bool isHandedOut, CancellationToken cancellation)
    {
        if (caller.Role != Role.Patient && !consents.IsFresh)
        {
            return null;
        }
        if (request.Since is not { } since)
        {
            return new DeletionBatch([], null);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var reach = await ExportReachAsync(connection, caller, request, cancellation);
        var entries = await ExportStore.DeletionsAsync(connection, since, at, request.Types, after, ExportedAtOnce, cancellation);
        List<StoredRecord> seen = [.. entries.Where(entry => entry.Type != "AuditEvent" && reach.Sees(entry))
            .Select(entry => new StoredRecord(entry.Type, entry.Id, entry.Version, entry.Written, entry.Patient, []))];
        await connection.CloseAsync();
        if (isHandedOut && seen.Count > 0)
        {
            await AuditShownAsync(caller, AuditAction.Export, $"{seen.Count} deletions", seen, request.Purpose, cancellation);
        }
        return new DeletionBatch([.. seen.Select(record => $"{record.Type}/{record.Id}")], entries.Count < ExportedAtOnce ? null : (entries[^1].Written, entries[^1].Id));
    }

    /// <summary>What is wrong with the filters of a request; nothing where they can be followed.</summary>
    internal async Task<IReadOnlyList<FhirIssue>> CheckFiltersAsync(Caller caller, ExportRequest request, CancellationToken cancellation)
    {
        await indexing.RefreshAsync(cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<FhirIssue> wrong = [];
        foreach (var filter in request.Filters)
        {
            var run = TermsRun(new LazyConnection(connection), caller);
            switch (SearchQuery.Parse(filter.Type, RecordWrite.ParametersOf(filter.Query), now: time.GetUtcNow(), definitions: definitions.Fhir))
            {
                case SearchOutcome.Refused refused:
                    wrong.AddRange(refused.Issues.Select(issue => issue with { Message = $"_typeFilter: {issue.Message}" }));
                    break;
                case SearchOutcome.Ok { Query: var query } when query.Sort.Count > 0 || query.Includes.Count > 0 || query.Count is not null || query.Elements.Count > 0
                    || query.Summary != SummaryMode.False || query.Total != TotalMode.Estimate:
                    wrong.Add(new FhirIssue(IssueSeverity.Error, "not-supported", "", $"_typeFilter: a filter of {filter.Type} takes conditions alone, neither order nor pages, parts nor includes."));
                    break;
                case SearchOutcome.Ok { Query: var query } when query.Criteria.Any(LeadsOn):
                    wrong.Add(new FhirIssue(IssueSeverity.Error, "not-supported", "", $"_typeFilter: a filter of {filter.Type} cannot follow chains, _has or _list. Filter by what the resource itself says."));
                    break;
                case SearchOutcome.Ok { Query: var query }:
                    _ = await run.SettledAsync(query.Criteria, cancellation);
                    wrong.AddRange(run.Refusal is { } refusal ? [refusal with { Message = $"_typeFilter: {refusal.Message}" }] : []);
                    break;
                default:
                    throw new InvalidOperationException("A query is understood or refused.");
            }
        }
        return wrong;
    }

    static bool LeadsOn(SearchCriterion criterion) =>
        criterion is SearchCriterion.Chain or SearchCriterion.Has or SearchCriterion.InList || (criterion is SearchCriterion.Not { Criterion: var inner } && LeadsOn(inner));

    /// <summary>The conditions that records of a type are held to, one of which must hold whole; null where there are none. A filter that has become impossible finds nothing.</summary>
    async Task<IReadOnlyList<IReadOnlyList<SearchCriterion>>?> FiltersAsync(NpgsqlConnection connection, Caller caller, ExportRequest request, string type, CancellationToken cancellation)
    {
        if (!request.Filters.Any(filter => filter.Type == type))
        {
            return null;
        }
        await indexing.RefreshAsync(cancellation, connection);
        List<IReadOnlyList<SearchCriterion>> filters = [];
        foreach (var filter in request.Filters.Where(filter => filter.Type == type))
        {
            if (SearchQuery.Parse(type, RecordWrite.ParametersOf(filter.Query), now: time.GetUtcNow(), definitions: definitions.Fhir) is SearchOutcome.Ok { Query: var query }
                && await TermsRun(new LazyConnection(connection), caller).SettledAsync(query.Criteria, cancellation) is { } settled)
            {
                filters.Add(settled);
            }
        }
        return filters;
    }

    /// <summary>Keeps in the trail that an export was asked for, or why it was refused.</summary>
    internal async Task AuditExportAsync(Caller caller, bool succeeded, string? detail, CancellationToken cancellation)
    {
        await audit.RecordAsync(new AuditFact(AuditAction.Export, succeeded, caller.Account, null, "request", detail), cancellation);
        sequencer.Wake();
    }

    async Task<ExportReach> ExportReachAsync(NpgsqlConnection connection, Caller caller, ExportRequest request, CancellationToken cancellation)
    {
        var scopes = await consents.ScopesAsync(caller, request.Purpose, cancellation, connection);
        IReadOnlySet<string>? members = request.Group is { } group ? await MembersAsync(connection, caller, scopes, group, cancellation) : null;
        if (request.Patients is { } named)
        {
            members = named.Where(patient => members?.Contains(patient) != false).ToHashSet();
        }
        return new ExportReach(scopes, caller.Role, members, request.Level == ExportLevel.System, time.GetUtcNow());
    }

    /// <summary>The patients in a Group as it stands now; none where the caller may not read it any more.</summary>
    async Task<IReadOnlySet<string>> MembersAsync(
        NpgsqlConnection connection, Caller caller, IReadOnlyDictionary<string, AccessScope> scopes, string group, CancellationToken cancellation)
    {
        HashSet<string> members = [];
        if (await SealedStore.FindAsync(connection, "Group", group, null, cancellation) is { Deleted: false } entry
            && new ExportReach(scopes, caller.Role, null, false, time.GetUtcNow()).Sees(entry)
            && await store.OpenAsync(entry, cancellation) is { } bytes && FhirJson.Read(bytes) is FhirReadOutcome.Ok { Resource: var resource })
        {
            foreach (var member in resource["member"].Items)
            {
                if (member["entity"u8]["reference"u8].Text is { } reference && reference.StartsWith("Patient/", StringComparison.Ordinal) && member["inactive"u8].Text != "true")
                {
                    members.Add(reference["Patient/".Length..]);
                }
            }
        }
        return members;
    }
}
