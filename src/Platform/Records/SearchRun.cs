using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Platform.Schema;
using Salus.Platform.Store;

namespace Salus.Platform.Records;

/// <summary>
/// One search on one connection: criteria become conditions on the index, chains are followed, and what the index tells only roughly is opened.
/// Every step sees only what the caller may see.
/// </summary>
sealed partial class SearchRun(LazyConnection connection, RecordIndex index, IndexFrequencies frequencies, SealedStore store, RecordReach reach)
{
    /// <summary>Records that one search opens to tell them apart or to sort them.</summary>
    public const int OpenedMax = 1_000;

    /// <summary>Records through which a chain may lead.</summary>
    public const int LinkedMax = 5_000;

    /// <summary>Why the search is refused after all; null while it is not.</summary>
    public FhirIssue? Refusal { get; private set; }

    /// <summary>The condition of all criteria of a type, and whether matches must be opened to be sure.</summary>
    public async Task<(IndexPlan Plan, bool IsRough)> PlanAsync(string type, IReadOnlyList<SearchCriterion> criteria, CancellationToken cancellation)
    {
        List<IndexPlan> plans = [];
        var isRough = false;
        foreach (var criterion in criteria.Where(criterion => criterion is not SearchCriterion.Has))
        {
            var (plan, isOwnRough) = await PlanAsync(type, criterion, cancellation);
            isRough |= isOwnRough;
            if (plan is not IndexPlan.Everything)
            {
                plans.Add(plan);
            }
        }
        foreach (var has in criteria.OfType<SearchCriterion.Has>())
        {
            plans.Add(await HasAsync(type, new IndexPlan.And([.. plans]), has, cancellation));
        }
        return (plans.Count == 0 ? new IndexPlan.Everything() : plans is [var only] ? only : new IndexPlan.And(plans), isRough);
    }

    async Task<(IndexPlan Plan, bool IsRough)> PlanAsync(string type, SearchCriterion criterion, CancellationToken cancellation)
    {
        if (await SettledAsync(criterion, cancellation) is not { } settled)
        {
            return (new IndexPlan.Or([]), false);
        }
        criterion = settled;
        if (criterion is SearchCriterion.InList list)
        {
            return (new IndexPlan.Ids([.. await ListedAsync(type, list.List, cancellation)]), false);
        }
        if (criterion is SearchCriterion.Near or SearchCriterion.WholeText)
        {
            return (new IndexPlan.Everything(), true);
        }
        if (!IndexStore.IsIndexed(type) && criterion is not (SearchCriterion.Id or SearchCriterion.LastUpdated))
        {
            return criterion is SearchCriterion.Chain
                ? Refuse("not-supported", $"{criterion.Parameter}: nothing can follow a reference of {type}. Search by the reference itself.")
                : (new IndexPlan.Everything(), true);
        }
        return criterion is SearchCriterion.Chain chain ? (await ChainAsync(type, chain, cancellation), false) : index.PlanOf(type, criterion);
    }

    async Task<IndexPlan> ChainAsync(string type, SearchCriterion.Chain chain, CancellationToken cancellation)
    {
        List<string> names = [];
        foreach (var (target, inner) in chain.Targets)
        {
            names.AddRange((await IdsAsync(target, inner, cancellation)).Select(id => $"{target}/{id}"));
        }
        return names.Count == 0 ? new IndexPlan.Or([]) : new IndexPlan.AnyHash([.. index.ReferencesTo(type, chain.Parameter, names).SelectMany(hashes => hashes)]);
    }

    async Task<IndexPlan> HasAsync(string type, IndexPlan others, SearchCriterion.Has has, CancellationToken cancellation)
    {
        if (!IndexStore.IsIndexed(has.Type))
        {
            return Refuse("not-supported", $"_has: {has.Type} cannot be looked through. Search for it by itself.").Plan;
        }
        if (reach.Of(has.Type).IsEmpty || reach.Of(type).IsEmpty)
        {
            return new IndexPlan.Or([]);
        }
        var (source, isRough) = await PlanAsync(has.Type, [has.Criterion], cancellation);
        if (isRough)
        {
            source = new IndexPlan.Ids([.. await IdsAsync(has.Type, has.Criterion, cancellation)]);
        }
        var candidates = await IndexStore.MatchAsync(await connection.OpenAsync(cancellation), type, reach.Of(type), others, LinkedMax + 1, cancellation);
        if (candidates.Count > LinkedMax)
        {
            return Refuse("too-costly", $"_has would go through more than {LinkedMax} {type}. Narrow the search by another parameter.").Plan;
        }
        var hashes = index.ReferencesTo(has.Type, has.Parameter, candidates.ConvertAll(match => $"{type}/{match.Id}"));
        var met = await IndexStore.MetAsync(await connection.OpenAsync(cancellation), has.Type, reach.Of(has.Type), source, [.. hashes.SelectMany(each => each)], cancellation);
        return new IndexPlan.Ids([.. candidates.Where((_, i) => hashes[i].Any(met.Contains)).Select(match => match.Id)]);
    }

    /// <summary>The visible records of a type that match a criterion.</summary>
    async Task<IReadOnlyList<string>> IdsAsync(string type, SearchCriterion criterion, CancellationToken cancellation)
    {
        if (reach.Of(type).IsEmpty)
        {
            return [];
        }
        var (plan, isRough) = await PlanAsync(type, [criterion], cancellation);
        if (isRough)
        {
            return [.. (await OpenMatchingAsync(type, plan, [criterion], cancellation)).Select(record => record.Id)];
        }
        var matches = await IndexStore.MatchAsync(await connection.OpenAsync(cancellation), type, reach.Of(type), plan, LinkedMax + 1, cancellation);
        if (matches.Count > LinkedMax)
        {
            Refuse("too-costly", $"{criterion.Parameter}: more than {LinkedMax} {type} match on the way. Narrow the chain.");
        }
        return [.. matches.Take(LinkedMax).Select(match => match.Id)];
    }

    /// <summary>Opens what the index lets through and keeps what matches; refused where that is too much.</summary>
    public async Task<List<StoredRecord>> OpenMatchingAsync(string type, IndexPlan plan, IReadOnlyList<SearchCriterion> criteria, CancellationToken cancellation)
    {
        var loose = criteria.Count > 0 ? await frequencies.LoosenAsync(connection, plan, cancellation) : plan;
        var matches = await ToOpenAsync(type, loose, cancellation);
        if (matches.Count > OpenedMax && criteria.Count > 0)
        {
            matches = await ToOpenAsync(type, plan, cancellation);
        }
        if (matches.Count > OpenedMax)
        {
            Refuse("too-costly", $"More than {OpenedMax} {type} would have to be opened for this search. Narrow it by another parameter, such as patient or code.");
            return [];
        }
        if (await SettledAsync(criteria, cancellation) is not { } settled)
        {
            return [];
        }
        List<StoredRecord> found = [];
        foreach (var record in await OpenAsync(type, [.. matches.Select(match => match.Id)], cancellation))
        {
            if (criteria.Count == 0 || (FhirJson.Read(record.Bytes) is FhirReadOutcome.Ok { Resource: var resource } && SearchMatcher.Matches(resource, settled, index.Definitions.Indexer)))
            {
                found.Add(record);
            }
        }
        return found;
    }

    async Task<List<IndexMatch>> ToOpenAsync(string type, IndexPlan plan, CancellationToken cancellation) =>
        await IndexStore.MatchAsync(await connection.OpenAsync(cancellation), type, reach.Of(type), plan, OpenedMax + 1, cancellation);

    /// <summary>The newest versions of some records, opened, in the order in which they are named; those that may not be seen or do not open are left out.</summary>
    public async Task<List<StoredRecord>> OpenAsync(string type, IReadOnlyList<string> ids, CancellationToken cancellation)
    {
        var entries = ids.Count == 0 ? [] : (await RecordStore.NewestAsync(await connection.OpenAsync(cancellation), type, ids, cancellation)).ToDictionary(entry => entry.Id);
        return await OpenAsync(ids.Select(entries.GetValueOrDefault), cancellation);
    }

    /// <summary>Versions, opened; those that may not be seen or do not open are left out.</summary>
    public async Task<List<StoredRecord>> OpenAsync(IEnumerable<SealedEntry?> entries, CancellationToken cancellation)
    {
        List<StoredRecord> opened = [];
        foreach (var entry in entries.OfType<SealedEntry>())
        {
            if (reach.Sees(entry) && await store.OpenAsync(entry, cancellation) is { } bytes)
            {
                opened.Add(new StoredRecord(entry.Type, entry.Id, entry.Version, entry.Written, entry.Patient, bytes));
            }
        }
        return opened;
    }

    /// <summary>Refuses the search.</summary>
    public (IndexPlan Plan, bool IsRough) Refuse(string code, string message)
    {
        Refusal ??= new FhirIssue(IssueSeverity.Error, code, "", message);
        return (new IndexPlan.Or([]), false);
    }
}
