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
}

/// <summary>One condition of a search; its values are alternatives, and a search's criteria all hold.</summary>
/// <param name="Parameter">The search parameter's code.</param>
public abstract record SearchCriterion(string Parameter)
{
    /// <summary>Codes, identifiers, flags.</summary>
    public sealed record Token(string Parameter, IReadOnlyList<TokenValue> Values) : SearchCriterion(Parameter);

    /// <summary>Text: from its start and normalised, or exact.</summary>
    public sealed record Text(string Parameter, bool IsExact, IReadOnlyList<string> Values) : SearchCriterion(Parameter);

    /// <summary>References; a value without a type matches any of the parameter's targets.</summary>
    public sealed record Reference(string Parameter, IReadOnlyList<ReferenceValue> Values) : SearchCriterion(Parameter);

    /// <summary>Dates.</summary>
    public sealed record Date(string Parameter, IReadOnlyList<DateValue> Values) : SearchCriterion(Parameter);

    /// <summary>URIs, exact.</summary>
    public sealed record Uri(string Parameter, IReadOnlyList<string> Values) : SearchCriterion(Parameter);

    /// <summary>Logical ids.</summary>
    public sealed record Id(IReadOnlyList<string> Values) : SearchCriterion("_id");

    /// <summary>When the version was stored.</summary>
    public sealed record LastUpdated(IReadOnlyList<DateValue> Values) : SearchCriterion("_lastUpdated");
}

/// <summary>A token as searched.</summary>
/// <param name="System">The namespace; null for any, empty for none.</param>
/// <param name="Code">The code; null for any of the system.</param>
public sealed record TokenValue(string? System, string? Code);

/// <summary>A reference as searched.</summary>
/// <param name="Type">The target's type, when given or when only one is possible.</param>
/// <param name="Id">The target's id, when the value names one.</param>
/// <param name="Text">The value as written.</param>
public sealed record ReferenceValue(string? Type, string? Id, string Text);

/// <summary>A date as searched.</summary>
/// <param name="Prefix">How it compares.</param>
/// <param name="Low">The first tick of what was written.</param>
/// <param name="High">The last tick of what was written.</param>
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
        _ => low < Low || (low >= Low && high <= High),
    };
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
