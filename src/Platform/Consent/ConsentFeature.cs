using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Salus.Platform.Consent.Delegates;
using Salus.Platform.Consent.Emergencies;
using Salus.Platform.Consent.Recovery;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;

namespace Salus.Platform.Consent;

/// <summary>The HTTP surface of consents: a patient's own.</summary>
public static class ConsentFeature
{
    /// <summary>What a patient sends to grant access.</summary>
    /// <param name="Grantee">An account's id, <c>hospital</c>, or <c>member:</c> and the id of another member of the consortium.</param>
    /// <param name="Categories">What may be read.</param>
    /// <param name="Purposes">For what.</param>
    /// <param name="From">First moment; now when absent.</param>
    /// <param name="Until">Last moment.</param>
    public sealed record GrantRequest(
        string Grantee, IReadOnlyList<RecordCategory> Categories, IReadOnlyList<Purpose> Purposes, DateTimeOffset? From, DateTimeOffset Until);

    /// <summary>A consent as the API shows it; the signature in words says whose it is.</summary>
    public sealed record ConsentAnswer(
        string Id, ConsentState State, string Grantee, IReadOnlyList<RecordCategory> Categories, IReadOnlyList<Purpose> Purposes, DateTimeOffset From,
        DateTimeOffset Until, DateTimeOffset Requested, DateTimeOffset? Revoked, string ChainId, string Commitment, long? GrantedBlock, long? RevokedBlock,
        ConsentSigner SignedBy, string Signature, ConsentSigner? RevokedBy);

    /// <summary>Who signs a patient's consents.</summary>
    /// <param name="Signer">The patient, or the hospital for a patient without a passkey.</param>
    /// <param name="Signature">That in words.</param>
    /// <param name="Passkeys">The patient's passkeys.</param>
    public sealed record KeysAnswer(ConsentSigner Signer, string Signature, IReadOnlyList<ConsentPasskey> Passkeys);

    /// <summary>What a signature has brought about.</summary>
    public sealed record SignedAnswer(string? Granted, string? Revoked);

    /// <summary>The services of consents.</summary>
    public static IServiceCollection AddConsents(this IServiceCollection services) =>
        services.AddSingleton<EmergencyDesk>().AddSingleton<ConsentDesk>().AddSingleton<ConsentKeyring>().AddSingleton<SigningQuestions>().AddSingleton<DeedSigning>().AddSingleton<ConsentSigningDesk>().AddSingleton<ConsentKeyDesk>()
            .AddSingleton<ConsentPeople>().AddSingleton<DelegateDesk>().AddSingleton<DelegateSigning>().AddSingleton<RecoveryDesk>().AddSingleton<RecoveryConfirming>();

    /// <summary>Maps the routes.</summary>
    public static void MapConsents(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/consents").WithTags("Consents");
        group.MapGet("/", ListAsync);
        group.MapPost("/", GrantAsync);
        group.MapDelete("/{id}", RevokeAsync);
        group.MapPost("/prepare", PrepareGrantAsync);
        group.MapPost("/{id}/prepare-revocation", PrepareRevocationAsync);
        group.MapPost("/sign", SignAsync);
        group.MapGet("/passkeys", PasskeysAsync);
        group.MapPost("/passkeys/prepare", PreparePasskeyAsync).RequireRateLimiting(RateLimits.Credentials);
        group.MapPost("/passkeys", AddPasskeyAsync).RequireRateLimiting(RateLimits.Credentials);
        group.MapPost("/passkeys/{id}/prepare-removal", PrepareRemovalAsync);
        routes.MapEmergencies();
        routes.MapDelegates();
        routes.MapRecovery();
    }

    static async Task<Ok<List<ConsentAnswer>>> ListAsync(ConsentDesk desk, DelegateDesk delegates, HttpContext context)
    {
        var names = await delegates.NamesAsync(context.Caller(), context.RequestAborted);
        return TypedResults.Ok((await desk.ListAsync(context.Caller(), context.RequestAborted)).Select(view => Answer(view) with { Signature = ConsentWords.Signature(view, names) }).ToList());
    }

    static async Task<Results<Accepted<ConsentAnswer>, ValidationProblem, ProblemHttpResult>> GrantAsync(
        GrantRequest request, ConsentDesk desk, TimeProvider time, HttpContext context)
    {
        switch (await desk.GrantAsync(context.Caller(), Terms(request, time), context.RequestAborted))
        {
            case GrantOutcome.Requested requested:
                var consents = await desk.ListAsync(context.Caller(), context.RequestAborted);
                return TypedResults.Accepted($"/api/consents/{requested.Consent}", Answer(consents.First(consent => consent.Id == requested.Consent)));
            case GrantOutcome.Invalid invalid:
                return TypedResults.ValidationProblem(new Dictionary<string, string[]> { [invalid.Field] = [invalid.Reason] });
            case GrantOutcome.PasskeyNeeded:
                return PasskeyNeeded("POST /api/consents/prepare");
            default:
                return NoRecord();
        }
    }

    static async Task<Results<NoContent, NotFound, ProblemHttpResult>> RevokeAsync(string id, ConsentDesk desk, HttpContext context) =>
        await desk.RevokeAsync(context.Caller(), id, context.RequestAborted) switch
        {
            RevokeOutcome.Revoked => TypedResults.NoContent(),
            RevokeOutcome.PasskeyNeeded => PasskeyNeeded($"POST /api/consents/{id}/prepare-revocation"),
            _ => TypedResults.NotFound(),
        };

    static async Task<Results<Ok<ConsentQuestion>, ValidationProblem, ProblemHttpResult>> PrepareGrantAsync(
        GrantRequest request, ConsentSigningDesk desk, TimeProvider time, HttpContext context) =>
        Answer(context, await desk.AskForGrantAsync(context.Caller(), Terms(request, time), context.RequestAborted));

    static async Task<Results<Ok<ConsentQuestion>, ValidationProblem, ProblemHttpResult>> PrepareRevocationAsync(string id, ConsentSigningDesk desk, HttpContext context) =>
        Answer(context, await desk.AskForRevocationAsync(context.Caller(), id, context.RequestAborted));

    static async Task<Results<Ok<ConsentQuestion>, ValidationProblem, ProblemHttpResult>> PrepareRemovalAsync(string id, ConsentSigningDesk desk, HttpContext context) =>
        Answer(context, await desk.AskForRemovalAsync(context.Caller(), id, context.RequestAborted));

    static Task<Results<Ok<SignedAnswer>, ProblemHttpResult>> SignAsync(PasskeySignature request, ConsentSigningDesk desk, HttpContext context) =>
        TakeAsync(context, caller => desk.SignAsync(caller, request.Attempt, request.Credential, context.RequestAborted));

    /// <summary>What a signature has brought about, or why it was not taken.</summary>
    internal static async Task<Results<Ok<SignedAnswer>, ProblemHttpResult>> TakeAsync(HttpContext context, Func<Caller, Task<SignOutcome>> sign)
    {
        if (context.Caller() is not { Role: Role.Patient, Patient: not null })
        {
            return NoRecord();
        }
        return await sign(context.Caller()) switch
        {
            SignOutcome.Granted granted => TypedResults.Ok(new SignedAnswer(granted.Consent, null)),
            SignOutcome.Revoked revoked => TypedResults.Ok(new SignedAnswer(null, revoked.Consent)),
            SignOutcome.Refused refused => PasskeyRoutes.Refuse(refused.Fault),
            _ => TypedResults.Ok(new SignedAnswer(null, null)),
        };
    }

    static async Task<Ok<KeysAnswer>> PasskeysAsync(ConsentKeyDesk desk, HttpContext context)
    {
        var passkeys = await desk.ListAsync(context.Caller(), context.RequestAborted);
        var signer = passkeys.Count > 0 ? ConsentSigner.Patient : ConsentSigner.Hospital;
        return TypedResults.Ok(new KeysAnswer(signer, ConsentWords.Of(signer), passkeys));
    }

    static async Task<Results<Ok<PreparedPasskey<CreationOptions>>, ProblemHttpResult>> PreparePasskeyAsync(
        PasswordOnlyRequest request, ConsentKeyDesk desk, TimeProvider time, HttpContext context)
    {
        var outcome = await desk.PrepareAsync(context.Caller(), request.Password, context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        return outcome switch
        {
            EnrolOutcome.Prepared prepared => TypedResults.Ok(prepared.Question),
            EnrolOutcome.Refused refused => PasskeyRoutes.Refuse(context, refused.Outcome, time),
            _ => NoRecord(),
        };
    }

    static async Task<Results<NoContent, Accepted<ConsentQuestion>, ProblemHttpResult>> AddPasskeyAsync(
        NewPasskeyRequest request, ConsentKeyDesk desk, TimeProvider time, HttpContext context) =>
        await desk.AddAsync(context.Caller(), request.Attempt, request.Name, request.Credential, context.RequestAborted) switch
        {
            EnrolOutcome.Enrolled => TypedResults.NoContent(),
            EnrolOutcome.SignatureNeeded needed => TypedResults.Accepted("/api/consents/sign", needed.Question),
            EnrolOutcome.Refused refused => PasskeyRoutes.Refuse(context, refused.Outcome, time),
            _ => NoRecord(),
        };

    /// <summary>What is to be signed, or why nothing is.</summary>
    internal static Results<Ok<ConsentQuestion>, ValidationProblem, ProblemHttpResult> Answer(HttpContext context, AskOutcome outcome)
    {
        context.Response.Headers.CacheControl = "no-store";
        return outcome switch
        {
            AskOutcome.Asked asked => TypedResults.Ok(asked.Question),
            AskOutcome.Invalid invalid => TypedResults.ValidationProblem(new Dictionary<string, string[]> { [invalid.Field] = [invalid.Reason] }),
            AskOutcome.NoPasskey => TypedResults.Problem("Enrol one with POST /api/consents/passkeys/prepare, or let the hospital sign for you with POST /api/consents.",
                statusCode: StatusCodes.Status409Conflict, title: "You have no consent passkey."),
            AskOutcome.LastPasskey => TypedResults.Problem("Enrol another first: without one you could neither grant nor revoke.",
                statusCode: StatusCodes.Status409Conflict, title: "The only consent passkey cannot be removed."),
            _ => TypedResults.Problem("GET /api/consents lists what is yours.", statusCode: StatusCodes.Status404NotFound, title: "There is nothing of yours by that id."),
        };
    }

    internal static ConsentTerms Terms(GrantRequest request, TimeProvider time) => new(
        ConsentTerms.KindOf(request.Grantee ?? ""), request.Grantee ?? "", request.Categories ?? [], request.Purposes ?? [], request.From ?? time.GetUtcNow(), request.Until);

    static ProblemHttpResult PasskeyNeeded(string how) => TypedResults.Problem(
        $"Ask with {how} what to sign, and send the signature to POST /api/consents/sign.", statusCode: StatusCodes.Status409Conflict,
        title: "You sign with your passkey; the hospital signs for you no more.");

    internal static ProblemHttpResult NoRecord() =>
        TypedResults.Problem("Only a patient with a record can grant access to it.", statusCode: StatusCodes.Status403Forbidden, title: "No record to share");

    internal static ConsentAnswer Answer(ConsentView view) => new(
        view.Id, view.State, view.Terms.Grantee, view.Terms.Categories, view.Terms.Purposes, view.Terms.From, view.Terms.Until, view.Requested, view.Revoked,
        "0x" + Convert.ToHexStringLower(view.ChainId), "0x" + Convert.ToHexStringLower(view.Commitment), view.GrantedBlock, view.RevokedBlock,
        view.SignedBy, ConsentWords.Of(view.SignedBy), view.RevokedBy);
}
