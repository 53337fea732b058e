using System.Text;
using Npgsql;
using Salus.Platform.Anchoring;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;

namespace Salus.Platform.Consent;

/// <summary>What a patient's passkey is asked to sign.</summary>
/// <param name="Attempt">Goes back with the signature.</param>
/// <param name="Expires">Until when it counts.</param>
/// <param name="Words">What it means, to be shown before it is signed.</param>
/// <param name="Options">What the browser is given; the challenge is the EIP-712 hash of what the words say.</param>
/// <param name="Grant">For a grant, all that the challenge is made of, so that it need not be believed.</param>
public sealed record ConsentQuestion(string Attempt, DateTimeOffset Expires, IReadOnlyList<string> Words, RequestOptions Options, SignedGrant? Grant);

/// <summary>What the challenge of a grant is made of: <c>Grant(subject, id, SHA-256(salt ‖ document), notAfter)</c> under the contract's domain.</summary>
public sealed record SignedGrant(
    ulong ChainId, string Contract, string Subject, string Id, string Commitment, ulong NotAfter, string Salt, string Document);

/// <summary>What became of asking for a signature.</summary>
public abstract record AskOutcome
{
    AskOutcome() { }

    /// <summary>Show the words, and ask the passkey.</summary>
    public sealed record Asked(ConsentQuestion Question) : AskOutcome;

    /// <summary>A field is wrong.</summary>
    public sealed record Invalid(string Field, string Reason) : AskOutcome;

    /// <summary>The caller has no record, or no consent or passkey of that id.</summary>
    public sealed record Unknown : AskOutcome;

    /// <summary>The patient has no passkey; the node signs for them.</summary>
    public sealed record NoPasskey : AskOutcome;

    /// <summary>The only passkey cannot be removed.</summary>
    public sealed record LastPasskey : AskOutcome;
}

/// <summary>What became of a signature.</summary>
public abstract record SignOutcome
{
    SignOutcome() { }

    /// <summary>On its way to the chain; it counts once the chain has it.</summary>
    public sealed record Granted(string Consent) : SignOutcome;

    /// <summary>Enforced from now on, and on its way to the chain.</summary>
    public sealed record Revoked(string Consent) : SignOutcome;

    /// <summary>Who signs for the patient, or may come to, has changed.</summary>
    public sealed record KeysChanged : SignOutcome;

    /// <summary>It was not taken.</summary>
    public sealed record Refused(PasskeyFault Fault) : SignOutcome;
}

/// <summary>
/// Has patients sign with their passkeys. What is to be signed is fixed and kept when they are asked, and what they sign is checked here before
/// the chain is told: an assertion counts for that alone, once.
/// </summary>
public sealed class ConsentSigningDesk(
    NpgsqlDataSource database, ConsentDesk consents, ConsentKeyring keyring, ChainLink chain, AccountDesk accounts, SigningQuestions questions, DeedSigning signing, IdentityHooks hooks,
    TimeProvider time)
{
    enum DeedKind { Grant, Revoke, AddKey, RemoveKey }

    sealed record Deed(DeedKind Kind, GrantDraft? Draft = null, string? Consent = null, PasskeyCredential? Credential = null, string? Name = null, byte[]? Key = null, ulong Sequence = 0);

    /// <summary>Asks for the signature of a grant.</summary>
    public async Task<AskOutcome> AskForGrantAsync(Caller caller, ConsentTerms terms, CancellationToken cancellation)
    {
        if (await FindSignersAsync(caller, cancellation) is not { } signers)
        {
            return new AskOutcome.Unknown();
        }
        if (!signers.HavePasskey)
        {
            return new AskOutcome.NoPasskey();
        }
        if (consents.Check(terms) is { } invalid)
        {
            return new AskOutcome.Invalid(invalid.Field, invalid.Reason);
        }
        var draft = consents.Draft(signers.Patient, terms);
        var question = await AskAsync(caller, signers, new Deed(DeedKind.Grant, Draft: draft), consents.GrantChallenge(signers.Subject!, draft),
            ConsentWords.Grant(draft.Terms, await NameAsync(terms, cancellation)), cancellation);
        return new AskOutcome.Asked(question with { Grant = Describe(signers.Subject!, draft) });
    }

    /// <summary>Asks for the signature of a revocation.</summary>
    public async Task<AskOutcome> AskForRevocationAsync(Caller caller, string consent, CancellationToken cancellation)
    {
        if (await FindSignersAsync(caller, cancellation) is not { } signers)
        {
            return new AskOutcome.Unknown();
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (await ConsentStore.FindAsync(connection, consent, forUpdate: false, cancellation) is not { } row || row.Patient != signers.Patient
            || await consents.TermsAsync(connection, row, cancellation) is not { } terms)
        {
            return new AskOutcome.Unknown();
        }
        return signers.HavePasskey
            ? new AskOutcome.Asked(await AskAsync(caller, signers, new Deed(DeedKind.Revoke, Consent: consent), consents.RevokeChallenge(signers.Subject!, row),
                ConsentWords.Revocation(terms, await NameAsync(terms, cancellation)), cancellation))
            : new AskOutcome.NoPasskey();
    }

    /// <summary>Asks for the signature that removes a passkey.</summary>
    /// <param name="caller">The patient.</param>
    /// <param name="key">What the contract calls it, in hexadecimal.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<AskOutcome> AskForRemovalAsync(Caller caller, string key, CancellationToken cancellation)
    {
        if (await FindSignersAsync(caller, cancellation) is not { } signers
            || signers.Passkeys.FirstOrDefault(own => string.Equals(Convert.ToHexStringLower(own.Key), key, StringComparison.OrdinalIgnoreCase)) is not { } removed)
        {
            return new AskOutcome.Unknown();
        }
        if (signers.Passkeys.Count() == 1)
        {
            return new AskOutcome.LastPasskey();
        }
        return new AskOutcome.Asked(await AskAsync(caller, signers, new Deed(DeedKind.RemoveKey, Key: removed.Key, Sequence: signers.Subject!.Sequence),
            keyring.RemovalChallenge(signers.Subject, removed.Key),
            [$"You remove the consent passkey “{removed.Name}”.", "It signs nothing more from now on. What it has signed stands until you revoke it."], cancellation));
    }

    /// <summary>Asks for the signature that adds a passkey.</summary>
    internal Task<ConsentQuestion> AskForAdditionAsync(Caller caller, ConsentSigners signers, PasskeyCredential credential, string name, CancellationToken cancellation) =>
        AskAsync(caller, signers, new Deed(DeedKind.AddKey, Credential: credential, Name: name, Sequence: signers.Subject!.Sequence),
            keyring.AdditionChallenge(signers.Subject, credential),
            [$"You let the new passkey “{name}” sign your consents.", "Sign with a consent passkey that you have already."], cancellation);

    /// <summary>Takes a signature: checks it, does what was signed, and queues it for the chain.</summary>
    public Task<SignOutcome> SignAsync(Caller caller, string? attempt, AssertionMessage? message, CancellationToken cancellation) =>
        signing.TakeAsync<Deed>(ChallengeKind.Consent, caller, attempt, message, signed => DoAsync(caller, signed, cancellation), cancellation);

    async Task<SignOutcome> DoAsync(Caller caller, SignedDeed<Deed> signed, CancellationToken cancellation)
    {
        var (connection, signers, deed, by, assertion) = signed;
        switch (deed)
        {
            case { Kind: DeedKind.Grant, Draft: { } draft }:
                await consents.WriteGrantAsync(connection, caller, signers, draft, by, assertion, cancellation);
                return new SignOutcome.Granted(draft.Resource);
            case { Kind: DeedKind.Revoke, Consent: { } consent }:
                if (await ConsentStore.FindAsync(connection, consent, forUpdate: true, cancellation) is { Revoked: null } row)
                {
                    await consents.WriteRevocationAsync(connection, caller, signers, row, by, assertion, cancellation);
                }
                return new SignOutcome.Revoked(consent);
            // The patient's keys have changed since: the contract would refuse the sequence number.
            case { Kind: DeedKind.AddKey or DeedKind.RemoveKey } when deed.Sequence != signers.Subject!.Sequence:
                return new SignOutcome.Refused(PasskeyFault.Expired);
            case { Kind: DeedKind.AddKey, Credential: { } credential, Name: { } name }:
                await keyring.AddAsync(connection, signers, credential, name, by, assertion, cancellation);
                return await ChangedAsync(connection, caller, SecurityEventKind.ConsentPasskeyAdded, cancellation);
            case { Kind: DeedKind.RemoveKey, Key: { } key }:
                await keyring.RemoveAsync(connection, signers, key, by, assertion, cancellation);
                return await ChangedAsync(connection, caller, SecurityEventKind.ConsentPasskeyRemoved, cancellation);
            default:
                throw new InvalidOperationException($"A deed of kind {deed.Kind} lacks what it is about.");
        }
    }

    async Task<SignOutcome> ChangedAsync(NpgsqlConnection connection, Caller caller, SecurityEventKind kind, CancellationToken cancellation)
    {
        await hooks.RecordEvent(connection, new SecurityEvent(kind, caller.Account, null, time.GetUtcNow()), cancellation);
        return new SignOutcome.KeysChanged();
    }

    Task<ConsentQuestion> AskAsync(Caller caller, ConsentSigners signers, Deed deed, byte[] challenge, IReadOnlyList<string> words, CancellationToken cancellation) =>
        questions.AskAsync(ChallengeKind.Consent, caller, signers, deed, challenge, words, cancellation);

    async Task<ConsentSigners?> FindSignersAsync(Caller caller, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return null;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await ConsentKeyring.FindAsync(connection, patient, owner, cancellation);
    }

    internal async Task<string?> NameAsync(ConsentTerms terms, CancellationToken cancellation) =>
        Guid.TryParse(terms.Grantee, out var id) && await accounts.FindAsync(id, cancellation) is { } account
            ? $"{account.DisplayName}, {account.Role.ToString().ToLowerInvariant()}"
            : null;

    /// <summary>What the challenge of a grant is made of.</summary>
    internal SignedGrant Describe(ConsentSubject subject, GrantDraft draft) => new(
        chain.ChainId, chain.Contracts[ChainContract.Consents].ToString(), Hex(subject.Subject), Hex(draft.Id), Hex(draft.Commitment), draft.NotAfter, Hex(draft.Salt),
        Encoding.UTF8.GetString(draft.Document));

    static string Hex(byte[] bytes) => "0x" + Convert.ToHexStringLower(bytes);
}
