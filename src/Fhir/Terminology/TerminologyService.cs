using System.Collections.Concurrent;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Terminology;

/// <summary>What expanding a value set led to.</summary>
public abstract record ExpansionOutcome
{
    ExpansionOutcome() { }

    /// <summary>Every code in it.</summary>
    public sealed record Ok(string Url, string? Version, IReadOnlyList<ExpandedCode> Codes) : ExpansionOutcome;

    /// <summary>It has more codes than were asked for at most.</summary>
    public sealed record TooMany(int CodesMax) : ExpansionOutcome;

    /// <summary>It cannot be expanded here, and why.</summary>
    public sealed record Impossible(string Reason) : ExpansionOutcome;
}

/// <summary>Code systems and value sets that are known here, without any server.</summary>
public sealed class TerminologyService
{
    const int DepthMax = 16;

    readonly CanonicalStore _sources;
    readonly ConcurrentDictionary<string, CodeSystemDefinition?> _systems = new(StringComparer.Ordinal);
    readonly ConcurrentDictionary<string, ValueSetContent?> _sets = new(StringComparer.Ordinal);

    internal TerminologyService(CanonicalStore sources) => _sources = sources;

    /// <summary>The code system of a URL, or null when it is not known.</summary>
    public CodeSystemDefinition? CodeSystem(string url) =>
        FhirDefinitions.WithoutVersion(url) is var known && _sources.Has(known, "CodeSystem")
            ? _systems.GetOrAdd(known, key => _sources.Find(key, "CodeSystem") is { } source ? CodeSystemDefinition.From(source) : null)
            : null;

    /// <summary>Whether a value set of that canonical URL is known.</summary>
    public bool HasValueSet(string canonical) => _sources.Has(FhirDefinitions.WithoutVersion(canonical), "ValueSet");

    /// <summary>Whether a value set or a code system of that canonical URL is known.</summary>
    public bool Knows(string canonical) => FhirDefinitions.WithoutVersion(canonical) is var url && (_sources.Has(url, "ValueSet") || _sources.Has(url, "CodeSystem"));

    /// <summary>The canonical URLs of the code systems and value sets of which a value set is made.</summary>
    public static IReadOnlyList<string> PartsOf(Resource valueSet)
    {
        var content = ValueSetContent.From(valueSet);
        return [.. content.Include.Concat(content.Exclude).SelectMany(part => part.ValueSets.Append(part.System ?? "")).Where(url => url.Length > 0).Distinct()];
    }

    /// <summary>Whether a URL names a value set and no code system, which a coding's system must not.</summary>
    public bool IsOnlyValueSet(string url) => HasValueSet(url) && !_sources.Has(url, "CodeSystem");

    /// <summary>These with more value sets and code systems, which go before those of the same URL.</summary>
    public TerminologyService With(IEnumerable<Resource> resources) => new(_sources.With(resources));

    ValueSetContent? Set(string canonical) =>
        HasValueSet(canonical)
            ? _sets.GetOrAdd(FhirDefinitions.WithoutVersion(canonical), url => _sources.Find(url, "ValueSet") is { } source ? ValueSetContent.From(source) : null)
            : null;

    /// <summary>Whether a code is in a value set; a null system stands for whichever systems the set has.</summary>
    public Membership Contains(string valueSet, string? system, string code) => Contains(valueSet, system, code, 0);

    /// <summary>The same for a value set that is not stored here, such as a contained one.</summary>
    public Membership Contains(Resource valueSet, string? system, string code) => Contains(ValueSetContent.From(valueSet), system, code, 0);

    Membership Contains(string valueSet, string? system, string code, int depth) =>
        depth < DepthMax && Set(valueSet) is { } set ? Contains(set, system, code, depth) : Membership.Unknown;

    Membership Contains(ValueSetContent set, string? system, string code, int depth)
    {
        var included = Any(set.Include, system, code, depth);
        if (included != Membership.In || set.Exclude.Count == 0)
        {
            return set.Include.Count == 0 ? Membership.Unknown : included;
        }
        return Any(set.Exclude, system, code, depth) switch
        {
            Membership.In => Membership.Out,
            Membership.Out => Membership.In,
            _ => Membership.Unknown,
        };
    }

    Membership Any(IReadOnlyList<ValueSetPart> parts, string? system, string code, int depth)
    {
        var answer = Membership.Out;
        foreach (var part in parts)
        {
            var one = In(part, system, code, depth);
            if (one == Membership.In)
            {
                return one;
            }
            answer = one == Membership.Unknown ? one : answer;
        }
        return answer;
    }

    Membership In(ValueSetPart part, string? system, string code, int depth)
    {
        if (part.System is not null && system is not null && !SameSystem(part.System, system))
        {
            return Membership.Out;
        }
        var answer = part.System is null ? Membership.In : InSystem(part, code);
        foreach (var set in part.ValueSets)
        {
            if (answer == Membership.Out)
            {
                break;
            }
            var other = Contains(set, system ?? part.System, code, depth + 1);
            answer = other == Membership.Out ? other : answer == Membership.Unknown || other == Membership.Unknown ? Membership.Unknown : Membership.In;
        }
        return part.System is null && part.ValueSets.Count == 0 ? Membership.Unknown : answer;
    }

    static bool SameSystem(string one, string other) => one == other || FhirDefinitions.WithoutVersion(one) == other;

    Membership InSystem(ValueSetPart part, string code)
    {
        if (part.Codes is not null)
        {
            return part.Lists(code) ? Membership.In : Membership.Out;
        }
        if (CodeSystem(part.System!) is not { IsComplete: true } known)
        {
            return Membership.Unknown;
        }
        if (known.Find(code) is null)
        {
            return Membership.Out;
        }
        var answer = Membership.In;
        foreach (var filter in part.Filters)
        {
            var one = Passes(known, filter, code);
            if (one == Membership.Out)
            {
                return one;
            }
            answer = one == Membership.Unknown ? one : answer;
        }
        return answer;
    }

    static Membership Passes(CodeSystemDefinition system, ConceptFilter filter, string code)
    {
        if (filter.Property is not ("concept" or "code"))
        {
            return Membership.Unknown;
        }
        bool? passes = filter.Operator switch
        {
            "is-a" => system.IsA(code, filter.Value),
            "descendent-of" => code != filter.Value && system.IsA(code, filter.Value),
            "is-not-a" => !system.IsA(code, filter.Value),
            "=" => code == filter.Value,
            "in" => filter.Value.Split(',').Contains(code, StringComparer.Ordinal),
            "not-in" => !filter.Value.Split(',').Contains(code, StringComparer.Ordinal),
            _ => null,
        };
        return passes switch { null => Membership.Unknown, true => Membership.In, false => Membership.Out };
    }

    /// <summary>Every code of a value set.</summary>
    public ExpansionOutcome Expand(string canonical, int codesMax = 10_000)
    {
        if (Set(canonical) is not { } set)
        {
            return new ExpansionOutcome.Impossible($"The value set {canonical} is not known here.");
        }
        return Expand(set, codesMax);
    }

    /// <summary>Every code of a value set that is not stored here.</summary>
    public ExpansionOutcome Expand(Resource valueSet, int codesMax = 10_000) => Expand(ValueSetContent.From(valueSet), codesMax);

    ExpansionOutcome Expand(ValueSetContent set, int codesMax)
    {
        var codes = new Dictionary<(string System, string Code), ExpandedCode>();
        if (Impediment(set, codes, 0) is { } reason)
        {
            return new ExpansionOutcome.Impossible(reason);
        }
        return codes.Count > codesMax ? new ExpansionOutcome.TooMany(codesMax) : new ExpansionOutcome.Ok(set.Url, set.Version, [.. codes.Values]);
    }

    string? Impediment(ValueSetContent set, Dictionary<(string System, string Code), ExpandedCode> codes, int depth)
    {
        foreach (var part in set.Include)
        {
            if (Impediment(part, codes, depth) is { } reason)
            {
                return reason;
            }
        }
        foreach (var code in codes.Values.Where(code => set.Exclude.Count > 0 && Any(set.Exclude, code.System, code.Code, depth) == Membership.In).ToList())
        {
            codes.Remove((code.System, code.Code));
        }
        return set.Include.Count == 0 ? $"The value set {set.Url} does not say what is in it." : null;
    }

    string? Impediment(ValueSetPart part, Dictionary<(string System, string Code), ExpandedCode> codes, int depth)
    {
        var found = new Dictionary<(string System, string Code), ExpandedCode>();
        if (part.Codes is { } listed)
        {
            foreach (var code in listed)
            {
                found.TryAdd((code.System, code.Code), code.Display is null ? code with { Display = CodeSystem(code.System)?.Find(code.Code)?.Display } : code);
            }
        }
        else if (part.System is { } url)
        {
            if (CodeSystem(url) is not { IsComplete: true } system)
            {
                return $"The concepts of the code system {url} are not all known here.";
            }
            foreach (var concept in system.Concepts)
            {
                var member = InSystem(part, concept.Code);
                if (member == Membership.Unknown)
                {
                    return $"A filter on the code system {url} is not understood here.";
                }
                if (member == Membership.In)
                {
                    found.TryAdd((url, concept.Code), new(url, concept.Code, concept.Display));
                }
            }
        }
        else if (part.ValueSets.Count > 0)
        {
            if (depth >= DepthMax || Set(part.ValueSets[0]) is not { } first)
            {
                return $"The value set {part.ValueSets[0]} is not known here.";
            }
            if (Impediment(first, found, depth + 1) is { } reason)
            {
                return reason;
            }
        }
        foreach (var code in found.Values)
        {
            if (part.ValueSets.TrueForAll(other => Contains(other, code.System, code.Code, depth + 1) == Membership.In))
            {
                codes.TryAdd((code.System, code.Code), code);
            }
        }
        return null;
    }
}
