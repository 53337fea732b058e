using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Salus.Platform.Identity;

namespace Salus.Platform.Consent;

/// <summary>The HTTP surface of consents: a patient's own.</summary>
public static class ConsentFeature
{
    /// <summary>What a patient sends to grant access.</summary>
    /// <param name="Grantee">An account's id, <c>hospital</c>, or <c>member:</c> and the id of another member of the consortium.</param>
    /// <param name="Categories">What may be read.</param>
    /// <param name="Purposes">For what.</param>
    /// <param name="From">First moment; now when absent.</param>
    /// <param name="Until">Last moment.</param>
    public sealed record GrantRequest(
        string Grantee, IReadOnlyList<RecordCategory> Categories, IReadOnlyList<Purpose> Purposes, DateTimeOffset? From, DateTimeOffset Until);

    /// <summary>A consent as the API shows it.</summary>
    public sealed record ConsentAnswer(
        string Id, ConsentState State, string Grantee, IReadOnlyList<RecordCategory> Categories, IReadOnlyList<Purpose> Purposes, DateTimeOffset From,
        DateTimeOffset Until, DateTimeOffset Requested, DateTimeOffset? Revoked, string ChainId, string Commitment, long? GrantedBlock, long? RevokedBlock);

    /// <summary>Maps the routes.</summary>
    public static void MapConsents(this IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/api/consents").WithTags("Consents");
        group.MapGet("/", ListAsync);
        group.MapPost("/", GrantAsync);
        group.MapDelete("/{id}", RevokeAsync);
    }

    static async Task<Ok<List<ConsentAnswer>>> ListAsync(ConsentDesk desk, HttpContext context) =>
        TypedResults.Ok((await desk.ListAsync(context.Caller(), context.RequestAborted)).Select(Answer).ToList());

    static async Task<Results<Accepted<ConsentAnswer>, ValidationProblem, ProblemHttpResult>> GrantAsync(
        GrantRequest request, ConsentDesk desk, TimeProvider time, HttpContext context)
    {
        var terms = new ConsentTerms(
            ConsentTerms.KindOf(request.Grantee ?? ""), request.Grantee ?? "", request.Categories ?? [], request.Purposes ?? [], request.From ?? time.GetUtcNow(), request.Until);
        switch (await desk.GrantAsync(context.Caller(), terms, context.RequestAborted))
        {
            case GrantOutcome.Requested requested:
                var consents = await desk.ListAsync(context.Caller(), context.RequestAborted);
                return TypedResults.Accepted($"/api/consents/{requested.Consent}", Answer(consents.First(consent => consent.Id == requested.Consent)));
            case GrantOutcome.Invalid invalid:
                return TypedResults.ValidationProblem(new Dictionary<string, string[]> { [invalid.Field] = [invalid.Reason] });
            default:
                return TypedResults.Problem("Only a patient with a record can grant access to it.", statusCode: StatusCodes.Status403Forbidden, title: "No record to share");
        }
    }

    static async Task<Results<NoContent, NotFound>> RevokeAsync(string id, ConsentDesk desk, HttpContext context) =>
        await desk.RevokeAsync(context.Caller(), id, context.RequestAborted) is RevokeOutcome.Revoked ? TypedResults.NoContent() : TypedResults.NotFound();

    static ConsentAnswer Answer(ConsentView view) => new(
        view.Id, view.State, view.Terms.Grantee, view.Terms.Categories, view.Terms.Purposes, view.Terms.From, view.Terms.Until, view.Requested, view.Revoked,
        "0x" + Convert.ToHexStringLower(view.ChainId), "0x" + Convert.ToHexStringLower(view.Commitment), view.GrantedBlock, view.RevokedBlock);
}
