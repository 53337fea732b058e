using Salus.Learning.Evaluate;
using Salus.Learning.Explain;
using Salus.Learning.Recipes;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Store;

namespace Salus.Platform.Models;

/// <summary>What the model of a recipe that is in use says; nothing of it is stored.</summary>
/// <param name="Model">The model.</param>
/// <param name="Recipe">Its recipe.</param>
/// <param name="Probability">Of what it predicts, 0 to 1; of many classes the likeliest's.</param>
/// <param name="Label">What it comes to.</param>
/// <param name="Evidence">How often the like came true of what the model had not seen.</param>
/// <param name="Scale">What the reasons add up to.</param>
/// <param name="Reasons">The words and values that spoke most, either way.</param>
/// <param name="Day">The last day of the stay, the day of the note; null where a visit or the patient was judged, or it is not known.</param>
sealed record ModelAdvice(
    ModelSummary Model, Recipe Recipe, double Probability, string Label, ObservedShare? Evidence, ExplanationScale Scale, IReadOnlyList<PredictionReason> Reasons, DateOnly? Day)
{
    /// <summary>Whether the model may have learned from this visit: then its probability says little.</summary>
    public bool IsLearned { get; init; }

    /// <summary>Of many classes all of them, the likeliest first.</summary>
    public IReadOnlyList<ClassProbability> Classes { get; init; } = [];
}

/// <summary>What became of asking for advice.</summary>
abstract record AdviceOutcome
{
    AdviceOutcome() { }

    /// <summary>Here it is.</summary>
    public sealed record Given(ModelAdvice Advice) : AdviceOutcome;

    /// <summary>No model is released for use.</summary>
    public sealed record NoModel : AdviceOutcome;

    /// <summary>The patient's consent does not cover the records that the model would read.</summary>
    public sealed record NoConsent(string Reason) : AdviceOutcome;

    /// <summary>There is nothing that the model judges.</summary>
    public sealed record NothingToJudge : AdviceOutcome;
}

// Advice while a record is open: nothing of it is stored.
public sealed partial class ModelDesk
{
    /// <summary>Advises on a patient's record here, as far as the patient's consent covers it; what is read is audited.</summary>
    internal async Task<AdviceOutcome> AdviseAsync(Caller caller, Recipe recipe, string patient, string? encounter, CancellationToken cancellation)
    {
        if (recipe.Encounters)
        {
            return await records.RetrieveAsync(caller, patient, Purpose.Treatment, EncounterReader.Types, cancellation) switch
            {
                RetrievalOutcome.Found found => await AdviseOnVisitAsync(recipe, Intact(found), encounter, ofThisNode: true, cancellation),
                RetrievalOutcome.Forbidden forbidden => new AdviceOutcome.NoConsent(forbidden.Reason),
                _ => throw new InvalidOperationException("A retrieval is found or forbidden."),
            };
        }
        var (read, refusal) = await ReadAsync(caller, patient, recipe, cancellation);
        return read is null ? new AdviceOutcome.NoConsent(refusal!) : await AdviseOnRowsAsync(recipe, read.Views, patient, encounter, cancellation);
    }

    /// <summary>Advises on records that came from elsewhere, and on nothing else.</summary>
    internal async Task<AdviceOutcome> AdviseAsync(Recipe recipe, IReadOnlyList<StoredRecord> sent, string patient, string? encounter, CancellationToken cancellation)
    {
        if (recipe.Encounters)
        {
            return await AdviseOnVisitAsync(recipe, sent, encounter, ofThisNode: false, cancellation);
        }
        var views = new RecordViews(recipe, patient);
        // What one of the views cannot read would look as if it were not there.
        return sent.All(views.TryAdd) ? await AdviseOnRowsAsync(recipe, views, patient, encounter, cancellation) : new AdviceOutcome.NothingToJudge();
    }

    /// <summary>The recipes of which a model is released, with what is to be known of it.</summary>
    internal async Task<IReadOnlyList<(Recipe Recipe, ModelSummary Model)>> InUseByRecipeAsync(CancellationToken cancellation)
    {
        List<(Recipe, ModelSummary)> used = [];
        foreach (var recipe in Recipes)
        {
            if (await shelf.ReleasedAsync(recipe.Name, cancellation) is { } release && await shelf.SummaryAsync(release.Model, cancellation) is { } model && model.Hash == release.Hash)
            {
                used.Add((recipe, model));
            }
        }
        return used;
    }

    /// <summary>The models of that name that were ever released.</summary>
    internal async Task<IReadOnlyList<string>> ReleasedModelsAsync(string name, CancellationToken cancellation)
    {
        List<string> released = [];
        foreach (var release in await shelf.ReleasesAsync(cancellation))
        {
            if ((await shelf.SummaryAsync(release.Model, cancellation))?.Card.Name == name)
            {
                released.Add(release.Model);
            }
        }
        return released;
    }

    async Task<AdviceOutcome> AdviseOnVisitAsync(Recipe recipe, IReadOnlyList<StoredRecord> read, string? encounter, bool ofThisNode, CancellationToken cancellation)
    {
        if (await shelf.InUseAsync(cancellation) is not { } model)
        {
            return new AdviceOutcome.NoModel();
        }
        if (Choose(read, encounter).Chosen is not { } chosen)
        {
            return new AdviceOutcome.NothingToJudge();
        }
        var (said, label, evidence, reasons) = Judge(model, [chosen.Features])[0];
        return new AdviceOutcome.Given(new ModelAdvice(model.Summary, recipe, said.Probabilities[1], label, evidence, said.Scale, reasons, null)
        {
            IsLearned = ofThisNode && MayHaveLearned(model.Summary, chosen),
        });
    }

    async Task<AdviceOutcome> AdviseOnRowsAsync(Recipe recipe, RecordViews views, string patient, string? encounter, CancellationToken cancellation)
    {
        if (await shelf.InUseAsync(recipe.Name, cancellation) is not { } model)
        {
            return new AdviceOutcome.NoModel();
        }
        // Who is being discharged goes home today, from that very stay. Elsewhere the encounter that is open need be none: looked at is the newest.
        var leaves = recipe.Hook == AdviceHook.EncounterDischarge;
        if (RecordCohort.Subject(recipe, views.Rows, patient, DateOnly.FromDateTime(SealedStore.Now(time).UtcDateTime), leaves ? encounter : null, leaves) is not SubjectOutcome.Found subject)
        {
            return new AdviceOutcome.NothingToJudge();
        }
        var said = Judge(model, recipe, subject.Features)[0];
        return new AdviceOutcome.Given(new ModelAdvice(
            model.Summary, recipe, said.Probability, said.Label, said.Evidence, said.Scale, said.Reasons, recipe.Records!.Per == RecordRow.Patient ? null : subject.Day)
        {
            Classes = said.Classes,
        });
    }
}
