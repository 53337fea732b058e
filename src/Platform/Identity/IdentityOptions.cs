using System.ComponentModel.DataAnnotations;

namespace Salus.Platform.Identity;

/// <summary>The limits of signing in and of the API, bound to the section <see cref="Section"/>.</summary>
public sealed record IdentityOptions
{
    /// <summary>The section of the configuration.</summary>
    public const string Section = "Salus:Identity";

    /// <summary>The shortest password, in characters.</summary>
    [Range(8, 64)]
    public int PasswordLengthMin { get; init; } = 12;

    /// <summary>Failures in a row after which an account is locked.</summary>
    [Range(1, 100)]
    public int FailuresMax { get; init; } = 5;

    /// <summary>The first lock-out; each further one is twice as long.</summary>
    [Range(1, 1440)]
    public int LockoutMinutes { get; init; } = 15;

    /// <summary>The longest lock-out.</summary>
    [Range(1, 10_080)]
    public int LockoutMinutesMax { get; init; } = 1440;

    /// <summary>How long a bearer token lives.</summary>
    [Range(1, 720)]
    public int TokenHours { get; init; } = 8;

    /// <summary>How long an unused session lives.</summary>
    [Range(1, 168)]
    public int SessionHours { get; init; } = 8;

    /// <summary>How long an enrolment code may be redeemed.</summary>
    [Range(1, 90)]
    public int EnrolmentCodeDays { get; init; } = 7;

    /// <summary>How long an invitation may be used.</summary>
    [Range(1, 90)]
    public int InvitationDays { get; init; } = 7;

    /// <summary>Sign-ins, sign-ups and token requests per minute and network address.</summary>
    [Range(1, 1_000_000)]
    public int SignInsPerMinute { get; init; } = 30;

    /// <summary>Sign-ins and token requests per minute and account, whether there is such an account or not.</summary>
    [Range(1, 1_000_000)]
    public int SignInsPerMinutePerAccount { get; init; } = 10;

    /// <summary>Requests per minute and caller.</summary>
    [Range(1, 10_000_000)]
    public int RequestsPerMinute { get; init; } = 1200;

    /// <summary>The name under which an authenticator app lists the account.</summary>
    [Required, RegularExpression("^[^:]{1,64}$")]
    public string Issuer { get; init; } = "Salus";
}
