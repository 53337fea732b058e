using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Salus.Platform.Identity;

namespace Salus.Platform.Models;

/// <summary>The HTTP surface of models: training, cards, predictions.</summary>
public static class ModelsFeature
{
    /// <summary>Which encounter to judge; the newest when absent.</summary>
    public sealed record PredictionRequest(string? Encounter);

    /// <summary>Registers the desk.</summary>
    public static IServiceCollection AddModels(this IServiceCollection services) => services.AddSingleton<ModelDesk>();

    /// <summary>Maps the routes.</summary>
    public static void MapModels(this IEndpointRouteBuilder routes)
    {
        var models = routes.MapGroup("/api/models").WithTags("Models");
        models.MapGet("/", ListAsync);
        models.MapPost("/train", TrainAsync);

        var predictions = routes.MapGroup("/api/patients/{patient}/predictions").WithTags("Models");
        predictions.MapGet("/", PredictionsAsync);
        predictions.MapPost("/", PredictAsync);
    }

    static async Task<IResult> ListAsync(ModelDesk desk, HttpContext context) =>
        await desk.ListAsync(context.Caller(), context.RequestAborted) is { } models
            ? TypedResults.Ok(models)
            : Forbidden("Models are shown to practitioners, researchers, auditors and administrators.");

    static async Task<IResult> TrainAsync(TrainingRequest? request, ModelDesk desk, HttpContext context) =>
        await desk.TrainAsync(context.Caller(), request ?? new TrainingRequest(), context.RequestAborted) switch
        {
            ModelTraining.Trained trained => TypedResults.Ok(trained.Model),
            ModelTraining.Refused refused => TypedResults.Problem(refused.Message, statusCode: StatusCodes.Status422UnprocessableEntity, title: "No model was trained"),
            ModelTraining.Forbidden forbidden => Forbidden(forbidden.Reason),
            ModelTraining.Busy => TypedResults.Problem("Wait until it is done, then try again.", statusCode: StatusCodes.Status409Conflict, title: "Another training runs"),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };

    static async Task<IResult> PredictAsync(string patient, PredictionRequest? request, ModelDesk desk, HttpContext context) =>
        await desk.PredictAsync(context.Caller(), patient, request?.Encounter, context.RequestAborted) switch
        {
            PredictionOutcome.Predicted predicted => TypedResults.Ok(predicted.Prediction),
            PredictionOutcome.NoModel => TypedResults.Problem("Train one with POST /api/models/train.", statusCode: StatusCodes.Status409Conflict, title: "There is no model yet"),
            PredictionOutcome.NoConsent refused => TypedResults.Problem(refused.Reason, statusCode: StatusCodes.Status403Forbidden, title: "No consent"),
            PredictionOutcome.NothingToJudge nothing => TypedResults.Problem(nothing.Reason, statusCode: StatusCodes.Status422UnprocessableEntity, title: "Nothing to judge"),
            PredictionOutcome.Forbidden forbidden => Forbidden(forbidden.Reason),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };

    static async Task<IResult> PredictionsAsync(string patient, ModelDesk desk, HttpContext context) =>
        await desk.PredictionsAsync(context.Caller(), patient, context.RequestAborted) switch
        {
            PredictionList.Found found => TypedResults.Ok(found.Predictions),
            PredictionList.NoConsent refused => TypedResults.Problem(refused.Reason, statusCode: StatusCodes.Status403Forbidden, title: "No consent"),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };

    static ProblemHttpResult Forbidden(string reason) => TypedResults.Problem(reason, statusCode: StatusCodes.Status403Forbidden, title: "Your role does not allow this");
}
