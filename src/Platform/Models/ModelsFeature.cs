using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Salus.Learning.Models;
using Salus.Learning.Recipes;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;

namespace Salus.Platform.Models;

/// <summary>The HTTP surface of models: training, cards, releases, trying, predictions.</summary>
public static class ModelsFeature
{
    /// <summary>By which recipe to judge, that of visits when absent; and which encounter or, where notes are judged, which note: the newest when absent.</summary>
    public sealed record PredictionRequest(string? Encounter = null, string? Recipe = null, string? Note = null);

    /// <summary>A recipe that the node's records can be trained by.</summary>
    /// <remarks>Its hook is when other systems ask for its advice; its fields are what can be typed in to try one of its models.</remarks>
    public sealed record RecipeView(
        string Name, string Title, string Sentence, string IntendedUse, string NotFor, RecipeOutcome Outcome, RecipeModel Model, AdviceHook Hook, IReadOnlyList<RecipeField> Fields);

    /// <summary>Why a model is released, or withdrawn.</summary>
    public sealed record ReleaseRequest(string? Statement);

    /// <summary>Registers the desk, and the worker that trains anew.</summary>
    public static IServiceCollection AddModels(this IServiceCollection services)
    {
        services.AddOptions<ModelOptions>().BindConfiguration("Salus:Models").ValidateDataAnnotations().ValidateOnStart();
        return services.AddSingleton(provider => provider.GetRequiredService<IOptions<ModelOptions>>().Value)
            .AddSingleton<ModelDesk>().AddSingleton<ModelRetraining>().AddHostedService(provider => provider.GetRequiredService<ModelRetraining>());
    }

    /// <summary>Maps the routes.</summary>
    public static void MapModels(this IEndpointRouteBuilder routes)
    {
        var models = routes.MapGroup("/api/models").WithTags("Models");
        models.MapGet("/", ListAsync);
        models.MapGet("/recipes", IResult (HttpContext context) => ModelDesk.MaySee(context.Caller())
            ? Json(ModelDesk.Recipes.Select(recipe => new RecipeView(recipe.Name, recipe.Title, recipe.Sentence, recipe.IntendedUse, recipe.NotFor, recipe.Outcome, recipe.Model, recipe.Hook, RecipeField.Of(recipe))))
            : Unseen());
        models.MapGet("/{model}", FindAsync);
        models.MapPost("/train", TrainAsync);
        models.MapPost("/{model}/release", async (string model, ReleaseRequest? request, ModelDesk desk, HttpContext context) =>
            Stated(await desk.ReleaseAsync(context.Caller(), model, request?.Statement, context.RequestAborted)));
        models.MapPost("/{model}/withdraw", async (string model, ReleaseRequest? request, ModelDesk desk, HttpContext context) =>
            Stated(await desk.WithdrawAsync(context.Caller(), model, request?.Statement, context.RequestAborted)));
        models.MapPost("/{model}/prepare-release", async (string model, ReleaseRequest? request, ModelDesk desk, HttpContext context) =>
            Stated(await desk.PrepareReleaseAsync(context.Caller(), model, request?.Statement, context.RequestAborted)));
        models.MapPost("/{model}/prepare-withdrawal", async (string model, ReleaseRequest? request, ModelDesk desk, HttpContext context) =>
            Stated(await desk.PrepareWithdrawalAsync(context.Caller(), model, request?.Statement, context.RequestAborted)));
        models.MapPost("/sign", async (PasskeySignature? signed, ModelDesk desk, HttpContext context) =>
            Stated(await desk.SignAsync(context.Caller(), signed?.Attempt, signed?.Credential, context.RequestAborted)));
        models.MapPost("/{model}/watch", async (string model, ModelDesk desk, HttpContext context) => Given(await desk.WatchAsync(context.Caller(), model, context.RequestAborted)));
        models.MapPost("/{model}/what-if", async (string model, Dictionary<string, JsonElement>? values, ModelDesk desk, HttpContext context) =>
            Given(await desk.TryAsync(context.Caller(), model, (values ?? []).ToDictionary(pair => pair.Key, pair => Typed(pair.Value)), context.RequestAborted)));
        models.MapPost("/{model}/cohort", async (string model, ModelDesk desk, HttpContext context) => Given(await desk.JudgeCohortAsync(context.Caller(), model, context.RequestAborted)));

        var predictions = routes.MapGroup("/api/patients/{patient}/predictions").WithTags("Models");
        predictions.MapGet("/", PredictionsAsync);
        predictions.MapPost("/", PredictAsync);
    }

    /// <summary>A value as it would be typed in.</summary>
    static string? Typed(JsonElement value) => value.ValueKind switch { JsonValueKind.Null => null, JsonValueKind.String => value.GetString(), JsonValueKind.True => "1", JsonValueKind.False => "0", _ => value.GetRawText() };

    static async Task<IResult> ListAsync(ModelDesk desk, HttpContext context) =>
        await desk.ListAsync(context.Caller(), context.RequestAborted) is { } models ? Json(models) : Unseen();

    static async Task<IResult> FindAsync(string model, ModelDesk desk, HttpContext context) => await desk.FindAsync(context.Caller(), model, context.RequestAborted) switch
    {
        { } found => Json(found),
        _ when !ModelDesk.MaySee(context.Caller()) => Unseen(),
        _ => NoModel(),
    };

    static async Task<IResult> TrainAsync(TrainingRequest? request, ModelDesk desk, HttpContext context) =>
        await desk.TrainAsync(context.Caller(), request ?? new TrainingRequest(), context.RequestAborted) switch
        {
            ModelTraining.Trained trained => Json(trained.Model),
            ModelTraining.Refused refused => TypedResults.Problem(refused.Message, statusCode: StatusCodes.Status422UnprocessableEntity, title: "No model was trained"),
            ModelTraining.Guarded guarded => TypedResults.Problem(
                string.Join(" ", guarded.Findings.Select(finding => $"{finding.Message}; {finding.Mend}.")), statusCode: StatusCodes.Status422UnprocessableEntity,
                title: "The model's figures would lie; give a reason as 'override' where it is wanted all the same"),
            ModelTraining.Forbidden forbidden => Forbidden(forbidden.Reason),
            ModelTraining.Busy => TypedResults.Problem("Wait until it is done, then try again.", statusCode: StatusCodes.Status409Conflict, title: "Another training runs"),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };

    static IResult Stated(ReleaseOutcome outcome) => outcome switch
    {
        ReleaseOutcome.Done done => Json(done.Release),
        ReleaseOutcome.ToSign asked => Json(asked.Question),
        ReleaseOutcome.BadSignature bad => PasskeyRoutes.Refuse(bad.Fault),
        ReleaseOutcome.Unknown => NoModel(),
        ReleaseOutcome.Refused refused => TypedResults.Problem(refused.Message, statusCode: StatusCodes.Status422UnprocessableEntity, title: "Nothing was changed"),
        ReleaseOutcome.Forbidden forbidden => Forbidden(forbidden.Reason),
        _ => throw new InvalidOperationException("Every outcome has its answer."),
    };

    static IResult Given<T>(ModelAnswer<T> answer) => answer switch
    {
        ModelAnswer<T>.Given given => Json(given.Value),
        ModelAnswer<T>.Unknown => NoModel(),
        ModelAnswer<T>.Refused refused => TypedResults.Problem(refused.Reason, statusCode: StatusCodes.Status422UnprocessableEntity, title: "That cannot be had"),
        ModelAnswer<T>.Forbidden forbidden => Forbidden(forbidden.Reason),
        _ => throw new InvalidOperationException("Every outcome has its answer."),
    };

    static async Task<IResult> PredictAsync(string patient, PredictionRequest? request, ModelDesk desk, HttpContext context) =>
        await (request?.Recipe is null or ModelSummary.Condition
            ? desk.PredictAsync(context.Caller(), patient, request?.Encounter, context.RequestAborted)
            : desk.PredictByAsync(context.Caller(), patient, request.Recipe, request.Note ?? request.Encounter, context.RequestAborted)) switch
        {
            PredictionOutcome.Predicted predicted => Json(predicted.Prediction),
            PredictionOutcome.NoModel => TypedResults.Problem(
                "Train one with POST /api/models/train, then release it with POST /api/models/{model}/release.", statusCode: StatusCodes.Status409Conflict, title: "No model is released for use"),
            PredictionOutcome.NoConsent refused => NoConsent(refused.Reason),
            PredictionOutcome.NothingToJudge nothing => TypedResults.Problem(nothing.Reason, statusCode: StatusCodes.Status422UnprocessableEntity, title: "Nothing to judge"),
            PredictionOutcome.Forbidden forbidden => Forbidden(forbidden.Reason),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };

    static async Task<IResult> PredictionsAsync(string patient, ModelDesk desk, HttpContext context) =>
        await desk.PredictionsAsync(context.Caller(), patient, context.RequestAborted) switch
        {
            PredictionList.Found found => Json(found.Predictions),
            PredictionList.NoConsent refused => NoConsent(refused.Reason),
            _ => throw new InvalidOperationException("Every outcome has its answer."),
        };

    // Figures may be no number, where there was nothing to count.
    static JsonHttpResult<T> Json<T>(T value) => TypedResults.Json(value, CardJson.Options);

    static ProblemHttpResult Unseen() => Forbidden("Models are shown to practitioners, researchers, auditors and administrators.");

    static ProblemHttpResult NoModel() => TypedResults.Problem("GET /api/models lists those that there are.", statusCode: StatusCodes.Status404NotFound, title: "There is no such model");

    static ProblemHttpResult NoConsent(string reason) => TypedResults.Problem(reason, statusCode: StatusCodes.Status403Forbidden, title: "No consent");

    static ProblemHttpResult Forbidden(string reason) => TypedResults.Problem(reason, statusCode: StatusCodes.Status403Forbidden, title: "Your role does not allow this");
}
