using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Salus.Platform.Anchoring;
using Salus.Platform.Identity.Passkeys;

using Salus.Platform.Schema;

namespace Salus.Platform.Identity;

/// <summary>Accounts, sessions and tokens: the services and the HTTP surface.</summary>
public static class IdentityFeature
{
    const string AnyScheme = "Salus";
    const string BearerScheme = "Bearer";

    /// <summary>
    /// Needs a data source, an opened vault and <see cref="IdentityHooks"/> in the container, and
    /// <see cref="OrganizationDesk.EnsureAsync"/> before the server starts. Every endpoint that does not say otherwise asks for an approved account.
    /// </summary>
    public static IServiceCollection AddSalusIdentity(this IServiceCollection services)
    {
        services.AddOptions<IdentityOptions>().BindConfiguration(IdentityOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<PasskeyOptions>().BindConfiguration(PasskeyOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ChainOutbox>();
        services.TryAddSingleton<NodeMessages>();
        services.AddSingleton(_ => new Credentials()).AddSingleton<OrganizationDesk>().AddSingleton<IdentityTables>().AddSingleton<AccountDesk>().AddSingleton<SecondFactorDesk>()
            .AddSingleton<SignInDesk>().AddSingleton<PasskeyCeremony>().AddSingleton<ChallengeStore>().AddSingleton<PasskeyDesk>().AddSingleton<PasskeyStatements>().AddSingleton<SessionDesk>().AddSingleton<TokenDesk>();

        services.AddCors();
        services.AddDataProtection().SetApplicationName("Salus");
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>, KeyRingSetup>();
        services.AddAuthentication(AnyScheme)
            .AddPolicyScheme(AnyScheme, null, options =>
            {
                options.ForwardDefaultSelector = context => BearerHandler.FindToken(context.Request) is null ? SessionDesk.Scheme : BearerScheme;
            })
            .AddScheme<AuthenticationSchemeOptions, BearerHandler>(BearerScheme, null)
            .AddCookie(SessionDesk.Scheme);
        services.AddOptions<Microsoft.AspNetCore.Authentication.Cookies.CookieAuthenticationOptions>(SessionDesk.Scheme)
            .Configure<IOptions<IdentityOptions>>((cookie, identity) =>
            {
                cookie.Cookie.Name = SessionDesk.CookieName;
                cookie.Cookie.Path = "/";
                cookie.Cookie.HttpOnly = true;
                cookie.Cookie.SameSite = SameSiteMode.Lax;
                cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                cookie.CookieManager = new HostCookieManager();
                cookie.ExpireTimeSpan = TimeSpan.FromHours(identity.Value.SessionHours);
                cookie.SlidingExpiration = true;
                cookie.LoginPath = "/sign-in";
                cookie.AccessDeniedPath = "/refused";
                cookie.Events.OnValidatePrincipal = SessionDesk.ValidateAsync;
            });
        services.AddAuthorization(Policies.Add);
        services.AddSingleton<IAuthorizationMiddlewareResultHandler, RefusalHandler>();
        services.AddAntiforgery(options =>
        {
            options.HeaderName = AntiforgeryGate.Header;
            options.Cookie.Name = "salus-antiforgery";
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        services.AddRateLimiter(_ => { });
        services.AddSingleton<IConfigureOptions<RateLimiterOptions>, RateLimits>();
        services.AddProblemDetails();
        return services;
    }

    /// <summary>The order matters: who asks, how often, from whose pages, whether they may, whether it is really their will.</summary>
    public static IApplicationBuilder UseSalusIdentity(this IApplicationBuilder app) =>
        app.UseRouting().UseAuthentication().UseRateLimiter().UseCors().UseAuthorization()
            .Use(next => context => AntiforgeryGate.InvokeAsync(context, next, context.RequestServices.GetRequiredService<IAntiforgery>()));

    /// <summary>The routes under <c>/api</c>.</summary>
    public static void MapSalusIdentity(this IEndpointRouteBuilder app)
    {
        var api = app.MapGroup("/api").WithTags("Identity");

        var open = api.MapGroup("").AllowAnonymous();
        open.MapPost("/sign-up", AccountRoutes.SignUpAsync).RequireRateLimiting(RateLimits.Credentials);
        open.MapPost("/sign-in", SessionRoutes.SignInAsync).RequireRateLimiting(RateLimits.Credentials);
        open.MapPost("/sign-in/second-factor", SessionRoutes.CompleteAsync).RequireRateLimiting(RateLimits.Credentials);
        open.MapPost("/sign-in/passkey/prepare", PasskeyRoutes.PrepareSignInAsync).RequireRateLimiting(RateLimits.Credentials);
        open.MapPost("/sign-in/passkey", PasskeyRoutes.SignInAsync).RequireRateLimiting(RateLimits.Credentials);
        open.MapPost("/token", SessionRoutes.IssueTokenAsync).RequireRateLimiting(RateLimits.Credentials);
        open.MapGet("/antiforgery", SessionRoutes.Antiforgery);

        api.MapPost("/sign-out", SessionRoutes.SignOutAsync);
        api.MapPost("/sign-out/everywhere", SessionRoutes.SignOutEverywhereAsync);
        api.MapDelete("/token", SessionRoutes.RevokeTokenAsync);

        var account = api.MapGroup("/account");
        account.MapGet("", AccountRoutes.ShowAsync);
        account.MapGet("/registration", AccountRoutes.RegistrationAsync);
        account.MapPost("/password", SessionRoutes.ChangePasswordAsync).RequireRateLimiting(RateLimits.Credentials);
        account.MapPost("/second-factor", SessionRoutes.BeginSecondFactorAsync).RequireRateLimiting(RateLimits.Credentials);
        account.MapPost("/second-factor/confirm", SessionRoutes.ConfirmSecondFactorAsync).RequireRateLimiting(RateLimits.Credentials);
        account.MapDelete("/second-factor", SessionRoutes.RemoveSecondFactorAsync).RequireRateLimiting(RateLimits.Credentials);
        account.MapPost("/second-factor/acknowledge", SessionRoutes.AcknowledgeResetAsync);
        account.MapGet("/passkeys", PasskeyRoutes.ListAsync);
        account.MapPost("/passkeys/prepare", PasskeyRoutes.PrepareAsync).RequireRateLimiting(RateLimits.Credentials);
        account.MapPost("/passkeys", PasskeyRoutes.AddAsync).RequireRateLimiting(RateLimits.Credentials);
        account.MapPut("/passkeys/{id:guid}", PasskeyRoutes.RenameAsync);
        account.MapDelete("/passkeys/{id:guid}", PasskeyRoutes.RemoveAsync);
        account.MapPost("/redeem", AccountRoutes.RedeemAsync).RequireAuthorization(Policies.Patient).RequireRateLimiting(RateLimits.Credentials);

        var administrator = api.MapGroup("").RequireAuthorization(Policies.Administrator);
        administrator.MapGet("/accounts", AccountRoutes.ListAsync);
        administrator.MapPost("/accounts/{id:guid}/approve", AccountRoutes.ApproveAsync);
        administrator.MapPost("/accounts/{id:guid}/disable", AccountRoutes.DisableAsync);
        administrator.MapPost("/accounts/{id:guid}/reset-second-factor", AccountRoutes.ResetSecondFactorAsync);
        administrator.MapPost("/invitations", AccountRoutes.InviteAsync);

        api.MapPost("/patients/{id}/enrolment-code", AccountRoutes.CreateEnrolmentCodeAsync).RequireAuthorization(Policies.Practitioner);
    }
}
