using System.ComponentModel.DataAnnotations;
using Salus.Ledger.Proofs;

namespace Salus.Platform.Anchoring.Witness;

/// <summary>Whose logs this node cosigns, and who cosigns its own.</summary>
public sealed record WitnessOptions : IValidatableObject
{
    /// <summary>Verifier keys of the logs to cosign, in the form <c>name+keyid+base64</c>, as <c>/log/policy</c> of their nodes names them.</summary>
    public IReadOnlyList<string> Logs { get; init; } = [];

    /// <summary>Those who are asked to cosign this node's checkpoints.</summary>
    public IReadOnlyList<WitnessPeer> Peers { get; init; } = [];

    /// <summary>
    /// How many of them, and of the consortium's other members, must have cosigned a checkpoint before proofs name it as witnessed; 0 for
    /// none, more than half of the other members unless given.
    /// </summary>
    public int? Required { get; init; }

    /// <summary>How long a checkpoint waits for its witnesses before it is anchored without them, in milliseconds.</summary>
    [Range(100, 60_000)]
    public int WaitMillisecondsMax { get; init; } = 3_000;

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (text, name, isWitness) in Logs.Select((log, i) => (log, $"Logs:{i}", false)).Concat(Peers.Select((peer, i) => (peer.Key, $"Peers:{i}:Key", true))))
        {
            if (Fault(text, isWitness) is { } fault)
            {
                yield return new ValidationResult($"Salus:Witness:{name} is not right: {fault}");
            }
        }
        if (Peers.Any(peer => peer.Address is not { IsAbsoluteUri: true, Scheme: "http" or "https" }))
        {
            yield return new ValidationResult("Salus:Witness:Peers name their addresses, such as https://hospital.example.");
        }
        if (Required < 0)
        {
            yield return new ValidationResult($"Salus:Witness:Required is {Required}: it is at least 0.");
        }
    }

    static string? Fault(string text, bool isWitness)
    {
        try
        {
            using var key = NoteVerifier.Parse(text);
            return key.IsWitness == isWitness ? null : "it is a key of the other kind, a log's signs checkpoints and a witness's cosigns them.";
        }
        catch (FormatException malformed)
        {
            return malformed.Message;
        }
    }
}

/// <summary>A node that is asked to cosign.</summary>
/// <param name="Address">Its address; <c>/witness/add-checkpoint</c> is asked there.</param>
/// <param name="Key">Its witness key, in the form <c>name+keyid+base64</c>.</param>
public sealed record WitnessPeer(Uri Address, string Key);
