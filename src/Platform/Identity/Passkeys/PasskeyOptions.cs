using System.ComponentModel.DataAnnotations;

namespace Salus.Platform.Identity.Passkeys;

/// <summary>Where passkeys belong, bound to the section <see cref="Section"/>.</summary>
public sealed record PasskeyOptions
{
    /// <summary>The section of the configuration.</summary>
    public const string Section = "Salus:Passkeys";

    /// <summary>The WebAuthn relying party: the node's domain. Passkeys made for one work at no other.</summary>
    [Required]
    public string RelyingParty { get; init; } = "localhost";

    /// <summary>The origin of the node's pages, as browsers write it into what is signed.</summary>
    [Required]
    public string Origin { get; init; } = "http://localhost";

    /// <summary>How long an authenticator may take over its answer.</summary>
    [Range(1, 10)]
    public int ChallengeMinutes { get; init; } = 10;
}
