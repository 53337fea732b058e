using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Salus.Ledger.Evm;
using Salus.Platform.Identity;

namespace Salus.Platform.Consortium;

/// <summary>The HTTP surface of the consortium: what this node says of itself, who the members are, and votes.</summary>
public static class ConsortiumFeature
{
    /// <summary>A member as the API shows it.</summary>
    public sealed record MemberAnswer(
        ulong Id, string Account, string NameHash, string? Name, string? Title, Uri? Endpoint, string? LogKey, string? WitnessKey, bool IsSelf);

    /// <summary>A vote.</summary>
    /// <param name="Account">The account voted on, as <c>0x…</c>.</param>
    /// <param name="Name">For an admission, the name that the candidate's node states.</param>
    /// <param name="Admit">Whether to admit; to expel otherwise.</param>
    public sealed record VoteRequest(string? Account, string? Name, bool Admit);

    /// <summary>Adds the services; the directory itself is a worker.</summary>
    public static IServiceCollection AddConsortium(this IServiceCollection services) =>
        services.AddSingleton<MemberWire>().AddSingleton<MemberStatements>().AddSingleton<ConsortiumDesk>();

    /// <summary>Maps the routes.</summary>
    public static void MapConsortium(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithTags("Consortium");
        api.MapGet("/consortium/self", (MemberDirectory directory) => TypedResults.Ok(directory.Statement)).AllowAnonymous();
        api.MapGet("/members", (MemberDirectory directory) => TypedResults.Ok(directory.Members.Select(Answer).ToList()));
        api.MapPost("/members/votes", VoteAsync).RequireAuthorization(Policies.Administrator);
    }

    static async Task<Results<Accepted, ValidationProblem>> VoteAsync(VoteRequest request, ConsortiumDesk desk, HttpContext context) =>
        await desk.VoteAsync(context.Caller(), request.Account, request.Name, request.Admit, context.RequestAborted) is VoteOutcome.Invalid invalid
            ? TypedResults.ValidationProblem(new Dictionary<string, string[]> { [invalid.Field] = [invalid.Reason] })
            : TypedResults.Accepted("/api/members");

    static MemberAnswer Answer(Member member) => new(
        member.Id, member.Account.ToString(), Hex.Of(member.NameHash), member.Name, member.Title, member.Endpoint, member.LogKey, member.WitnessKey, member.IsSelf);
}
