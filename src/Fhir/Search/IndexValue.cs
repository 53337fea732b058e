namespace Salus.Fhir.Search;

/// <summary>A value under which a resource can be found.</summary>
/// <param name="Parameter">The search parameter's code.</param>
public abstract record IndexValue(string Parameter)
{
    /// <summary>A code, identifier or flag.</summary>
    /// <param name="Parameter">The search parameter's code.</param>
    /// <param name="System">The namespace; null when the element has none.</param>
    /// <param name="Code">The value.</param>
    public sealed record Token(string Parameter, string? System, string Code) : IndexValue(Parameter);

    /// <summary>Text.</summary>
    /// <param name="Parameter">The search parameter's code.</param>
    /// <param name="Value">As written, for <c>:exact</c>.</param>
    /// <param name="Normalised">In lower case, without accents, single-spaced.</param>
    public sealed record Text(string Parameter, string Value, string Normalised) : IndexValue(Parameter);

    /// <summary>A reference.</summary>
    /// <param name="Parameter">The search parameter's code.</param>
    /// <param name="Target">What it says.</param>
    public sealed record Reference(string Parameter, LiteralReference Target) : IndexValue(Parameter);

    /// <summary>A range of time; an open end is the least or greatest instant.</summary>
    /// <param name="Parameter">The search parameter's code.</param>
    /// <param name="Low">The first tick.</param>
    /// <param name="High">The last tick.</param>
    public sealed record Date(string Parameter, DateTimeOffset Low, DateTimeOffset High) : IndexValue(Parameter);

    /// <summary>A number with a unit; a Range has two ends.</summary>
    /// <param name="Parameter">The search parameter's code.</param>
    /// <param name="System">The unit's system.</param>
    /// <param name="Code">The unit's code, or its text when it has none.</param>
    /// <param name="Low">The least value.</param>
    /// <param name="High">The greatest value.</param>
    public sealed record Quantity(string Parameter, string? System, string? Code, decimal Low, decimal High) : IndexValue(Parameter);

    /// <summary>A number.</summary>
    /// <param name="Parameter">The search parameter's code.</param>
    /// <param name="Low">The least value.</param>
    /// <param name="High">The greatest value.</param>
    public sealed record Number(string Parameter, decimal Low, decimal High) : IndexValue(Parameter);

    /// <summary>A URI.</summary>
    /// <param name="Parameter">The search parameter's code.</param>
    /// <param name="Value">As written.</param>
    public sealed record Uri(string Parameter, string Value) : IndexValue(Parameter);

    /// <summary>The identifier that a reference gives of its target.</summary>
    /// <param name="Parameter">The search parameter's code.</param>
    /// <param name="System">The identifier's system.</param>
    /// <param name="Code">The identifier's value.</param>
    public sealed record ReferenceIdentifier(string Parameter, string? System, string Code) : IndexValue(Parameter);

    /// <summary>An identifier with its kind.</summary>
    /// <param name="Parameter">The search parameter's code.</param>
    /// <param name="System">The system of the kind.</param>
    /// <param name="Code">The kind.</param>
    /// <param name="Value">The identifier's value.</param>
    public sealed record TypedIdentifier(string Parameter, string? System, string Code, string Value) : IndexValue(Parameter);

    /// <summary>Text that stands beside a token: what a code is shown as.</summary>
    /// <param name="Parameter">The search parameter's code.</param>
    /// <param name="Normalised">In lower case, without accents, single-spaced.</param>
    public sealed record TokenText(string Parameter, string Normalised) : IndexValue(Parameter);

    /// <summary>The values of one occurrence of a composite, part by part.</summary>
    /// <param name="Parameter">The search parameter's code.</param>
    /// <param name="Parts">For each part, its values.</param>
    public sealed record Composite(string Parameter, IReadOnlyList<IReadOnlyList<IndexValue>> Parts) : IndexValue(Parameter);
}
