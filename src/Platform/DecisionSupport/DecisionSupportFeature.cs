using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Salus.Platform.Identity;

namespace Salus.Platform.DecisionSupport;

/// <summary>The HTTP surface of advice at the point of care (CDS Hooks 2.0), and of the register of the systems that may ask for it.</summary>
public static class DecisionSupportFeature
{
    const string OriginsPolicy = "cds-services";
    const int RequestBytesMax = 8 << 20;
    const int FeedbackBytesMax = 64 << 10;

    /// <summary>The services there are.</summary>
    public sealed record Discovery(IReadOnlyList<CdsService> Services);

    /// <summary>A registered system as the API shows it.</summary>
    public sealed record SystemView(Guid Id, string Name, string Issuer, IReadOnlyList<string> Keys, IReadOnlyList<string> Origins, DateTimeOffset Registered, DateTimeOffset? Withdrawn);

    /// <summary>Adds the services.</summary>
    public static IServiceCollection AddDecisionSupport(this IServiceCollection services) =>
        services.AddSingleton<CdsClientDesk>().AddSingleton<CdsDesk>().AddSingleton<ICorsPolicyProvider, RegisteredOrigins>();

    /// <summary>Maps the routes. Who asks is decided here, not by a role alone: other systems have no account.</summary>
    public static void MapDecisionSupport(this IEndpointRouteBuilder routes)
    {
        var services = routes.MapGroup(CdsDesk.Path).WithTags("Decision support").AllowAnonymous().RequireCors(OriginsPolicy);
        services.MapGet("", async (CdsDesk desk, CdsClientDesk clients, HttpContext context) =>
            await AskerAsync(clients, desk, context) is (_, { } refusal) ? refusal : TypedResults.Ok(new Discovery(await desk.ListAsync(context.RequestAborted))));
        services.MapPost("/{service}", async (string service, CdsDesk desk, CdsClientDesk clients, HttpContext context) =>
            await WithBodyAsync(clients, desk, context, RequestBytesMax, async (asker, body) =>
                await desk.AskAsync(asker, service, body, context.RequestAborted) switch
                {
                    ({ } answer, _) => TypedResults.Ok(answer),
                    (_, { } fault) => Problem(fault),
                    _ => throw new InvalidOperationException("Every outcome has its answer."),
                }));
        services.MapPost("/{service}/feedback", async (string service, CdsDesk desk, CdsClientDesk clients, HttpContext context) =>
            await WithBodyAsync(clients, desk, context, FeedbackBytesMax, async (asker, body) =>
                await desk.TakeFeedbackAsync(asker, service, body, context.RequestAborted) is { } fault ? Problem(fault) : TypedResults.Ok()));

        var systems = routes.MapGroup("/api/other-systems").WithTags("Decision support").RequireAuthorization(Policies.Administrator);
        systems.MapGet("", async (CdsClientDesk desk, HttpContext context) => TypedResults.Ok((await desk.ListAsync(context.RequestAborted)).Select(View)));
        systems.MapPost("", async (CdsRegistration? registration, CdsClientDesk desk, HttpContext context) =>
            Answer(await desk.RegisterAsync(context.Caller(), registration ?? new CdsRegistration(null, null, null, null), context.RequestAborted)));
        systems.MapPost("/{id:guid}/withdraw", async (Guid id, CdsClientDesk desk, HttpContext context) => Answer(await desk.WithdrawAsync(context.Caller(), id, context.RequestAborted)));
    }

    /// <summary>Whose call it is: a practitioner's by token or session, else the system's whose token this is; or the answer to nobody's.</summary>
    static async Task<(CdsAsker? Asker, IResult? Refusal)> AskerAsync(CdsClientDesk clients, CdsDesk desk, HttpContext context)
    {
        if (context.User.FindCaller() is { } caller)
        {
            return caller.Role == Role.Practitioner
                ? (new CdsAsker.Own(caller), null)
                : (null, TypedResults.Problem("Practitioners ask here, and other systems that are registered.", statusCode: StatusCodes.Status403Forbidden, title: "Your role does not allow this"));
        }
        var token = BearerHandler.FindToken(context.Request);
        var outcome = token is null ? new CdsTokenOutcome.Refused("No token came along.") : await clients.RecognizeAsync(token, desk.AddressOf(context.Request.Path), context.RequestAborted);
        if (outcome is CdsTokenOutcome.Valid valid)
        {
            return (new CdsAsker.Other(valid.Client), null);
        }
        context.Response.Headers.WWWAuthenticate = token is null ? "Bearer" : "Bearer error=\"invalid_token\"";
        return (null, TypedResults.Problem(((CdsTokenOutcome.Refused)outcome).Reason, statusCode: StatusCodes.Status401Unauthorized, title: "Nobody that is known here"));
    }

    static async Task<IResult> WithBodyAsync(CdsClientDesk clients, CdsDesk desk, HttpContext context, int bytesMax, Func<CdsAsker, ReadOnlyMemory<byte>, Task<IResult>> answer)
    {
        var (asker, refusal) = await AskerAsync(clients, desk, context);
        if (asker is null)
        {
            return refusal!;
        }
        if (context.Request.ContentLength > bytesMax)
        {
            return TooLarge(bytesMax);
        }
        context.Features.Get<IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = bytesMax;
        using var body = new MemoryStream();
        try
        {
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        }
        catch (BadHttpRequestException oversized) when (oversized.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return TooLarge(bytesMax);
        }
        return await answer(asker, body.GetBuffer().AsMemory(0, (int)body.Length));
    }

    static IResult Answer(CdsClientOutcome outcome) => outcome switch
    {
        CdsClientOutcome.Done done => TypedResults.Ok(View(done.Client)),
        CdsClientOutcome.Invalid invalid => TypedResults.ValidationProblem(new Dictionary<string, string[]> { [invalid.Field] = [invalid.Reason] }),
        CdsClientOutcome.Unknown => TypedResults.Problem("GET /api/other-systems lists those that there are.", statusCode: StatusCodes.Status404NotFound, title: "There is no such system, or it was withdrawn before"),
        _ => throw new InvalidOperationException("Every outcome has its answer."),
    };

    static SystemView View(CdsClient client) => new(
        client.Id, client.Name, client.Issuer, [.. client.Keys.Select(key => key.Id is null ? key.Algorithm : $"{key.Id} ({key.Algorithm})")], client.Origins, client.Registered, client.Withdrawn);

    static ProblemHttpResult Problem(CdsFault fault) =>
        TypedResults.Problem(fault.Reason, statusCode: fault.Status, title: Title(fault.Status), extensions: fault.Place.Length == 0 ? [] : [new("place", fault.Place)]);

    static ProblemHttpResult TooLarge(int bytesMax) =>
        TypedResults.Problem($"At most {bytesMax >> 10} KiB are read. Send the newest resources alone.", statusCode: StatusCodes.Status413PayloadTooLarge, title: "The request is too large");

    static string Title(int status) => status switch
    {
        StatusCodes.Status400BadRequest => "The request is bent",
        StatusCodes.Status403Forbidden => "No consent",
        StatusCodes.Status412PreconditionFailed => "Something needed was not sent",
        _ => "There is no such service",
    };

    /// <summary>Browsers may call from the pages of registered systems, with a token and never with a cookie.</summary>
    sealed class RegisteredOrigins(CdsClientDesk clients) : ICorsPolicyProvider
    {
        public async Task<CorsPolicy?> GetPolicyAsync(HttpContext context, string? policyName) => policyName != OriginsPolicy ? null :
            new CorsPolicyBuilder([.. await clients.OriginsAsync(context.RequestAborted)]).WithMethods(HttpMethods.Get, HttpMethods.Post)
                .WithHeaders(HeaderNames.Authorization, HeaderNames.ContentType).WithExposedHeaders(HeaderNames.WWWAuthenticate).Build();
    }
}
