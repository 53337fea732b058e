using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Salus.Platform.Anchoring.Witness;

/// <summary>The HTTP surface of a witness (C2SP tlog-witness): open to all, for a request counts by its signature alone.</summary>
public static class WitnessFeature
{
    const int BodyBytesMax = 64 << 10;

    /// <summary>Adds the witness and the asking of witnesses.</summary>
    public static IServiceCollection AddWitness(this IServiceCollection services) =>
        services.AddSingleton<WitnessRoster>().AddSingleton<WitnessDesk>().AddSingleton<Witnessing>();

    /// <summary>Maps the route.</summary>
    public static void MapWitness(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/witness/add-checkpoint", AddCheckpointAsync).WithTags("Log").AllowAnonymous();

    static async Task<IResult> AddCheckpointAsync(WitnessDesk desk, HttpContext context)
    {
        var body = new byte[BodyBytesMax + 1];
        var length = await context.Request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, context.RequestAborted);
        if (length > BodyBytesMax)
        {
            return Text(StatusCodes.Status413PayloadTooLarge, $"A request is at most {BodyBytesMax} bytes long.");
        }
        return await desk.AddCheckpointAsync(Encoding.UTF8.GetString(body, 0, length), context.RequestAborted) switch
        {
            CosignOutcome.Cosigned cosigned => TypedResults.Text($"{cosigned.Signature}\n", "text/plain; charset=utf-8"),
            CosignOutcome.Malformed malformed => Text(StatusCodes.Status400BadRequest, malformed.Reason),
            CosignOutcome.UnknownLog => Text(StatusCodes.Status404NotFound, "The log is not cosigned here."),
            CosignOutcome.UnknownSignature => Text(StatusCodes.Status403Forbidden, "No key that is trusted for this log has signed the checkpoint."),
            CosignOutcome.Conflict conflict => TypedResults.Text(
                conflict.Size.ToString(CultureInfo.InvariantCulture) + "\n", "text/x.tlog.size", statusCode: StatusCodes.Status409Conflict),
            CosignOutcome.Unproven unproven => Text(StatusCodes.Status422UnprocessableEntity, $"The consistency proof does not hold: {unproven.Verdict}."),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };
    }

    static ContentHttpResult Text(int status, string text) => TypedResults.Text(text + "\n", "text/plain; charset=utf-8", statusCode: status);
}
