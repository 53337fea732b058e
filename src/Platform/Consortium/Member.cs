using Salus.Ledger.Evm;

namespace Salus.Platform.Consortium;

/// <summary>A member of the consortium as the chain has it, with what its node says of itself as far as the chain bears it out.</summary>
/// <param name="Id">Its id on the chain; it stays when the account moves, and is never used again.</param>
/// <param name="Account">The account that signs for it.</param>
/// <param name="NameHash">The SHA-256 of the name it was admitted under.</param>
/// <param name="Endpoint">Where its node is reached; null where none is published that is asked.</param>
/// <param name="PublishedWitnessKey">What it published as its witness key.</param>
public sealed record Member(ulong Id, Address Account, byte[] NameHash, Uri? Endpoint, string PublishedWitnessKey)
{
    /// <summary>The name it was admitted under: its node's statement, accepted where it hashes to <see cref="NameHash"/>.</summary>
    public string? Name { get; init; }

    /// <summary>What its node calls the hospital: its own word.</summary>
    public string? Title { get; init; }

    /// <summary>The verifier key of its log, accepted where the anchor contract says that this member has opened the log of that key.</summary>
    public string? LogKey { get; init; }

    /// <summary>The verifier key of its cosignatures, accepted where it bears the member's name.</summary>
    public string? WitnessKey { get; init; }

    /// <summary>Whether it is this node's own.</summary>
    public bool IsSelf { get; init; }

    /// <summary>What it is called on pages.</summary>
    public string Shown => (Title, Name) switch
    {
        ({ } title, { } name) => $"{title} ({name})",
        (null, { } name) => name,
        _ => $"Member {Id}",
    };

    /// <summary>Whether what its node says has been heard and borne out.</summary>
    internal bool IsKnown => Name is not null && LogKey is not null && (WitnessKey is not null || PublishedWitnessKey.Length == 0);
}

/// <summary>What a node says of itself.</summary>
/// <param name="Name">The name of its log, under which it asks to be admitted.</param>
/// <param name="Title">The hospital's name.</param>
/// <param name="Account">The account that signs for it on the chain.</param>
public sealed record MemberStatement(string Name, string Title, string Account);
