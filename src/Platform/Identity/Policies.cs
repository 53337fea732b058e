using Microsoft.AspNetCore.Authorization;

namespace Salus.Platform.Identity;

/// <summary>The names of the authorization policies. Without one an endpoint asks for an approved account of any role.</summary>
public static class Policies
{
    /// <summary>Runs the node.</summary>
    public const string Administrator = nameof(Role.Administrator);
    /// <summary>Reads the audit trail.</summary>
    public const string Auditor = nameof(Role.Auditor);
    /// <summary>Works on data sets.</summary>
    public const string Researcher = nameof(Role.Researcher);
    /// <summary>Treats patients.</summary>
    public const string Practitioner = nameof(Role.Practitioner);
    /// <summary>Owns a record.</summary>
    public const string Patient = nameof(Role.Patient);

    internal static void Add(AuthorizationOptions options)
    {
        var anyone = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireAssertion(context => context.User.FindCaller() is not null).Build();
        options.DefaultPolicy = anyone;
        options.FallbackPolicy = anyone;
        foreach (var role in (string[])[Administrator, Auditor, Researcher, Practitioner, Patient])
        {
            options.AddPolicy(role, policy => policy.Combine(anyone).RequireRole(role));
        }
    }
}
