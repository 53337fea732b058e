namespace Salus.Platform.Anchoring;

/// <summary>What the node last saw of the chain. Written by the relay and the mirror of consents, read by pages.</summary>
public sealed class ChainHealth
{
    volatile State state = new(0, null, "The chain has not answered yet.");
    volatile string? mirrorFault;

    /// <summary>The newest block seen.</summary>
    public ulong Block => state.Block;

    /// <summary>When the chain last answered.</summary>
    public DateTimeOffset? AnsweredAt => state.AnsweredAt;

    /// <summary>What stands in the way, or null when nothing does.</summary>
    public string? Fault => state.Fault ?? mirrorFault;

    internal void Reached(ulong block, DateTimeOffset time) => state = new State(block, time, null);

    /// <summary>Notes why the events of the chain are not read on, or with null that they are.</summary>
    public void Mirrors(string? fault) => mirrorFault = fault;

    internal void Failed(string reason) => state = state with { Fault = reason };

    sealed record State(ulong Block, DateTimeOffset? AnsweredAt, string? Fault);
}
