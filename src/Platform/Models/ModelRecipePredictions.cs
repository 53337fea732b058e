using Salus.Learning.Evaluate;
using Salus.Learning.Explain;
using Salus.Learning.Models;
using Salus.Learning.Recipes;
using Salus.Learning.Tables;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Store;

namespace Salus.Platform.Models;

/// <summary>What a model says of one row.</summary>
/// <param name="Probability">Of what it predicts; of many classes the likeliest's.</param>
/// <param name="Label">What it comes to.</param>
/// <param name="Evidence">How often the like came true of what the model had not seen.</param>
/// <param name="Scale">What the reasons add up to.</param>
/// <param name="Reasons">What spoke most.</param>
/// <param name="Classes">Of many classes all of them, the likeliest first.</param>
sealed record ModelWord(double Probability, string Label, ObservedShare? Evidence, ExplanationScale Scale, IReadOnlyList<PredictionReason> Reasons, IReadOnlyList<ClassProbability> Classes);

// Predictions by recipes that read records through views: of a patient as of today, of a stay, of a note.
public sealed partial class ModelDesk
{
    const int BasisMax = 500;

    /// <summary>The recipes beside that of visits of which a model is released, for those who see models.</summary>
    public async Task<IReadOnlyList<Recipe>> RecipesInUseAsync(Caller caller, CancellationToken cancellation) => MaySee(caller) ? await RecipesInUseAsync(cancellation) : [];

    async Task<IReadOnlyList<Recipe>> RecipesInUseAsync(CancellationToken cancellation)
    {
        List<Recipe> used = [];
        foreach (var recipe in Recipes.Where(recipe => recipe.Records is not null))
        {
            if (await shelf.ReleasedAsync(recipe.Name, cancellation) is not null)
            {
                used.Add(recipe);
            }
        }
        return used;
    }

    /// <summary>
    /// Judges with the released model of a recipe the patient as of today, the newest stay or the newest note without a category, as the recipe has it,
    /// and stores the prediction in the record.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="patient">The patient's logical id.</param>
    /// <param name="recipeName">The recipe.</param>
    /// <param name="named">The Encounter or the DocumentReference to judge, where it is not the newest.</param>
    /// <param name="cancellation">Ends the wait.</param>
    public async Task<PredictionOutcome> PredictByAsync(Caller caller, string patient, string recipeName, string? named, CancellationToken cancellation)
    {
        if (caller.Role != Role.Practitioner)
        {
            await RefusedAsync(caller, AuditAction.Predict, "RiskAssessment", "The role makes no predictions.", cancellation);
            return new PredictionOutcome.Forbidden($"The role {caller.Role} makes no predictions; a practitioner does.");
        }
        if (Recipes.FirstOrDefault(known => known.Name == recipeName) is not { Records: not null } recipe)
        {
            return new PredictionOutcome.NothingToJudge($"'{recipeName}' is no recipe; give one of {string.Join(", ", Recipes.Select(known => known.Name))}, or none for the newest visit.");
        }
        if (await shelf.InUseAsync(recipe.Name, cancellation) is not { } model)
        {
            return new PredictionOutcome.NoModel();
        }
        var (read, refusal) = await ReadAsync(caller, patient, recipe, cancellation);
        if (read is null)
        {
            return new PredictionOutcome.NoConsent(refusal!);
        }
        var now = SealedStore.Now(time);
        var asked = RecordCohort.Subject(recipe, read.Views.Rows, patient, DateOnly.FromDateTime(now.UtcDateTime), named);
        if (asked is not SubjectOutcome.Found subject)
        {
            return new PredictionOutcome.NothingToJudge(((SubjectOutcome.Nothing)asked).Reason);
        }
        var said = Judge(model, recipe, subject.Features)[0];
        var view = new PredictionView(
            "", patient, subject.Visit, now, said.Probability, said.Evidence, said.Label, said.Scale, said.Reasons, BasisOf(read, subject), model.Summary.Id, model.Summary, new ProofView("pending"))
        {
            Recipe = recipe.Name,
            Classes = said.Classes,
        };
        return await StoreAsync(caller, view, cancellation);
    }

    sealed record RecordReading(RecordViews Views, IReadOnlyList<StoredRecord> Records);

    static IReadOnlyList<string> BasisOf(RecordReading read, SubjectOutcome.Found subject) => subject.Record.Length > 0
        ? [$"DocumentReference/{subject.Record}"]
        : [.. read.Records.Select(record => $"{record.Type}/{record.Id}").Distinct(StringComparer.Ordinal).TakeLast(BasisMax)];

    /// <summary>What a recipe reads of a patient's record, for treatment; or why the consent does not cover it.</summary>
    async Task<(RecordReading? Read, string? Refusal)> ReadAsync(Caller caller, string patient, Recipe recipe, CancellationToken cancellation)
    {
        var views = new RecordViews(recipe);
        var scope = await consents.ScopeAsync(caller, patient, Purpose.Treatment, cancellation);
        // What is kept back would look as if it were not there.
        if (views.Types.FirstOrDefault(type => scope.Decide(type, time.GetUtcNow()) is not AccessDecision.Allowed) is { } kept)
        {
            await RefusedAsync(caller, AuditAction.Predict, "RiskAssessment", $"The consent does not cover {kept}.", cancellation);
            return (null, $"The recipe {recipe.Name} reads {string.Join(", ", views.Types)}; the patient's consent does not cover {kept}.");
        }
        return await records.RetrieveAsync(caller, patient, Purpose.Treatment, views.Types, cancellation) is RetrievalOutcome.Found found
            ? (new RecordReading(views, [.. Intact(found).Where(views.TryAdd)]), null)
            : (null, "The patient's consent does not cover what the recipe reads.");
    }

    static IReadOnlyList<ModelWord> Judge(HeldRecipeModel model, Recipe recipe, Table rows, int reasonsMax = 8)
    {
        var card = model.Model.Card;
        var fields = RecipeField.Of(recipe);
        return
        [
            .. model.Model.Judge(rows, reasonsMax).Select((said, row) =>
            {
                PredictionReason[] reasons = [.. said.Reasons.Select(reason => new PredictionReason(reason.Feature, InWords(fields, rows, row, reason), reason.Share))];
                if (recipe.HasManyClasses)
                {
                    var classes = card.Classes.Zip(said.Probabilities, (name, probability) => new ClassProbability(name, probability)).OrderByDescending(one => one.Probability).ToList();
                    return new ModelWord(said.Probabilities[said.Class], card.Classes[said.Class], RightShare(card.Evaluation, said.Class), said.Scale, reasons, classes);
                }
                var label = (recipe.Encounters, said.Class) switch { (true, 1) => "abnormal", (true, _) => "normal", (_, 1) => PredictionView.AtRisk, _ => PredictionView.NotAtRisk };
                return new ModelWord(said.Probabilities[1], label, ObservedShare.About(card.Evaluation, said.Probabilities[1]), said.Scale, reasons, []);
            }),
        ];
    }

    /// <summary>A reason as a reader would say it: a value that stands for a choice by the choice's words, and one that is not there as not known.</summary>
    static string InWords(IReadOnlyList<RecipeField> fields, Table rows, int row, Contribution reason)
    {
        if (fields.FirstOrDefault(field => field.Column == reason.Feature) is not { } field || rows.Find(field.Column) is not { } column)
        {
            return reason.Description;
        }
        return column.Show(row) is not { } value ? $"{field.Column.Split(" (")[0]}: not known"
            : field.Choices.Count > 0 ? $"{field.Column}: {(field.Choices.TryGetValue(value, out var words) ? words : value).ToLowerInvariant()}"
            : reason.Description;
    }

    /// <summary>How often it was right where it said a class of rows that it had not seen; null where it never said so.</summary>
    static ObservedShare? RightShare(EvaluationReport report, int said)
    {
        var rows = report.Confusion.Sum(labelled => labelled[said]);
        return rows == 0 ? null : new ObservedShare(0, 1, rows, ObservedShare.Wilson((double)report.Confusion[said][said] / rows, rows));
    }
}
