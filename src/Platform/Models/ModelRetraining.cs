using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Platform.Identity;

namespace Salus.Platform.Models;

/// <summary>Settings under <c>Salus:Models</c>.</summary>
public sealed record ModelOptions
{
    /// <summary>Days after which the model of a recipe that is in use is trained anew on the records that its trainer may read by then; 0 for never.</summary>
    [Range(0, 3_650)]
    public int RetrainEveryDays { get; init; }

    /// <summary>Patients about whom a model is asked at most when it judges all of them.</summary>
    [Range(1, 100_000)]
    public int CohortMax { get; init; } = 1_000;
}

/// <summary>
/// Trains the model of each recipe that is in use anew, at intervals, on behalf of the one who trained it and with the consents that person has by then.
/// The new model stands beside the old one, compared with it on what neither had seen; a person releases it, or does not.
/// </summary>
public sealed partial class ModelRetraining(ModelDesk desk, AccountDesk accounts, ModelOptions options, TimeProvider time, ILogger<ModelRetraining> logger) : BackgroundService
{
    static readonly TimeSpan LookEvery = TimeSpan.FromHours(1);

    // Each try reads records, which their patients are told of.
    static readonly TimeSpan TryAgainAfter = TimeSpan.FromDays(1);

    // When training anew was last tried in vain, by recipe; RunAsync alone touches it.
    readonly Dictionary<string, DateTimeOffset> vain = new(StringComparer.Ordinal);

    /// <summary>Trains the model of a recipe anew if it is time; null where it is not, or where there is nothing to train anew.</summary>
    public async Task<ModelTraining?> RunAsync(string recipe, CancellationToken cancellation)
    {
        var now = time.GetUtcNow();
        if ((vain.TryGetValue(recipe, out var tried) && now - tried < TryAgainAfter)
            || await desk.InUseAsync(recipe, cancellation) is not { } inUse || await desk.NewestTrainedAsync(recipe, cancellation) is not { } newest
            || now - newest < TimeSpan.FromDays(options.RetrainEveryDays))
        {
            return null;
        }
        if (await accounts.FindAsync(inUse.TrainedBy, cancellation) is not { Approved: true, Disabled: false, Intact: true, Role: Role.Practitioner } trainer)
        {
            vain[recipe] = now;
            LogNoTrainer(logger, inUse.Id);
            return null;
        }
        var outcome = await desk.TrainAsync(new Caller(trainer.Id, trainer.Role, trainer.Patient), RequestOf(inUse), cancellation);
        if (outcome is not (ModelTraining.Trained or ModelTraining.Busy))
        {
            vain[recipe] = now;
        }
        return outcome;
    }

    /// <summary>The same training again. What was once put up with of the leakage guard's findings is not put up with by itself: it concerned other records.</summary>
    static TrainingRequest RequestOf(ModelSummary model) => new(
        Trees: int.TryParse(model.Card.Options.GetValueOrDefault("Trees"), NumberStyles.None, CultureInfo.InvariantCulture, out var trees) ? trees : null,
        Seed: model.Card.Seed, Folds: model.Card.Evaluation.Options.Folds, Repeats: model.Card.Evaluation.Options.Repeats, Kind: model.Card.Kind, Recipe: model.Recipe);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.RetrainEveryDays == 0)
        {
            return;
        }
        try
        {
            while (true)
            {
                await Task.Delay(LookEvery, time, stoppingToken);
                foreach (var recipe in ModelDesk.Recipes)
                {
                    await TryAsync(recipe.Name, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    async Task TryAsync(string recipe, CancellationToken cancellation)
    {
        try
        {
            if (await RunAsync(recipe, cancellation) is { } outcome)
            {
                LogOutcome(logger, recipe, outcome is ModelTraining.Trained trained ? $"Library/{trained.Model.Summary.Id} waits for its release" : outcome.GetType().Name);
            }
        }
        catch (Exception fault) when (fault is NpgsqlException or IOException or InvalidDataException)
        {
            LogFault(logger, recipe, fault.GetType().Name, fault.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The model of {Recipe} in use was trained anew: {Outcome}")]
    static partial void LogOutcome(ILogger logger, string recipe, string outcome);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Library/{Model} is not trained anew: who trained it works here no longer. Another practitioner trains and releases one")]
    static partial void LogNoTrainer(ILogger logger, string model);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The model of {Recipe} in use could not be trained anew ({Kind}): {Reason}")]
    static partial void LogFault(ILogger logger, string recipe, string kind, string reason);
}
