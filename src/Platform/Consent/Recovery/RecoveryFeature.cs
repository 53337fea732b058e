using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;

namespace Salus.Platform.Consent.Recovery;

/// <summary>The HTTP surface of recovery: a patient's contacts and requests, and the requests that wait for the caller as a contact.</summary>
public static class RecoveryFeature
{
    /// <summary>What a patient sends to name contacts.</summary>
    /// <param name="Contacts">The ids of their accounts; none turns recovery off.</param>
    /// <param name="Threshold">How many of them must sign.</param>
    /// <param name="DelayDays">How long after that it takes effect.</param>
    public sealed record TermsRequest(IReadOnlyList<string>? Contacts, int Threshold, int DelayDays = RecoveryDesk.DelayDaysDefault);

    /// <summary>How a patient's passkeys are replaced, and the requests for that, newest first.</summary>
    public sealed record RecoveryAnswer(RecoveryTermsView? Terms, IReadOnlyList<RecoveryView> Requests);

    /// <summary>Maps the routes.</summary>
    public static void MapRecovery(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/api/recovery").WithTags("Recovery");
        own.MapGet("/", ShowAsync);
        own.MapPost("/terms/prepare", PrepareTermsAsync).RequireRateLimiting(RateLimits.Credentials);
        own.MapPost("/requests/prepare", PrepareAsync).RequireRateLimiting(RateLimits.Credentials);
        own.MapPost("/requests", AskAsync).RequireRateLimiting(RateLimits.Credentials);
        own.MapDelete("/requests", WithdrawAsync);
        own.MapPost("/requests/prepare-cancellation", async (RecoveryDesk desk, HttpContext context) =>
            ConsentFeature.Answer(context, await desk.AskForCancellationAsync(context.Caller(), context.RequestAborted)));
        own.MapPost("/sign", (PasskeySignature request, RecoveryDesk desk, HttpContext context) =>
            ConsentFeature.TakeAsync(context, caller => desk.SignAsync(caller, request.Attempt, request.Credential, context.RequestAborted)));

        var others = routes.MapGroup("/api/confirmations").WithTags("Recovery");
        others.MapGet("/", async (RecoveryConfirming desk, HttpContext context) => TypedResults.Ok(await desk.ListAsync(context.Caller(), context.RequestAborted)));
        others.MapPost("/{id:guid}/prepare", async (Guid id, RecoveryConfirming desk, HttpContext context) =>
            ConsentFeature.Answer(context, await desk.AskAsync(context.Caller(), id, context.RequestAborted)));
        others.MapPost("/sign", (PasskeySignature request, RecoveryConfirming desk, HttpContext context) =>
            ConsentFeature.TakeAsync(context, caller => desk.SignAsync(caller, request.Attempt, request.Credential, context.RequestAborted)));
    }

    static async Task<Ok<RecoveryAnswer>> ShowAsync(RecoveryDesk desk, HttpContext context)
    {
        var (terms, requests) = await desk.ShowAsync(context.Caller(), context.RequestAborted);
        return TypedResults.Ok(new RecoveryAnswer(terms, requests));
    }

    static async Task<Results<Ok<ConsentQuestion>, ValidationProblem, ProblemHttpResult>> PrepareTermsAsync(TermsRequest request, RecoveryDesk desk, HttpContext context) =>
        ConsentFeature.Answer(context, await desk.AskForTermsAsync(context.Caller(), request.Contacts ?? [], request.Threshold, request.DelayDays, context.RequestAborted));

    static async Task<Results<Ok<PreparedPasskey<CreationOptions>>, ProblemHttpResult>> PrepareAsync(PasswordOnlyRequest request, RecoveryDesk desk, TimeProvider time, HttpContext context)
    {
        var outcome = await desk.PrepareAsync(context.Caller(), request.Password, context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        return outcome is RecoveryOutcome.Prepared prepared ? TypedResults.Ok(prepared.Question) : Refuse(context, outcome, time);
    }

    static async Task<Results<NoContent, ProblemHttpResult>> AskAsync(NewPasskeyRequest request, RecoveryDesk desk, TimeProvider time, HttpContext context)
    {
        var outcome = await desk.AskAsync(context.Caller(), request.Attempt, request.Name, request.Credential, context.RequestAborted);
        return outcome is RecoveryOutcome.Asked ? TypedResults.NoContent() : Refuse(context, outcome, time);
    }

    static async Task<Results<NoContent, NotFound>> WithdrawAsync(RecoveryDesk desk, HttpContext context) =>
        await desk.WithdrawAsync(context.Caller(), context.RequestAborted) ? TypedResults.NoContent() : TypedResults.NotFound();

    static ProblemHttpResult Refuse(HttpContext context, RecoveryOutcome outcome, TimeProvider time) => outcome switch
    {
        RecoveryOutcome.Refused refused => PasskeyRoutes.Refuse(context, refused.Outcome, time),
        RecoveryOutcome.NoContacts => TypedResults.Problem("Contacts are named and signed for while there is a passkey. Ask the hospital what it can do for you.",
            statusCode: StatusCodes.Status409Conflict, title: "You have named no recovery contacts."),
        RecoveryOutcome.AskedAlready => TypedResults.Problem("GET /api/recovery shows how far it is; give it up or cancel it first.",
            statusCode: StatusCodes.Status409Conflict, title: "You have asked for a recovery already."),
        _ => ConsentFeature.NoRecord(),
    };
}
