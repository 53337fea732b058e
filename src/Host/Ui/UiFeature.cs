namespace Salus.Host.Ui;

/// <summary>The pages, and the headers that protect them.</summary>
public static class UiFeature
{
    const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; "
        + "frame-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; manifest-src 'self'; worker-src 'self'";

    /// <summary>Adds what pages need.</summary>
    public static IServiceCollection AddSalusUi(this IServiceCollection services) => services;

    /// <summary>Sets the headers of every answer.</summary>
    public static void UseSalusUi(this WebApplication app) => app.Use((context, next) =>
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        return next(context);
    });

    /// <summary>Maps the pages.</summary>
    public static void MapSalusUi(this WebApplication app)
    {
    }
}
