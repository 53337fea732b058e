using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;

namespace Salus.Fhir.Search;

/// <summary>Reads one parameter of a search into a condition: modifiers, chains and <c>_has</c> included.</summary>
sealed class CriterionParser(FhirDefinitions definitions, DateTimeOffset? now)
{
    const int ChainMax = 5;
    const int ValuesMax = 500;
    const int TextsMax = 16;

    /// <summary>Parameters of the specification that are none of a resource, and what to do instead.</summary>
    static readonly Dictionary<string, string> Unserved = new()
    {
        ["_query"] = "There are no named queries here. Search by the parameters of the type.",
        ["_filter"] = "Filter expressions are not taken. Write each condition as a parameter of its own: several all hold, values with commas between them are alternatives.",
        ["_contained"] = "Contained resources are not found by themselves. Search for what contains them.",
        ["_containedType"] = "Contained resources are not found by themselves. Search for what contains them.",
    };

    readonly ValueParser _values = new(now);

    /// <summary>The condition; null with the reason why it is refused.</summary>
    public SearchCriterion? Read(string type, string name, string value, out FhirIssue? issue) => Read(type, name, value, name, 0, out issue);

    SearchCriterion? Read(string type, string name, string value, string shown, int depth, out FhirIssue? issue)
    {
        if (depth > ChainMax)
        {
            issue = Refusal("too-costly", shown, $"A chain has at most {ChainMax} steps.");
            return null;
        }
        if (name.StartsWith("_has:", StringComparison.Ordinal))
        {
            return Has(name, value, shown, depth, out issue);
        }
        if (name == "_list")
        {
            return InList(value, shown, out issue);
        }
        var dot = name.IndexOf('.');
        var own = dot < 0 ? name : name[..dot];
        var colon = own.IndexOf(':');
        var code = colon < 0 ? own : own[..colon];
        var modifier = colon < 0 ? null : own[(colon + 1)..];
        if (Unserved.TryGetValue(code, out var mend))
        {
            issue = Refusal("not-supported", shown, mend);
            return null;
        }
        var known = definitions.SearchParametersOf(type);
        if (known.FirstOrDefault(parameter => parameter.Code == code) is not { } parameter)
        {
            issue = Refusal("not-found", shown, $"{type} has no search parameter '{code}'.{Near(known, code)}");
            return null;
        }
        return dot < 0
            ? Plain(parameter, modifier, value, shown, out issue)
            : Chain(type, parameter, modifier, name[(dot + 1)..], value, shown, depth, out issue);
    }

    static SearchCriterion.InList? InList(string value, string shown, out FhirIssue? issue)
    {
        issue = value.StartsWith('$') ? Refusal("not-supported", shown, $"The list {value} is not kept here; name a List by its id.")
            : Primitives.IsId(Encoding.UTF8.GetBytes(value)) ? null
            : Refusal("value", shown, $"'{value}' is not the id of a List.");
        return issue is null ? new SearchCriterion.InList(value) : null;
    }

    SearchCriterion.Has? Has(string name, string value, string shown, int depth, out FhirIssue? issue)
    {
        var parts = name.Split(':', 4);
        if (parts.Length < 4 || definitions.Type(parts[1]) is not { Kind: TypeKind.Resource, IsAbstract: false }
            || !definitions.SearchParametersOf(parts[1]).Any(parameter => parameter.Code == parts[2] && parameter.Type == SearchType.Reference))
        {
            issue = Refusal("value", shown, "_has is of the form _has:Type:reference:parameter, such as _has:Observation:patient:code.");
            return null;
        }
        return Read(parts[1], parts[3], value, shown, depth + 1, out issue) is { } inner ? new SearchCriterion.Has(parts[1], parts[2], inner) : null;
    }

    SearchCriterion.Chain? Chain(
        string type, SearchParameterDefinition parameter, string? modifier, string rest, string value, string shown, int depth, out FhirIssue? issue)
    {
        if (parameter.Type != SearchType.Reference)
        {
            issue = Refusal("value", shown, $"'{parameter.Code}' of {type} is no reference: nothing follows it.");
            return null;
        }
        if (modifier is not null && definitions.Type(modifier) is not { Kind: TypeKind.Resource })
        {
            issue = Refusal("value", shown, $"'{modifier}' is not a resource type.");
            return null;
        }
        issue = null;
        List<(string, SearchCriterion)> targets = [];
        foreach (var target in modifier is not null ? [modifier] : parameter.Targets.Count > 0 ? parameter.Targets : definitions.ResourceTypes)
        {
            if (Read(target, rest, value, shown, depth + 1, out var refused) is { } inner)
            {
                targets.Add((target, inner));
            }
            else
            {
                issue ??= refused;
            }
        }
        if (targets.Count == 0)
        {
            issue ??= Refusal("value", shown, $"'{parameter.Code}' of {type} leads to nothing that can be searched.");
            return null;
        }
        issue = null;
        return new SearchCriterion.Chain(parameter.Code, targets);
    }

    SearchCriterion? Plain(SearchParameterDefinition parameter, string? modifier, string value, string shown, out FhirIssue? issue)
    {
        if (parameter.Code is "_text" or "_content")
        {
            return WholeText(parameter.Code, modifier, value, shown, out issue);
        }
        issue = null;
        // Spelling alike is not sounding alike
        if ((parameter.Type == SearchType.Special && parameter.Code != "near") || parameter.Code == "phonetic" || (parameter.Expression.Length == 0 && parameter.Code is not ("_id" or "_lastUpdated")))
        {
            issue = Refusal("not-supported", shown, $"Searching by '{parameter.Code}' is not supported.");
            return null;
        }
        if (modifier == "missing")
        {
            if (value is not ("true" or "false") || parameter.Code is "_id" or "_lastUpdated" || parameter.Type is SearchType.Composite or SearchType.Special)
            {
                issue = Refusal("value", shown, "':missing' is true or false, of a parameter that may be missing.");
                return null;
            }
            return new SearchCriterion.Missing(parameter.Code, value == "true");
        }
        var values = ValueParser.Split(value, ',');
        if (values.Count > ValuesMax)
        {
            issue = Refusal("too-costly", shown, $"At most {ValuesMax} alternatives are taken; this has {values.Count}.");
            return null;
        }
        return parameter.Type == SearchType.Composite ? Composite(parameter, modifier, values, shown, out issue) : Simple(parameter, modifier, values, shown, out issue);
    }

    static SearchCriterion.WholeText? WholeText(string code, string? modifier, string value, string shown, out FhirIssue? issue)
    {
        List<TextQuery> queries = [];
        string? wrong = null;
        var written = ValueParser.Split(value, ',').ConvertAll(ValueParser.Unescape);
        switch (modifier)
        {
            case null:
                foreach (var text in written)
                {
                    if (wrong is null && TextQueryReader.Read(text, out wrong) is { } query)
                    {
                        queries.Add(query);
                    }
                }
                break;
            case "contains":
                queries.AddRange(written.Select(NormalisedText.Of).Where(text => text.Length > 0).Select(text => new TextQuery.Contains(text)));
                wrong = queries.Count == 0 ? "There is nothing to search for." : null;
                break;
            case "missing" when value is "true" or "false":
                issue = null;
                return new SearchCriterion.WholeText(code, []) { IsMissing = value == "true" };
            case "missing":
                wrong = "':missing' is true or false.";
                break;
            default:
                issue = Refusal("not-supported", shown, $"The modifier ':{modifier}' is not supported for '{code}'. Write NOT before what must not stand, and \"\" around words that follow each other.");
                return null;
        }
        if (queries.Count > TextsMax)
        {
            issue = Refusal("too-costly", shown, $"At most {TextsMax} alternatives are taken; this has {queries.Count}.");
            return null;
        }
        issue = wrong is null ? null : Refusal("value", shown, wrong);
        return wrong is null ? new SearchCriterion.WholeText(code, queries) : null;
    }

    SearchCriterion? Simple(SearchParameterDefinition parameter, string? modifier, List<string> values, string shown, out FhirIssue? issue)
    {
        issue = null;
        var code = parameter.Code;
        string? wrong = null;
        SearchCriterion? criterion = (parameter.Type, modifier) switch
        {
            _ when code == "_id" && modifier is null => new SearchCriterion.Id([.. values.Select(ValueParser.Unescape)]),
            _ when code == "_lastUpdated" && modifier is null => _values.Dates(values, out wrong) is { } updates ? new SearchCriterion.LastUpdated(updates) : null,
            (SearchType.Token, null) => new SearchCriterion.Token(code, [.. values.Select(ValueParser.Token)]),
            (SearchType.Token, "not") => new SearchCriterion.Not(new SearchCriterion.Token(code, [.. values.Select(ValueParser.Token)])),
            (SearchType.Token, "text") => new SearchCriterion.TokenText(code, [.. values.Select(ValueParser.Unescape).Select(NormalisedText.Of)]),
            (SearchType.Token, "in") when values.Count == 1 => new SearchCriterion.InValueSet(code, ValueParser.Unescape(values[0])),
            (SearchType.Token, "not-in") when values.Count == 1 => new SearchCriterion.Not(new SearchCriterion.InValueSet(code, ValueParser.Unescape(values[0]))),
            (SearchType.Token, "above" or "below") => Hierarchy(code, modifier == "above", values, out wrong),
            (SearchType.Special, null) => ValueParser.Places(values, out wrong) is { } places ? new SearchCriterion.Near(code, places) : null,
            (SearchType.Token, "of-type") => ValueParser.TypedIdentifiers(values, out wrong) is { } typed ? new SearchCriterion.TypedIdentifier(code, typed) : null,
            (SearchType.Text, null or "exact") => Text(code, modifier is not null, values),
            (SearchType.Text, "contains") => new SearchCriterion.TextContains(code, [.. values.Select(ValueParser.Unescape).Select(NormalisedText.Of)]),
            (SearchType.Reference, "identifier") => new SearchCriterion.ReferenceIdentifier(code, [.. values.Select(ValueParser.Token)]),
            (SearchType.Reference, _) when modifier is null || IsTarget(parameter, modifier) =>
                new SearchCriterion.Reference(code, [.. values.Select(text => Reference(parameter, modifier, ValueParser.Unescape(text)))]),
            (SearchType.Date, null) => _values.Dates(values, out wrong) is { } dates ? new SearchCriterion.Date(code, dates) : null,
            (SearchType.Number, null) => ValueParser.Numbers(values, out wrong) is { } numbers ? new SearchCriterion.Number(code, numbers) : null,
            (SearchType.Quantity, null) => ValueParser.Quantities(values, out wrong) is { } quantities ? new SearchCriterion.Quantity(code, quantities) : null,
            (SearchType.Uri, null) => new SearchCriterion.Uri(code, [.. values.Select(ValueParser.Unescape)]),
            (SearchType.Uri, "below" or "above") => new SearchCriterion.Uri(code, [.. values.Select(ValueParser.Unescape)]) { Match = modifier == "below" ? UriMatch.Below : UriMatch.Above },
            _ => null,
        };
        if (criterion is null)
        {
            issue = wrong is not null ? Refusal("value", shown, wrong) : Refusal("not-supported", shown, $"The modifier ':{modifier}' is not supported for '{code}'.");
        }
        return criterion;
    }

    static SearchCriterion.TokenHierarchy? Hierarchy(string code, bool isAbove, List<string> values, out string? wrong)
    {
        List<TokenValue> tokens = [.. values.Select(ValueParser.Token)];
        wrong = tokens.Exists(token => token is not { System.Length: > 0, Code.Length: > 0 }) ? "What is above or below a code its system says: name both, as system|code." : null;
        return wrong is null ? new(code, isAbove, tokens) : null;
    }

    static SearchCriterion.Text Text(string code, bool isExact, List<string> values) =>
        new(code, isExact, [.. values.Select(ValueParser.Unescape).Select(text => isExact ? text : NormalisedText.Of(text))]);

    bool IsTarget(SearchParameterDefinition parameter, string modifier) =>
        parameter.Targets.Contains(modifier) || (parameter.Targets.Count == 0 && definitions.Type(modifier) is { Kind: TypeKind.Resource });

    SearchCriterion.Composite? Composite(SearchParameterDefinition parameter, string? modifier, List<string> values, string shown, out FhirIssue? issue)
    {
        issue = modifier is null ? null : Refusal("not-supported", shown, $"The modifier ':{modifier}' is not supported for '{parameter.Code}'.");
        var parts = parameter.Components.Select(part => definitions.SearchParameters.FirstOrDefault(known => known.Url == part.Definition)).ToList();
        List<IReadOnlyList<SearchCriterion>> alternatives = [];
        foreach (var value in values)
        {
            var written = ValueParser.Split(value, '$');
            if (written.Count != parts.Count || parts.Contains(null))
            {
                issue ??= Refusal("value", shown, $"'{parameter.Code}' is of {parts.Count} values with a $ between them: {string.Join("$", parts.Select(part => part?.Code))}.");
                return null;
            }
            List<SearchCriterion> all = [];
            for (var i = 0; i < parts.Count && issue is null; i++)
            {
                if (Simple(parts[i]!, null, [written[i]], shown, out issue) is { } part)
                {
                    all.Add(part);
                }
            }
            alternatives.Add(all);
        }
        return issue is null
            ? new SearchCriterion.Composite(parameter.Code, alternatives) { IsOfResource = definitions.Type(parameter.Expression) is { Kind: TypeKind.Resource } }
            : null;
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

    /// <summary>What the unknown name may have meant, or what there is.</summary>
    public static string Near(IReadOnlyList<SearchParameterDefinition> known, string code)
    {
        var codes = known.Select(parameter => parameter.Code).Distinct().ToList();
        var near = codes
            .Where(other => NearNames.Distance(code, other) <= Math.Max(2, code.Length / 3) || (code.Length > 2 && other.StartsWith(code, StringComparison.OrdinalIgnoreCase)))
            .OrderBy(other => NearNames.Distance(code, other)).Take(3).ToList();
        return near.Count > 0 ? $" Near it: {string.Join(", ", near)}." : $" It has: {string.Join(", ", codes.Order(StringComparer.Ordinal))}.";
    }

    static FhirIssue Refusal(string code, string parameter, string message) => new(IssueSeverity.Error, code, "", $"{parameter}: {message}");
}
