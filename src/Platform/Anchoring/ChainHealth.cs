namespace Salus.Platform.Anchoring;

/// <summary>What the relay last saw of the chain. Written by the relay, read by pages.</summary>
public sealed class ChainHealth
{
    volatile State state = new(0, null, "The chain has not answered yet.");

    /// <summary>The newest block seen.</summary>
    public ulong Block => state.Block;

    /// <summary>When the chain last answered.</summary>
    public DateTimeOffset? AnsweredAt => state.AnsweredAt;

    /// <summary>What stands in the way, or null when nothing does.</summary>
    public string? Fault => state.Fault;

    internal void Reached(ulong block, DateTimeOffset time) => state = new State(block, time, null);

    internal void Failed(string reason) => state = state with { Fault = reason };

    sealed record State(ulong Block, DateTimeOffset? AnsweredAt, string? Fault);
}
