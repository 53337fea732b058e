using System.Collections.Concurrent;
using System.Security.Cryptography;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consortium;
using Salus.Platform.Identity;
using Salus.Platform.Store;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Consent;

/// <summary>Whether a caller may read.</summary>
public abstract record AccessDecision
{
    AccessDecision() { }

    /// <summary>Yes.</summary>
    /// <param name="Consent">The consent it rests on; null where it is the caller's own record.</param>
    public sealed record Allowed(string? Consent) : AccessDecision;

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
}

/// <summary>What became of a revocation.</summary>
public abstract record RevokeOutcome
{
    RevokeOutcome() { }

    /// <summary>Enforced from now on, and on its way to the chain.</summary>
    public sealed record Revoked : RevokeOutcome;

    /// <summary>No consent of this patient has that id.</summary>
    public sealed record Unknown : RevokeOutcome;
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
    long? GrantedBlock, long? RevokedBlock);

/// <summary>
/// Grants, revocations and the decision on each read. The chain says what is granted; this node's mirror of it answers, and refuses when it
/// is stale. A revocation made here counts at once and is never undone.
/// </summary>
public sealed class ConsentDesk(
    NpgsqlDataSource database, KeyVault vault, AuditTrail audit, ChainOutbox outbox, ConsentMirror mirror, MemberDirectory members, ConsentOptions options, TimeProvider time)
{
    const int TermsCachedMax = 10_000;
    const string Stale = "The node has lost sight of the chain and cannot tell which consents hold. Try again when it is back.";
    const string NotCovered = "The patient's consent does not cover this category or purpose.";
    static readonly TimeSpan PeriodMax = TimeSpan.FromDays(366 * 5);

    readonly SealedStore store = new(vault);
    readonly ConcurrentDictionary<string, ConsentTerms> termsCache = new();

    /// <summary>Decides on one read.</summary>
    public async Task<AccessDecision> DecideAsync(Caller caller, string patient, string resourceType, Purpose purpose, CancellationToken cancellation)
    {
        if (caller.Role == Role.Patient)
        {
            return caller.Patient == patient
                ? new AccessDecision.Allowed(null)
                : new AccessDecision.Refused("This is not your record.");
        }
        var scope = await ScopeAsync(caller, patient, purpose, cancellation);
        return scope.Decide(resourceType, time.GetUtcNow());
    }

    /// <summary>All that a caller may read of one patient now, decided once for many resources.</summary>
    public async Task<AccessScope> ScopeAsync(Caller caller, string patient, Purpose purpose, CancellationToken cancellation)
    {
        if (caller.Role == Role.Patient)
        {
            return caller.Patient == patient ? AccessScope.Own : AccessScope.None("This is not your record.");
        }
        if (caller.Role is Role.Administrator or Role.Auditor or Role.Researcher)
        {
            return AccessScope.None($"The role {caller.Role} reads no records.");
        }
        if (!mirror.IsFresh)
        {
            return AccessScope.None(Stale);
        }
        var held = await HeldAsync(patient, GranteesOf(caller), cancellation);
        return new AccessScope([.. held.Select(pair => (pair.Row.Resource, pair.Terms))], purpose, held.Count == 0 ? "The patient has not given you access." : NotCovered);
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
        return await ConsentStore.PatientsForAsync(connection, GranteesOf(caller), time.GetUtcNow(), cancellation);
    }

    /// <summary>Makes the pseudonym and the signing key of a new patient, in the transaction that makes the patient.</summary>
    public async Task EnrollAsync(NpgsqlConnection connection, string patient, OwnerKey owner, CancellationToken cancellation)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var subject = RandomNumberGenerator.GetBytes(32);
        var pkcs8 = key.ExportPkcs8PrivateKey();
        await ConsentStore.AddSubjectAsync(connection, patient, subject, owner.Seal(KeyContext(patient), pkcs8), cancellation);
        CryptographicOperations.ZeroMemory(pkcs8);
        await outbox.EnqueueAsync(connection, "enroll", Convert.ToHexStringLower(subject), ChainContract.Subjects,
            SubjectsContract.Enroll(subject, PublicKeyOf(key)), cancellation);
    }

    /// <summary>Grants access to the caller's own record.</summary>
    public async Task<GrantOutcome> GrantAsync(Caller caller, ConsentTerms terms, CancellationToken cancellation)
    {
        if (caller is not { Role: Role.Patient, Patient: { } patient } || await vault.FindOwnerAsync(Guid.Parse(patient), cancellation) is not { } owner)
        {
            return new GrantOutcome.NoRecord();
        }
        if (Check(terms) is { } invalid)
        {
            return invalid;
        }
        var now = SealedStore.Now(time);
        var resource = Guid.CreateVersion7().ToString();
        var id = RandomNumberGenerator.GetBytes(32);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await SealedStore.AppendAsync(connection,
            [new NewEntry(LeafKind.Consent, "Consent", resource, 1, owner, patient, now, terms.Write(resource, patient, active: true, now))], cancellation);
        var stored = await SealedStore.FindAsync(connection, "Consent", resource, 1, cancellation);
        var row = new ConsentRow(id, patient, resource, terms.Grantee, stored!.Content, terms.Until, now, null, null, null);
        await ConsentStore.AddAsync(connection, row, cancellation);
        var subject = (await ConsentStore.SubjectAsync(connection, patient, cancellation))!;
        var notAfter = (ulong)terms.Until.ToUnixTimeSeconds();
        var (by, assertion) = Sign(subject, patient, owner, ConsentsContract.GrantChallenge(mirror.Domain, subject.Subject, id, row.Commitment, notAfter));
        await outbox.EnqueueAsync(connection, "grant", Convert.ToHexStringLower(id), ChainContract.Consents,
            ConsentsContract.Grant(subject.Subject, id, row.Commitment, notAfter, by, assertion), cancellation);
        await audit.RecordAsync(connection,
            new AuditFact(AuditAction.Grant, true, caller.Account, AuditTrail.AliasOf(owner), $"Consent/{resource}", null), cancellation);
        await transaction.CommitAsync(cancellation);
        return new GrantOutcome.Requested(resource);
    }

    /// <summary>Revokes a consent of the caller's own record; again is no error.</summary>
    public async Task<RevokeOutcome> RevokeAsync(Caller caller, string consent, CancellationToken cancellation)
    {
        if (caller is not { Role: Role.Patient, Patient: { } patient } || await vault.FindOwnerAsync(Guid.Parse(patient), cancellation) is not { } owner)
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
        var now = SealedStore.Now(time);
        var terms = (await TermsAsync(connection, row, cancellation))!;
        await ConsentStore.RevokeAsync(connection, row.Id, now, cancellation);
        await SealedStore.AppendAsync(connection,
            [new NewEntry(LeafKind.Consent, "Consent", consent, 2, owner, patient, now, terms.Write(consent, patient, active: false, now))], cancellation);
        var subject = (await ConsentStore.SubjectAsync(connection, patient, cancellation))!;
        var (by, assertion) = Sign(subject, patient, owner, ConsentsContract.RevokeChallenge(mirror.Domain, subject.Subject, row.Id));
        await outbox.EnqueueAsync(connection, "revoke", Convert.ToHexStringLower(row.Id), ChainContract.Consents,
            ConsentsContract.Revoke(subject.Subject, row.Id, by, assertion), cancellation);
        await audit.RecordAsync(connection,
            new AuditFact(AuditAction.Revoke, true, caller.Account, AuditTrail.AliasOf(owner), $"Consent/{consent}", null), cancellation);
        await transaction.CommitAsync(cancellation);
        return new RevokeOutcome.Revoked();
    }

    /// <summary>A patient's consents, newest first.</summary>
    public async Task<IReadOnlyList<ConsentView>> ListAsync(Caller caller, CancellationToken cancellation)
    {
        if (caller is not { Role: Role.Patient, Patient: { } patient })
        {
            return [];
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<ConsentView> views = [];
        foreach (var row in await ConsentStore.OfPatientAsync(connection, patient, cancellation))
        {
            if (await TermsAsync(connection, row, cancellation) is { } terms)
            {
                views.Add(new ConsentView(row.Resource, terms, StateOf(row), row.Requested, row.Revoked, row.Id, row.Commitment, row.GrantedBlock, row.RevokedBlock));
            }
        }
        return views;
    }

    ConsentState StateOf(ConsentRow row) =>
        row.Revoked is not null ? ConsentState.Revoked
        : time.GetUtcNow() > row.NotAfter ? ConsentState.Expired
        : row.GrantedBlock is null ? ConsentState.Requested
        : ConsentState.Active;

    GrantOutcome.Invalid? Check(ConsentTerms terms) => terms switch
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

    (byte[] By, WebAuthnAssertion Assertion) Sign(ConsentSubject subject, string patient, OwnerKey owner, byte[] challenge)
    {
        if (!owner.TryOpen(KeyContext(patient), subject.SealedKey, out var pkcs8))
        {
            throw new InvalidDataException($"The signing key of patient {patient} was altered in the database. Restore table consent_subject from a backup.");
        }
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        CryptographicOperations.ZeroMemory(pkcs8);
        return (SubjectsContract.KeyId(PublicKeyOf(key)), WebAuthnAssertion.Sign(key, options.RelyingParty, options.Origin, challenge));
    }

    PublicKey PublicKeyOf(ECDsa key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return new PublicKey(point.X!, point.Y!, WebAuthnAssertion.RelyingPartyIdHash(options.RelyingParty));
    }

    async Task<ConsentTerms?> TermsAsync(NpgsqlConnection connection, ConsentRow row, CancellationToken cancellation)
    {
        var key = $"{row.Patient}/{row.Resource}";
        if (termsCache.TryGetValue(key, out var known) && await vault.FindOwnerAsync(Guid.Parse(row.Patient), cancellation) is not null)
        {
            return known;
        }
        var entry = await SealedStore.FindAsync(connection, "Consent", row.Resource, 1, cancellation);
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

    static SealContext KeyContext(string patient) => new("ConsentKey", patient, 1);

    static string[] GranteesOf(Caller caller) => caller.Role is Role.Practitioner or Role.Laboratory or Role.Pharmacy
        ? [caller.Account.ToString(), ConsentTerms.ThisHospital]
        : [caller.Account.ToString()];
}
