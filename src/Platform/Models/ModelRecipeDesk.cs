using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Recipes;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Store;

namespace Salus.Platform.Models;

// Training by recipes that read records through views.
public sealed partial class ModelDesk
{
    /// <summary>The recipes that the node's own records can be trained by.</summary>
    public static IReadOnlyList<Recipe> Recipes { get; } = [.. RecipeBook.All.Where(recipe => recipe.Encounters || recipe.Records is not null)];

    async Task<ModelTraining> TrainByAsync(Caller caller, Recipe recipe, TrainingRequest request, CancellationToken cancellation)
    {
        var inUse = await ComparedWithAsync(() => shelf.InUseAsync(recipe.Name, cancellation));
        var data = await CollectAsync(caller, recipe, inUse?.Summary.Card.CreatedAt, cancellation);
        var outcome = RecordCohort.Make(recipe, data.Views.Rows, inUse is null ? null : DateOnly.FromDateTime(inUse.Summary.Card.CreatedAt.UtcDateTime));
        if (outcome is not CohortOutcome.Made made)
        {
            return new ModelTraining.Refused($"{((CohortOutcome.TooFew)outcome).Message} These are the records of {data.Patients} patients whose consents cover {string.Join(", ", data.Views.Types)} for you.");
        }
        if (TaskRows.Of(made.Table, made.Task, out var problem, out var mend) is not { } rows)
        {
            return new ModelTraining.Refused($"{problem}; {mend}.");
        }
        var plan = new LearningPlan
        {
            Evaluation = new EvaluationOptions { Folds = request.Folds, Repeats = request.Repeats, Seed = request.Seed, Threshold = recipe.Model.ThresholdAsked ?? 0.5 },
            Calibration = recipe.Model.CalibrationOf(request.Kind),
            Costs = recipe.Model.Costs is { } costs ? (costs.FalseAlarm, costs.Missed) : null,
            Override = request.Override,
        };
        var learner = recipe.Learner(rows.Labels.Length, request.Kind, request.Trees);
        var origin = new ModelOrigin(recipe.Name, recipe.Use, SealedStore.Now(time), await CommitmentAsync(data.Versions, cancellation));
        return await Task.Run(() => TrainedModel.Train(rows, learner, plan, origin, cancellation: cancellation), cancellation) switch
        {
            LearningOutcome.Trained trained => await StoreAsync(
                caller, trained.Model.ToBytes(), SummaryOf(caller, trained.Model.Card, made.Patients.Distinct(StringComparer.Ordinal).Count(), data.LeftOut, request) with
                {
                    Recipe = recipe.Name,
                    Comparison = Compare(inUse, recipe, made, rows, trained, request.Seed),
                },
                cancellation),
            LearningOutcome.Guarded guarded => new ModelTraining.Guarded(guarded.Findings),
            LearningOutcome.Refused refused => new ModelTraining.Refused(refused.Message),
            var other => throw new InvalidOperationException($"Training came to {other.GetType().Name}."),
        };
    }

    sealed class RecordData(RecordViews views)
    {
        public RecordViews Views { get; } = views;
        public List<(string Type, string Id, int Version)> Versions { get; } = [];
        public int Patients { get; set; }
        public int LeftOut { get; set; }
    }

    /// <summary>The rows of every patient whose consent covers all that the recipe reads: were diagnoses alone kept back, who has one would count as one who has not.</summary>
    async Task<RecordData> CollectAsync(Caller caller, Recipe recipe, DateTimeOffset? since, CancellationToken cancellation)
    {
        var data = new RecordData(new RecordViews(recipe, since));
        foreach (var patient in (await consents.PatientsOfAsync(caller, cancellation)).Order(StringComparer.Ordinal))
        {
            if (await PurposeForAsync(caller, patient, data.Views.Types, cancellation) is not { } purpose
                || await records.RetrieveAsync(caller, patient, purpose, data.Views.Types, cancellation) is not RetrievalOutcome.Found found)
            {
                continue;
            }
            var intact = Intact(found);
            var read = intact.Where(data.Views.TryAdd).ToList();
            data.Patients++;
            data.LeftOut += found.Records.Count - read.Count + found.Altered.Count;
            data.Versions.AddRange(read.Select(record => (record.Type, record.Id, record.Version)));
        }
        return data;
    }
}
