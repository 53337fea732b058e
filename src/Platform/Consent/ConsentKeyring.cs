using System.Security.Cryptography;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent.Recovery;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;
using Salus.Vault.Envelopes;
using Salus.Vault.Keys;

namespace Salus.Platform.Consent;

/// <summary>Whose key signed.</summary>
public enum ConsentSigner
{
    /// <summary>A passkey of the patient's.</summary>
    Patient,
    /// <summary>The key that this node keeps for a patient without a passkey.</summary>
    Hospital,
    /// <summary>A delegate of the patient's.</summary>
    Delegate,
}

/// <summary>A passkey that signs a patient's consents.</summary>
/// <param name="Key">What the contract calls it.</param>
/// <param name="Credential">The passkey.</param>
/// <param name="Name">What the patient calls it.</param>
/// <param name="Created">When it was enrolled.</param>
/// <param name="Removed">When it was removed.</param>
/// <param name="OnChain">Whether the contract knows it yet.</param>
sealed record ConsentKey(byte[] Key, PasskeyCredential Credential, string Name, DateTimeOffset Created, DateTimeOffset? Removed, bool OnChain);

/// <summary>Who signs for a patient.</summary>
sealed record ConsentSigners(string Patient, OwnerKey Owner, ConsentSubject? Subject, IReadOnlyList<ConsentKey> Keys)
{
    /// <summary>The passkeys that sign now.</summary>
    public IEnumerable<ConsentKey> Passkeys => Keys.Where(key => key.Removed is null);

    /// <summary>Whether the patient signs with a passkey, and so the node does not.</summary>
    public bool HavePasskey => Keys.Count > 0;

    public ConsentSigner SignerOf(byte[] key) =>
        Keys.Any(own => own.Key.AsSpan().SequenceEqual(key)) ? ConsentSigner.Patient
        : Subject?.NodeKey?.AsSpan().SequenceEqual(key) == true ? ConsentSigner.Hospital
        : ConsentSigner.Delegate;
}

/// <summary>The keys that sign for patients: their passkeys, or, for a patient without one, a key that the node keeps.</summary>
public sealed class ConsentKeyring(
    NpgsqlDataSource database, PasskeyCeremony ceremony, ChainOutbox outbox, ConsentMirror mirror, IdentityHooks hooks, IOptions<PasskeyOptions> options, TimeProvider time)
{
    sealed record SealedPasskey(byte[] Credential, byte[] X, byte[] Y, string Name);

    /// <summary>Who signs for a patient.</summary>
    internal static Task<ConsentSigners> FindAsync(NpgsqlConnection connection, string patient, OwnerKey owner, CancellationToken cancellation) =>
        ReadAsync(connection, patient, owner, forUpdate: false, cancellation);

    /// <summary>Who signs for a patient; nobody else changes it until the transaction ends.</summary>
    internal static Task<ConsentSigners> FindToChangeAsync(NpgsqlConnection connection, string patient, OwnerKey owner, CancellationToken cancellation) =>
        ReadAsync(connection, patient, owner, forUpdate: true, cancellation);

    static async Task<ConsentSigners> ReadAsync(NpgsqlConnection connection, string patient, OwnerKey owner, bool forUpdate, CancellationToken cancellation)
    {
        var subject = await ConsentKeyStore.SubjectAsync(connection, patient, forUpdate, cancellation);
        var keys = (await ConsentKeyStore.KeysAsync(connection, patient, cancellation)).Select(row => Open(patient, owner, row)).ToList();
        return new ConsentSigners(patient, owner, subject, keys);
    }

    /// <summary>Gives a patient a pseudonym at the contracts, and the key that signs for it, where there is none.</summary>
    internal async Task<ConsentSigners> EnsureNodeKeyAsync(NpgsqlConnection connection, ConsentSigners signers, CancellationToken cancellation)
    {
        if (signers.Subject is not null)
        {
            return signers;
        }
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var publicKey = PublicKeyOf(key);
        var pkcs8 = key.ExportPkcs8PrivateKey();
        var subject = NewSubject() with { NodeKey = SubjectsContract.KeyId(publicKey), SealedKey = signers.Owner.Seal(NodeKeyContext(signers.Patient), pkcs8) };
        CryptographicOperations.ZeroMemory(pkcs8);
        if (!await ConsentKeyStore.AddSubjectAsync(connection, signers.Patient, subject, cancellation))
        {
            return await FindToChangeAsync(connection, signers.Patient, signers.Owner, cancellation); // another request was first
        }
        await EnqueueAsync(connection, "enroll", subject.Subject, SubjectsContract.Enroll(subject.Subject, publicKey), cancellation);
        return signers with { Subject = subject };
    }

    /// <summary>Signs with the key that the node keeps; never for a patient who has a passkey.</summary>
    /// <exception cref="InvalidDataException">The key was altered or is gone.</exception>
    internal (byte[] By, WebAuthnAssertion Assertion) SignForPatient(ConsentSigners signers, byte[] challenge)
    {
        if (signers.Subject?.SealedKey is not { } sealedKey || !signers.Owner.TryOpen(NodeKeyContext(signers.Patient), sealedKey, out var pkcs8))
        {
            throw new InvalidDataException($"The keys that sign for patient {signers.Patient} were altered in the database. Restore tables consent_subject and consent_key from a backup.");
        }
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(pkcs8, out _);
        CryptographicOperations.ZeroMemory(pkcs8);
        return (SubjectsContract.KeyId(PublicKeyOf(key)), WebAuthnAssertion.Sign(key, options.Value.RelyingParty, options.Value.Origin, challenge));
    }

    /// <summary>Checks what a passkey of the patient's has signed; a fault where it is none of theirs, or not over this challenge.</summary>
    internal async Task<(ConsentKey? Key, WebAuthnAssertion? Assertion, PasskeyFault? Fault)> VerifyAsync(
        NpgsqlConnection connection, Caller caller, ConsentSigners signers, AssertionMessage? message, byte[] challenge, CancellationToken cancellation)
    {
        var id = PasskeyCeremony.CredentialId(message);
        // A recovery that is due has replaced them all already, whether or not the chain has been told.
        if (id is null || await RecoveryStore.IsDueAsync(connection, signers.Patient, time.GetUtcNow(), cancellation) || signers.Passkeys.FirstOrDefault(key => key.Credential.Id.AsSpan().SequenceEqual(id)) is not { } signer)
        {
            return (null, null, PasskeyFault.UnknownPasskey);
        }
        switch (ceremony.Verify(message, signer.Credential, challenge))
        {
            case AssertionCheck.Good good when signer.Credential.WentBack(good.Counter):
                await ReportAsync(caller, cancellation);
                return (null, null, PasskeyFault.CounterWentBack);
            case AssertionCheck.Good good:
                await ConsentKeyStore.CountAsync(connection, signer.Key, good.Counter, cancellation);
                return (signer, good.Assertion, null);
            case AssertionCheck.Bad bad:
                return (null, null, bad.Fault);
            default:
                throw new InvalidOperationException("A check comes to good or bad.");
        }
    }

    /// <summary>Takes the first passkey of a patient: with it the pseudonym is enrolled, or the node hands over, signing for the last time. False when another was first.</summary>
    internal async Task<bool> AddFirstAsync(NpgsqlConnection connection, ConsentSigners signers, PasskeyCredential credential, string name, CancellationToken cancellation)
    {
        var key = ceremony.PublicKeyOf(credential);
        if (signers.Subject is null)
        {
            var created = NewSubject();
            if (await ConsentKeyStore.AddSubjectAsync(connection, signers.Patient, created, cancellation))
            {
                await EnqueueAsync(connection, "enroll", created.Subject, SubjectsContract.Enroll(created.Subject, key), cancellation);
                await StoreAsync(connection, signers, credential, name, cancellation);
                return true;
            }
            signers = await FindToChangeAsync(connection, signers.Patient, signers.Owner, cancellation);
        }
        if (signers.HavePasskey)
        {
            return false;
        }
        var (subject, sequence) = (signers.Subject!.Subject, signers.Subject.Sequence);
        var (node, add) = SignForPatient(signers, SubjectsContract.AddKeyChallenge(mirror.SubjectsDomain, subject, key, sequence));
        await EnqueueAsync(connection, "add-key", SubjectsContract.KeyId(key), SubjectsContract.AddKey(subject, key, sequence, node, add), cancellation);
        var (_, remove) = SignForPatient(signers, SubjectsContract.RemoveKeyChallenge(mirror.SubjectsDomain, subject, node, sequence + 1));
        await EnqueueAsync(connection, "remove-key", node, SubjectsContract.RemoveKey(subject, node, sequence + 1, node, remove), cancellation);
        await ConsentKeyStore.AdvanceAsync(connection, signers.Patient, sequence + 2, cancellation);
        await StoreAsync(connection, signers, credential, name, cancellation);
        return true;
    }

    /// <summary>The challenge by which a passkey of the patient's adds another.</summary>
    internal byte[] AdditionChallenge(ConsentSubject subject, PasskeyCredential credential) =>
        SubjectsContract.AddKeyChallenge(mirror.SubjectsDomain, subject.Subject, ceremony.PublicKeyOf(credential), subject.Sequence);

    /// <summary>The challenge by which a passkey of the patient's removes one.</summary>
    internal byte[] RemovalChallenge(ConsentSubject subject, byte[] key) => SubjectsContract.RemoveKeyChallenge(mirror.SubjectsDomain, subject.Subject, key, subject.Sequence);

    /// <summary>Takes a further passkey that one of the patient's has signed for.</summary>
    internal async Task AddAsync(
        NpgsqlConnection connection, ConsentSigners signers, PasskeyCredential credential, string name, byte[] by, WebAuthnAssertion assertion, CancellationToken cancellation)
    {
        var (subject, key) = (signers.Subject!, ceremony.PublicKeyOf(credential));
        await EnqueueAsync(connection, "add-key", SubjectsContract.KeyId(key), SubjectsContract.AddKey(subject.Subject, key, subject.Sequence, by, assertion), cancellation);
        await ConsentKeyStore.AdvanceAsync(connection, signers.Patient, subject.Sequence + 1, cancellation);
        await StoreAsync(connection, signers, credential, name, cancellation);
    }

    /// <summary>Removes a passkey as one of the patient's has signed.</summary>
    internal async Task RemoveAsync(NpgsqlConnection connection, ConsentSigners signers, byte[] key, byte[] by, WebAuthnAssertion assertion, CancellationToken cancellation)
    {
        var subject = signers.Subject!;
        await EnqueueAsync(connection, "remove-key", key, SubjectsContract.RemoveKey(subject.Subject, key, subject.Sequence, by, assertion), cancellation);
        await ConsentKeyStore.AdvanceAsync(connection, signers.Patient, subject.Sequence + 1, cancellation);
        await ConsentKeyStore.RemoveAsync(connection, key, time.GetUtcNow(), cancellation);
    }

    static ConsentKey Open(string patient, OwnerKey owner, ConsentKeyRow row) =>
        OpenPasskey(owner, row.Key, row.Sealed, row.Counter) is var (credential, name)
            ? new ConsentKey(row.Key, credential, name, row.Created, row.Removed, row.AddedBlock is not null)
            : throw new InvalidDataException($"A passkey of patient {patient} was altered in the database. Restore table consent_key from a backup.");

    Task StoreAsync(NpgsqlConnection connection, ConsentSigners signers, PasskeyCredential credential, string name, CancellationToken cancellation)
    {
        var key = SubjectsContract.KeyId(ceremony.PublicKeyOf(credential));
        return ConsentKeyStore.AddKeyAsync(connection, signers.Patient, key, SealPasskey(signers.Owner, key, credential, name), credential.Counter, time.GetUtcNow(), cancellation);
    }

    /// <summary>A passkey as table <c>consent_key</c> holds it.</summary>
    internal static byte[] SealPasskey(OwnerKey owner, byte[] key, PasskeyCredential credential, string name) =>
        owner.Seal(PasskeyContext(key), JsonSerializer.SerializeToUtf8Bytes(new SealedPasskey(credential.Id, credential.X, credential.Y, name)));

    /// <summary>What is sealed so; null where it was altered.</summary>
    internal static (PasskeyCredential Credential, string Name)? OpenPasskey(OwnerKey owner, byte[] key, byte[] sealedPasskey, uint counter) =>
        owner.TryOpen(PasskeyContext(key), sealedPasskey, out var json) && JsonSerializer.Deserialize<SealedPasskey>(json) is { } opened
            ? (new PasskeyCredential(opened.Credential, opened.X, opened.Y, counter), opened.Name)
            : null;

    Task EnqueueAsync(NpgsqlConnection connection, string purpose, byte[] reference, byte[] call, CancellationToken cancellation) =>
        outbox.EnqueueAsync(connection, purpose, Convert.ToHexStringLower(reference), ChainContract.Subjects, call, cancellation);

    /// <summary>In a transaction of its own, for the one that met it comes to nothing.</summary>
    async Task ReportAsync(Caller caller, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.PasskeyCounterWentBack, caller.Account, null, time.GetUtcNow()), cancellation);
        await transaction.CommitAsync(cancellation);
    }

    PublicKey PublicKeyOf(ECDsa key)
    {
        var point = key.ExportParameters(includePrivateParameters: false).Q;
        return new PublicKey(point.X!, point.Y!, WebAuthnAssertion.RelyingPartyIdHash(options.Value.RelyingParty));
    }

    static ConsentSubject NewSubject() => new(RandomNumberGenerator.GetBytes(32), 0, null, null);

    static SealContext NodeKeyContext(string patient) => new("ConsentKey", patient, 1);

    static SealContext PasskeyContext(byte[] key) => new("ConsentPasskey", Convert.ToHexStringLower(key), 1);
}
