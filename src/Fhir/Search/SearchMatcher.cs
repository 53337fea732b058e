using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Terminology;

namespace Salus.Fhir.Search;

/// <summary>Whether a resource matches a criterion, by what the resource itself says: for what an index cannot tell, or can tell only roughly.</summary>
public static class SearchMatcher
{
    /// <summary>Whether all hold. Chains and <c>_has</c>, which go beyond the resource, are taken to hold.</summary>
    /// <param name="resource">A stored resource.</param>
    /// <param name="criteria">Conditions of a search of its type.</param>
    /// <param name="indexer">What extracts its values; R4's own when it is not given.</param>
    public static bool Matches(Resource resource, IReadOnlyList<SearchCriterion> criteria, SearchIndexer? indexer = null)
    {
        var codes = criteria.Select(criterion => criterion.Parameter).ToHashSet();
        var values = (indexer ?? SearchIndexer.R4).Extract(resource, null, parameter => codes.Contains(parameter.Code), withTexts: true);
        return criteria.All(criterion => Matches(criterion, values, resource));
    }

    static bool Matches(SearchCriterion criterion, IReadOnlyList<IndexValue> all, Resource? resource)
    {
        var values = all.Where(value => value.Parameter == criterion.Parameter);
        return criterion switch
        {
            SearchCriterion.Token token => values.OfType<IndexValue.Token>().Any(value => token.Values.Any(wanted => wanted.Matches(value.System, value.Code))),
            SearchCriterion.TokenText text => values.OfType<IndexValue.TokenText>().Any(value => text.Values.Any(wanted => value.Normalised.StartsWith(wanted, StringComparison.Ordinal))),
            SearchCriterion.InValueSet set => values.OfType<IndexValue.Token>().Any(value => FhirDefinitions.R4.Terminology.Contains(set.Url, value.System, value.Code) == Membership.In),
            SearchCriterion.TokenHierarchy hierarchy => values.OfType<IndexValue.Token>().Any(value => hierarchy.Values.Any(wanted => IsWithin(hierarchy, wanted, value))),
            SearchCriterion.Near near => resource?["position"] is { } at && at["latitude"u8].Number is { } latitude && at["longitude"u8].Number is { } longitude
                && near.Values.Any(wanted => wanted.Matches((double)latitude, (double)longitude)),
            SearchCriterion.TypedIdentifier typed => values.OfType<IndexValue.TypedIdentifier>().Any(value =>
                typed.Values.Any(wanted => wanted.Code == value.Code && wanted.Value == value.Value && (wanted.System.Length == 0 || wanted.System == value.System))),
            SearchCriterion.Text { IsExact: true } text => values.OfType<IndexValue.Text>().Any(value => text.Values.Contains(value.Value)),
            SearchCriterion.Text text => values.OfType<IndexValue.Text>().Any(value => text.Values.Any(wanted => value.Normalised.StartsWith(wanted, StringComparison.Ordinal))),
            SearchCriterion.TextContains text => values.OfType<IndexValue.Text>().Any(value => text.Values.Any(wanted => value.Normalised.Contains(wanted, StringComparison.Ordinal))),
            SearchCriterion.WholeText whole => resource is not null && whole.Matches(resource),
            SearchCriterion.Reference reference => reference.Values.Any(wanted => values.Any(value => RefersTo(value, wanted))),
            SearchCriterion.ReferenceIdentifier identifier => values.OfType<IndexValue.ReferenceIdentifier>().Any(value => identifier.Values.Any(wanted => wanted.Matches(value.System, value.Code))),
            SearchCriterion.Date date => values.OfType<IndexValue.Date>().Any(value => date.Values.Any(wanted => wanted.Matches(value.Low, value.High))),
            SearchCriterion.Number number => values.OfType<IndexValue.Number>().Any(value => number.Values.Any(wanted => wanted.Matches(value.Low, value.High))),
            SearchCriterion.Quantity quantity => values.OfType<IndexValue.Quantity>().Any(value =>
                quantity.Values.Any(wanted => wanted.MatchesUnit(value.System, value.Code) && wanted.Number.Matches(value.Low, value.High))),
            SearchCriterion.Uri uri => values.OfType<IndexValue.Uri>().Any(value => uri.Values.Any(wanted => Matches(uri.Match, value.Value, wanted))),
            SearchCriterion.Missing missing => missing.IsMissing != values.Any(),
            SearchCriterion.Not not => !Matches(not.Criterion, all, resource),
            SearchCriterion.Composite composite => values.OfType<IndexValue.Composite>().Any(occurrence => composite.Values.Any(parts => Matches(parts, occurrence))),
            SearchCriterion.Id id => resource?.Id is { } own && id.Values.Contains(own),
            SearchCriterion.LastUpdated updated => resource is not null && FhirTime.TryParse(resource.Root["meta"u8]["lastUpdated"u8].Raw, out var time)
                && updated.Values.Any(wanted => wanted.Matches(time.Low, time.High)),
            _ => true,
        };
    }

    static bool IsWithin(SearchCriterion.TokenHierarchy hierarchy, TokenValue wanted, IndexValue.Token value) =>
        (value.System is null || value.System == wanted.System) && FhirDefinitions.R4.Terminology.CodeSystem(wanted.System!) is { } system
        && (hierarchy.IsAbove ? system.IsA(wanted.Code!, value.Code) : system.IsA(value.Code, wanted.Code!));

    static bool Matches(IReadOnlyList<SearchCriterion> parts, IndexValue.Composite occurrence) =>
        parts.Select((part, i) => Matches(part, occurrence.Parts[i], null)).All(matches => matches);

    static bool RefersTo(IndexValue value, ReferenceValue wanted) => value switch
    {
        IndexValue.Reference { Target: var target } =>
            target.Text == wanted.Text || (wanted.Id is not null && target.Id == wanted.Id && (wanted.Type is null || target.Type == wanted.Type)),
        IndexValue.Uri uri => uri.Value == wanted.Text || uri.Value.StartsWith(wanted.Text + "|", StringComparison.Ordinal),
        _ => false,
    };

    static bool Matches(UriMatch match, string value, string wanted) => match switch
    {
        UriMatch.Exact => value == wanted,
        UriMatch.Below => IsAbove(wanted, value),
        _ => IsAbove(value, wanted),
    };

    /// <summary>Whether one URI is the other or begins it at a segment's end.</summary>
    static bool IsAbove(string above, string below) =>
        below.StartsWith(above, StringComparison.Ordinal) && (below.Length == above.Length || above.EndsWith('/') || below[above.Length] == '/');
}
