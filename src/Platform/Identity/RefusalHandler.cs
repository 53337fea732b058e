using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;
using Npgsql;

namespace Salus.Platform.Identity;

/// <summary>Answers requests that authorization turns away, and records those turned away for their role.</summary>
sealed class RefusalHandler(NpgsqlDataSource database, IdentityHooks hooks, TimeProvider time) : IAuthorizationMiddlewareResultHandler
{
    readonly AuthorizationMiddlewareResultHandler standard = new();

    public async Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Forbidden && context.User.FindCaller() is { } caller)
        {
            await RecordAsync(caller, context.RequestAborted);
        }
        if (authorizeResult.Succeeded || !Refusals.IsMachine(context.Request.Path))
        {
            await standard.HandleAsync(next, context, policy, authorizeResult);
        }
        else if (authorizeResult.Forbidden)
        {
            await Refusals.WriteAsync(context, StatusCodes.Status403Forbidden, "Your role does not allow this.", "Sign in with an account of a role that does.");
        }
        else
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await Refusals.WriteAsync(context, StatusCodes.Status401Unauthorized, "Nobody is signed in.",
                "Send a valid token of POST /api/token in the header Authorization: Bearer, or a session cookie of POST /api/sign-in.");
        }
    }

    async Task RecordAsync(Caller caller, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.RoleRefused, caller.Account, null, time.GetUtcNow()), cancellation);
        await transaction.CommitAsync(cancellation);
    }
}
