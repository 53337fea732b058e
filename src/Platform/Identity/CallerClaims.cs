using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace Salus.Platform.Identity;

/// <summary>Between a <see cref="Caller"/> and the claims of a request, which hold ids and a role and nothing else.</summary>
public static class CallerClaims
{
    const string PatientClaim = "patient";

    /// <summary>Who asks, or null when nobody has signed in.</summary>
    public static Caller? FindCaller(this ClaimsPrincipal principal) =>
        principal.Identity is { IsAuthenticated: true }
        && Guid.TryParse(principal.FindFirstValue(ClaimTypes.NameIdentifier), out var account)
        && Enum.TryParse<Role>(principal.FindFirstValue(ClaimTypes.Role), out var role) && Enum.IsDefined(role)
            ? new Caller(account, role, principal.FindFirstValue(PatientClaim))
            : null;

    /// <summary>Who asks.</summary>
    /// <exception cref="InvalidOperationException">Nobody has signed in; the endpoint is open.</exception>
    public static Caller Caller(this HttpContext context) =>
        context.User.FindCaller() ?? throw new InvalidOperationException("The endpoint asks for the caller and lets in requests without one.");

    internal static ClaimsPrincipal ToPrincipal(this Caller caller, string scheme)
    {
        List<Claim> claims = [new(ClaimTypes.NameIdentifier, caller.Account.ToString()), new(ClaimTypes.Role, caller.Role.ToString())];
        if (caller.Patient is not null)
        {
            claims.Add(new(PatientClaim, caller.Patient));
        }
        return new ClaimsPrincipal(new ClaimsIdentity(claims, scheme));
    }
}
