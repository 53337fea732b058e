using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;

namespace Salus.Platform.Consent.Delegates;

/// <summary>The HTTP surface of delegates: a patient's own, and those for whom the caller signs.</summary>
public static class DelegateFeature
{
    /// <summary>What a patient sends to let somebody else sign.</summary>
    /// <param name="Account">The id of their account, which they find on their account page.</param>
    /// <param name="Relation">What they are to the patient.</param>
    /// <param name="Until">The last moment.</param>
    public sealed record DelegateRequest(string? Account, DelegateRelation Relation, DateTimeOffset Until);

    /// <summary>Maps the routes.</summary>
    public static void MapDelegates(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/api/delegates").WithTags("Delegates");
        own.MapGet("/", async (DelegateDesk desk, HttpContext context) => TypedResults.Ok(await desk.ListAsync(context.Caller(), context.RequestAborted)));
        own.MapPost("/prepare", PrepareAsync).RequireRateLimiting(RateLimits.Credentials);
        own.MapPost("/{id:guid}/prepare-withdrawal", async (Guid id, DelegateDesk desk, HttpContext context) =>
            ConsentFeature.Answer(context, await desk.AskForWithdrawalAsync(context.Caller(), id, context.RequestAborted)));
        own.MapPost("/sign", (PasskeySignature request, DelegateDesk desk, HttpContext context) =>
            ConsentFeature.TakeAsync(context, caller => desk.SignAsync(caller, request.Attempt, request.Credential, context.RequestAborted)));

        var others = routes.MapGroup("/api/signing-for").WithTags("Delegates");
        others.MapGet("/", async (DelegateSigning desk, HttpContext context) => TypedResults.Ok(await desk.ListAsync(context.Caller(), context.RequestAborted)));
        others.MapGet("/{id:guid}/consents", ConsentsAsync);
        others.MapPost("/{id:guid}/consents/prepare", PrepareGrantAsync);
        others.MapPost("/{id:guid}/consents/{consent}/prepare-revocation", async (Guid id, string consent, DelegateSigning desk, HttpContext context) =>
            ConsentFeature.Answer(context, await desk.AskForRevocationAsync(context.Caller(), id, consent, context.RequestAborted)));
        others.MapPost("/sign", (PasskeySignature request, DelegateSigning desk, HttpContext context) =>
            ConsentFeature.TakeAsync(context, caller => desk.SignAsync(caller, request.Attempt, request.Credential, context.RequestAborted)));
    }

    static async Task<Results<Ok<ConsentQuestion>, ValidationProblem, ProblemHttpResult>> PrepareAsync(DelegateRequest request, DelegateDesk desk, HttpContext context) =>
        ConsentFeature.Answer(context, await desk.AskForAppointmentAsync(context.Caller(), request.Account, request.Relation, request.Until, context.RequestAborted));

    static async Task<Results<Ok<List<ConsentFeature.ConsentAnswer>>, NotFound>> ConsentsAsync(Guid id, DelegateSigning desk, HttpContext context) =>
        await desk.ConsentsAsync(context.Caller(), id, context.RequestAborted) is var (_, consents)
            ? TypedResults.Ok(consents.Select(ConsentFeature.Answer).ToList())
            : TypedResults.NotFound();

    static async Task<Results<Ok<ConsentQuestion>, ValidationProblem, ProblemHttpResult>> PrepareGrantAsync(
        Guid id, ConsentFeature.GrantRequest request, DelegateSigning desk, TimeProvider time, HttpContext context) =>
        ConsentFeature.Answer(context, await desk.AskForGrantAsync(context.Caller(), id, ConsentFeature.Terms(request, time), context.RequestAborted));
}
