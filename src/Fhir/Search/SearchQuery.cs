using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;

namespace Salus.Fhir.Search;

/// <summary>A search of one resource type (R4 section 3.1.1), understood as a whole or refused.</summary>
/// <param name="ResourceType">What is searched.</param>
/// <param name="Criteria">Conditions that all hold.</param>
/// <param name="Count">The page size asked for.</param>
public sealed record SearchQuery(string ResourceType, IReadOnlyList<SearchCriterion> Criteria, int? Count)
{
    /// <summary>Reads the decoded name and value pairs of a query; an unknown parameter is refused, never ignored.</summary>
    public static SearchOutcome Parse(string resourceType, IEnumerable<KeyValuePair<string, string>> pairs)
    {
        var parser = new SearchParser(resourceType, FhirDefinitions.R4);
        foreach (var (name, value) in pairs)
        {
            parser.Take(name, value);
        }
        return parser.Outcome();
    }
}

sealed class SearchParser(string resourceType, FhirDefinitions definitions)
{
    readonly IReadOnlyList<SearchParameterDefinition> _parameters = definitions.SearchParametersOf(resourceType);
    readonly List<SearchCriterion> _criteria = [];
    readonly List<FhirIssue> _issues = [];
    int? _count;

    public SearchOutcome Outcome()
    {
        if (_parameters.Count == 0)
        {
            return new SearchOutcome.Refused([new(IssueSeverity.Error, "not-supported", "", $"R4 has no resource type '{resourceType}'.")]);
        }
        return _issues.Count > 0 ? new SearchOutcome.Refused(_issues) : new SearchOutcome.Ok(new SearchQuery(resourceType, _criteria, _count));
    }

    public void Take(string name, string value)
    {
        if (name == "_count")
        {
            TakeCount(value);
            return;
        }
        var colon = name.IndexOf(':');
        var code = colon < 0 ? name : name[..colon];
        var modifier = colon < 0 ? null : name[(colon + 1)..];
        var parameter = _parameters.FirstOrDefault(known => known.Code == code);
        if (parameter is null)
        {
            Refuse("not-found", name, $"{resourceType} has no search parameter '{code}'.{Near(code)}");
            return;
        }
        if (value.Length == 0)
        {
            Refuse("value", name, $"The parameter '{name}' needs a value.");
            return;
        }
        if (Criterion(parameter, modifier, Split(value), name) is { } criterion)
        {
            _criteria.Add(criterion);
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

    SearchCriterion? Criterion(SearchParameterDefinition parameter, string? modifier, List<string> values, string name)
    {
        var isModified = modifier is not null
            && !(parameter.Type == SearchType.Text && modifier == "exact")
            && !(parameter.Type == SearchType.Reference && parameter.Targets.Contains(modifier));
        if (isModified)
        {
            Refuse("not-supported", name, $"The modifier ':{modifier}' is not supported for '{parameter.Code}'.");
            return null;
        }
        switch (parameter)
        {
            case { Code: "_id" }:
                return new SearchCriterion.Id([.. values.Select(Unescape)]);
            case { Code: "_lastUpdated" }:
                return Dates(values, name) is { } updates ? new SearchCriterion.LastUpdated(updates) : null;
            case { Type: SearchType.Token }:
                return new SearchCriterion.Token(parameter.Code, [.. values.Select(Token)]);
            case { Type: SearchType.Text }:
                var isExact = modifier == "exact";
                return new SearchCriterion.Text(parameter.Code, isExact, [.. values.Select(Unescape).Select(text => isExact ? text : NormalisedText.Of(text))]);
            case { Type: SearchType.Reference }:
                return new SearchCriterion.Reference(parameter.Code, [.. values.Select(text => Reference(parameter, modifier, Unescape(text)))]);
            case { Type: SearchType.Date }:
                return Dates(values, name) is { } dates ? new SearchCriterion.Date(parameter.Code, dates) : null;
            case { Type: SearchType.Uri }:
                return new SearchCriterion.Uri(parameter.Code, [.. values.Select(Unescape)]);
            default:
                Refuse("not-supported", name, $"Searching by '{parameter.Code}', of the type {parameter.Type.ToString().ToLowerInvariant()}, is not supported.");
                return null;
        }
    }

    static TokenValue Token(string text)
    {
        var bar = IndexOfBar(text);
        if (bar < 0)
        {
            return new(null, Unescape(text));
        }
        var code = Unescape(text[(bar + 1)..]);
        return new(Unescape(text[..bar]), code.Length == 0 ? null : code);
    }

    static ReferenceValue Reference(SearchParameterDefinition parameter, string? modifier, string text)
    {
        var literal = LiteralReference.Parse(text);
        if (literal.Type is not null)
        {
            return new(literal.Type, literal.Id, text);
        }
        var isId = Primitives.IsId(Encoding.UTF8.GetBytes(text));
        return new(modifier ?? (isId && parameter.Targets.Count == 1 ? parameter.Targets[0] : null), isId ? text : null, text);
    }

    List<DateValue>? Dates(List<string> values, string name)
    {
        var dates = new List<DateValue>();
        foreach (var value in values)
        {
            SearchPrefix? prefix = value.Length > 2 && char.IsAsciiLetterLower(value[0]) ? Prefix(value[..2]) : SearchPrefix.Eq;
            var text = value.Length > 2 && char.IsAsciiLetterLower(value[0]) ? value[2..] : value;
            // A '+' of a zone that was not percent-encoded arrives as a space
            if (prefix is null || !FhirTime.TryParse(Encoding.UTF8.GetBytes(text.Replace(' ', '+')), out var time))
            {
                Refuse("value", name, $"'{value}' is not a date to search by: expected YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ, after eq, ne, gt, lt, ge, le or nothing.");
                return null;
            }
            dates.Add(new(prefix.Value, time.Low, time.High));
        }
        return dates;
    }

    static SearchPrefix? Prefix(string text) => text switch
    {
        "eq" => SearchPrefix.Eq,
        "ne" => SearchPrefix.Ne,
        "gt" => SearchPrefix.Gt,
        "lt" => SearchPrefix.Lt,
        "ge" => SearchPrefix.Ge,
        "le" => SearchPrefix.Le,
        _ => null,
    };

    string Near(string code)
    {
        var near = _parameters.Select(parameter => parameter.Code).Distinct()
            .Where(known => NearNames.Distance(code, known) <= Math.Max(2, code.Length / 3) || (code.Length > 2 && known.StartsWith(code, StringComparison.OrdinalIgnoreCase)))
            .OrderBy(known => NearNames.Distance(code, known)).Take(3).ToList();
        return near.Count > 0
            ? $" Near it: {string.Join(", ", near)}."
            : $" It has: {string.Join(", ", _parameters.Select(parameter => parameter.Code).Distinct().Order(StringComparer.Ordinal))}.";
    }

    void Refuse(string code, string parameter, string message) =>
        _issues.Add(new(IssueSeverity.Error, code, "", $"{parameter}: {message}"));

    /// <summary>Splits at commas that no backslash stands before.</summary>
    static List<string> Split(string value)
    {
        var parts = new List<string>();
        var start = 0;
        for (var at = 0; at < value.Length; at++)
        {
            if (value[at] == '\\')
            {
                at++;
            }
            else if (value[at] == ',')
            {
                parts.Add(value[start..at]);
                start = at + 1;
            }
        }
        parts.Add(value[Math.Min(start, value.Length)..]);
        return parts;
    }

    static int IndexOfBar(string text)
    {
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '\\')
            {
                at++;
            }
            else if (text[at] == '|')
            {
                return at;
            }
        }
        return -1;
    }

    static string Unescape(string text)
    {
        if (!text.Contains('\\'))
        {
            return text;
        }
        var plain = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length && (text[at + 1] is '\\' or ',' or '$' or '|'))
            {
                at++;
            }
            plain.Append(text[at]);
        }
        return plain.ToString();
    }
}
