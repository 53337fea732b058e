using System.Collections.Concurrent;
using System.Security.Cryptography;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent.Emergencies;
using Salus.Platform.Consortium;
using Salus.Platform.Identity;
using Salus.Platform.Schema;
using Salus.Platform.Store;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Consent;

/// <summary>Whether a caller may read.</summary>
public abstract record AccessDecision
{
    AccessDecision() { }

    /// <summary>Yes.</summary>
    /// <param name="Consent">The consent it rests on; null where it is the caller's own record, and in an emergency.</param>
    /// <param name="InEmergency">Whether it rests on an opening in an emergency, because no consent covers it.</param>
    public sealed record Allowed(string? Consent, bool InEmergency = false) : AccessDecision
    {
        /// <summary>What a read for a purpose is logged as.</summary>
        internal string CodeOf(Purpose purpose) => InEmergency ? EmergencyDocument.Code : ConsentTerms.CodeOf(purpose);
    }

    /// <summary>No.</summary>
    /// <param name="Reason">Why, in a sentence that tells nothing of the record.</param>
    public sealed record Refused(string Reason) : AccessDecision;
}

/// <summary>What became of a grant.</summary>
public abstract record GrantOutcome
{
    GrantOutcome() { }

    /// <summary>Signed and on its way to the chain; it counts once the chain has it.</summary>
    public sealed record Requested(string Consent) : GrantOutcome;

    /// <summary>A field is wrong.</summary>
    public sealed record Invalid(string Field, string Reason) : GrantOutcome;

    /// <summary>The caller has no record to share.</summary>
    public sealed record NoRecord : GrantOutcome;

    /// <summary>The patient has a passkey and signs with it; the node does not sign for them.</summary>
    public sealed record PasskeyNeeded : GrantOutcome;
}

/// <summary>What became of a revocation.</summary>
public abstract record RevokeOutcome
{
    RevokeOutcome() { }

    /// <summary>Enforced from now on, and on its way to the chain.</summary>
    public sealed record Revoked : RevokeOutcome;

    /// <summary>No consent of this patient has that id.</summary>
    public sealed record Unknown : RevokeOutcome;

    /// <summary>The patient has a passkey and signs with it; the node does not sign for them.</summary>
    public sealed record PasskeyNeeded : RevokeOutcome;
}

/// <summary>How far a consent has come.</summary>
public enum ConsentState
{
    /// <summary>Signed; the chain does not have it yet.</summary>
    Requested,
    /// <summary>In force.</summary>
    Active,
    /// <summary>Past its last moment.</summary>
    Expired,
    /// <summary>Revoked by the patient.</summary>
    Revoked,
}

/// <summary>A consent as it is shown to its patient.</summary>
public sealed record ConsentView(
    string Id, ConsentTerms Terms, ConsentState State, DateTimeOffset Requested, DateTimeOffset? Revoked, byte[] ChainId, byte[] Commitment,
    long? GrantedBlock, long? RevokedBlock, ConsentSigner SignedBy, ConsentSigner? RevokedBy)
{
    /// <summary>The keys that granted and revoked, by what the contract calls them.</summary>
    internal (byte[] Granted, byte[]? Revoked) Keys { get; init; } = ([], null);
}

/// <summary>A grant as it is to be signed: the Consent resource and the salt of its commitment.</summary>
sealed record GrantDraft(string Resource, byte[] Id, byte[] Salt, byte[] Document)
{
    public byte[] Commitment => SealedStore.Commit(Salt, Document);

    public ConsentTerms Terms => ConsentTerms.Read(Document);

    public ulong NotAfter => (ulong)Terms.Until.ToUnixTimeSeconds();
}

/// <summary>
/// Grants, revocations and the decision on each read. The chain says what is granted; this node's mirror of it answers, and refuses when it
/// is stale. A revocation made here counts at once and is never undone.
/// </summary>
public sealed class ConsentDesk(
    NpgsqlDataSource database, NodeMessages messages, KeyVault vault, AuditTrail audit, ChainOutbox outbox, ConsentMirror mirror, ConsentKeyring keyring, MemberDirectory members,
    EmergencyDesk emergencies, TimeProvider time)
{
    const int TermsCachedMax = 10_000;
    const string Stale = "The node has lost sight of the chain and cannot tell which consents hold. Try again when it is back.";
    const string NotCovered = "The patient's consent does not cover this category or purpose.";
    static readonly TimeSpan PeriodMax = TimeSpan.FromDays(366 * 5);

    readonly SealedStore store = new(vault);
    readonly EntryLookup entries = new(messages);
    readonly RightsInForce rights = new(messages, time);
    readonly ConcurrentDictionary<string, ConsentTerms> termsCache = new();

    /// <summary>Decides on one read.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="patient">The patient's logical id.</param>
    /// <param name="resourceType">What kind of resource.</param>
    /// <param name="purpose">For what.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <param name="lent">The connection that the caller holds: who holds one must not wait for another.</param>
    public async Task<AccessDecision> DecideAsync(
        Caller caller, string patient, string resourceType, Purpose purpose, CancellationToken cancellation, NpgsqlConnection? lent = null)
    {
        if (caller.Role == Role.Patient)
        {
            return caller.Patient == patient
                ? new AccessDecision.Allowed(null)
                : new AccessDecision.Refused("This is not your record.");
        }
        var scope = await ScopeAsync(caller, patient, purpose, cancellation, lent);
        return scope.Decide(resourceType, time.GetUtcNow());
    }

    /// <summary>Whether it is known now who may read what. Where it is not, professionals read nothing but in an emergency.</summary>
    public bool IsFresh => mirror.IsFresh;

    /// <summary>All that a caller may read of one patient now, decided once for many resources.</summary>
    public async Task<AccessScope> ScopeAsync(Caller caller, string patient, Purpose purpose, CancellationToken cancellation, NpgsqlConnection? lent = null)
    {
        if (caller.Role == Role.Patient)
        {
            return caller.Patient == patient ? AccessScope.Own : AccessScope.None("This is not your record.");
        }
        if (caller.Role is Role.Administrator or Role.Auditor or Role.Researcher)
        {
            return AccessScope.None($"The role {caller.Role} reads no records.");
        }
        var (rows, open) = await rights.FindAsync(RightsQuestion.Of(caller, patient), lent, cancellation);
        // An emergency waits for nobody, not even for the chain.
        var emergency = purpose == Purpose.Treatment ? await emergencies.FindOpenAsync(lent, open, caller, patient, cancellation) : null;
        if (!mirror.IsFresh)
        {
            return new AccessScope([], purpose, Stale, emergencyUntil: emergency?.Until);
        }
        List<(string, ConsentTerms)> held = [];
        foreach (var row in rows)
        {
            if (await TermsAsync(lent, row, cancellation) is { } terms && terms.Grantee == row.Grantee)
            {
                held.Add((row.Resource, terms));
            }
        }
        return new AccessScope(held, purpose, held.Count == 0 ? "The patient has not given you access." : NotCovered, emergencyUntil: emergency?.Until);
    }

    /// <summary>All that a caller may read of anybody now, by patient, decided once for a search.</summary>
    public async Task<IReadOnlyDictionary<string, AccessScope>> ScopesAsync(Caller caller, Purpose purpose, CancellationToken cancellation, NpgsqlConnection? lent = null)
    {
        if (caller.Role == Role.Patient)
        {
            return caller.Patient is { } own ? new Dictionary<string, AccessScope> { [own] = AccessScope.Own } : [];
        }
        if (caller.Role is Role.Administrator or Role.Auditor or Role.Researcher)
        {
            return new Dictionary<string, AccessScope>();
        }
        Dictionary<string, List<(string, ConsentTerms)>> held = [];
        Dictionary<string, DateTimeOffset> open = [];
        var (rows, opened) = await rights.FindAsync(RightsQuestion.Of(caller, null), lent, cancellation);
        foreach (var ofPatient in purpose == Purpose.Treatment ? opened.GroupBy(row => row.Patient) : [])
        {
            if (await emergencies.FindOpenAsync(lent, [.. ofPatient], caller, ofPatient.Key, cancellation) is { } view)
            {
                (held[ofPatient.Key], open[ofPatient.Key]) = ([], view.Until);
            }
        }
        foreach (var row in mirror.IsFresh ? rows : [])
        {
            if (await TermsAsync(lent, row, cancellation) is { } terms && terms.Grantee == row.Grantee)
            {
                if (!held.TryGetValue(row.Patient, out var own))
                {
                    held[row.Patient] = own = [];
                }
                own.Add((row.Resource, terms));
            }
        }
        return held.ToDictionary(pair => pair.Key, pair => new AccessScope(pair.Value, purpose, NotCovered, emergencyUntil: open.TryGetValue(pair.Key, out var until) ? until : null));
    }

    /// <summary>
    /// All that another member of the consortium may read of one patient now. Besides the mirror the contract itself is asked: what leaves
    /// this node does not come back.
    /// </summary>
    /// <param name="member">The member's id.</param>
    /// <param name="patient">The patient's logical id.</param>
    /// <param name="consent">The one consent to go by; null for all.</param>
    /// <param name="purpose">For what.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="HttpRequestException">The chain does not answer.</exception>
    public async Task<AccessScope> MemberScopeAsync(ulong member, string patient, string? consent, Purpose purpose, CancellationToken cancellation)
    {
        if (!mirror.IsFresh)
        {
            return AccessScope.None(Stale);
        }
        List<(string, ConsentTerms)> held = [];
        foreach (var (row, terms) in await HeldAsync(patient, [ConsentTerms.MemberGrantee(member)], cancellation))
        {
            if ((consent is null || row.Resource == consent) && await mirror.HoldsAsync(row, cancellation))
            {
                held.Add((row.Resource, terms));
            }
        }
        return new AccessScope(held, purpose, held.Count == 0 ? "The patient has not given your hospital access." : NotCovered);
    }

    /// <summary>The patient who gave a consent; null where there is no such consent.</summary>
    public async Task<string?> PatientOfAsync(string consent, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return (await ConsentStore.FindAsync(connection, consent, forUpdate: false, cancellation))?.Patient;
    }

    /// <summary>The consents in force of one patient to these grantees, with their terms.</summary>
    async Task<List<(ConsentRow Row, ConsentTerms Terms)>> HeldAsync(string patient, string[] grantees, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<(ConsentRow, ConsentTerms)> held = [];
        foreach (var row in await ConsentStore.ForGranteeAsync(connection, patient, grantees, cancellation))
        {
            if (await TermsAsync(connection, row, cancellation) is { } terms && terms.Grantee == row.Grantee && time.GetUtcNow() <= row.NotAfter)
            {
                held.Add((row, terms));
            }
        }
        return held;
    }

    /// <summary>The patients who have given this caller access.</summary>
    public async Task<IReadOnlyList<string>> PatientsOfAsync(Caller caller, CancellationToken cancellation)
    {
        if (caller.Role == Role.Patient)
        {
            return caller.Patient is { } own ? [own] : [];
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var question = RightsQuestion.Of(caller, null);
        var granted = await ConsentStore.PatientsForAsync(connection, question.Grantees, time.GetUtcNow(), cancellation);
        return [.. granted.Union((await rights.FindAsync(question, connection, cancellation)).Open.Select(row => row.Patient))];
    }

    /// <summary>Grants access to the caller's own record, signed by the key that the node keeps for a patient without a passkey.</summary>
    public async Task<GrantOutcome> GrantAsync(Caller caller, ConsentTerms terms, CancellationToken cancellation)
    {
        if (await FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return new GrantOutcome.NoRecord();
        }
        if (Check(terms) is { } invalid)
        {
            return invalid;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var signers = await ConsentKeyring.FindToChangeAsync(connection, patient, owner, cancellation);
        if (signers.HavePasskey)
        {
            return new GrantOutcome.PasskeyNeeded();
        }
        signers = await keyring.EnsureNodeKeyAsync(connection, signers, cancellation);
        var draft = Draft(patient, terms);
        var (by, assertion) = keyring.SignForPatient(signers, GrantChallenge(signers.Subject!, draft));
        await WriteGrantAsync(connection, caller, signers, draft, by, assertion, cancellation);
        await transaction.CommitAsync(cancellation);
        return new GrantOutcome.Requested(draft.Resource);
    }

    /// <summary>Revokes a consent of the caller's own record, signed like a grant; again is no error.</summary>
    public async Task<RevokeOutcome> RevokeAsync(Caller caller, string consent, CancellationToken cancellation)
    {
        if (await FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return new RevokeOutcome.Unknown();
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await ConsentStore.FindAsync(connection, consent, forUpdate: true, cancellation) is not { } row || row.Patient != patient)
        {
            return new RevokeOutcome.Unknown();
        }
        if (row.Revoked is not null)
        {
            return new RevokeOutcome.Revoked();
        }
        var signers = await ConsentKeyring.FindToChangeAsync(connection, patient, owner, cancellation);
        if (signers.HavePasskey)
        {
            return new RevokeOutcome.PasskeyNeeded();
        }
        var (by, assertion) = keyring.SignForPatient(signers, RevokeChallenge(signers.Subject!, row));
        await WriteRevocationAsync(connection, caller, signers, row, by, assertion, cancellation);
        await transaction.CommitAsync(cancellation);
        return new RevokeOutcome.Revoked();
    }

    /// <summary>The patient and the key of their record; null for a caller who has none.</summary>
    internal async Task<(string Patient, OwnerKey Owner)?> FindOwnerAsync(Caller caller, CancellationToken cancellation) =>
        caller is { Role: Role.Patient, Patient: { } patient } && await vault.FindOwnerAsync(Guid.Parse(patient), cancellation) is { } owner ? (patient, owner) : null;

    /// <summary>A grant of these terms, with fresh ids and a fresh salt.</summary>
    internal GrantDraft Draft(string patient, ConsentTerms terms)
    {
        var resource = Guid.CreateVersion7().ToString();
        return new GrantDraft(resource, RandomNumberGenerator.GetBytes(32), RandomNumberGenerator.GetBytes(SealedStore.SaltBytes),
            terms.Write(resource, patient, active: true, SealedStore.Now(time)));
    }

    internal byte[] GrantChallenge(ConsentSubject subject, GrantDraft draft) =>
        ConsentsContract.GrantChallenge(mirror.Domain, subject.Subject, draft.Id, draft.Commitment, draft.NotAfter);

    internal byte[] RevokeChallenge(ConsentSubject subject, ConsentRow row) => ConsentsContract.RevokeChallenge(mirror.Domain, subject.Subject, row.Id);

    /// <summary>Writes a signed grant, and queues it for the chain.</summary>
    internal async Task WriteGrantAsync(
        NpgsqlConnection connection, Caller caller, ConsentSigners signers, GrantDraft draft, byte[] by, WebAuthnAssertion assertion, CancellationToken cancellation)
    {
        var (now, terms, subject) = (SealedStore.Now(time), draft.Terms, signers.Subject!.Subject);
        await SealedStore.AppendAsync(connection,
            [new NewEntry(LeafKind.Consent, "Consent", draft.Resource, 1, signers.Owner, signers.Patient, now, draft.Document, Salt: draft.Salt)], cancellation);
        await ConsentStore.AddAsync(connection,
            new ConsentRow(draft.Id, signers.Patient, draft.Resource, terms.Grantee, draft.Commitment, terms.Until, now, by), cancellation);
        await outbox.EnqueueAsync(connection, "grant", Convert.ToHexStringLower(draft.Id), ChainContract.Consents,
            ConsentsContract.Grant(subject, draft.Id, draft.Commitment, draft.NotAfter, by, assertion), cancellation);
        await audit.RecordAsync(connection,
            new AuditFact(AuditAction.Grant, true, caller.Account, AuditTrail.AliasOf(signers.Owner), $"Consent/{draft.Resource}", null), cancellation);
    }

    /// <summary>Writes a signed revocation, enforced from this transaction on, and queues it for the chain.</summary>
    internal async Task WriteRevocationAsync(
        NpgsqlConnection connection, Caller caller, ConsentSigners signers, ConsentRow row, byte[] by, WebAuthnAssertion assertion, CancellationToken cancellation)
    {
        var now = SealedStore.Now(time);
        var terms = (await TermsAsync(connection, row, cancellation))!;
        await ConsentStore.RevokeAsync(connection, row.Id, now, by, cancellation);
        await SealedStore.AppendAsync(connection,
            [new NewEntry(LeafKind.Consent, "Consent", row.Resource, 2, signers.Owner, signers.Patient, now, terms.Write(row.Resource, signers.Patient, active: false, now))],
            cancellation);
        await outbox.EnqueueAsync(connection, "revoke", Convert.ToHexStringLower(row.Id), ChainContract.Consents,
            ConsentsContract.Revoke(signers.Subject!.Subject, row.Id, by, assertion), cancellation);
        await audit.RecordAsync(connection,
            new AuditFact(AuditAction.Revoke, true, caller.Account, AuditTrail.AliasOf(signers.Owner), $"Consent/{row.Resource}", null), cancellation);
    }

    /// <summary>A patient's consents, newest first.</summary>
    public async Task<IReadOnlyList<ConsentView>> ListAsync(Caller caller, CancellationToken cancellation)
    {
        if (await FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return [];
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var signers = await ConsentKeyring.FindAsync(connection, patient, owner, cancellation);
        List<ConsentView> views = [];
        foreach (var row in await ConsentStore.OfPatientAsync(connection, patient, cancellation))
        {
            if (await TermsAsync(connection, row, cancellation) is { } terms)
            {
                views.Add(new ConsentView(row.Resource, terms, StateOf(row), row.Requested, row.Revoked, row.Id, row.Commitment, row.GrantedBlock, row.RevokedBlock,
                    signers.SignerOf(row.GrantedBy), row.RevokedBy is { } by ? signers.SignerOf(by) : null) { Keys = (row.GrantedBy, row.RevokedBy) });
            }
        }
        return views;
    }

    ConsentState StateOf(ConsentRow row) =>
        row.Revoked is not null ? ConsentState.Revoked
        : time.GetUtcNow() > row.NotAfter ? ConsentState.Expired
        : row.GrantedBlock is null ? ConsentState.Requested
        : ConsentState.Active;

    /// <summary>What is wrong with terms; null when nothing is.</summary>
    internal GrantOutcome.Invalid? Check(ConsentTerms terms) => terms switch
    {
        { Categories.Count: 0 } => new("categories", "Name at least one category of records to share."),
        { Purposes.Count: 0 } => new("purposes", "Name at least one purpose."),
        { Kind: GranteeKind.Account } when !Guid.TryParse(terms.Grantee, out _) => new("grantee", "Name the account of the person you trust, or the hospital."),
        { Kind: GranteeKind.Hospital } when terms.Grantee != ConsentTerms.ThisHospital => new("grantee", "Name the hospital that holds the record as 'hospital', another by its id in the consortium."),
        { Kind: GranteeKind.Member } when ConsentTerms.MemberOf(terms.Grantee) is not { } id || members.Find(id) is null or { IsSelf: true } =>
            new("grantee", "No other hospital of the consortium has this id."),
        _ when terms.Until <= terms.From => new("until", "The last moment must come after the first."),
        _ when terms.Until <= time.GetUtcNow() => new("until", "The last moment has passed already."),
        _ when terms.Until - terms.From > PeriodMax => new("until", "A consent lasts five years at most."),
        _ => null,
    };

    /// <summary>The terms of a consent; null where its row and its entry do not belong together, or the key is gone.</summary>
    internal async Task<ConsentTerms?> TermsAsync(NpgsqlConnection? lent, ConsentRow row, CancellationToken cancellation)
    {
        var key = $"{row.Patient}/{row.Resource}";
        if (termsCache.TryGetValue(key, out var known) && await vault.FindOwnerAsync(Guid.Parse(row.Patient), cancellation) is not null)
        {
            return known;
        }
        var entry = await entries.FindAsync("Consent", row.Resource, 1, lent, cancellation);
        if (entry is null || entry.Owner.ToString() != row.Patient || !entry.Content.AsSpan().SequenceEqual(row.Commitment) || await store.OpenAsync(entry, cancellation) is not { } bytes)
        {
            return null;
        }
        if (termsCache.Count >= TermsCachedMax)
        {
            termsCache.Clear();
        }
        return termsCache[key] = ConsentTerms.Read(bytes);
    }
}
