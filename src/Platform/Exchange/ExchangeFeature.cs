using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Identity;

namespace Salus.Platform.Exchange;

/// <summary>The HTTP surface between hospitals: what a professional here asks for, and what another member's node asks of this one.</summary>
public static class ExchangeFeature
{
    /// <summary>Where a member's node is asked.</summary>
    public const string Path = "/exchange/records";

    const int RequestBytesMax = 16 << 10;

    /// <summary>What a professional asks for; in the body, so that no patient's id stands in an address.</summary>
    /// <param name="Member">The id of the member that holds the record.</param>
    /// <param name="Patient">The patient's id there.</param>
    /// <param name="Consent">Or the consent's.</param>
    /// <param name="Purpose">For what; treatment when absent.</param>
    /// <param name="Types">The resource types wanted; all that the consent covers when absent.</param>
    public sealed record AskRequest(ulong? Member, string? Patient, string? Consent, Purpose? Purpose, IReadOnlyList<string>? Types);

    /// <summary>What was checked of a proof, and what came of it.</summary>
    public sealed record ClaimAnswer(string Name, string State, string Sentence);

    /// <summary>A record of another member as the API shows it.</summary>
    public sealed record ForeignRecordAnswer(
        string Type, string Id, int Version, DateTimeOffset? Written, ProofView Proof, IReadOnlyList<ClaimAnswer> Claims, JsonElement? Resource);

    /// <summary>What another member gave, as the API shows it.</summary>
    public sealed record ForeignRetrieval(
        ulong HeldBy, string Holder, string? Log, string Patient, int Count, IReadOnlyDictionary<string, int> Proofs, IReadOnlyList<string> Altered, bool IsPartial,
        IReadOnlyList<ForeignRecordAnswer> Records);

    /// <summary>Adds the services.</summary>
    public static IServiceCollection AddExchange(this IServiceCollection services) =>
        services.AddSingleton<RecordGiver>().AddSingleton<RecordAsker>().AddSingleton<ForeignProofs>();

    /// <summary>Maps the routes.</summary>
    public static void MapExchange(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(Path, GiveAsync).WithTags("Exchange").AllowAnonymous();
        routes.MapPost("/api/exchange/records", AskAsync).WithTags("Exchange");
    }

    static async Task<IResult> GiveAsync(RecordGiver giver, HttpContext context)
    {
        context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>()!.MaxRequestBodySize = RequestBytesMax;
        SignedRequest? request;
        try
        {
            request = await JsonSerializer.DeserializeAsync<SignedRequest>(context.Request.Body, JsonSerializerOptions.Web, context.RequestAborted);
        }
        catch (JsonException)
        {
            request = null;
        }
        return request is null
            ? Problem(StatusCodes.Status400BadRequest, "No request", "Send a request and its signature as JSON.")
            : await giver.GiveAsync(request, context.RequestAborted) switch
            {
                GiveOutcome.Given given => TypedResults.Ok(given.Answer),
                GiveOutcome.Malformed malformed => Problem(StatusCodes.Status400BadRequest, "No request", malformed.Reason),
                GiveOutcome.Refused refused => Problem(StatusCodes.Status403Forbidden, "Refused", refused.Reason),
                GiveOutcome.Away => Problem(StatusCodes.Status503ServiceUnavailable, "The chain is away", "Who is a member, and what is consented to, cannot be told now. Ask again later."),
                _ => throw new InvalidOperationException("Every outcome has its answer."),
            };
    }

    static async Task<IResult> AskAsync(AskRequest request, RecordAsker asker, HttpContext context) =>
        await asker.AskAsync(
            context.Caller(), request.Member ?? 0, request.Patient ?? "", request.Consent ?? "", request.Purpose ?? Purpose.Treatment, request.Types ?? [], context.RequestAborted) switch
        {
            RecordAskOutcome.Found found => TypedResults.Ok(View(found)),
            RecordAskOutcome.Invalid invalid => TypedResults.ValidationProblem(new Dictionary<string, string[]> { [invalid.Field] = [invalid.Reason] }),
            RecordAskOutcome.Refused refused => Problem(StatusCodes.Status403Forbidden, "No consent", refused.Reason),
            RecordAskOutcome.Away away => Problem(StatusCodes.Status502BadGateway, "The other hospital is away", away.Reason),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };

    static ForeignRetrieval View(RecordAskOutcome.Found found)
    {
        var records = found.Records.Select(foreign => new ForeignRecordAnswer(
            foreign.Record.Type, foreign.Record.Id, foreign.Record.Version, foreign.Record.Written == default ? null : foreign.Record.Written, ProofView.Of(foreign.Proof),
            [.. foreign.Claims.Select(claim => new ClaimAnswer(claim.Name, claim.State.ToString(), claim.Sentence))], Resource(foreign))).ToList();
        return new ForeignRetrieval(
            found.Holder.Id, found.Holder.Shown, found.Holder.LogKey, found.Patient, records.Count,
            records.GroupBy(record => record.Proof.State).ToDictionary(group => group.Key, group => group.Count()), found.Altered, found.IsPartial, records);
    }

    /// <summary>The resource itself; what does not verify is not shown.</summary>
    static JsonElement? Resource(ForeignRecord foreign) =>
        foreign.Proof is ProofState.Broken ? null : JsonElement.Parse(foreign.Record.Bytes);

    static ProblemHttpResult Problem(int status, string title, string detail) => TypedResults.Problem(detail, statusCode: status, title: title);
}
