using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Salus.Platform.Identity;

/// <summary>Begins and ends the cookie sessions of browsers.</summary>
public sealed class SessionDesk(SignInDesk signIns)
{
    internal const string Scheme = CookieAuthenticationDefaults.AuthenticationScheme;
    internal const string CookieName = "salus";
    const string StampItem = "stamp";

    /// <summary>Judges the credentials and, when they are enough, sets the session cookie.</summary>
    public async Task<SignInOutcome> SignInAsync(HttpContext context, string? email, string? password, string? code = null) =>
        await BeginAsync(context, await signIns.SignInAsync(email, password, code, context.RequestAborted));

    /// <summary>Finishes a sign-in whose password was right, and sets the session cookie.</summary>
    public async Task<SignInOutcome> CompleteAsync(HttpContext context, string? ticket, string? code) =>
        await BeginAsync(context, await signIns.CompleteAsync(ticket, code, context.RequestAborted));

    /// <summary>Carries the present session over a password change, which ended all sessions.</summary>
    public static Task RenewAsync(HttpContext context, PasswordOutcome.Changed changed) => BeginAsync(context, changed.Caller, changed.Stamp);

    /// <summary>Ends the session of this browser.</summary>
    public async Task SignOutAsync(HttpContext context)
    {
        if (context.User.FindCaller() is { } caller)
        {
            await signIns.RecordSignedOutAsync(caller.Account, context.RequestAborted);
        }
        await context.SignOutAsync(Scheme);
    }

    static async Task<SignInOutcome> BeginAsync(HttpContext context, SignInOutcome outcome)
    {
        if (outcome is SignInOutcome.SignedIn signedIn)
        {
            await BeginAsync(context, signedIn.Caller, signedIn.Stamp);
        }
        return outcome;
    }

    static async Task BeginAsync(HttpContext context, Caller caller, byte[] stamp)
    {
        var principal = caller.ToPrincipal(Scheme);
        var properties = new AuthenticationProperties { Items = { [StampItem] = Convert.ToBase64String(stamp) } };
        await context.SignInAsync(Scheme, principal, properties);
        context.User = principal;
    }

    /// <summary>Holds each session against the account as it is now, so that a changed password, role or approval counts at once.</summary>
    internal static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        var desk = context.HttpContext.RequestServices.GetRequiredService<SignInDesk>();
        var stamp = new byte[64];
        if (context.Principal?.FindCaller() is { } claimed
            && context.Properties.Items.TryGetValue(StampItem, out var text)
            && Convert.TryFromBase64String(text ?? "", stamp, out var length)
            && await desk.FindCallerAsync(claimed.Account, stamp.AsMemory(0, length), context.HttpContext.RequestAborted) is { } caller)
        {
            context.ReplacePrincipal(caller.ToPrincipal(Scheme));
            return;
        }
        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(Scheme);
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
