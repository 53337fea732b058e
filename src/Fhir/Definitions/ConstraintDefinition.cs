using Salus.Fhir.Elements;
using Salus.Fhir.FhirPath;

namespace Salus.Fhir.Definitions;

/// <summary>An invariant: a rule in FHIRPath that every value of a type or element keeps.</summary>
public sealed class ConstraintDefinition
{
    FhirPathExpression? _compiled;

    internal ConstraintDefinition(string key, bool isWarning, string human, string expression)
    {
        Key = key;
        IsWarning = isWarning;
        Human = human;
        Expression = expression;
    }

    /// <summary>Its key, such as <c>obs-6</c>.</summary>
    public string Key { get; }

    /// <summary>Whether breaking it is a matter of good practice only.</summary>
    public bool IsWarning { get; }

    /// <summary>What it asks, in words.</summary>
    public string Human { get; }

    /// <summary>The FHIRPath that must be true.</summary>
    public string Expression { get; }

    /// <summary>The expression, compiled on first use.</summary>
    /// <exception cref="FhirPathException">It is no FHIRPath.</exception>
    internal FhirPathExpression Compiled => _compiled ??= FhirPathExpression.Compile(Expression);

    /// <summary>How the validator holds the rule, found on first use.</summary>
    internal object? Shortcut { get; set; }
}

/// <summary>A rule on which codes an element may have.</summary>
/// <param name="ValueSet">The canonical URL of the value set, without a version.</param>
/// <param name="IsRequired">Whether every code must be from it; otherwise only those that have a counterpart there.</param>
public sealed record BindingDefinition(string ValueSet, bool IsRequired);

/// <summary>A type that a profile lets an element have.</summary>
/// <param name="Code">The type's name.</param>
/// <param name="Profiles">Profiles of that type, one of which the value must conform to; empty for any.</param>
/// <param name="TargetProfiles">For a reference: profiles, one of which the target must conform to; empty for any.</param>
public sealed record ProfileType(string Code, IReadOnlyList<string> Profiles, IReadOnlyList<string> TargetProfiles);

/// <summary>How the items of a list are told apart.</summary>
/// <param name="Discriminators">What is looked at; empty where the slices merely group.</param>
/// <param name="IsOrdered">Whether the slices come in their order.</param>
/// <param name="Rules">Whether items of no slice may be there.</param>
public sealed record SlicingDefinition(IReadOnlyList<Discriminator> Discriminators, bool IsOrdered, SlicingRules Rules);

/// <summary>One thing that tells slices apart.</summary>
/// <param name="Kind"><c>value</c>, <c>pattern</c>, <c>exists</c>, <c>type</c> or <c>profile</c>.</param>
/// <param name="Path">Where it is, as restricted FHIRPath.</param>
public sealed record Discriminator(string Kind, string Path);

/// <summary>Whether items of no slice may be there.</summary>
public enum SlicingRules
{
    /// <summary>Anywhere.</summary>
    Open,

    /// <summary>Nowhere.</summary>
    Closed,

    /// <summary>Behind the slices.</summary>
    OpenAtEnd,
}

/// <summary>A profile: what a type's values must keep beyond the type's own rules.</summary>
/// <param name="Url">Its canonical URL.</param>
/// <param name="Version">Its business version, if it has one.</param>
/// <param name="Type">The type it constrains.</param>
/// <param name="BaseUrl">The canonical URL of what it derives from.</param>
/// <param name="Contexts">For an extension: where it may stand.</param>
/// <param name="Root">Its rules.</param>
public sealed record ProfileDefinition(
    string Url,
    string? Version,
    string Type,
    string? BaseUrl,
    IReadOnlyList<ExtensionContext> Contexts,
    ProfileElement Root)
{
    /// <summary>Whether it defines an extension.</summary>
    public bool IsExtension => Type == "Extension";

    /// <summary>Whether it is an extension that changes the meaning of what it stands in.</summary>
    public bool IsModifier { get; internal init; }
}

/// <summary>Where an extension may stand.</summary>
/// <param name="Kind"><c>element</c>, <c>extension</c> or <c>fhirpath</c>.</param>
/// <param name="Expression">The path, URL or FHIRPath.</param>
public sealed record ExtensionContext(string Kind, string Expression);

/// <summary>What a profile says about one element, its children and its slices.</summary>
public sealed class ProfileElement
{
    /// <summary>The id in the snapshot.</summary>
    public required string Id { get; init; }

    /// <summary>The name, without <c>[x]</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The slice's name, if it is one.</summary>
    public string? Slice { get; init; }

    /// <summary>How often it must appear.</summary>
    public int Min { get; init; }

    /// <summary>How often it may appear; <see cref="int.MaxValue"/> for without bound.</summary>
    public int Max { get; init; } = int.MaxValue;

    /// <summary>The types it may have.</summary>
    public IReadOnlyList<ProfileType> Types { get; internal set; } = [];

    /// <summary>The exact value, or a missing element.</summary>
    public Element Fixed { get; init; }

    /// <summary>The least that the value must hold, or a missing element.</summary>
    public Element Pattern { get; init; }

    /// <summary>The least value, or a missing element.</summary>
    public Element MinValue { get; init; }

    /// <summary>The greatest value, or a missing element.</summary>
    public Element MaxValue { get; init; }

    /// <summary>The most characters; 0 for no limit.</summary>
    public int LengthMax { get; init; }

    /// <summary>Which codes it may have, where the profile says more than the type.</summary>
    public BindingDefinition? Binding { get; internal set; }

    /// <summary>Its invariants beyond the type's.</summary>
    public IReadOnlyList<ConstraintDefinition> Constraints { get; internal set; } = [];

    /// <summary>How its items are sliced, if they are.</summary>
    public SlicingDefinition? Slicing { get; init; }

    /// <summary>The slices, in their order.</summary>
    public IReadOnlyList<ProfileElement> Slices => SliceList;

    /// <summary>The elements inside that the profile says something about.</summary>
    public IReadOnlyList<ProfileElement> Children => ChildList;

    internal List<ProfileElement> SliceList { get; } = [];

    internal List<ProfileElement> ChildList { get; } = [];

    /// <summary>Whether the profile narrows the types that the base allows.</summary>
    internal bool NarrowsTypes { get; set; } = true;
}
