using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;

namespace Salus.Platform.Consent;

/// <summary>What a patient has signed with their own passkey, checked and ready to be done.</summary>
/// <param name="Connection">With the transaction in which it is done.</param>
/// <param name="Signers">The patient's keys, locked.</param>
/// <param name="Deed">What was fixed when the signature was asked for.</param>
/// <param name="By">The key that signed.</param>
/// <param name="Assertion">The signature, for the contract.</param>
sealed record SignedDeed<T>(NpgsqlConnection Connection, ConsentSigners Signers, T Deed, byte[] By, WebAuthnAssertion Assertion);

/// <summary>Takes signatures of patients' own passkeys: each counts for what was asked, once, and what it brings about is done whole or not at all.</summary>
public sealed class DeedSigning(NpgsqlDataSource database, ConsentDesk consents, ConsentKeyring keyring, SigningQuestions questions, IdentityHooks hooks, TimeProvider time)
{
    /// <summary>Checks a signature, and does what was signed; nothing of it is kept where that is refused.</summary>
    internal async Task<SignOutcome> TakeAsync<T>(
        ChallengeKind kind, Caller caller, string? attempt, AssertionMessage? message, Func<SignedDeed<T>, Task<SignOutcome>> does, CancellationToken cancellation)
        where T : class
    {
        if (await consents.FindOwnerAsync(caller, cancellation) is not var (patient, owner)
            || await questions.TakeAsync<T>(kind, caller, patient, owner, attempt, cancellation) is not var (challenge, deed))
        {
            return new SignOutcome.Refused(PasskeyFault.Expired);
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var signers = await ConsentKeyring.FindToChangeAsync(connection, patient, owner, cancellation);
        var (signer, assertion, fault) = await keyring.VerifyAsync(connection, caller, signers, message, challenge, cancellation);
        if (fault is { } refused)
        {
            return new SignOutcome.Refused(refused);
        }
        var outcome = await does(new SignedDeed<T>(connection, signers, deed, signer!.Key, assertion!));
        if (outcome is not SignOutcome.Refused)
        {
            await transaction.CommitAsync(cancellation);
        }
        return outcome;
    }

    /// <summary>As <see cref="TakeAsync"/>, for what the contract counts by the patient's sequence number: a signature for another number is refused as it would be there.</summary>
    /// <param name="kind">What was asked.</param>
    /// <param name="caller">The patient.</param>
    /// <param name="attempt">Which question is answered.</param>
    /// <param name="message">The answer.</param>
    /// <param name="sequence">The number that was signed.</param>
    /// <param name="does">Does it and says what to record; null when it can be done no more.</param>
    /// <param name="cancellation">Gives up.</param>
    internal Task<SignOutcome> TakeInSequenceAsync<T>(
        ChallengeKind kind, Caller caller, string? attempt, AssertionMessage? message, Func<T, ulong> sequence, Func<SignedDeed<T>, Task<SecurityEventKind?>> does,
        CancellationToken cancellation)
        where T : class =>
        TakeAsync<T>(kind, caller, attempt, message, async signed =>
        {
            var number = sequence(signed.Deed);
            if (number != signed.Signers.Subject!.Sequence || await does(signed) is not { } done)
            {
                return new SignOutcome.Refused(PasskeyFault.Expired);
            }
            await ConsentKeyStore.AdvanceAsync(signed.Connection, signed.Signers.Patient, number + 1, cancellation);
            await hooks.RecordEvent(signed.Connection, new SecurityEvent(done, caller.Account, null, time.GetUtcNow()), cancellation);
            return new SignOutcome.KeysChanged();
        }, cancellation);
}
