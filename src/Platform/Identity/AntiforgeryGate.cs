using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;

namespace Salus.Platform.Identity;

/// <summary>
/// Unsafe requests that a cookie vouches for must carry the antiforgery token too; a bearer token is proof enough, for no
/// browser adds one by itself. Unsafe requests that a browser marks as coming from another site are refused even without a session,
/// lest a visitor be signed in to a stranger's account.
/// </summary>
static class AntiforgeryGate
{
    public const string Header = "X-Salus-Antiforgery";
    const string FetchSite = "Sec-Fetch-Site";

    public static async Task InvokeAsync(HttpContext context, RequestDelegate next, IAntiforgery antiforgery)
    {
        if (IsSafe(context.Request) || BearerHandler.FindToken(context.Request) is not null)
        {
            await next(context);
            return;
        }
        if (context.Request.Headers[FetchSite] == "cross-site")
        {
            await Refusals.WriteAsync(context, StatusCodes.Status403Forbidden, "The request comes from another site.", "Send it from a page of this server.");
            return;
        }
        var exempt = context.GetEndpoint()?.Metadata.GetMetadata<IAntiforgeryMetadata>() is { RequiresValidation: false };
        if (!exempt && context.User.Identity is { IsAuthenticated: true } && !await antiforgery.IsRequestValidAsync(context))
        {
            await Refusals.WriteAsync(context, StatusCodes.Status400BadRequest, $"The header {Header} is missing or not of this session.",
                $"Get a token from GET /api/antiforgery and send it in the header {Header}.");
            return;
        }
        await next(context);
    }

    static bool IsSafe(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method) || HttpMethods.IsTrace(request.Method);
}
