using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.StaticFiles;
using Salus.Platform.Identity;

namespace Salus.Host.Ui;

/// <summary>The pages, and the headers that protect them.</summary>
public static class UiFeature
{
    /// <summary>The page that a refused or failed request is shown.</summary>
    public const string ProblemPath = "/problem";

    const string ContentSecurityPolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; "
        + "frame-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'; manifest-src 'self'; worker-src 'self'";

    /// <summary>A record's files are shown in pages of this server; of themselves they may do nothing.</summary>
    const string FileContentSecurityPolicy =
        "default-src 'none'; img-src 'self'; media-src 'self'; object-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

    const string FilePath = "/fhir/Binary";

    /// <summary>Adds what pages need.</summary>
    public static IServiceCollection AddSalusUi(this IServiceCollection services)
    {
        services.AddRazorComponents();
        return services.AddSingleton<Assets>().AddSingleton<Handover>();
    }

    /// <summary>Sets the headers of every answer, serves static files, and gives refused page requests a page.</summary>
    public static void UseSalusUi(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            context.Response.OnStarting(SetHeadersAsync, context);
            return next(context);
        });
        var types = new FileExtensionContentTypeProvider();
        types.Mappings[".webmanifest"] = "application/manifest+json";
        app.UseStaticFiles(new StaticFileOptions
        {
            ContentTypeProvider = types,
            OnPrepareResponse = prepared => prepared.Context.Response.Headers.CacheControl =
                prepared.Context.Request.Query.ContainsKey(Assets.VersionParameter) ? "public, max-age=31536000, immutable" : "no-cache",
        });
        app.UseWhen(context => !Refusals.IsMachine(context.Request.Path), pages => pages
            .Use(next => context => ShowProblemAsync(context, next))
            .UseExceptionHandler(failed => failed.Run(_ => Task.CompletedTask)));
    }

    /// <summary>Maps the pages.</summary>
    public static void MapSalusUi(this WebApplication app)
    {
        app.UseAntiforgery();
        app.MapUploads();
        app.MapRazorComponents<App>();
    }

    static Task SetHeadersAsync(object state)
    {
        var headers = ((HttpContext)state).Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        if (((HttpContext)state).Request.Path.StartsWithSegments(FilePath))
        {
            (headers.ContentSecurityPolicy, headers.XFrameOptions) = (FileContentSecurityPolicy, "SAMEORIGIN");
        }
        if (headers.ContentType.ToString().StartsWith("text/html", StringComparison.Ordinal))
        {
            headers.CacheControl = "no-store";
        }
        return Task.CompletedTask;
    }

    /// <summary>Runs the pipeline again for the problem page, as a plain GET, when a request was refused without a word; the status stays.</summary>
    static async Task ShowProblemAsync(HttpContext context, RequestDelegate next)
    {
        var (path, query) = (context.Request.Path, context.Request.QueryString);
        await next(context);
        if (context.Response.HasStarted || context.Response.StatusCode < StatusCodes.Status400BadRequest || HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }
        var (status, retryAfter) = (context.Response.StatusCode, context.Response.Headers.RetryAfter);
        context.Response.Clear();
        context.Response.StatusCode = status;
        context.Response.Headers.RetryAfter = retryAfter;
        context.Features.Set<IStatusCodeReExecuteFeature>(new StatusCodeReExecuteFeature { OriginalPath = path, OriginalQueryString = query.Value });
        context.Request.Method = HttpMethods.Get;
        context.Request.Path = ProblemPath;
        context.Request.QueryString = QueryString.Empty;
        context.SetEndpoint(null);
        context.Request.RouteValues.Clear();
        var services = context.RequestServices;
        await using var scope = services.CreateAsyncScope(); // a page's services serve one rendering
        context.RequestServices = scope.ServiceProvider;
        await next(context);
        context.RequestServices = services;
    }
}
