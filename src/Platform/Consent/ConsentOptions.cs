using System.ComponentModel.DataAnnotations;

namespace Salus.Platform.Consent;

/// <summary>Settings under <c>Salus:Consent</c>.</summary>
public sealed record ConsentOptions
{
    /// <summary>Seconds without word from the chain after which every read that needs a consent is refused.</summary>
    [Range(2, 3600)]
    public int StaleAfterSeconds { get; init; } = 30;

    /// <summary>Blocks that must stand above a grant before it counts; 0 on a chain with instant finality.</summary>
    [Range(0, 1000)]
    public int GrantDepth { get; init; }
}
