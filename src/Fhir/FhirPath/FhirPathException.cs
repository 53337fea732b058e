namespace Salus.Fhir.FhirPath;

/// <summary>When an expression was found to be wrong.</summary>
public enum FhirPathFault
{
    /// <summary>The text is not an expression.</summary>
    Syntax,

    /// <summary>The expression cannot mean anything, whatever it is evaluated on.</summary>
    Semantic,

    /// <summary>The values met do not allow what the expression asks.</summary>
    Execution,

    /// <summary>The evaluation took more steps, items or characters than it may.</summary>
    TooCostly,
}

/// <summary>An expression that is wrong, with the place in its text.</summary>
/// <param name="fault">When it was found.</param>
/// <param name="message">What is wrong.</param>
/// <param name="position">The character of the expression where it is, from 0.</param>
public sealed class FhirPathException(FhirPathFault fault, string message, int position)
    : Exception($"{message} (at character {position + 1})")
{
    /// <summary>When it was found.</summary>
    public FhirPathFault Fault { get; } = fault;

    /// <summary>The character of the expression where it is, from 0.</summary>
    public int Position { get; } = position;
}
