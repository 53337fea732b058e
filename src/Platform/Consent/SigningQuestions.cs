using System.Text.Json;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Consent;

/// <summary>Asks passkeys for signatures. What a signature will bring about is fixed when it is asked for, and kept sealed under the key of who is asked.</summary>
public sealed class SigningQuestions(PasskeyCeremony ceremony, ChallengeStore challenges)
{
    /// <summary>Asks the passkeys of <paramref name="signers"/> that sign now.</summary>
    internal async Task<ConsentQuestion> AskAsync<T>(
        ChallengeKind kind, Caller caller, ConsentSigners signers, T deed, byte[] challenge, IReadOnlyList<string> words, CancellationToken cancellation)
    {
        var sealedDeed = signers.Owner.Seal(Context(kind, signers.Patient), JsonSerializer.SerializeToUtf8Bytes(deed));
        var (attempt, expires) = (await challenges.AddAsync(kind, caller.Account, challenge, sealedDeed, cancellation))!.Value;
        return new ConsentQuestion(attempt, expires, words, ceremony.Request(signers.Passkeys.Select(key => key.Credential), challenge), null);
    }

    /// <summary>What was asked; null when it is unknown, answered before, too old, or not this account's. It is used up.</summary>
    internal async Task<(byte[] Challenge, T Deed)?> TakeAsync<T>(
        ChallengeKind kind, Caller caller, string patient, OwnerKey owner, string? attempt, CancellationToken cancellation)
        where T : class =>
        await challenges.TakeAsync(kind, caller.Account, attempt, cancellation) is var (challenge, sealedDeed)
            && owner.TryOpen(Context(kind, patient), sealedDeed, out var json) && JsonSerializer.Deserialize<T>(json) is { } deed
            ? (challenge, deed)
            : null;

    static SealContext Context(ChallengeKind kind, string patient) => new($"{kind}Deed", patient, 1);
}
