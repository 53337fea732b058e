using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Salus.Platform.Identity.Passkeys;

/// <summary>What adds a passkey: the attempt it was asked for in, a name of one's own, and the browser's answer.</summary>
public sealed record NewPasskeyRequest(string? Attempt, string? Name, AttestationMessage? Credential);

/// <summary>What a passkey has signed, with the attempt it was asked for in.</summary>
public sealed record PasskeySignature(string? Attempt, AssertionMessage? Credential);

sealed record PasskeyNameRequest(string? Name);

/// <summary>The routes around passkeys to sign in with.</summary>
static class PasskeyRoutes
{
    public static async Task<Ok<IReadOnlyList<Passkey>>> ListAsync(HttpContext context, PasskeyDesk desk) =>
        TypedResults.Ok(await desk.ListAsync(context.Caller().Account, context.RequestAborted));

    public static async Task<Results<Ok<PreparedPasskey<CreationOptions>>, ProblemHttpResult>> PrepareAsync(
        PasswordOnlyRequest request, HttpContext context, PasskeyDesk desk, TimeProvider time)
    {
        var outcome = await desk.PrepareAsync(context.Caller().Account, request.Password, context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        return outcome is PasskeyOutcome.Prepared prepared ? TypedResults.Ok(prepared.Question) : Refuse(context, outcome, time);
    }

    public static async Task<Results<NoContent, ProblemHttpResult>> AddAsync(NewPasskeyRequest request, HttpContext context, PasskeyDesk desk, TimeProvider time)
    {
        var outcome = await desk.AddAsync(context.Caller().Account, request.Attempt, request.Name, request.Credential, context.RequestAborted);
        return outcome is PasskeyOutcome.Added ? TypedResults.NoContent() : Refuse(context, outcome, time);
    }

    public static async Task<Results<NoContent, ProblemHttpResult>> RenameAsync(Guid id, PasskeyNameRequest request, HttpContext context, PasskeyDesk desk) =>
        PasskeyDesk.Normalize(request.Name) is null
            ? BadName(PasskeyDesk.NameLengthMax)
            : await desk.RenameAsync(context.Caller().Account, id, request.Name, context.RequestAborted)
                ? TypedResults.NoContent()
                : Unknown();

    public static async Task<Results<NoContent, ProblemHttpResult>> RemoveAsync(Guid id, HttpContext context, PasskeyDesk desk, SessionDesk sessions)
    {
        if (await desk.RemoveAsync(context.Caller().Account, id, context.RequestAborted) is not { } entrance)
        {
            return Unknown();
        }
        await sessions.RenewAsync(context, entrance);
        return TypedResults.NoContent();
    }

    public static async Task<Results<Ok<PreparedPasskey<RequestOptions>>, ProblemHttpResult>> PrepareSignInAsync(HttpContext context, PasskeyDesk desk)
    {
        context.Response.Headers.CacheControl = "no-store";
        return await desk.PrepareSignInAsync(context.RequestAborted) is { } question
            ? TypedResults.Ok(question)
            : Problems.Field(StatusCodes.Status503ServiceUnavailable, "attempt", "Too many sign-ins are open.", "Try again in some minutes, or sign in with the password.");
    }

    public static async Task<Results<Ok<SessionView>, ProblemHttpResult>> SignInAsync(PasskeySignature request, HttpContext context, SessionDesk desk, TimeProvider time) =>
        SessionRoutes.Answer(context, await desk.SignInAsync(context, request.Attempt, request.Credential), time);

    /// <summary>A fault as a refusal.</summary>
    public static ProblemHttpResult Refuse(PasskeyFault fault)
    {
        var (wrong, right) = fault.Words();
        return TypedResults.Problem(statusCode: fault is PasskeyFault.KnownPasskey ? StatusCodes.Status409Conflict : StatusCodes.Status422UnprocessableEntity,
            title: wrong, detail: right, extensions: [new("field", "credential"), new("fault", fault.ToString())]);
    }

    public static ProblemHttpResult Refuse(HttpContext context, PasskeyOutcome outcome, TimeProvider time) => outcome switch
    {
        PasskeyOutcome.Refused refused => Refuse(refused.Fault),
        PasskeyOutcome.BadName name => BadName(name.LengthMax),
        PasskeyOutcome.TooMany tooMany => Problems.Field(StatusCodes.Status409Conflict, "credential", $"The account has {tooMany.CountMax} passkeys already.", "Remove one first."),
        PasskeyOutcome.LockedUntil locked => Problems.Locked(context, locked.Until, time),
        _ => Problems.Field(StatusCodes.Status403Forbidden, "password", "The present password is wrong.", "Give the password you sign in with."),
    };

    static ProblemHttpResult BadName(int lengthMax) =>
        Problems.BadField("name", "The name is empty, too long or holds control characters.", $"Give 1 to {lengthMax} characters, such as “My phone”.");

    static ProblemHttpResult Unknown() => Problems.Field(StatusCodes.Status404NotFound, "id", "There is no such passkey.", "GET /api/account/passkeys lists yours.");
}
