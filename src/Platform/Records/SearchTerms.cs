using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Fhir.Terminology;
using Salus.Platform.Schema;

namespace Salus.Platform.Records;

// What a search names and others define: value sets, hierarchies of codes, lists.
sealed partial class SearchRun
{
    const int ExpandedMax = 2_000;

    /// <summary>Value sets and code systems that one question may bring in.</summary>
    const int TermsMax = 32;

    readonly Dictionary<string, Resource> terms = [];

    /// <summary>The value sets and code systems that are stored here and were opened.</summary>
    public int TermsOpened => terms.Count;

    /// <summary>What is known of some value sets and code systems, stored ones included; those that come with the node go before them.</summary>
    public async Task<TerminologyService> TerminologyAsync(IEnumerable<string> urls, CancellationToken cancellation)
    {
        var known = index.Definitions.Fhir.Terminology;
        HashSet<string> seen = [];
        Queue<string> wanted = new(urls);
        while (wanted.TryDequeue(out var url) && seen.Count < TermsMax)
        {
            if (known.Knows(url) || !seen.Add(url))
            {
                continue;
            }
            foreach (var type in (string[])["ValueSet", "CodeSystem"])
            {
                if (terms.ContainsKey($"{type} {url}") || await StoredAsync(type, url, cancellation) is not { } resource)
                {
                    continue;
                }
                terms.Add($"{type} {url}", resource);
                foreach (var part in type == "ValueSet" ? TerminologyService.PartsOf(resource) : [])
                {
                    wanted.Enqueue(part);
                }
            }
        }
        return terms.Count == 0 ? known : known.With(terms.Values);
    }

    /// <summary>The stored resource of a canonical URL, and of its version where one is named; the newest of several.</summary>
    async Task<Resource?> StoredAsync(string type, string canonical, CancellationToken cancellation)
    {
        if (reach.Of(type).IsEmpty)
        {
            return null;
        }
        var bar = canonical.IndexOf('|');
        List<IndexPlan> plans = [index.PlanOf(type, new SearchCriterion.Uri("url", [bar < 0 ? canonical : canonical[..bar]])).Plan];
        if (bar >= 0)
        {
            plans.Add(index.PlanOf(type, new SearchCriterion.Token("version", [new TokenValue(null, canonical[(bar + 1)..])])).Plan);
        }
        var matches = await IndexStore.MatchAsync(await connection.OpenAsync(cancellation), type, reach.Of(type), new IndexPlan.And(plans), 1, cancellation, byTime: true);
        var opened = await OpenAsync(type, [.. matches.Select(match => match.Id)], cancellation);
        return opened is [var record] && FhirJson.Read(record.Bytes) is FhirReadOutcome.Ok { Resource: var resource } ? resource : null;
    }

    /// <summary>Criteria in which what others define is spelled out; null where that cannot be done.</summary>
    public async Task<IReadOnlyList<SearchCriterion>?> SettledAsync(IReadOnlyList<SearchCriterion> criteria, CancellationToken cancellation)
    {
        List<SearchCriterion> settled = [];
        foreach (var criterion in criteria)
        {
            if (await SettledAsync(criterion, cancellation) is not { } known)
            {
                return null;
            }
            settled.Add(known);
        }
        return settled;
    }

    /// <summary>A criterion in which what others define is spelled out; null where that cannot be done, which refuses the search.</summary>
    async Task<SearchCriterion?> SettledAsync(SearchCriterion criterion, CancellationToken cancellation)
    {
        switch (criterion)
        {
            case SearchCriterion.InValueSet set:
                return Expanded(set, await TerminologyAsync([set.Url], cancellation));
            case SearchCriterion.TokenHierarchy hierarchy:
                return Spelled(hierarchy, await TerminologyAsync(hierarchy.Values.Select(value => value.System!), cancellation));
            case SearchCriterion.Not { Criterion: SearchCriterion.InValueSet or SearchCriterion.TokenHierarchy } not:
                return await SettledAsync(not.Criterion, cancellation) is { } inner ? new SearchCriterion.Not(inner) : null;
            default:
                return criterion;
        }
    }

    /// <summary>The codes of a value set, which an element of type code gives without a system.</summary>
    SearchCriterion.Token? Expanded(SearchCriterion.InValueSet set, TerminologyService terminology)
    {
        switch (terminology.Expand(set.Url, ExpandedMax))
        {
            case ExpansionOutcome.Ok expanded:
                return TokensOf(set.Parameter, expanded.Codes.Select(code => (code.System, code.Code)));
            case ExpansionOutcome.TooMany:
                Refuse("too-costly", $"{set.Parameter}: the value set {set.Url} has more than {ExpandedMax} codes. Name those that matter, with commas between them.");
                return null;
            case ExpansionOutcome.Impossible impossible:
                Refuse("not-found", $"{set.Parameter}: {impossible.Reason} Name the codes, with commas between them.");
                return null;
            default:
                throw new InvalidOperationException("Every outcome has its answer.");
        }
    }

    SearchCriterion.Token? Spelled(SearchCriterion.TokenHierarchy hierarchy, TerminologyService terminology)
    {
        List<(string System, string Code)> codes = [];
        foreach (var value in hierarchy.Values)
        {
            var (url, code) = (value.System!, value.Code!);
            if (terminology.CodeSystem(url) is not { IsComplete: true } system || system.Find(code) is null)
            {
                Refuse("not-found", $"{hierarchy.Parameter}: what stands {(hierarchy.IsAbove ? "above" : "below")} {code} in the code system {url} is not known here. Name the codes, with commas between them.");
                return null;
            }
            codes.AddRange((hierarchy.IsAbove ? system.Above(code) : system.Below(code)).Select(concept => (url, concept.Code)));
        }
        if (codes.Count > ExpandedMax)
        {
            Refuse("too-costly", $"{hierarchy.Parameter}: these are more than {ExpandedMax} codes. Name those that matter, with commas between them.");
            return null;
        }
        return TokensOf(hierarchy.Parameter, codes);
    }

    static SearchCriterion.Token TokensOf(string parameter, IEnumerable<(string System, string Code)> codes) =>
        new(parameter, [.. codes.SelectMany(code => new[] { new TokenValue(code.System, code.Code), new TokenValue("", code.Code) }).Distinct()]);

    /// <summary>The records of a type that a List's entries refer to, those aside that were taken off; none where the List may not be seen.</summary>
    async Task<IReadOnlyList<string>> ListedAsync(string type, string list, CancellationToken cancellation)
    {
        HashSet<string> ids = [];
        if (await OpenAsync("List", [list], cancellation) is not [var record] || FhirJson.Read(record.Bytes) is not FhirReadOutcome.Ok { Resource: var resource })
        {
            return [];
        }
        foreach (var entry in resource["entry"].Items)
        {
            if (entry["deleted"u8].Kind != ElementKind.True && LiteralReference.Of(entry["item"u8]) is { IsAbsolute: false, Id: { } id } target && target.Type == type)
            {
                ids.Add(id);
            }
        }
        if (ids.Count > LinkedMax)
        {
            Refuse("too-costly", $"_list: the List has more than {LinkedMax} entries of {type}.");
        }
        return [.. ids.Take(LinkedMax)];
    }
}

// Terms for the operations on them.
public sealed partial class RecordsDesk
{
    /// <summary>What is known of some value sets and code systems, for a caller who may look up what is stored of them.</summary>
    internal async Task<TerminologyService> TerminologyAsync(Identity.Caller caller, IReadOnlyList<string> urls, CancellationToken cancellation)
    {
        var terminology = definitions.Fhir.Terminology;
        if (urls.All(terminology.Knows))
        {
            return terminology;
        }
        await indexing.RefreshAsync(cancellation);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var run = TermsRun(new LazyConnection(connection), caller);
        terminology = await run.TerminologyAsync(urls, cancellation);
        if (run.TermsOpened > 0)
        {
            await connection.CloseAsync();
            await AuditSearchAsync(caller, "ValueSet, CodeSystem", [], run.TermsOpened, Consent.Purpose.Treatment, cancellation);
        }
        return terminology;
    }

    /// <summary>Looks up value sets and code systems. What defines is nobody's record: no consent has a say in it.</summary>
    SearchRun TermsRun(LazyConnection connection, Identity.Caller caller) =>
        new(connection, index, frequencies, store, new RecordReach(new Dictionary<string, Consent.AccessScope>(), caller.Role, time.GetUtcNow()));
}
