using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Search;

/// <summary>A search of one resource type (R4 section 3.1.1), understood as a whole or refused.</summary>
/// <param name="ResourceType">What is searched.</param>
/// <param name="Criteria">Conditions that all hold.</param>
/// <param name="Count">The page size asked for.</param>
public sealed record SearchQuery(string ResourceType, IReadOnlyList<SearchCriterion> Criteria, int? Count)
{
    /// <summary>The order asked for.</summary>
    public IReadOnlyList<SortKey> Sort { get; init; } = [];

    /// <summary>What is given besides the matches.</summary>
    public IReadOnlyList<IncludeRule> Includes { get; init; } = [];

    /// <summary>Whether the number of matches is asked for.</summary>
    public TotalMode Total { get; init; }

    /// <summary>Which part of each resource is asked for.</summary>
    public SummaryMode Summary { get; init; }

    /// <summary>Only these elements of each resource; empty for all.</summary>
    public IReadOnlyList<string> Elements { get; init; } = [];

    /// <summary>What a lenient reading left out.</summary>
    public IReadOnlyList<FhirIssue> Ignored { get; init; } = [];

    /// <summary>The pairs that were understood, in their order.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Understood { get; init; } = [];

    /// <summary>Reads the decoded name and value pairs of a query; an unknown parameter is refused, never ignored in silence.</summary>
    /// <param name="resourceType">What is searched.</param>
    /// <param name="pairs">Names and values, decoded.</param>
    /// <param name="isLenient">Whether what is not understood is left out and named, rather than refused.</param>
    /// <param name="now">The time by which <c>ap</c> is reckoned.</param>
    /// <param name="definitions">The search parameters there are; R4's own when they are not given.</param>
    public static SearchOutcome Parse(
        string resourceType, IEnumerable<KeyValuePair<string, string>> pairs, bool isLenient = false, DateTimeOffset? now = null, FhirDefinitions? definitions = null)
    {
        var parser = new SearchParser(resourceType, definitions ?? FhirDefinitions.R4, isLenient, now);
        foreach (var (name, value) in pairs)
        {
            parser.Take(name, value);
        }
        return parser.Outcome();
    }
}

/// <summary>Reads a query pair by pair.</summary>
sealed class SearchParser(string resourceType, FhirDefinitions definitions, bool isLenient, DateTimeOffset? now)
{
    readonly IReadOnlyList<SearchParameterDefinition> _parameters = definitions.SearchParametersOf(resourceType);
    readonly CriterionParser _criteriaOf = new(definitions, now);
    readonly List<SearchCriterion> _criteria = [];
    readonly List<SortKey> _sort = [];
    readonly List<IncludeRule> _includes = [];
    readonly List<FhirIssue> _issues = [];
    readonly List<KeyValuePair<string, string>> _understood = [];
    IReadOnlyList<string> _elements = [];
    SummaryMode _summary;
    TotalMode _total;
    int? _count;

    public SearchOutcome Outcome()
    {
        if (_parameters.Count == 0)
        {
            return new SearchOutcome.Refused([new(IssueSeverity.Error, "not-supported", "", $"R4 has no resource type '{resourceType}'.")]);
        }
        return _issues.Count > 0 && !isLenient ? new SearchOutcome.Refused(_issues) : new SearchOutcome.Ok(new SearchQuery(resourceType, _criteria, _count)
        {
            Sort = _sort, Includes = _includes, Total = _total, Summary = _summary, Elements = _elements, Understood = _understood,
            Ignored = [.. _issues.Select(issue => issue with { Severity = IssueSeverity.Warning, Message = $"Left out: {issue.Message}" })],
        });
    }

    public void Take(string name, string value)
    {
        var before = _issues.Count;
        if (!TakeControl(name, value))
        {
            if (value.Length == 0)
            {
                Refuse("value", name, $"The parameter '{name}' needs a value.");
            }
            else if (_criteriaOf.Read(resourceType, name, value, out var issue) is { } criterion)
            {
                _criteria.Add(criterion);
            }
            else
            {
                _issues.Add(issue!);
            }
        }
        if (_issues.Count == before)
        {
            _understood.Add(new(name, value));
        }
    }

    /// <summary>Takes a parameter that shapes the answer rather than the matches; false when it is none.</summary>
    bool TakeControl(string name, string value)
    {
        switch (name)
        {
            case "_count":
                TakeCount(value);
                return true;
            case "_sort":
                TakeSort(value);
                return true;
            case "_total":
                _total = One(name, value, ("none", TotalMode.None), ("estimate", TotalMode.Estimate), ("accurate", TotalMode.Accurate));
                return true;
            case "_summary":
                _summary = One(name, value, ("false", SummaryMode.False), ("true", SummaryMode.True), ("text", SummaryMode.Text), ("data", SummaryMode.Data), ("count", SummaryMode.Count));
                return true;
            case "_elements":
                TakeElements(value);
                return true;
            case "_include" or "_include:iterate" or "_include:recurse" or "_revinclude" or "_revinclude:iterate" or "_revinclude:recurse":
                TakeInclude(name, value);
                return true;
            case "_contained" when value == "false":
            case "_format" or "_pretty":
                return true;
            default:
                return false;
        }
    }

    void TakeCount(string value)
    {
        if (int.TryParse(value, out var count) && count >= 0)
        {
            _count = count;
            return;
        }
        Refuse("value", "_count", $"'{value}' is not a number of results; expected 0 or more.");
    }

    void TakeSort(string value)
    {
        foreach (var field in value.Split(','))
        {
            var isDescending = field.StartsWith('-');
            var code = isDescending ? field[1..] : field;
            if (_parameters.FirstOrDefault(known => known.Code == code) is not { Type: not (SearchType.Composite or SearchType.Special) } parameter
                || (parameter.Expression.Length == 0 && code is not ("_id" or "_lastUpdated")))
            {
                Refuse("not-found", "_sort", $"{resourceType} cannot be sorted by '{code}'.{CriterionParser.Near(_parameters, code)}");
                return;
            }
            _sort.Add(new(parameter, isDescending));
        }
    }

    T One<T>(string name, string value, params ReadOnlySpan<(string Text, T Mode)> known)
    {
        foreach (var (text, mode) in known)
        {
            if (text == value)
            {
                return mode;
            }
        }
        List<string> texts = [];
        foreach (var (text, _) in known)
        {
            texts.Add(text);
        }
        Refuse("value", name, $"'{value}' is none of {string.Join(", ", texts)}.");
        return known[0].Mode;
    }

    void TakeElements(string value)
    {
        var type = definitions.Type(resourceType);
        var names = value.Split(',').Select(name => name.StartsWith(resourceType + ".", StringComparison.Ordinal) ? name[(resourceType.Length + 1)..] : name).ToList();
        if (names.FirstOrDefault(name => type?.Elements.Any(element => element.Name == name) != true) is { } unknown)
        {
            Refuse("not-found", "_elements", $"{resourceType} has no element '{unknown}'.");
            return;
        }
        _elements = names;
    }

    void TakeInclude(string name, string value)
    {
        var isReverse = name.StartsWith("_revinclude", StringComparison.Ordinal);
        var iterates = name.Contains(':', StringComparison.Ordinal);
        var parts = value.Split(':');
        if (value == "*" && !isReverse)
        {
            _includes.Add(new(false, resourceType, null, null, iterates));
            return;
        }
        if (parts.Length is not (2 or 3) || definitions.Type(parts[0]) is not { Kind: TypeKind.Resource, IsAbstract: false })
        {
            Refuse("value", name, $"'{value}' is not of the form Type:parameter or Type:parameter:Target{(isReverse ? "" : ", nor *")}.");
            return;
        }
        var known = definitions.SearchParametersOf(parts[0]);
        if (parts[1] != "*" && !known.Any(parameter => parameter.Code == parts[1] && parameter.Type == SearchType.Reference))
        {
            Refuse("not-found", name, $"{parts[0]} has no reference parameter '{parts[1]}'. It has: {string.Join(", ", known.Where(parameter => parameter.Type == SearchType.Reference).Select(parameter => parameter.Code).Distinct().Order(StringComparer.Ordinal))}.");
            return;
        }
        if (parts[1] == "*" && isReverse)
        {
            Refuse("not-supported", name, "Name the parameter by which the resources refer.");
            return;
        }
        _includes.Add(new(isReverse, parts[0], parts[1] == "*" ? null : parts[1], parts.Length == 3 ? parts[2] : null, iterates));
    }

    void Refuse(string code, string parameter, string message) => _issues.Add(new(IssueSeverity.Error, code, "", $"{parameter}: {message}"));
}
