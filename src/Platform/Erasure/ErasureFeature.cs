using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Salus.Platform.Identity;

namespace Salus.Platform.Erasure;

/// <summary>Erasure: its services and its HTTP surface. Administrators erase, in two steps; auditors see what was erased.</summary>
public static class ErasureFeature
{
    const int ListMax = 500;

    /// <summary>A wish to erase.</summary>
    /// <param name="Patient">The patient's logical id.</param>
    /// <param name="Ground">The ground's code.</param>
    /// <param name="Confirmation">What the first step answered; in the second step alone.</param>
    public sealed record ErasureRequest(string? Patient, string? Ground, string? Confirmation = null);

    /// <summary>Adds the services.</summary>
    public static IServiceCollection AddErasure(this IServiceCollection services)
    {
        services.AddOptions<VaultOptions>().BindConfiguration("Salus:Vault").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton(provider => provider.GetRequiredService<IOptions<VaultOptions>>().Value);
        services.AddSingleton<PatientAccounts>().AddSingleton<ErasureDesk>();
        services.AddSingleton<BlobRemoval>().AddHostedService(provider => provider.GetRequiredService<BlobRemoval>());
        return services.AddHostedService<EpochTurning>();
    }

    /// <summary>Maps the routes.</summary>
    public static void MapErasure(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api/erasures").WithTags("Erasure");
        api.MapGet("/", ListAsync);
        api.MapPost("/preview", PreviewAsync).RequireAuthorization(Policies.Administrator);
        api.MapPost("/", EraseAsync).RequireAuthorization(Policies.Administrator);
    }

    static async Task<Results<Ok<IReadOnlyList<ErasureView>>, ForbidHttpResult>> ListAsync(ErasureDesk desk, HttpContext context) =>
        context.Caller().Role is Role.Administrator or Role.Auditor ? TypedResults.Ok(await desk.ListAsync(ListMax, context.RequestAborted)) : TypedResults.Forbid();

    static async Task<Results<Ok<ErasurePreview>, ProblemHttpResult>> PreviewAsync(ErasureRequest request, ErasureDesk desk, HttpContext context) =>
        await desk.PreviewAsync(context.Caller(), request.Patient ?? "", request.Ground ?? "", context.RequestAborted) switch
        {
            PreviewOutcome.Shown shown => TypedResults.Ok(shown.Preview),
            var refused => Problem(refused),
        };

    static async Task<Results<Ok<ErasureOutcome.Erased>, ProblemHttpResult>> EraseAsync(ErasureRequest request, ErasureDesk desk, HttpContext context) =>
        await desk.EraseAsync(context.Caller(), request.Patient ?? "", request.Ground ?? "", request.Confirmation ?? "", context.RequestAborted) switch
        {
            ErasureOutcome.Erased erased => TypedResults.Ok(erased),
            ErasureOutcome.Refused refused => Problem(refused.Reason),
            ErasureOutcome.Unconfirmed => Problems.Field(StatusCodes.Status409Conflict, "confirmation",
                "The confirmation is not that of the record as it stands.", "POST /api/erasures/preview again, look at what it shows, and repeat its confirmation."),
            _ => Problems.Field(StatusCodes.Status503ServiceUnavailable, "patient", "The log has not taken the record's newest entries yet.", "Try again in a moment."),
        };

    static ProblemHttpResult Problem(PreviewOutcome refused) => refused switch
    {
        PreviewOutcome.Unknown => Problems.Field(StatusCodes.Status404NotFound, "patient", "There is no patient of this id, or no longer.", "Give the logical id of a Patient resource."),
        PreviewOutcome.NoSuchGround => Problems.BadField("ground", "There is no such ground.", $"Give one of {string.Join(", ", ErasureGrounds.All.Keys)}."),
        PreviewOutcome.NotAdministrator => Problems.Field(StatusCodes.Status403Forbidden, "patient", "Only administrators erase.", "Ask an administrator."),
        _ => throw new InvalidOperationException("Every outcome has its answer."),
    };
}
