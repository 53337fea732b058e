using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Platform.Identity;

namespace Salus.Platform.Models;

/// <summary>Settings under <c>Salus:Models</c>.</summary>
public sealed record ModelOptions
{
    /// <summary>Days after which the model in use is trained anew on the records that its trainer may read by then; 0 for never.</summary>
    [Range(0, 3_650)]
    public int RetrainEveryDays { get; init; }
}

/// <summary>
/// Trains the model in use anew, at intervals, on behalf of the one who trained it and with the consents that person has by then. The new model stands
/// beside the old one, compared with it on what neither had seen; a person releases it, or does not.
/// </summary>
public sealed partial class ModelRetraining(ModelDesk desk, AccountDesk accounts, ModelOptions options, TimeProvider time, ILogger<ModelRetraining> logger) : BackgroundService
{
    static readonly TimeSpan LookEvery = TimeSpan.FromHours(1);

    /// <summary>Trains anew if it is time; null where it is not, or where there is nothing to train anew.</summary>
    public async Task<ModelTraining?> RunAsync(CancellationToken cancellation)
    {
        if (await desk.InUseAsync(cancellation) is not { } inUse || await desk.NewestTrainedAsync(cancellation) is not { } newest
            || time.GetUtcNow() - newest < TimeSpan.FromDays(options.RetrainEveryDays))
        {
            return null;
        }
        if (await accounts.FindAsync(inUse.TrainedBy, cancellation) is not { Approved: true, Disabled: false, Intact: true, Role: Role.Practitioner } trainer)
        {
            LogNoTrainer(logger, inUse.Id);
            return null;
        }
        return await desk.TrainAsync(new Caller(trainer.Id, trainer.Role, trainer.Patient), new TrainingRequest(
            Seed: inUse.Card.Seed, Folds: inUse.Card.Evaluation.Options.Folds, Repeats: inUse.Card.Evaluation.Options.Repeats, Kind: inUse.Card.Kind), cancellation);
    }

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
                try
                {
                    if (await RunAsync(stoppingToken) is { } outcome)
                    {
                        LogOutcome(logger, outcome is ModelTraining.Trained trained ? $"Library/{trained.Model.Summary.Id} waits for its release" : outcome.GetType().Name);
                    }
                }
                catch (Exception fault) when (fault is NpgsqlException or IOException or InvalidDataException)
                {
                    LogFault(logger, fault.GetType().Name, fault.Message);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The model in use was trained anew: {Outcome}")]
    static partial void LogOutcome(ILogger logger, string outcome);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Library/{Model} is not trained anew: who trained it works here no longer. Another practitioner trains and releases one")]
    static partial void LogNoTrainer(ILogger logger, string model);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The model in use could not be trained anew ({Kind}): {Reason}")]
    static partial void LogFault(ILogger logger, string kind, string reason);
}
