namespace Salus.Platform.Anchoring;

/// <summary>A proof's state as pages and the API show it.</summary>
/// <param name="State"><c>anchored</c>, <c>logged</c>, <c>pending</c> or <c>broken</c>.</param>
/// <param name="Position">The leaf's place in the log.</param>
/// <param name="LogSize">The size of the head that covers it.</param>
/// <param name="Block">The block of the anchoring transaction.</param>
/// <param name="BlockHash">Its hash, hexadecimal.</param>
/// <param name="Transaction">The anchoring transaction's hash, hexadecimal.</param>
/// <param name="Mined">The block's time.</param>
/// <param name="Reason">What is wrong, when it is broken.</param>
public sealed record ProofView(
    string State, long? Position = null, long? LogSize = null, long? Block = null, string? BlockHash = null, string? Transaction = null,
    DateTimeOffset? Mined = null, string? Reason = null)
{
    /// <summary>The view of a state.</summary>
    public static ProofView Of(ProofState state) => state switch
    {
        ProofState.Anchored anchored => new("anchored", anchored.Position, anchored.Head.Size, anchored.Head.BlockNumber,
            "0x" + Convert.ToHexStringLower(anchored.Head.BlockHash), "0x" + Convert.ToHexStringLower(anchored.Head.TransactionHash), anchored.Head.Mined),
        ProofState.Logged logged => new("logged", logged.Position, logged.Size),
        ProofState.Broken broken => new("broken", broken.Position, Reason: broken.Reason),
        _ => new("pending"),
    };
}
