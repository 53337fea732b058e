using System.Text.Json;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Platform.Anchoring;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Consent.Recovery;

/// <summary>
/// What a recovery contact does: sees who asks, calls them, and signs with the passkey that was named. With as many signatures as the patient has set,
/// the request goes to the chain.
/// </summary>
public sealed class RecoveryConfirming(
    NpgsqlDataSource database, KeyVault vault, ConsentDesk consents, ConsentKeyring keyring, ConsentPeople people, SigningQuestions questions, AccountDesk accounts,
    PasskeyCeremony ceremony, ChainOutbox outbox, ConsentMirror mirror, IdentityHooks hooks, TimeProvider time)
{
    const int SecondsPerDay = 86_400;

    sealed record Deed(Guid Request, ulong Sequence);

    /// <summary>A request that waits for the caller, opened with the patient's key.</summary>
    sealed record Waiting(RecoveryRow Request, SealedRecovery Terms, int Number, ConsentSigners Patient, ConsentSigners Contact, PasskeyCredential Credential, string Passkey, string Name);

    /// <summary>The requests that wait for the caller, newest first.</summary>
    public async Task<IReadOnlyList<ConfirmationView>> ListAsync(Caller caller, CancellationToken cancellation)
    {
        if (caller is not { Role: Role.Patient, Patient: { } own })
        {
            return [];
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<ConfirmationView> views = [];
        foreach (var (id, _, signed) in await RecoveryStore.OfContactAsync(connection, RecoveryDesk.ContactHash(vault, own), cancellation))
        {
            if (await FindAsync(connection, caller, id, toChange: false, cancellation) is { } waiting)
            {
                views.Add(new ConfirmationView(id, waiting.Name, waiting.Passkey, waiting.Request.Asked, signed && waiting.Request.Sequence == waiting.Patient.Subject!.Sequence));
            }
        }
        return views;
    }

    /// <summary>Asks for the signature that confirms a recovery.</summary>
    public async Task<AskOutcome> AskAsync(Caller caller, Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await FindAsync(connection, caller, id, toChange: true, cancellation) is not { } waiting)
        {
            return new AskOutcome.Unknown();
        }
        if (!waiting.Contact.Passkeys.Any())
        {
            return new AskOutcome.NoPasskey();
        }
        var subject = waiting.Patient.Subject!;
        if (waiting.Request.Sequence != subject.Sequence)
        {
            await RecoveryStore.RestartAsync(connection, id, subject.Sequence, cancellation);
        }
        await transaction.CommitAsync(cancellation);
        return new AskOutcome.Asked(await questions.AskAsync(ChallengeKind.Confirmation, caller, waiting.Contact, new Deed(id, subject.Sequence),
            SubjectsContract.RecoverChallenge(mirror.SubjectsDomain, subject.Subject, ceremony.PublicKeyOf(waiting.Credential), subject.Sequence),
            RecoveryWords.Confirmation(waiting.Name, waiting.Passkey, (int)(waiting.Terms.DelaySeconds / SecondsPerDay)), cancellation));
    }

    /// <summary>Takes the contact's signature; the last one that is needed sends the request to the chain.</summary>
    public async Task<SignOutcome> SignAsync(Caller caller, string? attempt, AssertionMessage? message, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (own, ownKey)
            || await questions.TakeAsync<Deed>(ChallengeKind.Confirmation, caller, own, ownKey, attempt, cancellation) is not var (challenge, deed))
        {
            return new SignOutcome.Refused(PasskeyFault.Expired);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // The patient's keys may have changed since: the contract would refuse the sequence number.
        if (await FindAsync(connection, caller, deed.Request, toChange: true, cancellation) is not { } waiting
            || deed.Sequence != waiting.Request.Sequence || deed.Sequence != waiting.Patient.Subject!.Sequence)
        {
            return new SignOutcome.Refused(PasskeyFault.Expired);
        }
        var (_, assertion, fault) = await keyring.VerifyAsync(connection, caller, waiting.Contact, message, challenge, cancellation);
        if (fault is { } refused)
        {
            return new SignOutcome.Refused(refused);
        }
        var owner = waiting.Patient.Owner;
        await RecoveryStore.ConfirmAsync(connection, deed.Request, waiting.Number,
            owner.Seal(Context(deed.Request, waiting.Number), JsonSerializer.SerializeToUtf8Bytes(assertion)), cancellation);
        var account = await accounts.FindOfPatientAsync(waiting.Patient.Patient, cancellation);
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.RecoveryConfirmed, account?.Id, caller.Account, time.GetUtcNow()), cancellation);
        await RelayAsync(connection, waiting, cancellation);
        await transaction.CommitAsync(cancellation);
        return new SignOutcome.KeysChanged();
    }

    /// <summary>Queues the request for the chain once enough contacts have signed.</summary>
    async Task RelayAsync(NpgsqlConnection connection, Waiting waiting, CancellationToken cancellation)
    {
        var (id, terms, owner, subject) = (waiting.Request.Id, waiting.Terms, waiting.Patient.Owner, waiting.Patient.Subject!);
        List<ContactSignature> signatures = [];
        foreach (var (number, sealedSignature) in await RecoveryStore.ConfirmationsAsync(connection, id, cancellation))
        {
            if (owner.TryOpen(Context(id, number), sealedSignature, out var json) && JsonSerializer.Deserialize<WebAuthnAssertion>(json) is { } signed)
            {
                signatures.Add(new ContactSignature((byte)number, signed));
            }
        }
        if (signatures.Count < terms.Threshold)
        {
            return;
        }
        await outbox.EnqueueAsync(connection, RecoveryStore.RequestPurpose, id.ToString(), ChainContract.Subjects,
            SubjectsContract.RequestRecovery(subject.Subject, ceremony.PublicKeyOf(waiting.Credential), subject.Sequence, terms.Salt,
                [.. terms.Contacts.Select(contact => contact.PublicKey)], [.. signatures.Take(terms.Threshold)]), cancellation);
        await ConsentKeyStore.AdvanceAsync(connection, waiting.Patient.Patient, subject.Sequence + 1, cancellation);
        await RecoveryStore.RelayAsync(connection, id, time.GetUtcNow(), cancellation);
    }

    /// <summary>The request, if it is open and the caller is one of the contacts that the patient has signed for; to change, nobody else changes it until the transaction ends.</summary>
    async Task<Waiting?> FindAsync(NpgsqlConnection connection, Caller caller, Guid id, bool toChange, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (own, ownKey)
            || await RecoveryStore.FindAsync(connection, id, cancellation) is not { } found || await vault.FindOwnerAsync(Guid.Parse(found.Patient), cancellation) is not { } owner)
        {
            return null;
        }
        var patient = await (toChange ? ConsentKeyring.FindToChangeAsync(connection, found.Patient, owner, cancellation) : ConsentKeyring.FindAsync(connection, found.Patient, owner, cancellation));
        if (await RecoveryStore.FindAsync(connection, id, cancellation) is not { } request || request.StateAt(time.GetUtcNow()) != RecoveryState.Collecting
            || patient.Subject is null || request.Sealed is not { } sealedPasskey || ConsentKeyring.OpenPasskey(owner, request.Key, sealedPasskey, 0) is not var (credential, passkey)
            || await RecoveryDesk.TermsAsync(connection, request.Patient, owner, cancellation) is not var (_, terms))
        {
            return null;
        }
        var number = terms.Contacts.ToList().FindIndex(contact => contact.Patient == own);
        if (number < 0)
        {
            return null;
        }
        var contact = await ConsentKeyring.FindAsync(connection, own, ownKey, cancellation);
        contact = contact with { Keys = [.. contact.Passkeys.Where(key => key.Key.AsSpan().SequenceEqual(terms.Contacts[number].Key))] };
        return new Waiting(request, terms, number, patient, contact, credential, passkey, await people.NameAsync(request.Patient, cancellation));
    }

    static SealContext Context(Guid request, int number) => new("RecoveryConfirmation", $"{request}/{number}", 1);
}
