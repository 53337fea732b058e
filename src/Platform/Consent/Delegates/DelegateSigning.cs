using Npgsql;
using Salus.Platform.Audit;
using Salus.Platform.Consent.Recovery;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;
using Salus.Vault.Keys;

namespace Salus.Platform.Consent.Delegates;

/// <summary>
/// What a delegate does for a patient: sees their consents, grants and revokes, each signed with the delegate's own passkey, the one that the patient
/// has named. It is a consent of the patient's like any other, and says who signed.
/// </summary>
public sealed class DelegateSigning(
    NpgsqlDataSource database, KeyVault vault, ConsentDesk consents, ConsentSigningDesk signing, ConsentKeyring keyring, DelegateDesk delegates, ConsentPeople people,
    SigningQuestions questions, AuditTrail audit, TimeProvider time)
{
    sealed record Deed(Guid Delegation, GrantDraft? Grant, string? Revoked);

    /// <summary>A delegation that holds, with both of its sides.</summary>
    sealed record Standing(DelegateRow Row, SealedDelegate Appointed, ConsentSigners Patient, ConsentSigners Delegate, string Name);

    /// <summary>Those for whom the caller may sign.</summary>
    public async Task<IReadOnlyList<DelegateView>> ListAsync(Caller caller, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (own, _))
        {
            return [];
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<DelegateView> views = [];
        foreach (var row in await DelegateStore.OfDelegateAsync(connection, own, cancellation))
        {
            if (await vault.FindOwnerAsync(Guid.Parse(row.Patient), cancellation) is { } owner && SealedDelegate.Open(owner, row) is { } appointed
                && await delegates.StateAsync(connection, row, cancellation) is DelegateState.Active or DelegateState.Requested)
            {
                views.Add(DelegateDesk.View(row, appointed, await people.NameAsync(row.Patient, cancellation), row.AddedBlock is null ? DelegateState.Requested : DelegateState.Active));
            }
        }
        return views;
    }

    /// <summary>The consents of somebody for whom the caller may sign, with who that is; null where they may not. The patient's trail tells of it.</summary>
    public async Task<(DelegateView Person, IReadOnlyList<ConsentView> Consents)?> ConsentsAsync(Caller caller, Guid id, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await FindAsync(connection, caller, id, toChange: false, cancellation) is not { } standing)
        {
            return null;
        }
        await audit.RecordAsync(connection,
            new AuditFact(AuditAction.Read, true, caller.Account, AuditTrail.AliasOf(standing.Patient.Owner), "Consent", "as delegate"), cancellation);
        await transaction.CommitAsync(cancellation);
        var views = await consents.ListAsync(caller with { Patient = standing.Patient.Patient }, cancellation);
        return (DelegateDesk.View(standing.Row, standing.Appointed, standing.Name, DelegateState.Active), views);
    }

    /// <summary>Asks for the signature of a grant.</summary>
    public async Task<AskOutcome> AskForGrantAsync(Caller caller, Guid id, ConsentTerms terms, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (await FindAsync(connection, caller, id, toChange: false, cancellation) is not { } standing)
        {
            return new AskOutcome.Unknown();
        }
        if (consents.Check(terms) is { } invalid)
        {
            return new AskOutcome.Invalid(invalid.Field, invalid.Reason);
        }
        var (draft, subject) = (consents.Draft(standing.Patient.Patient, terms), standing.Patient.Subject!);
        var question = await questions.AskAsync(ChallengeKind.ForAnother, caller, standing.Delegate, new Deed(id, draft, null), consents.GrantChallenge(subject, draft),
            DelegateWords.Grant(standing.Name, draft.Terms, await signing.NameAsync(terms, cancellation)), cancellation);
        return new AskOutcome.Asked(question with { Grant = signing.Describe(subject, draft) });
    }

    /// <summary>Asks for the signature of a revocation.</summary>
    public async Task<AskOutcome> AskForRevocationAsync(Caller caller, Guid id, string consent, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (await FindAsync(connection, caller, id, toChange: false, cancellation) is not { } standing
            || await ConsentStore.FindAsync(connection, consent, forUpdate: false, cancellation) is not { } row || row.Patient != standing.Patient.Patient
            || await consents.TermsAsync(connection, row, cancellation) is not { } terms)
        {
            return new AskOutcome.Unknown();
        }
        return new AskOutcome.Asked(await questions.AskAsync(ChallengeKind.ForAnother, caller, standing.Delegate, new Deed(id, null, consent),
            consents.RevokeChallenge(standing.Patient.Subject!, row), DelegateWords.Revocation(standing.Name, terms, await signing.NameAsync(terms, cancellation)), cancellation));
    }

    /// <summary>Takes the delegate's signature, if they still are one: does what was signed, and queues it for the chain.</summary>
    public async Task<SignOutcome> SignAsync(Caller caller, string? attempt, AssertionMessage? message, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (own, ownKey)
            || await questions.TakeAsync<Deed>(ChallengeKind.ForAnother, caller, own, ownKey, attempt, cancellation) is not var (challenge, deed))
        {
            return new SignOutcome.Refused(PasskeyFault.Expired);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        if (await FindAsync(connection, caller, deed.Delegation, toChange: true, cancellation) is not { } standing)
        {
            return new SignOutcome.Refused(PasskeyFault.UnknownPasskey);
        }
        var (signer, assertion, fault) = await keyring.VerifyAsync(connection, caller, standing.Delegate, message, challenge, cancellation);
        if (fault is { } refused)
        {
            return new SignOutcome.Refused(refused);
        }
        if (deed.Grant is { } draft)
        {
            await consents.WriteGrantAsync(connection, caller, standing.Patient, draft, signer!.Key, assertion!, cancellation);
            await transaction.CommitAsync(cancellation);
            return new SignOutcome.Granted(draft.Resource);
        }
        if (await ConsentStore.FindAsync(connection, deed.Revoked!, forUpdate: true, cancellation) is { Revoked: null } row)
        {
            await consents.WriteRevocationAsync(connection, caller, standing.Patient, row, signer!.Key, assertion!, cancellation);
        }
        await transaction.CommitAsync(cancellation);
        return new SignOutcome.Revoked(deed.Revoked!);
    }

    /// <summary>The delegation, if it is the caller's and holds now; to change, nobody withdraws it until the transaction ends.</summary>
    async Task<Standing?> FindAsync(NpgsqlConnection connection, Caller caller, Guid id, bool toChange, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (own, ownKey)
            || await DelegateStore.FindAsync(connection, id, cancellation) is not { } found || found.Delegate != own
            || await vault.FindOwnerAsync(Guid.Parse(found.Patient), cancellation) is not { } owner)
        {
            return null;
        }
        var patient = await (toChange ? ConsentKeyring.FindToChangeAsync(connection, found.Patient, owner, cancellation) : ConsentKeyring.FindAsync(connection, found.Patient, owner, cancellation));
        if (await DelegateStore.FindAsync(connection, id, cancellation) is not { } row || SealedDelegate.Open(owner, row) is not { } appointed || patient.Subject is null
            || await delegates.StateAsync(connection, row, cancellation) is not DelegateState.Active
            || await RecoveryStore.IsDueAsync(connection, row.Patient, time.GetUtcNow(), cancellation))
        {
            return null;
        }
        var mine = await ConsentKeyring.FindAsync(connection, own, ownKey, cancellation);
        mine = mine with { Keys = [.. mine.Passkeys.Where(key => key.Key.AsSpan().SequenceEqual(row.Key))] };
        return new Standing(row, appointed, patient, mine, await people.NameAsync(row.Patient, cancellation));
    }
}
