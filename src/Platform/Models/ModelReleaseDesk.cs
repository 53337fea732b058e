using Salus.Platform.Audit;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;
using Salus.Platform.Store;

namespace Salus.Platform.Models;

// Releasing and withdrawing.
public sealed partial class ModelDesk
{
    /// <summary>The fewest characters of a statement.</summary>
    public const int StatementMin = 10;

    /// <summary>The most characters of a statement.</summary>
    public const int StatementMax = 1_000;

    /// <summary>
    /// Releases a model for use. Only a person does: a practitioner or an administrator, who states why; the statement names the person and the hash
    /// of the model's bytes, and is sealed, logged and anchored. The model of the same recipe that was in use is kept.
    /// </summary>
    public Task<ReleaseOutcome> ReleaseAsync(Caller caller, string model, string? statement, CancellationToken cancellation) =>
        StateAsync(caller, model, statement, isWithdrawal: false, cancellation);

    /// <summary>Withdraws a released model; the one that was released before it is in use again, where there is one.</summary>
    public Task<ReleaseOutcome> WithdrawAsync(Caller caller, string model, string? statement, CancellationToken cancellation) =>
        StateAsync(caller, model, statement, isWithdrawal: true, cancellation);

    /// <summary>Asks for the caller's own signature under a release; once it is given, it is brought about by <see cref="SignAsync"/>.</summary>
    public Task<ReleaseOutcome> PrepareReleaseAsync(Caller caller, string model, string? statement, CancellationToken cancellation) =>
        PrepareAsync(caller, model, statement, isWithdrawal: false, cancellation);

    /// <summary>Asks for the caller's own signature under a withdrawal.</summary>
    public Task<ReleaseOutcome> PrepareWithdrawalAsync(Caller caller, string model, string? statement, CancellationToken cancellation) =>
        PrepareAsync(caller, model, statement, isWithdrawal: true, cancellation);

    /// <summary>Brings about what the caller's passkey has signed.</summary>
    public async Task<ReleaseOutcome> SignAsync(Caller caller, string? attempt, AssertionMessage? answer, CancellationToken cancellation)
    {
        if (await ForbiddenAsync(caller, ModelLibrary.Type, cancellation) is { } forbidden)
        {
            return forbidden;
        }
        var taken = await statements.TakeAsync(caller.Account, ChallengeKind.Release, attempt, answer, cancellation);
        if (taken is not StatementOutcome.Signed { Statement: var signed })
        {
            return new ReleaseOutcome.BadSignature(((StatementOutcome.Refused)taken).Fault);
        }
        var stated = ReleaseStatement.Read(signed.Statement);
        return await StateAsync(caller, stated.Model, stated.Statement, stated.IsWithdrawal, cancellation, signed);
    }

    async Task<ReleaseOutcome> PrepareAsync(Caller caller, string model, string? statement, bool isWithdrawal, CancellationToken cancellation)
    {
        var (release, refusal) = await CheckAsync(caller, model, statement, isWithdrawal, cancellation);
        if (release is null)
        {
            return refusal!;
        }
        return await statements.PrepareAsync(caller.Account, ChallengeKind.Release, ReleaseStatement.Of(release).Write(), cancellation) is { } question
            ? new ReleaseOutcome.ToSign(question)
            : new ReleaseOutcome.Refused("You have no passkey to sign with. Add one under your account, or state it without a signature of your own.");
    }

    async Task<ReleaseOutcome> StateAsync(Caller caller, string model, string? statement, bool isWithdrawal, CancellationToken cancellation, SignedStatement? signature = null)
    {
        var (release, refusal) = await CheckAsync(caller, model, statement, isWithdrawal, cancellation);
        if (release is null)
        {
            return refusal!;
        }
        release = release with { Signature = signature };
        release = release with { SignatureHolds = Holds(release) };
        return release.SignatureHolds == false
            ? new ReleaseOutcome.Refused("Since you were asked to sign, the model has changed. Look at it, and sign anew.")
            : new ReleaseOutcome.Done(release with { Id = await StoreOwnAsync(caller, ModelNotices.Write(release), AuditAction.Release, cancellation) });
    }

    async Task<ReleaseOutcome.Forbidden?> ForbiddenAsync(Caller caller, string what, CancellationToken cancellation)
    {
        if (caller.Role is Role.Practitioner or Role.Administrator)
        {
            return null;
        }
        await RefusedAsync(caller, AuditAction.Release, what, "The role releases no models.", cancellation);
        return new ReleaseOutcome.Forbidden($"The role {caller.Role} releases no models; a practitioner or an administrator does.");
    }

    /// <summary>What would be stored, or why it is not.</summary>
    async Task<(ModelRelease? Release, ReleaseOutcome? Refusal)> CheckAsync(Caller caller, string model, string? statement, bool isWithdrawal, CancellationToken cancellation)
    {
        if (await ForbiddenAsync(caller, $"{ModelLibrary.Type}/{model}", cancellation) is { } forbidden)
        {
            return (null, forbidden);
        }
        var stated = statement?.Trim() ?? "";
        if (stated.Length is < StatementMin or > StatementMax)
        {
            return (null, new ReleaseOutcome.Refused($"State in {StatementMin} to {StatementMax} characters why the model is {(isWithdrawal ? "withdrawn" : "fit for use")}: it is kept under your name."));
        }
        if (await shelf.HeldByRecipeAsync(model, cancellation) is not { } held)
        {
            return (null, new ReleaseOutcome.Unknown());
        }
        var isReleased = (await shelf.ReleasesAsync(cancellation)).Any(release => release.Model == model && !release.IsWithdrawal);
        return isWithdrawal && !isReleased
            ? (null, new ReleaseOutcome.Refused("The model is not released, so there is nothing to withdraw."))
            : (new ModelRelease("", model, held.Summary.Hash, isWithdrawal, caller.Account, SealedStore.Now(time), stated), null);
    }

    /// <summary>Whether the signature under a release holds and says what the release says; null where there is none.</summary>
    bool? Holds(ModelRelease release) => release.Signature is { } signed ? ReleaseStatement.Read(signed.Statement).Says(release) && statements.Holds(signed) : null;
}
