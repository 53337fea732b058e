using System.Text.Json;
using Salus.Ledger.Contracts;
using Salus.Platform.Identity.Passkeys;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Consent.Recovery;

/// <summary>How far a recovery has come.</summary>
public enum RecoveryState
{
    /// <summary>It waits for the contacts.</summary>
    Collecting,
    /// <summary>Enough contacts have signed; the chain does not have it yet.</summary>
    Relayed,
    /// <summary>It takes effect at its time, unless it is cancelled.</summary>
    Pending,
    /// <summary>It has taken effect; the contract is being told. Nobody signs until it has been.</summary>
    Due,
    /// <summary>A passkey of the patient's has signed that it is off; the chain does not have that yet.</summary>
    Cancelling,
    /// <summary>Cancelled by a passkey of the patient's.</summary>
    Cancelled,
    /// <summary>The new passkey has replaced the others.</summary>
    Completed,
    /// <summary>Too few contacts signed in time.</summary>
    Expired,
    /// <summary>Given up before the chain had it.</summary>
    Withdrawn,
    /// <summary>The contract has refused it.</summary>
    Refused,
}

/// <summary>Somebody whom a patient calls on when their passkeys are lost.</summary>
/// <param name="Name">What they are called.</param>
/// <param name="CanSign">Whether the passkey that was named is still theirs.</param>
public sealed record RecoveryContactView(string Name, bool CanSign);

/// <summary>How a patient's passkeys are replaced.</summary>
/// <param name="Contacts">Who is called on; none where it is turned off.</param>
/// <param name="Threshold">How many of them must sign.</param>
/// <param name="DelayDays">How long after that it takes effect.</param>
/// <param name="OnChain">Whether the contract has it.</param>
public sealed record RecoveryTermsView(IReadOnlyList<RecoveryContactView> Contacts, int Threshold, int DelayDays, bool OnChain);

/// <summary>A request that a new passkey replace all others.</summary>
/// <param name="Id">Its id.</param>
/// <param name="State">How far it has come.</param>
/// <param name="Passkey">What the new passkey is called; null where the request was not made here.</param>
/// <param name="Asked">When it began.</param>
/// <param name="Confirmed">How many contacts have signed.</param>
/// <param name="EffectiveAt">When it takes effect.</param>
public sealed record RecoveryView(Guid Id, RecoveryState State, string? Passkey, DateTimeOffset Asked, int Confirmed, DateTimeOffset? EffectiveAt)
{
    /// <summary>Whether it may still come to something.</summary>
    public bool IsOpen => State is RecoveryState.Collecting or RecoveryState.Relayed or RecoveryState.Pending or RecoveryState.Due or RecoveryState.Cancelling;

    /// <summary>Whether a passkey of the patient's can still cancel it.</summary>
    public bool CanCancel => State is RecoveryState.Relayed or RecoveryState.Pending;
}

/// <summary>A recovery that asks the caller, as a contact.</summary>
/// <param name="Id">The request's id.</param>
/// <param name="Name">Whose passkeys are to be replaced.</param>
/// <param name="Passkey">What the new passkey is called.</param>
/// <param name="Asked">When it was asked for.</param>
/// <param name="Confirmed">Whether the caller has signed.</param>
public sealed record ConfirmationView(Guid Id, string Name, string Passkey, DateTimeOffset Asked, bool Confirmed);

/// <summary>What became of a step of asking for a recovery.</summary>
public abstract record RecoveryOutcome
{
    RecoveryOutcome() { }

    /// <summary>Ask the browser for the new passkey.</summary>
    public sealed record Prepared(PreparedPasskey<CreationOptions> Question) : RecoveryOutcome;

    /// <summary>The contacts are asked.</summary>
    public sealed record Asked : RecoveryOutcome;

    /// <summary>As for a passkey to sign in with.</summary>
    public sealed record Refused(PasskeyOutcome Outcome) : RecoveryOutcome;

    /// <summary>The patient has named no contacts.</summary>
    public sealed record NoContacts : RecoveryOutcome;

    /// <summary>Another request is open.</summary>
    public sealed record AskedAlready : RecoveryOutcome;

    /// <summary>The caller has no record.</summary>
    public sealed record NoRecord : RecoveryOutcome;
}

/// <summary>A contact: who, and by which passkey.</summary>
sealed record RecoveryContact(string Patient, byte[] Key, PublicKey PublicKey);

/// <summary>What the commitment at the contract is made of, as it lies sealed beside its row. The contacts are in the order of their keys, as the contract wants their signatures.</summary>
sealed record SealedRecovery(byte[] Salt, IReadOnlyList<RecoveryContact> Contacts, byte Threshold, uint DelaySeconds)
{
    /// <summary>The terms as the contract takes them. Nobody can open those without contacts: that turns recovery off.</summary>
    public RecoveryTerms Terms => Contacts.Count == 0
        ? new RecoveryTerms(Salt, 1, 1, DelaySeconds)
        : new RecoveryTerms(SubjectsContract.ContactsCommitment(Salt, [.. Contacts.Select(contact => contact.PublicKey)]), (byte)Contacts.Count, Threshold, DelaySeconds);

    public byte[] Seal(OwnerKey owner, Guid id) => owner.Seal(Context(id), JsonSerializer.SerializeToUtf8Bytes(this));

    /// <summary>What the patient has signed; null where the row was altered.</summary>
    public static SealedRecovery? Open(OwnerKey owner, RecoveryTermsRow row) =>
        owner.TryOpen(Context(row.Id), row.Sealed, out var json) && JsonSerializer.Deserialize<SealedRecovery>(json) is { } opened
            && opened.Terms.Contacts.AsSpan().SequenceEqual(row.Commitment)
            ? opened
            : null;

    static SealContext Context(Guid id) => new("RecoveryTerms", id.ToString(), 1);
}

/// <summary>Recovery in words.</summary>
public static class RecoveryWords
{
    /// <summary>What a patient who names contacts is about to sign.</summary>
    public static IReadOnlyList<string> Terms(IReadOnlyList<string> names, int threshold, int delayDays) =>
        names.Count == 0
            ? ["You turn recovery off: who loses all their passkeys then, can neither give nor revoke access any more."]
            :
            [
                $"If you lose your passkeys, {(threshold == names.Count ? (names.Count == 1 ? "this person" : $"these {names.Count} persons together") : $"any {threshold} of these {names.Count} persons together")} can let a new passkey of yours take their place: {string.Join(", ", names)}.",
                $"It takes effect {Days(delayDays)} after they have signed. Until then you can cancel it with any passkey that you still have.",
                "They read nothing of your record by this. The chain knows how many they are, and not who until they are needed.",
            ];

    /// <summary>What a patient who cancels is about to sign.</summary>
    public static IReadOnlyList<string> Cancellation() =>
        ["You cancel the recovery: no new passkey takes the place of yours.", "If it was not you who asked for it, change your password, and your recovery contacts if they let themselves be deceived."];

    /// <summary>What a contact is about to sign.</summary>
    public static IReadOnlyList<string> Confirmation(string name, string passkey, int delayDays) =>
    [
        $"{name} asks you to confirm that it is really them. Call them first, at a number that you know.",
        $"You let the new passkey “{passkey}” replace everything that signs for {name}.",
        $"It takes effect {Days(delayDays)} after enough of their contacts have signed; until then {name} can cancel it.",
    ];

    /// <summary>A number of days.</summary>
    public static string Days(int days) => days == 1 ? "one day" : $"{days} days";
}
