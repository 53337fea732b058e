using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Terminology;

/// <summary>A code with its system and display.</summary>
/// <param name="System">The code system's URL; empty when none is stated.</param>
/// <param name="Code">The code.</param>
/// <param name="Display">What it is called, if stated.</param>
public sealed record ExpandedCode(string System, string Code, string? Display);

/// <summary>Whether a code is in a value set.</summary>
public enum Membership
{
    /// <summary>It is.</summary>
    In,

    /// <summary>It is not.</summary>
    Out,

    /// <summary>It cannot be told here: a code system or value set is not known, or not wholly.</summary>
    Unknown,
}

/// <summary>What a value set is made of.</summary>
sealed class ValueSetContent
{
    readonly List<ValueSetPart> _include = [];
    readonly List<ValueSetPart> _exclude = [];

    ValueSetContent(Resource source)
    {
        Url = source["url"].Text ?? "";
        Version = source["version"].Text;
        Name = source["name"].Text;
        var contains = source["expansion"]["contains"];
        if (source["compose"].IsMissing && !contains.IsMissing)
        {
            TakeExpansion(contains);
            return;
        }
        foreach (var part in source["compose"]["include"u8].Items)
        {
            _include.Add(ValueSetPart.From(part));
        }
        foreach (var part in source["compose"]["exclude"u8].Items)
        {
            _exclude.Add(ValueSetPart.From(part));
        }
    }

    public string Url { get; }

    public string? Version { get; }

    public string? Name { get; }

    public IReadOnlyList<ValueSetPart> Include => _include;

    public IReadOnlyList<ValueSetPart> Exclude => _exclude;

    public static ValueSetContent From(Resource source) => new(source);

    void TakeExpansion(Element contains)
    {
        var bySystem = new Dictionary<string, List<ExpandedCode>>(StringComparer.Ordinal);
        Take(contains, bySystem);
        _include.AddRange(bySystem.Select(system => new ValueSetPart(system.Key, system.Value, [], [])));
    }

    static void Take(Element list, Dictionary<string, List<ExpandedCode>> bySystem)
    {
        foreach (var item in list.Items)
        {
            if (item["code"u8].Text is { } code && item["abstract"u8].Kind != ElementKind.True)
            {
                var system = item["system"u8].Text ?? "";
                if (!bySystem.TryGetValue(system, out var codes))
                {
                    bySystem[system] = codes = [];
                }
                codes.Add(new(system, code, item["display"u8].Text));
            }
            Take(item["contains"u8], bySystem);
        }
    }
}

/// <summary>A filter on a code system's concepts.</summary>
sealed record ConceptFilter(string Property, string Operator, string Value);

/// <summary>One include or exclude: codes of one system, or those common to value sets, or both.</summary>
sealed class ValueSetPart
{
    readonly HashSet<string>? _codes;

    public ValueSetPart(string? system, List<ExpandedCode>? codes, List<ConceptFilter> filters, List<string> valueSets)
    {
        System = system;
        Codes = codes;
        Filters = filters;
        ValueSets = valueSets;
        _codes = codes?.Select(code => code.Code).ToHashSet(StringComparer.Ordinal);
    }

    public string? System { get; }

    /// <summary>The codes listed; null when none are, which means all that pass the filters.</summary>
    public List<ExpandedCode>? Codes { get; }

    public List<ConceptFilter> Filters { get; }

    public List<string> ValueSets { get; }

    public bool Lists(string code) => _codes!.Contains(code);

    public static ValueSetPart From(Element source)
    {
        var system = source["system"u8].Text;
        List<ExpandedCode>? codes = null;
        foreach (var concept in source["concept"u8].Items)
        {
            (codes ??= []).Add(new(system ?? "", concept["code"u8].Text ?? "", concept["display"u8].Text));
        }
        var filters = new List<ConceptFilter>();
        foreach (var filter in source["filter"u8].Items)
        {
            filters.Add(new(filter["property"u8].Text ?? "", filter["op"u8].Text ?? "", filter["value"u8].Text ?? ""));
        }
        var sets = new List<string>();
        foreach (var set in source["valueSet"u8].Items)
        {
            sets.Add(FhirDefinitions.WithoutVersion(set.Text ?? ""));
        }
        return new(system, codes, filters, sets);
    }
}
