using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Salus.Platform.Identity.Passkeys;

namespace Salus.Platform.Identity;

sealed record SignInRequest(string? Email, string? Password, string? Code);

sealed record SecondFactorRequest(string? Ticket, string? Code);

sealed record PasswordRequest(string? Password, string? NewPassword);

sealed record PasswordOnlyRequest(string? Password);

sealed record CodeRequest(string? Code);

sealed record SessionView(Guid Account, string Role, string? Patient, DateTimeOffset? SecondFactorReset)
{
    public SessionView(Entrance entrance)
        : this(entrance.Caller.Account, entrance.Caller.Role.ToString(), entrance.Caller.Patient, entrance.SecondFactorReset)
    {
    }
}

sealed record TokenView(string AccessToken, string TokenType, DateTimeOffset Expires);

sealed record AntiforgeryView(string Header, string Token);

sealed record BegunView(string Secret, string Uri, string Svg);

sealed record RecoveryCodesView(IReadOnlyList<string> RecoveryCodes);

/// <summary>The routes around sessions, tokens, passwords and second factors.</summary>
static class SessionRoutes
{
    public static async Task<Results<Ok<SessionView>, ProblemHttpResult>> SignInAsync(SignInRequest request, HttpContext context, SessionDesk desk, TimeProvider time) =>
        Answer(context, await desk.SignInAsync(context, request.Email, request.Password, request.Code), time);

    public static async Task<Results<Ok<SessionView>, ProblemHttpResult>> CompleteAsync(SecondFactorRequest request, HttpContext context, SessionDesk desk, TimeProvider time) =>
        Answer(context, await desk.CompleteAsync(context, request.Ticket, request.Code), time);

    public static async Task<NoContent> SignOutAsync(HttpContext context, SessionDesk desk)
    {
        await desk.SignOutAsync(context);
        return TypedResults.NoContent();
    }

    public static async Task<NoContent> SignOutEverywhereAsync(HttpContext context, SessionDesk desk)
    {
        await desk.SignOutEverywhereAsync(context);
        return TypedResults.NoContent();
    }

    public static async Task<Results<Ok<TokenView>, ProblemHttpResult>> IssueTokenAsync(
        SignInRequest request, HttpContext context, SignInDesk signIns, TokenDesk tokens, TimeProvider time)
    {
        var outcome = await signIns.SignInAsync(request.Email, request.Password, request.Code, context.RequestAborted);
        if (outcome is not SignInOutcome.SignedIn signedIn)
        {
            return Refuse(context, outcome, time);
        }
        if (await tokens.IssueAsync(signedIn.Entrance, context.RequestAborted) is not { } issued)
        {
            return Refuse(context, new SignInOutcome.Refused(), time);
        }
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Ok(new TokenView(issued.Token, "Bearer", issued.Expires));
    }

    public static async Task<Results<NoContent, ProblemHttpResult>> RevokeTokenAsync(HttpContext context, TokenDesk tokens)
    {
        if (BearerHandler.FindToken(context.Request) is not { } token)
        {
            return Problems.Field(StatusCodes.Status400BadRequest, "Authorization", "The request bears no token.", "Send the token to revoke as Authorization: Bearer.");
        }
        await tokens.RevokeAsync(token, context.RequestAborted);
        return TypedResults.NoContent();
    }

    public static Ok<AntiforgeryView> Antiforgery(HttpContext context, IAntiforgery antiforgery) =>
        TypedResults.Ok(new AntiforgeryView(AntiforgeryGate.Header, antiforgery.GetAndStoreTokens(context).RequestToken!));

    public static async Task<Results<NoContent, ProblemHttpResult>> ChangePasswordAsync(
        PasswordRequest request, HttpContext context, AccountDesk accounts, SignInDesk signIns, SessionDesk sessions, TimeProvider time)
    {
        var account = await accounts.FindAsync(context.Caller().Account, context.RequestAborted);
        switch (await signIns.ChangePasswordAsync(
            context.Caller().Account, request.Password, request.NewPassword, account?.Email ?? "", account?.DisplayName ?? "", context.RequestAborted))
        {
            case PasswordOutcome.Changed changed:
                await sessions.RenewAsync(context, changed.Entrance);
                return TypedResults.NoContent();
            case PasswordOutcome.LockedUntil locked: return Problems.Locked(context, locked.Until, time);
            case PasswordOutcome.WeakPassword weak: return AccountRoutes.WeakPassword("newPassword", weak.Reason);
            default: return WrongPassword();
        }
    }

    public static async Task<Results<Ok<BegunView>, ProblemHttpResult>> BeginSecondFactorAsync(
        PasswordOnlyRequest request, HttpContext context, AccountDesk accounts, SignInDesk signIns, TimeProvider time)
    {
        var account = await accounts.FindAsync(context.Caller().Account, context.RequestAborted);
        var outcome = await signIns.BeginSecondFactorAsync(context.Caller().Account, request.Password, account?.Email ?? "", context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        return outcome switch
        {
            SecondFactorOutcome.Begun begun => TypedResults.Ok(new BegunView(begun.Secret, begun.Uri, begun.Svg)),
            SecondFactorOutcome.Refused => WrongPassword(),
            _ => Refuse(context, outcome, time),
        };
    }

    public static async Task<Results<Ok<RecoveryCodesView>, ProblemHttpResult>> ConfirmSecondFactorAsync(
        CodeRequest request, HttpContext context, SecondFactorDesk desk, SessionDesk sessions, TimeProvider time)
    {
        var outcome = await desk.ConfirmAsync(context.Caller().Account, request.Code, context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        if (outcome is not SecondFactorOutcome.Enabled enabled)
        {
            return Refuse(context, outcome, time);
        }
        await sessions.RenewAsync(context, enabled.Entrance);
        return TypedResults.Ok(new RecoveryCodesView(enabled.RecoveryCodes));
    }

    public static async Task<Results<NoContent, ProblemHttpResult>> RemoveSecondFactorAsync(
        [FromBody] CodeRequest request, HttpContext context, SignInDesk desk, SessionDesk sessions, TimeProvider time)
    {
        var outcome = await desk.RemoveSecondFactorAsync(context.Caller().Account, request.Code, context.RequestAborted);
        if (outcome is not SecondFactorOutcome.Removed removed)
        {
            return Refuse(context, outcome, time);
        }
        await sessions.RenewAsync(context, removed.Entrance);
        return TypedResults.NoContent();
    }

    public static async Task<NoContent> AcknowledgeResetAsync(HttpContext context, SecondFactorDesk desk)
    {
        await desk.AcknowledgeResetAsync(context.Caller().Account, context.RequestAborted);
        return TypedResults.NoContent();
    }

    public static Results<Ok<SessionView>, ProblemHttpResult> Answer(HttpContext context, SignInOutcome outcome, TimeProvider time) =>
        outcome is SignInOutcome.SignedIn signedIn ? TypedResults.Ok(new SessionView(signedIn.Entrance)) : Refuse(context, outcome, time);

    static ProblemHttpResult Refuse(HttpContext context, SignInOutcome outcome, TimeProvider time)
    {
        switch (outcome)
        {
            case SignInOutcome.SecondFactorNeeded needed:
                return TypedResults.Problem(statusCode: StatusCodes.Status401Unauthorized, title: "The second factor is missing.",
                    detail: "Send the code of your authenticator app in code, or it and the ticket to POST /api/sign-in/second-factor.",
                    extensions: [new("field", "code"), new("ticket", needed.Ticket)]);
            case SignInOutcome.LockedUntil locked:
                return Problems.Locked(context, locked.Until, time);
            case SignInOutcome.TooMany tooMany:
                context.Response.Headers.RetryAfter = RateLimits.Seconds(tooMany.RetryAfter);
                return Problems.Field(StatusCodes.Status429TooManyRequests, "email", "Too many attempts on this e-mail.", "Try again in a minute.");
            case SignInOutcome.PasskeyRefused refused:
                var (wrong, right) = refused.Fault.Words();
                return TypedResults.Problem(statusCode: StatusCodes.Status401Unauthorized, title: wrong, detail: right,
                    extensions: [new("field", "credential"), new("fault", refused.Fault.ToString())]);
            case SignInOutcome.NotApproved:
                return Problems.Field(StatusCodes.Status403Forbidden, "email", "The account waits for approval.", "Ask an administrator of this organisation to approve it.");
            default:
                return Problems.Field(StatusCodes.Status401Unauthorized, "password", "The e-mail, the password or the code is wrong.", "Check them and try again.");
        }
    }

    static ProblemHttpResult Refuse(HttpContext context, SecondFactorOutcome outcome, TimeProvider time) => outcome switch
    {
        SecondFactorOutcome.LockedUntil locked => Problems.Locked(context, locked.Until, time),
        SecondFactorOutcome.NotNow notNow => Problems.Field(StatusCodes.Status409Conflict, "secondFactor", notNow.Reason, "GET /api/account tells whether one is on."),
        _ => Problems.BadField("code", "The code is wrong or was used.", "Wait for the next code of the app, or use a recovery code."),
    };

    static ProblemHttpResult WrongPassword() =>
        Problems.Field(StatusCodes.Status403Forbidden, "password", "The present password is wrong.", "Give the password you sign in with.");
}
