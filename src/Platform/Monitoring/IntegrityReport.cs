namespace Salus.Platform.Monitoring;

/// <summary>What kind of damage was found.</summary>
public enum FindingKind
{
    /// <summary>A row differs from what its leaf committed to.</summary>
    Changed,
    /// <summary>A leaf's row is gone.</summary>
    Removed,
    /// <summary>A row stands where no leaf tells of it.</summary>
    Inserted,
    /// <summary>A row holds what another's leaf committed to.</summary>
    Swapped,
    /// <summary>The log itself was rewritten: its leaves or heads no longer lead to what was signed or anchored.</summary>
    LogRewritten,
    /// <summary>Leaves were lost, and the log says so itself.</summary>
    Gap,
    /// <summary>The chain could not be asked.</summary>
    Unchecked,
}

/// <summary>One piece of damage, named exactly.</summary>
/// <param name="Kind">What kind.</param>
/// <param name="Record">Which record, as type/id and version.</param>
/// <param name="Leaf">Which leaf.</param>
/// <param name="Difference">What differs, in a sentence.</param>
public sealed record Finding(FindingKind Kind, string? Record, long? Leaf, string Difference);

/// <summary>The result of a check.</summary>
/// <param name="Started">When it began.</param>
/// <param name="Leaves">Leaves recomputed.</param>
/// <param name="Heads">Signed heads compared.</param>
/// <param name="Anchors">Anchored heads compared with the chain.</param>
/// <param name="Blobs">Sealed files hashed.</param>
/// <param name="Findings">What is wrong; empty when all holds.</param>
/// <param name="Truncated">Whether there were more findings than are listed.</param>
public sealed record IntegrityReport(
    DateTimeOffset Started, long Leaves, int Heads, int Anchors, int Blobs, IReadOnlyList<Finding> Findings, bool Truncated)
{
    /// <summary>Leaves whose content was erased by authority.</summary>
    public long Erased { get; init; }

    /// <summary>Whether everything that the log covers, and that can be compared, is as it was.</summary>
    public bool Holds => Findings.All(finding => finding.Kind is FindingKind.Unchecked or FindingKind.Gap);
}
