namespace Salus.Platform.DecisionSupport;

/// <summary>Another system that may ask models for advice.</summary>
/// <param name="Id">Its id here.</param>
/// <param name="Name">What it is called here.</param>
/// <param name="Issuer">How its tokens name it (<c>iss</c>).</param>
/// <param name="Keys">The keys that its tokens are signed with.</param>
/// <param name="Origins">The web origins whose pages may call from a browser; none where servers call.</param>
/// <param name="Registered">When it was registered.</param>
/// <param name="RegisteredBy">By which account.</param>
/// <param name="Withdrawn">When it was withdrawn; null while it counts.</param>
/// <param name="WithdrawnBy">By which account.</param>
public sealed record CdsClient(
    Guid Id, string Name, string Issuer, IReadOnlyList<CdsKey> Keys, IReadOnlyList<string> Origins, DateTimeOffset Registered, Guid RegisteredBy,
    DateTimeOffset? Withdrawn = null, Guid? WithdrawnBy = null);

/// <summary>What a system is registered with, as an administrator enters it.</summary>
/// <param name="Name">What it is called here.</param>
/// <param name="Issuer">How its tokens name it.</param>
/// <param name="Keys">A JWK Set, one JWK, or one public key in PEM.</param>
/// <param name="Origins">Web origins, apart by white space; may be empty.</param>
public sealed record CdsRegistration(string? Name, string? Issuer, string? Keys, string? Origins);

/// <summary>What became of registering or withdrawing a system.</summary>
public abstract record CdsClientOutcome
{
    CdsClientOutcome() { }

    /// <summary>Done, and audited.</summary>
    public sealed record Done(CdsClient Client) : CdsClientOutcome;

    /// <summary>A field is wrong; the reason says what would be right.</summary>
    public sealed record Invalid(string Field, string Reason) : CdsClientOutcome;

    /// <summary>There is no such system, or it was withdrawn before.</summary>
    public sealed record Unknown : CdsClientOutcome;
}

/// <summary>Whether a token lets its bearer in.</summary>
abstract record CdsTokenOutcome
{
    CdsTokenOutcome() { }

    /// <summary>It is a registered system's own, for this address, now, for the first time.</summary>
    public sealed record Valid(CdsClient Client) : CdsTokenOutcome;

    /// <summary>It is not.</summary>
    /// <param name="Reason">Why not.</param>
    /// <param name="Client">Whose signature it bears; null where it bears none that is known.</param>
    public sealed record Refused(string Reason, CdsClient? Client = null) : CdsTokenOutcome;
}
