using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Consent.Delegates;

/// <summary>What a delegate is to the patient.</summary>
public enum DelegateRelation
{
    /// <summary>A mother or a father.</summary>
    Parent,
    /// <summary>Appointed by a court or an authority.</summary>
    Guardian,
    /// <summary>A partner, a child, another relative.</summary>
    Family,
    /// <summary>Somebody else whom the patient trusts.</summary>
    Trusted,
}

/// <summary>How far a delegate has come.</summary>
public enum DelegateState
{
    /// <summary>Signed; the chain does not have it yet.</summary>
    Requested,
    /// <summary>May sign.</summary>
    Active,
    /// <summary>Past their last moment.</summary>
    Expired,
    /// <summary>Withdrawn by the patient, or ended by a recovery.</summary>
    Withdrawn,
    /// <summary>Their passkey is theirs no more.</summary>
    WithoutPasskey,
    /// <summary>The contract has refused it.</summary>
    Refused,
}

/// <summary>A delegate as the patient sees them, or a patient as their delegate does.</summary>
/// <param name="Id">The delegation's id.</param>
/// <param name="Name">The other person.</param>
/// <param name="Relation">What the delegate is to the patient.</param>
/// <param name="Until">The last moment.</param>
/// <param name="Created">When the patient signed.</param>
/// <param name="Withdrawn">Since when it is over.</param>
/// <param name="State">How far it has come.</param>
public sealed record DelegateView(Guid Id, string Name, DelegateRelation Relation, DateTimeOffset Until, DateTimeOffset Created, DateTimeOffset? Withdrawn, DelegateState State);

/// <summary>All that lets a delegate sign, as it lies sealed beside its row.</summary>
sealed record SealedDelegate(string Delegate, byte[] Key, long NotAfter, ulong Sequence, DelegateRelation Relation, byte[] Salt)
{
    /// <summary>The commitment to who the delegate is that the chain holds: <c>SHA-256(salt ‖ relation ‖ patient id)</c>.</summary>
    public byte[] Commitment => SHA256.HashData([.. Salt, .. Encoding.UTF8.GetBytes($"{Relation} {Delegate}")]);

    public byte[] Seal(OwnerKey owner, Guid id) => owner.Seal(Context(id), JsonSerializer.SerializeToUtf8Bytes(this));

    /// <summary>What the patient has signed; null where the row says something else.</summary>
    public static SealedDelegate? Open(OwnerKey owner, DelegateRow row) =>
        owner.TryOpen(Context(row.Id), row.Sealed, out var json) && JsonSerializer.Deserialize<SealedDelegate>(json) is { } opened
            && opened.Delegate == row.Delegate && opened.Key.AsSpan().SequenceEqual(row.Key) && opened.NotAfter == row.NotAfter.ToUnixTimeSeconds() && opened.Sequence == row.Sequence
            ? opened
            : null;

    static SealContext Context(Guid id) => new("ConsentDelegate", id.ToString(), 1);
}

/// <summary>Delegates in words.</summary>
public static class DelegateWords
{
    /// <summary>What a delegate is to the patient.</summary>
    public static string Of(DelegateRelation relation) => relation switch
    {
        DelegateRelation.Parent => "My mother or father",
        DelegateRelation.Guardian => "My guardian, by law",
        DelegateRelation.Family => "Partner or relative",
        _ => "Somebody I trust",
    };

    /// <summary>How far it has come.</summary>
    public static (string Text, string Class) Of(DelegateState state) => state switch
    {
        DelegateState.Active => ("May sign", "badge-good"),
        DelegateState.Requested => ("On its way to the chain", "badge-wait"),
        DelegateState.Withdrawn => ("Withdrawn", "badge-bad"),
        DelegateState.WithoutPasskey => ("Has another passkey now", "badge-bad"),
        DelegateState.Refused => ("Refused by the chain", "badge-bad"),
        _ => ("Expired", ""),
    };

    /// <summary>What a patient who names a delegate is about to sign.</summary>
    public static IReadOnlyList<string> Appointment(string name, DelegateRelation relation, DateTimeOffset until) =>
    [
        $"You let {name} sign for you ({Lower(Of(relation))}).",
        "They see to whom you have given access, and can give and revoke access to your record in your place, each time with their own passkey.",
        "They do not read your record by this, and cannot change your passkeys, your delegates or your recovery contacts.",
        $"Until {ConsentWords.Of(until)}. You can end it at any time; what they have signed stands until it is revoked.",
    ];

    /// <summary>What a patient who withdraws a delegate is about to sign.</summary>
    public static IReadOnlyList<string> Withdrawal(string name) =>
    [
        $"{name} signs nothing more for you, from now on.",
        "What they have signed stands until you revoke it.",
    ];

    /// <summary>What a delegate who gives access is about to sign.</summary>
    public static IReadOnlyList<string> Grant(string patient, ConsentTerms terms, string? grantee) =>
    [
        $"You sign for {patient}, as their delegate.",
        $"You give access to the record of {patient} to: {ConsentWords.Grantee(terms, grantee)}.",
        .. ConsentWords.Grant(terms, grantee).Skip(1),
    ];

    /// <summary>What a delegate who revokes access is about to sign.</summary>
    public static IReadOnlyList<string> Revocation(string patient, ConsentTerms terms, string? grantee) =>
        [$"You sign for {patient}, as their delegate.", .. ConsentWords.Revocation(terms, grantee)];

    static string Lower(string words) => words.ToLowerInvariant();
}
