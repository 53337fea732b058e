using Salus.Learning.Evaluate;
using Salus.Learning.Recipes;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Store;

namespace Salus.Platform.Models;

// Predictions by recipes that look at a patient as of today.
public sealed partial class ModelDesk
{
    const int BasisMax = 500;

    /// <summary>The recipes that look at patients and of which a model is released, for those who see models.</summary>
    public async Task<IReadOnlyList<Recipe>> PatientRecipesInUseAsync(Caller caller, CancellationToken cancellation)
    {
        List<Recipe> used = [];
        foreach (var recipe in MaySee(caller) ? Recipes.Where(recipe => recipe.Records is { Per: RecordRow.Patient }) : [])
        {
            if (await shelf.ReleasedAsync(recipe.Name, cancellation) is not null)
            {
                used.Add(recipe);
            }
        }
        return used;
    }

    /// <summary>Judges a patient as of today with the released model of a recipe, and stores the prediction in the record.</summary>
    public async Task<PredictionOutcome> PredictByAsync(Caller caller, string patient, string recipeName, CancellationToken cancellation)
    {
        if (caller.Role != Role.Practitioner)
        {
            await RefusedAsync(caller, AuditAction.Predict, "RiskAssessment", "The role makes no predictions.", cancellation);
            return new PredictionOutcome.Forbidden($"The role {caller.Role} makes no predictions; a practitioner does.");
        }
        if (RecipeBook.Find(recipeName) is not { Records.Per: RecordRow.Patient } recipe)
        {
            var known = Recipes.Where(known => known.Records is { Per: RecordRow.Patient }).Select(known => known.Name);
            return new PredictionOutcome.NothingToJudge($"'{recipeName}' is no recipe that looks at patients; give one of {string.Join(", ", known)}, or none for the newest visit.");
        }
        if (await shelf.InUseAsync(recipe.Name, cancellation) is not { } model)
        {
            return new PredictionOutcome.NoModel();
        }
        var views = new RecordViews(recipe);
        var scope = await consents.ScopeAsync(caller, patient, Purpose.Treatment, cancellation);
        // What is kept back would look as if it were not there.
        if (views.Types.FirstOrDefault(type => scope.Decide(type, time.GetUtcNow()) is not AccessDecision.Allowed) is { } kept)
        {
            await RefusedAsync(caller, AuditAction.Predict, "RiskAssessment", $"The consent does not cover {kept}.", cancellation);
            return new PredictionOutcome.NoConsent($"The recipe {recipe.Name} reads {string.Join(", ", views.Types)}; the patient's consent does not cover {kept}.");
        }
        if (await records.RetrieveAsync(caller, patient, Purpose.Treatment, views.Types, cancellation) is not RetrievalOutcome.Found found)
        {
            return new PredictionOutcome.NoConsent("The patient's consent does not cover what the recipe reads.");
        }
        var read = Intact(found).Where(views.TryAdd).ToList();
        if (RecordCohort.HasOutcome(recipe, views.Rows, patient))
        {
            return new PredictionOutcome.NothingToJudge($"The record holds '{recipe.Outcome.Text}' already. {recipe.NotFor}");
        }
        var now = SealedStore.Now(time);
        if (RecordCohort.Features(recipe, views.Rows, patient, DateOnly.FromDateTime(now.UtcDateTime)) is not { } features)
        {
            return new PredictionOutcome.NothingToJudge($"Among the records that the patient's consent covers there is nothing that the recipe measures: {string.Join(", ", recipe.Records.Features.Select(feature => feature.Name))}.");
        }
        var said = model.Model.Judge(features)[0];
        var view = new PredictionView(
            "", patient, "", now, said.Probabilities[1], ObservedShare.About(model.Summary.Card.Evaluation, said.Probabilities[1]), said.Class == 1 ? PredictionView.AtRisk : PredictionView.NotAtRisk, said.Scale,
            [.. said.Reasons.Select(reason => new PredictionReason(reason.Feature, reason.Description, reason.Share))],
            [.. read.Select(record => $"{record.Type}/{record.Id}").Distinct(StringComparer.Ordinal).TakeLast(BasisMax)], model.Summary.Id, model.Summary, new ProofView("pending"))
        {
            Recipe = recipe.Name,
        };
        return await StoreAsync(caller, view, cancellation);
    }
}
