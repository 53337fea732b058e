using Salus.Fhir.Elements;

namespace Salus.Fhir.Patch;

/// <summary>What a patch led to.</summary>
public abstract record PatchOutcome
{
    PatchOutcome() { }

    /// <summary>The JSON after all operations; what was not touched is as it was written.</summary>
    public sealed record Ok(ReadOnlyMemory<byte> Utf8) : PatchOutcome;

    /// <summary>
    /// Nothing was changed, and here is why. An expression such as <c>operation[2]</c> tells which operation; the severity is fatal where the patch
    /// is no patch at all, whatever it were put to.
    /// </summary>
    public sealed record Refused(FhirIssue Issue) : PatchOutcome;
}

/// <summary>How far a patch may go; what exceeds a limit is refused.</summary>
/// <param name="OperationsMax">How many operations it has.</param>
/// <param name="NodesMax">How many values the result may have, and all copies on the way to it.</param>
/// <param name="DepthMax">How deep the result may nest.</param>
public sealed record PatchLimits(int OperationsMax = 1_000, int NodesMax = 500_000, int DepthMax = 64)
{
    /// <summary>The limits used when none are given.</summary>
    public static PatchLimits Default { get; } = new();
}

/// <summary>An operation that cannot be done.</summary>
/// <param name="code">The type of the issue.</param>
/// <param name="message">Why.</param>
/// <param name="isMalformed">Whether the operation is none, whatever it were done to.</param>
sealed class PatchRefusal(string code, string message, bool isMalformed = false) : Exception(message)
{
    public FhirIssue IssueAt(string expression) => new(isMalformed ? IssueSeverity.Fatal : IssueSeverity.Error, code, expression, Message);
}
