using System.ComponentModel.DataAnnotations;
using System.Diagnostics;

namespace Salus.Platform.Anchoring;

/// <summary>Moments at which a kill is worst: between two things that belong together.</summary>
public enum Failpoint
{
    /// <summary>Nowhere.</summary>
    None,
    /// <summary>Leaves and head are committed, the log's files do not have them.</summary>
    SequencerCommitted,
    /// <summary>The files have them, the head is not signed.</summary>
    SequencerWritten,
    /// <summary>A transaction of the outbox is in a block, its row does not say so.</summary>
    TransactionSent,
    /// <summary>A head is anchored, its row is missing.</summary>
    AnchorMined,
    /// <summary>The anchor has its row, but no evidence.</summary>
    AnchorStored,
}

/// <summary>Settings under <c>Salus:Faults</c>, for tests of what a node survives. A node that is used has none of them.</summary>
public sealed record FaultOptions : IValidatableObject
{
    /// <summary>Whether the other settings may be given at all.</summary>
    public bool Enabled { get; init; }

    /// <summary>Where the node kills itself.</summary>
    public Failpoint At { get; init; }

    /// <summary>How often it passes there before.</summary>
    [Range(0, 1_000_000)]
    public int After { get; init; }

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (At != Failpoint.None && !Enabled)
        {
            yield return new ValidationResult("Salus:Faults:At makes the node kill itself. Take it away; a test of that gives Salus:Faults:Enabled=true as well.");
        }
    }
}

/// <summary>Kills the node's own process at one named place, when a test asks for it; does nothing otherwise.</summary>
public sealed class Failpoints(FaultOptions options)
{
    int left = options.After;

    /// <summary>Says that the place is reached.</summary>
    public void Reach(Failpoint point)
    {
        if (options.Enabled && point == options.At && Interlocked.Decrement(ref left) < 0)
        {
            // SIGKILL: no handler, no flush, nothing in order.
            using var self = Process.GetCurrentProcess();
            self.Kill();
        }
    }
}
