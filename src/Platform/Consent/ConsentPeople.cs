using Npgsql;
using Salus.Platform.Identity;
using Salus.Vault.Keys;

namespace Salus.Platform.Consent;

/// <summary>Somebody with a record and a consent passkey at this node.</summary>
sealed record ConsentPerson(string Patient, string Name, ConsentKey Key);

/// <summary>Finds those whom a patient can let sign for them, or call on when their passkeys are lost.</summary>
public sealed class ConsentPeople(KeyVault vault, AccountDesk accounts)
{
    /// <summary>What is answered whatever the reason is, so that nobody learns who is a patient here.</summary>
    public const string Nobody = "No one with this account id has a record and a consent passkey here. They find the id on their account page.";

    const string Gone = "A person whose account is gone";

    /// <summary>
    /// The person with that account id and the first of their passkeys. Ids are random, and known from their holders alone; by e-mail, which others
    /// know too, nobody is found.
    /// </summary>
    internal async Task<ConsentPerson?> FindAsync(NpgsqlConnection connection, string? account, CancellationToken cancellation) =>
        Guid.TryParse(account?.Trim(), out var id) && await accounts.FindAsync(id, cancellation) is { Approved: true, Disabled: false, Role: Role.Patient, Patient: { } patient } found
            && await FindPasskeyAsync(connection, patient, null, cancellation) is { } passkey
            ? new ConsentPerson(patient, found.DisplayName, passkey)
            : null;

    /// <summary>A passkey that signs for its holder now: the named one, or the first.</summary>
    internal async Task<ConsentKey?> FindPasskeyAsync(NpgsqlConnection connection, string patient, byte[]? key, CancellationToken cancellation) =>
        await vault.FindOwnerAsync(Guid.Parse(patient), cancellation) is { } owner
            ? (await ConsentKeyring.FindAsync(connection, patient, owner, cancellation)).Passkeys.FirstOrDefault(own => key is null || own.Key.AsSpan().SequenceEqual(key))
            : null;

    /// <summary>What a patient is called.</summary>
    internal async Task<string> NameAsync(string patient, CancellationToken cancellation) => (await accounts.FindOfPatientAsync(patient, cancellation))?.DisplayName ?? Gone;
}
