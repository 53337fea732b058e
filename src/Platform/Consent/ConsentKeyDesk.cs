using System.Security.Cryptography;
using Npgsql;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;

namespace Salus.Platform.Consent;

/// <summary>A passkey that signs consents, as its patient sees it.</summary>
/// <param name="Id">What the contract calls it, in hexadecimal.</param>
/// <param name="Name">What the patient calls it.</param>
/// <param name="Created">When it was enrolled.</param>
/// <param name="OnChain">Whether the contract knows it yet.</param>
public sealed record ConsentPasskey(string Id, string Name, DateTimeOffset Created, bool OnChain);

/// <summary>What became of a step of enrolling a passkey that signs consents.</summary>
public abstract record EnrolOutcome
{
    EnrolOutcome() { }

    /// <summary>Ask the browser for a passkey.</summary>
    public sealed record Prepared(PreparedPasskey<CreationOptions> Question) : EnrolOutcome;

    /// <summary>It signs from now on, and the node does no more.</summary>
    public sealed record Enrolled : EnrolOutcome;

    /// <summary>One of the patient's passkeys must sign that this one is theirs too.</summary>
    public sealed record SignatureNeeded(ConsentQuestion Question) : EnrolOutcome;

    /// <summary>As for a passkey to sign in with.</summary>
    public sealed record Refused(PasskeyOutcome Outcome) : EnrolOutcome;

    /// <summary>The caller has no record.</summary>
    public sealed record NoRecord : EnrolOutcome;
}

/// <summary>
/// Enrols and removes the passkeys that sign a patient's consents. They are others than those that sign in: were it one, a dishonest node could
/// pass a consent off as a sign-in.
/// </summary>
public sealed class ConsentKeyDesk(
    NpgsqlDataSource database, ConsentDesk consents, ConsentKeyring keyring, ConsentSigningDesk signing, SignInDesk signIns, AccountDesk accounts, OrganizationDesk organization,
    PasskeyCeremony ceremony, ChallengeStore challenges, IdentityHooks hooks, TimeProvider time)
{
    /// <summary>Passkeys of one patient, those removed included.</summary>
    const int CountMax = 20;
    const int UserHandleBytes = 32;

    /// <summary>A patient's passkeys, in the order they were enrolled; none where the node keeps a key for them.</summary>
    public async Task<IReadOnlyList<ConsentPasskey>> ListAsync(Caller caller, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return [];
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return [.. (await ConsentKeyring.FindAsync(connection, patient, owner, cancellation)).Passkeys.Select(key =>
            new ConsentPasskey(Convert.ToHexStringLower(key.Key), key.Name, key.Created, key.OnChain))];
    }

    /// <summary>Asks the browser for a passkey, for who gives the password again: a session that was left open enrols none.</summary>
    public async Task<EnrolOutcome> PrepareAsync(Caller caller, string? password, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return new EnrolOutcome.NoRecord();
        }
        switch (await signIns.ConfirmAsync(caller.Account, password, cancellation))
        {
            case SignInOutcome.SignedIn: break;
            case SignInOutcome.LockedUntil locked: return new EnrolOutcome.Refused(new PasskeyOutcome.LockedUntil(locked.Until));
            default: return new EnrolOutcome.Refused(new PasskeyOutcome.WrongPassword());
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var signers = await ConsentKeyring.FindAsync(connection, patient, owner, cancellation);
        if (signers.Keys.Count >= CountMax)
        {
            return new EnrolOutcome.Refused(new PasskeyOutcome.TooMany(CountMax));
        }
        var challenge = ChallengeStore.NewChallenge();
        var (attempt, expires) = (await challenges.AddAsync(ChallengeKind.ConsentPasskey, caller.Account, challenge, [], cancellation))!.Value;
        var (hospital, holder) = (organization.Current.Name, await accounts.FindAsync(caller.Account, cancellation));
        // A user handle of its own: an authenticator keeps one passkey for each, and this one must not take the sign-in passkey's place.
        return new EnrolOutcome.Prepared(new PreparedPasskey<CreationOptions>(attempt, expires, ceremony.Creation(
            RandomNumberGenerator.GetBytes(UserHandleBytes), $"Salus consents – {hospital}", $"Consents of {holder?.DisplayName}", hospital,
            signers.Passkeys.Select(key => key.Credential), challenge)));
    }

    /// <summary>Takes the passkey that the browser has made: the first at once, a further one when one of the patient's has signed for it.</summary>
    public async Task<EnrolOutcome> AddAsync(Caller caller, string? attempt, string? name, AttestationMessage? message, CancellationToken cancellation)
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner))
        {
            return new EnrolOutcome.NoRecord();
        }
        if (PasskeyDesk.Normalize(name) is not { } kept)
        {
            return new EnrolOutcome.Refused(new PasskeyOutcome.BadName(PasskeyDesk.NameLengthMax));
        }
        if (await challenges.TakeAsync(ChallengeKind.ConsentPasskey, caller.Account, attempt, cancellation) is not var (challenge, _))
        {
            return Refuse(PasskeyFault.Expired);
        }
        var check = ceremony.Register(message, challenge);
        if (check is not RegistrationCheck.Good { Credential: var credential })
        {
            return Refuse(((RegistrationCheck.Bad)check).Fault);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var signers = await ConsentKeyring.FindToChangeAsync(connection, patient, owner, cancellation);
        if (signers.Keys.Any(key => key.Credential.Id.AsSpan().SequenceEqual(credential.Id)))
        {
            return Refuse(PasskeyFault.KnownPasskey);
        }
        if (signers.HavePasskey)
        {
            return new EnrolOutcome.SignatureNeeded(await signing.AskForAdditionAsync(caller, signers, credential, kept, cancellation));
        }
        if (!await keyring.AddFirstAsync(connection, signers, credential, kept, cancellation))
        {
            return Refuse(PasskeyFault.Expired);
        }
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.ConsentPasskeyAdded, caller.Account, null, time.GetUtcNow()), cancellation);
        await transaction.CommitAsync(cancellation);
        return new EnrolOutcome.Enrolled();

        static EnrolOutcome Refuse(PasskeyFault fault) => new EnrolOutcome.Refused(new PasskeyOutcome.Refused(fault));
    }
}
