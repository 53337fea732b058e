using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Salus.Platform.Identity.Passkeys;

namespace Salus.Platform.Identity;

/// <summary>
/// Begins and ends the sessions of browsers. The cookie holds the secret of a row: a session ends where its row does, wherever copies of the
/// cookie may be.
/// </summary>
public sealed class SessionDesk(
    NpgsqlDataSource database, IdentityTables tables, SignInDesk signIns, PasskeyDesk passkeys, AccountDesk accounts, IdentityHooks hooks, IOptions<IdentityOptions> options,
    TimeProvider time)
{
    internal const string Scheme = CookieAuthenticationDefaults.AuthenticationScheme;
    internal const string CookieName = "salus";
    const string SecretItem = "session";

    TimeSpan Lifetime => TimeSpan.FromHours(options.Value.SessionHours);

    /// <summary>Judges the credentials and, when they are enough, sets the session cookie.</summary>
    public async Task<SignInOutcome> SignInAsync(HttpContext context, string? email, string? password, string? code = null) =>
        await BeginAsync(context, await signIns.SignInAsync(email, password, code, context.RequestAborted));

    /// <summary>Finishes a sign-in whose password was right, and sets the session cookie.</summary>
    public async Task<SignInOutcome> CompleteAsync(HttpContext context, string? ticket, string? code) =>
        await BeginAsync(context, await signIns.CompleteAsync(ticket, code, context.RequestAborted));

    /// <summary>Judges what a passkey has signed and, when it is right, sets the session cookie.</summary>
    public async Task<SignInOutcome> SignInAsync(HttpContext context, string? attempt, AssertionMessage? message) =>
        await BeginAsync(context, await passkeys.SignInAsync(attempt, message, context.RequestAborted));

    /// <summary>Gives the browser that changed its credentials a new session; the change has ended all. One that bears a token gets none.</summary>
    public async Task RenewAsync(HttpContext context, Entrance entrance)
    {
        if (BearerHandler.FindToken(context.Request) is null)
        {
            await BeginAsync(context, entrance);
        }
    }

    /// <summary>Ends the session of this browser, and with it every copy of its cookie.</summary>
    public async Task SignOutAsync(HttpContext context)
    {
        if (context.User.FindCaller() is { } caller)
        {
            var session = await context.AuthenticateAsync(Scheme);
            await using var connection = await database.OpenConnectionAsync(context.RequestAborted);
            await using var transaction = await connection.BeginTransactionAsync(context.RequestAborted);
            if (session.Properties?.Items.TryGetValue(SecretItem, out var secret) == true && secret is not null)
            {
                await tables.Access.DeleteAsync(connection, AccessKind.Session, secret, context.RequestAborted);
            }
            await hooks.RecordEvent(connection, new SecurityEvent(SecurityEventKind.SignedOut, caller.Account, null, time.GetUtcNow()), context.RequestAborted);
            await transaction.CommitAsync(context.RequestAborted);
        }
        await context.SignOutAsync(Scheme);
    }

    /// <summary>Ends every session and every token of the caller's account.</summary>
    public async Task SignOutEverywhereAsync(HttpContext context)
    {
        await accounts.EndAllAsync(context.Caller().Account, context.RequestAborted);
        await context.SignOutAsync(Scheme);
    }

    async Task<SignInOutcome> BeginAsync(HttpContext context, SignInOutcome outcome) =>
        outcome is not SignInOutcome.SignedIn signedIn || await BeginAsync(context, signedIn.Entrance) ? outcome : new SignInOutcome.Refused();

    /// <summary>False when the credentials changed in between.</summary>
    async Task<bool> BeginAsync(HttpContext context, Entrance entrance)
    {
        var (secret, now) = (AccessStore.NewSecret(), time.GetUtcNow());
        await using (var connection = await database.OpenConnectionAsync(context.RequestAborted))
        await using (var transaction = await connection.BeginTransactionAsync(context.RequestAborted))
        {
            if (!await tables.Access.AddAsync(connection, AccessKind.Session, secret, entrance, now, now + Lifetime, context.RequestAborted))
            {
                return false;
            }
            await transaction.CommitAsync(context.RequestAborted);
        }
        var principal = entrance.Caller.ToPrincipal(Scheme);
        await context.SignInAsync(Scheme, principal, new AuthenticationProperties { Items = { [SecretItem] = secret } });
        context.User = principal;
        return true;
    }

    /// <summary>Holds each session against its row and the account as they are now, so that a sign-out, a changed password, role or approval counts at once.</summary>
    internal static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        var desk = context.HttpContext.RequestServices.GetRequiredService<SessionDesk>();
        if (context.Properties.Items.TryGetValue(SecretItem, out var secret) && secret is not null
            && await desk.FindAsync(secret, context.HttpContext.RequestAborted) is { } caller)
        {
            context.ReplacePrincipal(caller.ToPrincipal(Scheme));
            return;
        }
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(Scheme);
    }

    /// <summary>Whose session it is; a session in use lives on, as its cookie does.</summary>
    async Task<Caller?> FindAsync(string secret, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        if (await tables.Access.FindAsync(AccessKind.Session, secret, now, cancellation) is not { } session)
        {
            return null;
        }
        if (session.Expires - now < Lifetime / 2)
        {
            await using var connection = await database.OpenConnectionAsync(cancellation);
            await tables.Access.ExtendAsync(connection, AccessKind.Session, secret, session, now + Lifetime, cancellation);
        }
        return session.Account.Caller;
    }
}

/// <summary>Over https the cookie bears the prefix <c>__Host-</c>, which binds it to this host; plain http on a loopback address cannot set such a cookie.</summary>
sealed class HostCookieManager : ICookieManager
{
    readonly ChunkingCookieManager inner = new();

    public string? GetRequestCookie(HttpContext context, string key) => inner.GetRequestCookie(context, Name(context, key));

    public void AppendResponseCookie(HttpContext context, string key, string? value, CookieOptions options) =>
        inner.AppendResponseCookie(context, Name(context, key), value, options);

    public void DeleteCookie(HttpContext context, string key, CookieOptions options) => inner.DeleteCookie(context, Name(context, key), options);

    static string Name(HttpContext context, string key) => context.Request.IsHttps ? $"__Host-{key}" : key;
}
