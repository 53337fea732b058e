using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Platform.Schema;

namespace Salus.Platform.Records;

/// <summary>What a page's matches refer to, and what refers to them, as far as the caller may see it and within a bound.</summary>
sealed class SearchIncludes(LazyConnection connection, RecordIndex index, SearchRun run, RecordReach reach)
{
    const int IncludedMax = 1_000;
    const int RoundsMax = 5;

    readonly List<StoredRecord> included = [];
    readonly HashSet<string> names = [];

    /// <summary>Whether there was more than the bound allows.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Everything that the rules add to some matches.</summary>
    public async Task<IReadOnlyList<StoredRecord>> OfAsync(IReadOnlyList<StoredRecord> matches, IReadOnlyList<IncludeRule> rules, CancellationToken cancellation)
    {
        names.UnionWith(matches.Select(Name));
        var round = matches;
        for (var i = 0; i < RoundsMax && round.Count > 0; i++)
        {
            List<StoredRecord> added = [];
            foreach (var rule in rules.Where(rule => i == 0 || rule.Iterates))
            {
                added.AddRange(rule.IsReverse ? await ReferringAsync(round, rule, cancellation) : await ReferredAsync(round, rule, cancellation));
            }
            included.AddRange(added);
            round = added;
        }
        return included;
    }

    async Task<List<StoredRecord>> ReferredAsync(IReadOnlyList<StoredRecord> records, IncludeRule rule, CancellationToken cancellation)
    {
        Dictionary<string, List<string>> wanted = [];
        foreach (var record in records.Where(record => rule.Parameter is null || record.Type == rule.SourceType))
        {
            if (FhirJson.Read(record.Bytes) is not FhirReadOutcome.Ok { Resource: var resource })
            {
                continue;
            }
            foreach (var value in index.Definitions.Indexer.Extract(resource, null, parameter => parameter.Type == SearchType.Reference && (rule.Parameter is null || parameter.Code == rule.Parameter)))
            {
                if (value is IndexValue.Reference { Target: { IsAbsolute: false, Type: { } type, Id: { } id } } && (rule.TargetType is null || rule.TargetType == type))
                {
                    Want(wanted, type, id);
                }
            }
        }
        List<StoredRecord> found = [];
        foreach (var (type, ids) in wanted)
        {
            found.AddRange(reach.Of(type).IsEmpty ? [] : await run.OpenAsync(type, ids, cancellation));
        }
        return found;
    }

    async Task<List<StoredRecord>> ReferringAsync(IReadOnlyList<StoredRecord> records, IncludeRule rule, CancellationToken cancellation)
    {
        var targets = records.Where(record => rule.TargetType is null || record.Type == rule.TargetType).Select(Name).ToList();
        if (targets.Count == 0 || reach.Of(rule.SourceType).IsEmpty || !IndexStore.IsIndexed(rule.SourceType))
        {
            return [];
        }
        var plan = new IndexPlan.AnyHash([.. index.ReferencesTo(rule.SourceType, rule.Parameter!, targets).SelectMany(hashes => hashes)]);
        var matches = await IndexStore.MatchAsync(await connection.OpenAsync(cancellation), rule.SourceType, reach.Of(rule.SourceType), plan, IncludedMax + 1, cancellation);
        Dictionary<string, List<string>> wanted = [];
        foreach (var match in matches)
        {
            Want(wanted, rule.SourceType, match.Id);
        }
        return wanted.TryGetValue(rule.SourceType, out var ids) ? await run.OpenAsync(rule.SourceType, ids, cancellation) : [];
    }

    void Want(Dictionary<string, List<string>> wanted, string type, string id)
    {
        if (names.Contains($"{type}/{id}"))
        {
            return;
        }
        if (included.Count + wanted.Values.Sum(ids => ids.Count) >= IncludedMax)
        {
            IsCut = true;
            return;
        }
        names.Add($"{type}/{id}");
        if (!wanted.TryGetValue(type, out var list))
        {
            wanted[type] = list = [];
        }
        list.Add(id);
    }

    static string Name(StoredRecord record) => $"{record.Type}/{record.Id}";
}
