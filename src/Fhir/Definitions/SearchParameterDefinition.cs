namespace Salus.Fhir.Definitions;

/// <summary>The type of a search parameter (R4 section 3.1.1.4).</summary>
public enum SearchType
{
    /// <summary>A code, identifier or flag.</summary>
    Token,

    /// <summary>Text, matched from its start.</summary>
    Text,

    /// <summary>A reference to a resource.</summary>
    Reference,

    /// <summary>A date or period.</summary>
    Date,

    /// <summary>A number with a unit.</summary>
    Quantity,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A URI, matched exactly.</summary>
    Uri,

    /// <summary>Several parameters together.</summary>
    Composite,

    /// <summary>One with rules of its own.</summary>
    Special,
}

/// <summary>A search parameter.</summary>
/// <param name="Code">Its name in a query.</param>
/// <param name="Url">Its canonical URL.</param>
/// <param name="Bases">The resource types it is for.</param>
/// <param name="Type">How its values compare.</param>
/// <param name="Expression">The FHIRPath of its values; empty for none.</param>
/// <param name="Targets">For a reference: the types it may point to.</param>
public sealed record SearchParameterDefinition(
    string Code,
    string Url,
    IReadOnlyList<string> Bases,
    SearchType Type,
    string Expression,
    IReadOnlyList<string> Targets)
{
    /// <summary>The parts of a composite parameter, in the order of their values.</summary>
    public IReadOnlyList<SearchComponent> Components { get; init; } = [];
}

/// <summary>A part of a composite parameter.</summary>
/// <param name="Definition">The canonical URL of the parameter that says how its values compare.</param>
/// <param name="Expression">The FHIRPath of its values, from each result of the composite's own expression.</param>
public sealed record SearchComponent(string Definition, string Expression);
