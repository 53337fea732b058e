using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Search;

/// <summary>How a value compares (R4 section 3.1.1.4.5).</summary>
public enum SearchPrefix
{
    /// <summary>The resource's range lies within the one searched.</summary>
    Eq,

    /// <summary>It does not.</summary>
    Ne,

    /// <summary>The resource's range reaches above.</summary>
    Gt,

    /// <summary>The resource's range reaches below.</summary>
    Lt,

    /// <summary>Greater or equal.</summary>
    Ge,

    /// <summary>Less or equal.</summary>
    Le,

    /// <summary>The resource's range starts after the one searched.</summary>
    Sa,

    /// <summary>The resource's range ends before the one searched.</summary>
    Eb,

    /// <summary>The ranges overlap, the one searched widened by a tenth.</summary>
    Ap,
}

/// <summary>One condition of a search; its values are alternatives, and a search's criteria all hold.</summary>
/// <param name="Parameter">The search parameter's code.</param>
public abstract record SearchCriterion(string Parameter)
{
    /// <summary>Codes, identifiers, flags.</summary>
    public sealed record Token(string Parameter, IReadOnlyList<TokenValue> Values) : SearchCriterion(Parameter);

    /// <summary>What a code is shown as, from its start and normalised (<c>:text</c>).</summary>
    public sealed record TokenText(string Parameter, IReadOnlyList<string> Values) : SearchCriterion(Parameter);

    /// <summary>Codes of a value set (<c>:in</c>), to be expanded by who knows value sets.</summary>
    public sealed record InValueSet(string Parameter, string Url) : SearchCriterion(Parameter);

    /// <summary>Codes that a code system puts under others (<c>:below</c>) or above them (<c>:above</c>), those themselves included; to be told by who knows the system.</summary>
    public sealed record TokenHierarchy(string Parameter, bool IsAbove, IReadOnlyList<TokenValue> Values) : SearchCriterion(Parameter);

    /// <summary>Identifiers of a kind (<c>:of-type</c>).</summary>
    public sealed record TypedIdentifier(string Parameter, IReadOnlyList<TypedIdentifierValue> Values) : SearchCriterion(Parameter);

    /// <summary>Text: from its start and normalised, or exact.</summary>
    public sealed record Text(string Parameter, bool IsExact, IReadOnlyList<string> Values) : SearchCriterion(Parameter);

    /// <summary>Text anywhere, normalised (<c>:contains</c>).</summary>
    public sealed record TextContains(string Parameter, IReadOnlyList<string> Values) : SearchCriterion(Parameter);

    /// <summary>The narrative (<c>_text</c>) or the whole resource (<c>_content</c>), as it reads.</summary>
    public sealed record WholeText(string Parameter, IReadOnlyList<TextQuery> Values) : SearchCriterion(Parameter)
    {
        /// <summary>Whether there is no text (<c>:missing</c>); null where that is not the question.</summary>
        public bool? IsMissing { get; init; }

        /// <summary>Whether a resource matches.</summary>
        public bool Matches(Resource resource)
        {
            var text = Parameter == "_text" ? ResourceText.OfNarrative(resource) : ResourceText.OfContent(resource);
            return IsMissing is { } isMissing ? isMissing == text.IsEmpty : Values.Any(wanted => wanted.Matches(text));
        }
    }

    /// <summary>References; a value without a type matches any of the parameter's targets.</summary>
    public sealed record Reference(string Parameter, IReadOnlyList<ReferenceValue> Values) : SearchCriterion(Parameter);

    /// <summary>References by the identifier that they give of their target (<c>:identifier</c>).</summary>
    public sealed record ReferenceIdentifier(string Parameter, IReadOnlyList<TokenValue> Values) : SearchCriterion(Parameter);

    /// <summary>Dates.</summary>
    public sealed record Date(string Parameter, IReadOnlyList<DateValue> Values) : SearchCriterion(Parameter);

    /// <summary>Numbers.</summary>
    public sealed record Number(string Parameter, IReadOnlyList<NumberValue> Values) : SearchCriterion(Parameter);

    /// <summary>Numbers with units.</summary>
    public sealed record Quantity(string Parameter, IReadOnlyList<QuantityValue> Values) : SearchCriterion(Parameter);

    /// <summary>URIs: exact, below one (<c>:below</c>) or above one (<c>:above</c>), by whole segments of the path.</summary>
    public sealed record Uri(string Parameter, IReadOnlyList<string> Values) : SearchCriterion(Parameter)
    {
        /// <summary>How they compare.</summary>
        public UriMatch Match { get; init; }
    }

    /// <summary>Whether the parameter has a value at all.</summary>
    public sealed record Missing(string Parameter, bool IsMissing) : SearchCriterion(Parameter);

    /// <summary>Everything that a criterion does not match, the resources without a value included (<c>:not</c>).</summary>
    public sealed record Not(SearchCriterion Criterion) : SearchCriterion(Criterion.Parameter);

    /// <summary>Several parameters of one occurrence together; of each value the parts all hold.</summary>
    public sealed record Composite(string Parameter, IReadOnlyList<IReadOnlyList<SearchCriterion>> Values) : SearchCriterion(Parameter)
    {
        /// <summary>Whether the parts are those of the resource itself, so that each can be searched by itself.</summary>
        public bool IsOfResource { get; init; }
    }

    /// <summary>What a reference leads to matches a criterion; for each type that it may lead to.</summary>
    public sealed record Chain(string Parameter, IReadOnlyList<(string Type, SearchCriterion Criterion)> Targets) : SearchCriterion(Parameter);

    /// <summary>A resource of another type that refers to this one matches a criterion (<c>_has</c>).</summary>
    public sealed record Has(string Type, string Parameter, SearchCriterion Criterion) : SearchCriterion(Parameter);

    /// <summary>Places within a distance (<c>near</c> of a Location).</summary>
    public sealed record Near(string Parameter, IReadOnlyList<NearValue> Values) : SearchCriterion(Parameter);

    /// <summary>What the entries of a List refer to (<c>_list</c>), to be told by who can read it.</summary>
    public sealed record InList(string List) : SearchCriterion("_list");

    /// <summary>Logical ids.</summary>
    public sealed record Id(IReadOnlyList<string> Values) : SearchCriterion("_id");

    /// <summary>When the version was stored.</summary>
    public sealed record LastUpdated(IReadOnlyList<DateValue> Values) : SearchCriterion("_lastUpdated");
}

/// <summary>How a URI compares.</summary>
public enum UriMatch
{
    /// <summary>The same.</summary>
    Exact,

    /// <summary>The resource's begins with the one searched.</summary>
    Below,

    /// <summary>The one searched begins with the resource's.</summary>
    Above,
}

/// <summary>A token as searched.</summary>
/// <param name="System">The namespace; null for any, empty for none.</param>
/// <param name="Code">The code; null for any of the system.</param>
public sealed record TokenValue(string? System, string? Code)
{
    /// <summary>Whether a resource's token matches.</summary>
    public bool Matches(string? system, string code) =>
        (Code is null || Code == code) && (System is null || (System.Length == 0 ? system is null : System == system));
}

/// <summary>An identifier of a kind, as searched.</summary>
public sealed record TypedIdentifierValue(string System, string Code, string Value);

/// <summary>A reference as searched.</summary>
/// <param name="Type">The target's type, when given or when only one is possible.</param>
/// <param name="Id">The target's id, when the value names one.</param>
/// <param name="Text">The value as written.</param>
public sealed record ReferenceValue(string? Type, string? Id, string Text);

/// <summary>A date as searched.</summary>
/// <param name="Prefix">How it compares.</param>
/// <param name="Low">The first tick of what was written; widened for <see cref="SearchPrefix.Ap"/>.</param>
/// <param name="High">The last tick of what was written; widened for <see cref="SearchPrefix.Ap"/>.</param>
public sealed record DateValue(SearchPrefix Prefix, DateTimeOffset Low, DateTimeOffset High)
{
    /// <summary>Whether a resource's range of time matches.</summary>
    public bool Matches(DateTimeOffset low, DateTimeOffset high) => Prefix switch
    {
        SearchPrefix.Eq => low >= Low && high <= High,
        SearchPrefix.Ne => low < Low || high > High,
        SearchPrefix.Gt => high > High,
        SearchPrefix.Lt => low < Low,
        SearchPrefix.Ge => high > High || (low >= Low && high <= High),
        SearchPrefix.Le => low < Low || (low >= Low && high <= High),
        SearchPrefix.Sa => low > High,
        SearchPrefix.Eb => high < Low,
        _ => low <= High && high >= Low,
    };
}

/// <summary>A number as searched: equality goes by the digits that were written, so that 100 is from 99.5 to below 100.5.</summary>
/// <param name="Prefix">How it compares.</param>
/// <param name="Value">The number.</param>
/// <param name="Low">The least that it may stand for.</param>
/// <param name="High">The first above what it may stand for.</param>
public sealed record NumberValue(SearchPrefix Prefix, decimal Value, decimal Low, decimal High)
{
    /// <summary>Whether a resource's range matches.</summary>
    public bool Matches(decimal low, decimal high) => Prefix switch
    {
        SearchPrefix.Eq => low >= Low && high < High,
        SearchPrefix.Ne => low < Low || high >= High,
        SearchPrefix.Gt => high > Value,
        SearchPrefix.Lt => low < Value,
        SearchPrefix.Ge => high >= Value,
        SearchPrefix.Le => low <= Value,
        SearchPrefix.Sa => low > Value,
        SearchPrefix.Eb => high < Value,
        _ => low <= High && high >= Low,
    };
}

/// <summary>A number with a unit, as searched.</summary>
/// <param name="Number">The number.</param>
/// <param name="System">The unit's system; null for any.</param>
/// <param name="Code">The unit's code or text; null for any.</param>
public sealed record QuantityValue(NumberValue Number, string? System, string? Code)
{
    /// <summary>Whether a unit matches.</summary>
    public bool MatchesUnit(string? system, string? code) => Code is null || (Code == code && (System is null || System == system));
}

/// <summary>A circle on the earth, as searched.</summary>
/// <param name="Latitude">Degrees north, WGS84.</param>
/// <param name="Longitude">Degrees east, WGS84.</param>
/// <param name="Kilometres">Its radius along the surface.</param>
public sealed record NearValue(double Latitude, double Longitude, double Kilometres)
{
    const double EarthKilometres = 6371.0088;

    /// <summary>Whether a place lies within, by the great circle on a sphere of the earth's mean radius: half a percent off at most.</summary>
    public bool Matches(double latitude, double longitude)
    {
        static double Radians(double degrees) => degrees * Math.PI / 180;
        static double Haversine(double angle) => Math.Pow(Math.Sin(angle / 2), 2);
        var chord = Haversine(Radians(latitude - Latitude)) + (Math.Cos(Radians(latitude)) * Math.Cos(Radians(Latitude)) * Haversine(Radians(longitude - Longitude)));
        return 2 * EarthKilometres * Math.Asin(Math.Sqrt(Math.Min(1, chord))) <= Kilometres;
    }
}

/// <summary>One field of an order.</summary>
/// <param name="Parameter">The search parameter.</param>
/// <param name="Descending">Greatest first.</param>
public sealed record SortKey(SearchParameterDefinition Parameter, bool Descending);

/// <summary>What is given besides the matches: what they refer to, or what refers to them.</summary>
/// <param name="IsReverse"><c>_revinclude</c>.</param>
/// <param name="SourceType">The type that refers.</param>
/// <param name="Parameter">By which of its references; null for all.</param>
/// <param name="TargetType">Only targets of this type; null for any.</param>
/// <param name="Iterates">Whether it goes on from what was included.</param>
public sealed record IncludeRule(bool IsReverse, string SourceType, string? Parameter, string? TargetType, bool Iterates);

/// <summary>Which part of each resource is asked for (R4 section 3.1.1.5.8).</summary>
public enum SummaryMode
{
    /// <summary>All of it.</summary>
    False,

    /// <summary>The elements that the definitions mark as summary.</summary>
    True,

    /// <summary>The narrative and what is mandatory.</summary>
    Text,

    /// <summary>All but the narrative.</summary>
    Data,

    /// <summary>How many there are, and none of them.</summary>
    Count,
}

/// <summary>Whether the number of matches is asked for.</summary>
public enum TotalMode
{
    /// <summary>As far as it costs little.</summary>
    Estimate,

    /// <summary>Not at all.</summary>
    None,

    /// <summary>Whatever it costs.</summary>
    Accurate,
}

/// <summary>What reading a search's parameters led to.</summary>
public abstract record SearchOutcome
{
    SearchOutcome() { }

    /// <summary>The search is understood.</summary>
    public sealed record Ok(SearchQuery Query) : SearchOutcome;

    /// <summary>The search is refused, and here is each reason.</summary>
    public sealed record Refused(IReadOnlyList<FhirIssue> Issues) : SearchOutcome;
}
