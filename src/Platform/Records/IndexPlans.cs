using Salus.Fhir.Definitions;
using Salus.Fhir.Search;
using Salus.Platform.Records.Indexing;

namespace Salus.Platform.Records;

// What a search asks of the index.
sealed partial class RecordIndex
{
    static readonly IndexPlan.Everything All = new();

    /// <summary>The condition that a criterion becomes, and whether it lets through what only opening can tell apart.</summary>
    /// <param name="type">The resource type.</param>
    /// <param name="criterion">A condition on the resource itself: no chain.</param>
    public (IndexPlan Plan, bool IsRough) PlanOf(string type, SearchCriterion criterion)
    {
        var keys = state.Current.Keys;
        var plans = keys.Select(key => UnderKey(key, hash => PlanOf(hash, type, criterion))).ToList();
        // Each row under the key under which it stands: what a row under another key lacks must not count as missing
        return plans.Count == 1 || criterion is SearchCriterion.Id or SearchCriterion.LastUpdated
            ? plans[0]
            : (new IndexPlan.Or([.. keys.Zip(plans, (key, plan) => new IndexPlan.And([new IndexPlan.OfKey(key.Number), plan.Plan]))]), plans.Any(plan => plan.IsRough));
    }

    /// <summary>For each of some names, the hashes under which resources refer to it.</summary>
    public IReadOnlyList<Guid[]> ReferencesTo(string type, string parameter, IReadOnlyList<string> names)
    {
        var keys = state.Current.Keys;
        var found = names.Select(_ => new Guid[keys.Count]).ToList();
        for (var k = 0; k < keys.Count; k++)
        {
            using var hash = keys[k].Open();
            for (var i = 0; i < names.Count; i++)
            {
                found[i][k] = hash.UuidOf($"{type}.{parameter}", names[i]);
            }
        }
        return found;
    }

    /// <summary>The hashes of an identifier of any system.</summary>
    public Guid[] Identifier(string type, string value) =>
        [.. state.Current.Keys.SelectMany(key => UnderKey(key, hash => Tokens(hash, $"{type}.identifier", new TokenValue(null, value))))];

    /// <summary>The short keyed hashes that stand for a parameter of a type.</summary>
    public int[] NamesOf(string type, string parameter) => [.. state.Current.Keys.Select(key => UnderKey(key, hash => hash.NameOf(type, parameter)))];

    static T UnderKey<T>(IndexKey key, Func<IndexHash, T> make)
    {
        using var hash = key.Open();
        return make(hash);
    }

    (IndexPlan Plan, bool IsRough) PlanOf(IndexHash hash, string type, SearchCriterion criterion)
    {
        if (Combined.TryGetValue(criterion.Parameter, out var both) && criterion is not SearchCriterion.Not)
        {
            var plans = both.Select(code => PlanOf(hash, type, criterion switch
            {
                SearchCriterion.Missing missing => new SearchCriterion.Missing(code, false),
                _ => criterion with { Parameter = code },
            })).ToList();
            IndexPlan either = new IndexPlan.Or([.. plans.Select(plan => plan.Plan)]);
            return (criterion is SearchCriterion.Missing { IsMissing: true } ? new IndexPlan.Not(either) : either, plans.Any(plan => plan.IsRough));
        }
        var name = $"{type}.{criterion.Parameter}";
        IndexPlan Here() => new IndexPlan.Present(hash.NameOf(type, criterion.Parameter));
        switch (criterion)
        {
            case SearchCriterion.Token token:
                return (new IndexPlan.AnyHash([.. token.Values.SelectMany(value => Tokens(hash, name, value))]), false);
            case SearchCriterion.ReferenceIdentifier identifier:
                return (new IndexPlan.AnyHash([.. identifier.Values.SelectMany(value => Tokens(hash, $"{name}:identifier", value))]), false);
            case SearchCriterion.TypedIdentifier typed:
                return (new IndexPlan.AnyHash([.. typed.Values.Select(value => hash.UuidOf($"{name}:of-type", $"{value.System}|{value.Code}|{value.Value}"))]), false);
            case SearchCriterion.Text { IsExact: true } text:
                return (new IndexPlan.AnyHash([.. text.Values.Select(value => hash.UuidOf($"{name}:exact", value))]), false);
            case SearchCriterion.Text text:
                return (new IndexPlan.AnyHash([.. text.Values.Select(value => hash.UuidOf(name, value.Length > PrefixMax ? value[..PrefixMax] : value))]), text.Values.Any(value => value.Length > PrefixMax));
            case SearchCriterion.TextContains text:
                return (new IndexPlan.Or([.. text.Values.Select(value => Containing(hash, name, value, Here))]), true);
            case SearchCriterion.Reference reference:
                return (new IndexPlan.AnyHash([.. reference.Values.SelectMany(value => References(hash, type, criterion.Parameter, value))]), false);
            case SearchCriterion.Uri uri:
                return Uris(hash, name, uri, Here);
            case SearchCriterion.Date date when IsBlindDate(criterion.Parameter):
                return (new IndexPlan.Or([.. date.Values.Select(value => BlindDate(hash, name, value, Here))]), date.Values.Any(value => value.High - value.Low < TimeSpan.FromDays(1) - TimeSpan.FromTicks(1)));
            case SearchCriterion.Date date:
                return (new IndexPlan.InRange(hash.NameOf(type, criterion.Parameter),
                    [.. date.Values.Select(value => new RangeTest(value.Prefix, Microseconds(value.Low), Microseconds(value.High), null, null))]), false);
            case SearchCriterion.Number number:
                return (new IndexPlan.InRange(hash.NameOf(type, criterion.Parameter), [.. number.Values.Select(value => Test(value, null))]), false);
            case SearchCriterion.Quantity quantity:
                return (new IndexPlan.InRange(hash.NameOf(type, criterion.Parameter), [.. quantity.Values.Select(value => Test(value.Number, UnitOf(hash, name, value)))]), false);
            case SearchCriterion.Missing missing:
                return (missing.IsMissing ? new IndexPlan.Not(Here()) : Here(), false);
            case SearchCriterion.Not { Criterion: var inner }:
                return PlanOf(hash, type, inner) is (var plan, false) ? (new IndexPlan.Not(plan), false) : (All, true);
            case SearchCriterion.Composite composite:
                return Composite(hash, type, composite);
            case SearchCriterion.Id id:
                return (new IndexPlan.Ids([.. id.Values]), false);
            case SearchCriterion.LastUpdated updated:
                return (new IndexPlan.Written(updated.Values), false);
            default:
                return (Here(), true);
        }
    }

    (IndexPlan Plan, bool IsRough) Composite(IndexHash hash, string type, SearchCriterion.Composite composite)
    {
        var known = definitions.Fhir.SearchParametersOf(type);
        var isRough = !composite.IsOfResource;
        List<IndexPlan> alternatives = [];
        foreach (var parts in composite.Values)
        {
            List<IndexPlan> all = [];
            foreach (var part in parts)
            {
                var (plan, isPartRough) = known.Any(parameter => parameter.Code == part.Parameter) ? PlanOf(hash, type, part) : (All, true);
                all.Add(plan);
                isRough |= isPartRough;
            }
            alternatives.Add(new IndexPlan.And(all));
        }
        return (new IndexPlan.Or(alternatives), isRough);
    }

    static Guid[] Tokens(IndexHash hash, string name, TokenValue value) => value switch
    {
        { Code: null } => [hash.UuidOf(name, $"{value.System}|")],
        { System: null } => [hash.UuidOf(name, value.Code), hash.UuidOf(name, $"|{value.Code}")],
        _ => [hash.UuidOf(name, $"{value.System}|{value.Code}")],
    };

    IEnumerable<Guid> References(IndexHash hash, string type, string parameter, ReferenceValue value)
    {
        var name = $"{type}.{parameter}";
        if (value.Id is null || value.Text.Contains("://", StringComparison.Ordinal))
        {
            return [hash.UuidOf(name, value.Text)];
        }
        if (value.Type is not null)
        {
            return [hash.UuidOf(name, $"{value.Type}/{value.Id}")];
        }
        var targets = definitions.Fhir.SearchParametersOf(type).FirstOrDefault(known => known.Code == parameter)?.Targets is { Count: > 0 } named
            ? named
            : FhirDefinitions.R4.ResourceTypes;
        return targets.Select(target => hash.UuidOf(name, $"{target}/{value.Id}"));
    }

    static IndexPlan Containing(IndexHash hash, string name, string value, Func<IndexPlan> here)
    {
        if (value.Length < Gram)
        {
            return here();
        }
        var grams = Enumerable.Range(0, value.Length - Gram + 1).Select(at => value.Substring(at, Gram)).Distinct().Select(gram => hash.UuidOf($"{name}:contains", gram));
        return new IndexPlan.Or([new IndexPlan.AllHashes([.. grams]), new IndexPlan.AnyHash([hash.UuidOf($"{name}:contains", "")])]);
    }

    static (IndexPlan Plan, bool IsRough) Uris(IndexHash hash, string name, SearchCriterion.Uri uri, Func<IndexPlan> here) => uri.Match switch
    {
        UriMatch.Exact => (new IndexPlan.AnyHash([.. uri.Values.Select(value => hash.UuidOf(name, value))]), false),
        UriMatch.Below when uri.Parameter.StartsWith('_') => (here(), true),
        UriMatch.Below => (new IndexPlan.AnyHash([.. uri.Values.Select(value => hash.UuidOf($"{name}:below", value.TrimEnd('/')))]), false),
        _ => (new IndexPlan.AnyHash([.. uri.Values.SelectMany(AboveUri).SelectMany(above => new[] { hash.UuidOf(name, above), hash.UuidOf(name, above + "/") })]), false),
    };

    static IndexPlan BlindDate(IndexHash hash, string name, DateValue value, Func<IndexPlan> here)
    {
        var words = new IndexPlan.AnyHash([.. BlindDates.Search(value).Select(word => hash.UuidOf(name, word))]);
        return value.Prefix == SearchPrefix.Ne ? new IndexPlan.And([here(), new IndexPlan.Not(words)]) : words;
    }

    static RangeTest Test(NumberValue value, int? unit) => new(value.Prefix, (double)value.Low, (double)value.High, (double)value.Value, unit);

    static int? UnitOf(IndexHash hash, string name, QuantityValue value) =>
        value.Code is null ? null : hash.ShortOf($"{name}:unit", value.System is null ? value.Code : $"{value.System}|{value.Code}");
}
