using System.ComponentModel.DataAnnotations;

namespace Salus.Platform.Consortium;

/// <summary>Settings under <c>Salus:Consortium</c>.</summary>
public sealed record ConsortiumOptions : IValidatableObject
{
    /// <summary>What stands for this machine's own address, for hospitals that all run on one.</summary>
    public const string ThisMachine = "local";

    const int EndpointLengthMax = 256; // what the contract takes

    /// <summary>Where the other members reach this node, as <c>https://hospital.example</c>; it is published on the chain. Empty: nothing is published.</summary>
    public string Endpoint { get; init; } = "";

    /// <summary>How often the chain is asked for changes of membership, in milliseconds.</summary>
    [Range(100, 600_000)]
    public int RefreshMilliseconds { get; init; } = 2_000;

    /// <summary>How long a member's node is waited for, in seconds.</summary>
    [Range(1, 300)]
    public int AnswerSecondsMax { get; init; } = 20;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Endpoint.Length > 0 && (Endpoint.Length > EndpointLengthMax || MemberWire.Endpoint(Endpoint) is null))
        {
            yield return new ValidationResult(
                $"Salus:Consortium:Endpoint '{Endpoint}' is no address that members can ask: give one such as https://hospital.example (http only on this machine).");
        }
    }
}
