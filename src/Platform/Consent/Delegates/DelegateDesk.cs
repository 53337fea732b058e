using System.Security.Cryptography;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Platform.Anchoring;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Consent.Delegates;

/// <summary>
/// Whom a patient lets sign in their place: a parent, a guardian. Naming and withdrawing is signed with the patient's passkey. A delegate signs once
/// the chain has them, and no more from the moment they are withdrawn or their time is up, whatever the chain says.
/// </summary>
public sealed class DelegateDesk(
    NpgsqlDataSource database, KeyVault vault, ConsentDesk consents, ConsentPeople people, SigningQuestions questions, DeedSigning signing, PasskeyCeremony ceremony,
    ChainOutbox outbox, ConsentMirror mirror, TimeProvider time)
{
    /// <summary>Delegates of one patient who may sign, or soon will.</summary>
    public const int CountMax = 10;

    const string Account = "account";

    /// <summary>Longer than a chain is ever away; the contract refuses a delegate whose time is up when it arrives.</summary>
    static readonly TimeSpan PeriodMin = TimeSpan.FromHours(12);
    static readonly TimeSpan PeriodMax = TimeSpan.FromDays(366 * 5);

    enum DeedKind { Appoint, Withdraw }

    sealed record Deed(DeedKind Kind, Guid Delegation, ulong Sequence, SealedDelegate? Appointed, PublicKey? Key);

    /// <summary>A patient's delegates, those of the past included, newest first.</summary>
    public async Task<IReadOnlyList<DelegateView>> ListAsync(Caller caller, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return [];
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<DelegateView> views = [];
        foreach (var row in await DelegateStore.OfPatientAsync(connection, patient, cancellation))
        {
            if (SealedDelegate.Open(owner, row) is { } appointed)
            {
                views.Add(View(row, appointed, await people.NameAsync(row.Delegate, cancellation), await StateAsync(connection, row, cancellation)));
            }
        }
        return views;
    }

    /// <summary>The names of a patient's delegates by the keys that they sign with, in hexadecimal, so that each signature can be shown as whose it is.</summary>
    public async Task<IReadOnlyDictionary<string, string>> NamesAsync(Caller caller, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return new Dictionary<string, string>();
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        Dictionary<string, string> names = [];
        foreach (var row in await DelegateStore.OfPatientAsync(connection, patient, cancellation))
        {
            if (SealedDelegate.Open(owner, row) is not null && !names.ContainsKey(Convert.ToHexStringLower(row.Key)))
            {
                names[Convert.ToHexStringLower(row.Key)] = await people.NameAsync(row.Delegate, cancellation);
            }
        }
        return names;
    }

    /// <summary>Asks for the signature that lets somebody else sign.</summary>
    /// <param name="caller">The patient.</param>
    /// <param name="account">Whom: the id of their account.</param>
    /// <param name="relation">What they are to the patient.</param>
    /// <param name="until">The last moment.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<AskOutcome> AskForAppointmentAsync(Caller caller, string? account, DelegateRelation relation, DateTimeOffset until, CancellationToken cancellation)
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
        var now = time.GetUtcNow();
        if (until < now + PeriodMin || until > now + PeriodMax)
        {
            return new AskOutcome.Invalid("until", "Somebody signs for you for twelve hours at least and five years at most.");
        }
        if (!Enum.IsDefined(relation))
        {
            return new AskOutcome.Invalid("relation", "Say what they are to you.");
        }
        if (await people.FindAsync(connection, account, cancellation) is not { } person || person.Patient == patient)
        {
            return new AskOutcome.Invalid(Account, ConsentPeople.Nobody);
        }
        var current = await CurrentAsync(connection, patient, cancellation);
        if (current.Any(row => row.Delegate == person.Patient))
        {
            return new AskOutcome.Invalid(Account, $"{person.Name} signs for you already. End that first.");
        }
        if (current.Count >= CountMax)
        {
            return new AskOutcome.Invalid(Account, $"{CountMax} persons sign for you already. End one of them first.");
        }
        var (subject, key) = (signers.Subject!, ceremony.PublicKeyOf(person.Key.Credential));
        var appointed = new SealedDelegate(
            person.Patient, person.Key.Key, until.ToUnixTimeSeconds(), subject.Sequence, relation, RandomNumberGenerator.GetBytes(SealedStore.SaltBytes));
        return new AskOutcome.Asked(await questions.AskAsync(ChallengeKind.Delegates, caller, signers,
            new Deed(DeedKind.Appoint, Guid.CreateVersion7(), subject.Sequence, appointed, key),
            SubjectsContract.AddDelegateChallenge(mirror.SubjectsDomain, subject.Subject, key, appointed.Commitment, (ulong)appointed.NotAfter, subject.Sequence),
            DelegateWords.Appointment(person.Name, relation, until), cancellation));
    }

    /// <summary>Asks for the signature that withdraws a delegate.</summary>
    public async Task<AskOutcome> AskForWithdrawalAsync(Caller caller, Guid id, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return new AskOutcome.Unknown();
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var signers = await ConsentKeyring.FindAsync(connection, patient, owner, cancellation);
        if ((await CurrentAsync(connection, patient, cancellation)).FirstOrDefault(row => row.Id == id) is not { } row)
        {
            return new AskOutcome.Unknown();
        }
        return new AskOutcome.Asked(await questions.AskAsync(ChallengeKind.Delegates, caller, signers, new Deed(DeedKind.Withdraw, id, signers.Subject!.Sequence, null, null),
            SubjectsContract.RemoveDelegateChallenge(mirror.SubjectsDomain, signers.Subject.Subject, row.Key, signers.Subject.Sequence),
            DelegateWords.Withdrawal(await people.NameAsync(row.Delegate, cancellation)), cancellation));
    }

    /// <summary>Takes the patient's signature: does what was signed, and queues it for the chain.</summary>
    public Task<SignOutcome> SignAsync(Caller caller, string? attempt, AssertionMessage? message, CancellationToken cancellation) =>
        signing.TakeInSequenceAsync<Deed>(ChallengeKind.Delegates, caller, attempt, message, deed => deed.Sequence, signed => DoAsync(signed, cancellation), cancellation);

    async Task<SecurityEventKind?> DoAsync(SignedDeed<Deed> signed, CancellationToken cancellation)
    {
        var (connection, signers, deed, by, assertion) = signed;
        var (subject, id) = (signers.Subject!.Subject, deed.Delegation);
        if (deed is { Kind: DeedKind.Appoint, Appointed: { } appointed, Key: { } key })
        {
            if (await vault.FindOwnerAsync(connection, Guid.Parse(appointed.Delegate), cancellation) is null)
            {
                return null; // erased since they were named
            }
            await DelegateStore.AddAsync(connection,
                new DelegateRow(id, signers.Patient, appointed.Delegate, appointed.Key, DateTimeOffset.FromUnixTimeSeconds(appointed.NotAfter), appointed.Sequence,
                    appointed.Seal(signers.Owner, id), time.GetUtcNow()), cancellation);
            await outbox.EnqueueAsync(connection, DelegateStore.AddPurpose, id.ToString(), ChainContract.Subjects,
                SubjectsContract.AddDelegate(subject, key, appointed.Commitment, (ulong)appointed.NotAfter, deed.Sequence, by, assertion), cancellation);
            return SecurityEventKind.DelegateAdded;
        }
        if ((await CurrentAsync(connection, signers.Patient, cancellation)).FirstOrDefault(row => row.Id == id) is not { } withdrawn)
        {
            return null;
        }
        await DelegateStore.WithdrawAsync(connection, id, time.GetUtcNow(), cancellation);
        await outbox.EnqueueAsync(connection, DelegateStore.RemovePurpose, id.ToString(), ChainContract.Subjects,
            SubjectsContract.RemoveDelegate(subject, withdrawn.Key, deed.Sequence, by, assertion), cancellation);
        return SecurityEventKind.DelegateRemoved;
    }

    /// <summary>Those who sign for a patient, or will once the chain has them.</summary>
    async Task<IReadOnlyList<DelegateRow>> CurrentAsync(NpgsqlConnection connection, string patient, CancellationToken cancellation) =>
        [.. (await DelegateStore.OfPatientAsync(connection, patient, cancellation)).Where(row => row.Withdrawn is null && !row.Refused && time.GetUtcNow() <= row.NotAfter)];

    /// <summary>How far a delegate has come.</summary>
    internal async Task<DelegateState> StateAsync(NpgsqlConnection connection, DelegateRow row, CancellationToken cancellation) =>
        row.Withdrawn is not null ? DelegateState.Withdrawn
        : row.Refused ? DelegateState.Refused
        : time.GetUtcNow() > row.NotAfter ? DelegateState.Expired
        : await people.FindPasskeyAsync(connection, row.Delegate, row.Key, cancellation) is null ? DelegateState.WithoutPasskey
        : row.AddedBlock is null ? DelegateState.Requested
        : DelegateState.Active;

    internal static DelegateView View(DelegateRow row, SealedDelegate appointed, string name, DelegateState state) =>
        new(row.Id, name, appointed.Relation, row.NotAfter, row.Created, row.Withdrawn, state);
}
