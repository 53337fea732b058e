namespace Salus.Fhir.Elements;

/// <summary>OperationOutcome.issue.severity.</summary>
public enum IssueSeverity
{
    /// <summary>The request could not be processed at all.</summary>
    Fatal,

    /// <summary>The content breaks a rule.</summary>
    Error,

    /// <summary>The content is acceptable but doubtful.</summary>
    Warning,

    /// <summary>Nothing is wrong.</summary>
    Information,
}

/// <summary>One finding about a resource, in the terms of OperationOutcome.issue.</summary>
/// <param name="Severity">How grave it is.</param>
/// <param name="Code">A code of the value set issue-type, such as <c>structure</c> or <c>required</c>.</param>
/// <param name="Expression">Where, as a FHIRPath such as <c>Patient.name[0].given[1]</c>; empty when the text could not be read that far.</param>
/// <param name="Message">A sentence that says what is wrong and what would be right.</param>
/// <param name="Line">The line in the text as received, from 1.</param>
/// <param name="Column">The byte in that line, from 1.</param>
public sealed record FhirIssue(IssueSeverity Severity, string Code, string Expression, string Message, int? Line = null, int? Column = null)
{
    /// <inheritdoc/>
    public override string ToString() =>
        Line is null ? $"{Severity} {Code} at {Expression}: {Message}" : $"{Severity} {Code} at {Expression} ({Line}:{Column}): {Message}";
}
