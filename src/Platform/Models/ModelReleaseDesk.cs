using Salus.Platform.Audit;
using Salus.Platform.Identity;
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

    async Task<ReleaseOutcome> StateAsync(Caller caller, string model, string? statement, bool isWithdrawal, CancellationToken cancellation)
    {
        if (caller.Role is not (Role.Practitioner or Role.Administrator))
        {
            await RefusedAsync(caller, AuditAction.Release, $"{ModelLibrary.Type}/{model}", "The role releases no models.", cancellation);
            return new ReleaseOutcome.Forbidden($"The role {caller.Role} releases no models; a practitioner or an administrator does.");
        }
        var stated = statement?.Trim() ?? "";
        if (stated.Length is < StatementMin or > StatementMax)
        {
            return new ReleaseOutcome.Refused($"State in {StatementMin} to {StatementMax} characters why the model is {(isWithdrawal ? "withdrawn" : "fit for use")}: it is kept under your name.");
        }
        if (await shelf.HeldByRecipeAsync(model, cancellation) is not { } held)
        {
            return new ReleaseOutcome.Unknown();
        }
        var isReleased = (await shelf.ReleasesAsync(cancellation)).Any(release => release.Model == model && !release.IsWithdrawal);
        if (isWithdrawal && !isReleased)
        {
            return new ReleaseOutcome.Refused("The model is not released, so there is nothing to withdraw.");
        }
        var release = new ModelRelease("", model, held.Summary.Hash, isWithdrawal, caller.Account, SealedStore.Now(time), stated);
        return new ReleaseOutcome.Done(release with { Id = await StoreOwnAsync(caller, ModelNotices.Write(release), AuditAction.Release, cancellation) });
    }
}
