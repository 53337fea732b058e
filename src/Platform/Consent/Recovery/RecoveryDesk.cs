using System.Security.Cryptography;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Platform.Anchoring;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;
using Salus.Vault.Keys;

namespace Salus.Platform.Consent.Recovery;

/// <summary>
/// How a patient who has lost their passkeys comes to a new one: contacts named beforehand, signed with a passkey; then a new passkey, made by who is
/// signed in and gives the password again, that takes the others' place when enough contacts have signed and a delay has passed in which any old
/// passkey cancels it.
/// </summary>
public sealed class RecoveryDesk(
    NpgsqlDataSource database, KeyVault vault, ConsentDesk consents, ConsentPeople people, SigningQuestions questions, DeedSigning signing, SignInDesk signIns,
    AccountDesk accounts, OrganizationDesk organization, PasskeyCeremony ceremony, ChallengeStore challenges, ChainOutbox outbox, ConsentMirror mirror, IdentityHooks hooks, TimeProvider time)
{
    /// <summary>As many contacts as the contract takes.</summary>
    public const int ContactsMax = 10;

    /// <summary>The longest delay.</summary>
    public const int DelayDaysMax = 30;

    /// <summary>The delay unless another is given.</summary>
    public const int DelayDaysDefault = 3;

    const int SecondsPerDay = 86_400;
    const int SaltBytes = 32;
    const int UserHandleBytes = 32;
    const string Blind = "recovery.contact";

    sealed record Deed(ulong Sequence, SealedRecovery? Terms, Guid? Cancelled);

    /// <summary>A patient's terms and requests, the newest request first.</summary>
    public async Task<(RecoveryTermsView? Terms, IReadOnlyList<RecoveryView> Requests)> ShowAsync(Caller caller, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return (null, []);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        RecoveryTermsView? view = null;
        if (await TermsAsync(connection, patient, owner, cancellation) is var (row, terms))
        {
            List<RecoveryContactView> contacts = [];
            foreach (var contact in terms.Contacts)
            {
                contacts.Add(new RecoveryContactView(await people.NameAsync(contact.Patient, cancellation),
                    await people.FindPasskeyAsync(connection, contact.Patient, contact.Key, cancellation) is not null));
            }
            view = new RecoveryTermsView(contacts, terms.Threshold, (int)(terms.DelaySeconds / SecondsPerDay), row.SetBlock is not null);
        }
        List<RecoveryView> requests = [];
        foreach (var request in await RecoveryStore.OfPatientAsync(connection, patient, cancellation))
        {
            requests.Add(new RecoveryView(request.Id, request.StateAt(time.GetUtcNow()), NameOf(owner, request), request.Asked,
                (await RecoveryStore.ConfirmationsAsync(connection, request.Id, cancellation)).Count, request.EffectiveAt));
        }
        return (view, requests);
    }

    /// <summary>The request that a patient must know of on every page; null when there is none.</summary>
    public async Task<RecoveryView?> NoticeAsync(Caller caller, CancellationToken cancellation)
    {
        if (caller is not { Role: Role.Patient, Patient: { } patient })
        {
            return null;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return (await RecoveryStore.OfPatientAsync(connection, patient, cancellation))
            .Select(row => new RecoveryView(row.Id, row.StateAt(time.GetUtcNow()), null, row.Asked, 0, row.EffectiveAt)).FirstOrDefault(view => view.IsOpen);
    }

    /// <summary>Asks for the signature of who is called on when the passkeys are lost.</summary>
    /// <param name="caller">The patient.</param>
    /// <param name="named">The ids of their accounts; none turns recovery off.</param>
    /// <param name="threshold">How many must sign.</param>
    /// <param name="delayDays">How long after that it takes effect.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<AskOutcome> AskForTermsAsync(Caller caller, IReadOnlyList<string> named, int threshold, int delayDays, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return new AskOutcome.Unknown();
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var signers = await ConsentKeyring.FindAsync(connection, patient, owner, cancellation);
        if (!signers.Passkeys.Any())
        {
            return new AskOutcome.NoPasskey();
        }
        if (named.Count > ContactsMax)
        {
            return new AskOutcome.Invalid("contacts", $"Name {ContactsMax} persons at most.");
        }
        if (named.Count > 0 && (threshold < 1 || threshold > named.Count))
        {
            return new AskOutcome.Invalid("threshold", "At least one must sign, and no more than you name.");
        }
        if (delayDays is < 1 or > DelayDaysMax)
        {
            return new AskOutcome.Invalid("delay", $"Give a delay of 1 to {DelayDaysMax} days.");
        }
        List<ConsentPerson> persons = [];
        foreach (var account in named)
        {
            if (await people.FindAsync(connection, account, cancellation) is not { } person || person.Patient == patient)
            {
                return new AskOutcome.Invalid("contacts", $"{account.Trim()}: {ConsentPeople.Nobody}");
            }
            if (persons.Any(other => other.Patient == person.Patient))
            {
                return new AskOutcome.Invalid("contacts", $"You have named {person.Name} twice.");
            }
            persons.Add(person);
        }
        var contacts = persons.Select(person => new RecoveryContact(person.Patient, person.Key.Key, ceremony.PublicKeyOf(person.Key.Credential)))
            .OrderBy(contact => Convert.ToHexString(contact.Key), StringComparer.Ordinal).ToList();
        var terms = new SealedRecovery(RandomNumberGenerator.GetBytes(SaltBytes), contacts, (byte)Math.Max(threshold, 1), (uint)(delayDays * SecondsPerDay));
        var subject = signers.Subject!;
        return new AskOutcome.Asked(await questions.AskAsync(ChallengeKind.Recovery, caller, signers, new Deed(subject.Sequence, terms, null),
            SubjectsContract.SetRecoveryChallenge(mirror.SubjectsDomain, subject.Subject, terms.Terms, subject.Sequence),
            RecoveryWords.Terms([.. persons.Select(person => person.Name)], threshold, delayDays), cancellation));
    }

    /// <summary>Asks for the signature of an old passkey that cancels a recovery.</summary>
    public async Task<AskOutcome> AskForCancellationAsync(Caller caller, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return new AskOutcome.Unknown();
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var signers = await ConsentKeyring.FindAsync(connection, patient, owner, cancellation);
        if (await ToCancelAsync(connection, patient, cancellation) is not { } request)
        {
            return new AskOutcome.Unknown();
        }
        return signers.Passkeys.Any()
            ? new AskOutcome.Asked(await questions.AskAsync(ChallengeKind.Recovery, caller, signers, new Deed(signers.Subject!.Sequence, null, request.Id),
                SubjectsContract.CancelRecoveryChallenge(mirror.SubjectsDomain, signers.Subject.Subject, signers.Subject.Sequence), RecoveryWords.Cancellation(), cancellation))
            : new AskOutcome.NoPasskey();
    }

    /// <summary>Takes the patient's signature: does what was signed, and queues it for the chain.</summary>
    public Task<SignOutcome> SignAsync(Caller caller, string? attempt, AssertionMessage? message, CancellationToken cancellation) =>
        signing.TakeInSequenceAsync<Deed>(ChallengeKind.Recovery, caller, attempt, message, deed => deed.Sequence, signed => DoAsync(signed, cancellation), cancellation);

    async Task<SecurityEventKind?> DoAsync(SignedDeed<Deed> signed, CancellationToken cancellation)
    {
        var (connection, signers, deed, by, assertion) = signed;
        var (subject, now, id) = (signers.Subject!.Subject, time.GetUtcNow(), Guid.CreateVersion7());
        if (deed.Terms is { } terms)
        {
            // Contacts who are asked just now were named on other terms.
            await RecoveryStore.EndAsync(connection, signers.Patient, now, cancellation);
            await RecoveryStore.AddTermsAsync(connection, new RecoveryTermsRow(id, signers.Patient, terms.Terms.Contacts, terms.Seal(signers.Owner, id), now), cancellation);
            await outbox.EnqueueAsync(connection, RecoveryStore.SetPurpose, id.ToString(), ChainContract.Subjects,
                SubjectsContract.SetRecovery(subject, terms.Terms, deed.Sequence, by, assertion), cancellation);
            return SecurityEventKind.RecoverySet;
        }
        if (await ToCancelAsync(connection, signers.Patient, cancellation) is not { } request || request.Id != deed.Cancelled)
        {
            return null;
        }
        await RecoveryStore.CancelAsync(connection, request.Id, now, cancellation);
        await outbox.EnqueueAsync(connection, RecoveryStore.CancelPurpose, id.ToString(), ChainContract.Subjects,
            SubjectsContract.CancelRecovery(subject, deed.Sequence, by, assertion), cancellation);
        return SecurityEventKind.RecoveryCancelled;
    }

    /// <summary>Asks the browser for the new passkey, for who gives the password again.</summary>
    public async Task<RecoveryOutcome> PrepareAsync(Caller caller, string? password, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return new RecoveryOutcome.NoRecord();
        }
        switch (await signIns.ConfirmAsync(caller.Account, password, cancellation))
        {
            case SignInOutcome.SignedIn: break;
            case SignInOutcome.LockedUntil locked: return new RecoveryOutcome.Refused(new PasskeyOutcome.LockedUntil(locked.Until));
            default: return new RecoveryOutcome.Refused(new PasskeyOutcome.WrongPassword());
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (await ObjectionAsync(connection, patient, owner, cancellation) is { } objection)
        {
            return objection;
        }
        var signers = await ConsentKeyring.FindAsync(connection, patient, owner, cancellation);
        var challenge = ChallengeStore.NewChallenge();
        var (attempt, expires) = (await challenges.AddAsync(ChallengeKind.RecoveryPasskey, caller.Account, challenge, [], cancellation))!.Value;
        var (hospital, holder) = (organization.Current.Name, await accounts.FindAsync(caller.Account, cancellation));
        return new RecoveryOutcome.Prepared(new PreparedPasskey<CreationOptions>(attempt, expires, ceremony.Creation(
            RandomNumberGenerator.GetBytes(UserHandleBytes), $"Salus consents – {hospital}", $"Consents of {holder?.DisplayName}", hospital,
            signers.Passkeys.Select(key => key.Credential), challenge)));
    }

    /// <summary>Takes the passkey that the browser has made, and asks the contacts.</summary>
    public async Task<RecoveryOutcome> AskAsync(Caller caller, string? attempt, string? name, AttestationMessage? message, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return new RecoveryOutcome.NoRecord();
        }
        if (PasskeyDesk.Normalize(name) is not { } kept)
        {
            return new RecoveryOutcome.Refused(new PasskeyOutcome.BadName(PasskeyDesk.NameLengthMax));
        }
        if (await challenges.TakeAsync(ChallengeKind.RecoveryPasskey, caller.Account, attempt, cancellation) is not var (challenge, _))
        {
            return Refuse(PasskeyFault.Expired);
        }
        if (ceremony.Register(message, challenge) is var check && check is not RegistrationCheck.Good)
        {
            return Refuse(((RegistrationCheck.Bad)check).Fault);
        }
        var credential = ((RegistrationCheck.Good)check).Credential;
        var key = SubjectsContract.KeyId(ceremony.PublicKeyOf(credential));
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var signers = await ConsentKeyring.FindToChangeAsync(connection, patient, owner, cancellation);
        if (await ObjectionAsync(connection, patient, owner, cancellation) is { } objection)
        {
            return objection;
        }
        if (await ConsentKeyStore.IsKnownAsync(connection, key, cancellation))
        {
            return Refuse(PasskeyFault.KnownPasskey);
        }
        var contacts = (await TermsAsync(connection, patient, owner, cancellation))!.Value.Terms.Contacts;
        await RecoveryStore.EndAsync(connection, patient, time.GetUtcNow(), cancellation); // one whose time was up
        await RecoveryStore.AddAsync(connection,
            new RecoveryRow(Guid.CreateVersion7(), patient, key, ConsentKeyring.SealPasskey(owner, key, credential, kept), signers.Subject!.Sequence, time.GetUtcNow()),
            credential.Counter, [.. contacts.Select(contact => ContactHash(vault, contact.Patient))], cancellation);
        await RecordAsync(connection, SecurityEventKind.RecoveryAsked, caller, cancellation);
        await transaction.CommitAsync(cancellation);
        return new RecoveryOutcome.Asked();

        static RecoveryOutcome Refuse(PasskeyFault fault) => new RecoveryOutcome.Refused(new PasskeyOutcome.Refused(fault));
    }

    /// <summary>Gives up a request that still waits for contacts; false when there is none.</summary>
    public async Task<bool> WithdrawAsync(Caller caller, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return false;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await ConsentKeyring.FindToChangeAsync(connection, patient, owner, cancellation);
        if (!await RecoveryStore.EndAsync(connection, patient, time.GetUtcNow(), cancellation))
        {
            return false;
        }
        await RecordAsync(connection, SecurityEventKind.RecoveryCancelled, caller, cancellation);
        await transaction.CommitAsync(cancellation);
        return true;
    }

    /// <summary>The keyed hash by which a contact finds the requests that wait for them.</summary>
    internal static byte[] ContactHash(KeyVault vault, string patient) => vault.Blind(Blind, patient);

    /// <summary>The terms that count now; null where there are none, or their row was altered.</summary>
    internal static async Task<(RecoveryTermsRow Row, SealedRecovery Terms)?> TermsAsync(NpgsqlConnection connection, string patient, OwnerKey owner, CancellationToken cancellation) =>
        await RecoveryStore.TermsAsync(connection, patient, cancellation) is { } row && SealedRecovery.Open(owner, row) is { } terms ? (row, terms) : null;

    async Task<RecoveryOutcome?> ObjectionAsync(NpgsqlConnection connection, string patient, OwnerKey owner, CancellationToken cancellation) =>
        await TermsAsync(connection, patient, owner, cancellation) is not var (_, terms) || terms.Contacts.Count == 0 ? new RecoveryOutcome.NoContacts()
        : (await RecoveryStore.OfPatientAsync(connection, patient, cancellation)).Any(row => new RecoveryView(row.Id, row.StateAt(time.GetUtcNow()), null, row.Asked, 0, null).IsOpen)
            ? new RecoveryOutcome.AskedAlready()
            : null;

    async Task<RecoveryRow?> ToCancelAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        (await RecoveryStore.OfPatientAsync(connection, patient, cancellation))
            .FirstOrDefault(row => row.StateAt(time.GetUtcNow()) is RecoveryState.Relayed or RecoveryState.Pending);

    static string? NameOf(OwnerKey owner, RecoveryRow row) =>
        row.Sealed is { } sealedPasskey && ConsentKeyring.OpenPasskey(owner, row.Key, sealedPasskey, 0) is var (_, name) ? name : null;

    Task RecordAsync(NpgsqlConnection connection, SecurityEventKind kind, Caller caller, CancellationToken cancellation) =>
        hooks.RecordEvent(connection, new SecurityEvent(kind, caller.Account, null, time.GetUtcNow()), cancellation);
}
