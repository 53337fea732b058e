using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Recipes;
using Salus.Learning.Tables;
using Salus.Platform.Audit;
using Salus.Platform.Identity;
using Salus.Platform.Store;

namespace Salus.Platform.Models;

// Looking at how a model fares.
public sealed partial class ModelDesk
{
    /// <summary>
    /// Looks at what was written since the model was trained, as training would read it: how far what is measured has moved, and whether as many
    /// visits came to be assessed abnormal, patients or stays to have the outcome, or notes to be sorted right, as the model expects. The result is
    /// kept with the model.
    /// </summary>
    public async Task<ModelAnswer<ModelWatch>> WatchAsync(Caller caller, string model, CancellationToken cancellation)
    {
        if (await ForbiddenAsync(caller, AuditAction.Read, cancellation) is { } reason)
        {
            return new ModelAnswer<ModelWatch>.Forbidden(reason);
        }
        if (await FindRecipeAsync(model, cancellation) is not { } recipe)
        {
            return await NotHeldAsync<ModelWatch>(model, cancellation);
        }
        var (seen, inputs) = recipe.Encounters ? await VisitsSinceAsync(caller, model, cancellation) : await RowsSinceAsync(caller, model, recipe, cancellation);
        if (seen.Count == 0)
        {
            return new ModelAnswer<ModelWatch>.Refused("Since the model was trained, nothing was written that patients let you read and that it judges. Look again when there are new records.");
        }
        var told = seen.Where(row => row.Came is not null).ToList();
        double[] expected = [.. told.Select(row => row.Probability)];
        int[] came = [.. told.Select(row => row.Came == true ? 1 : 0)];
        var watch = new ModelWatch(
            model, caller.Account, SealedStore.Now(time), seen.Count, inputs, told.Count, expected.Sum(), told.Count == 0 ? null : ObservedShare.Wilson(came.Average(), told.Count),
            told.Count == 0 ? [] : Metrics.Calibration(expected, came), came.Distinct().Count() == 2 ? Metrics.RocAuc(expected, came) : null);
        await StoreOwnAsync(caller, ModelNotices.Write(watch), AuditAction.Create, cancellation);
        return new ModelAnswer<ModelWatch>.Given(watch);
    }

    /// <summary>What a model says of a row that it has not seen, and whether it came true; null where the records do not tell yet.</summary>
    sealed record SeenRow(double Probability, bool? Came);

    async Task<(IReadOnlyList<SeenRow> Rows, IReadOnlyList<InputDrift> Inputs)> VisitsSinceAsync(Caller caller, string model, CancellationToken cancellation)
    {
        var held = (await shelf.HeldAsync(model, cancellation))!;
        var data = await CollectAsync(caller, encounter => IsNewTo(held.Summary, encounter.Written) || IsNewTo(held.Summary, encounter.Assessed), cancellation);
        var encounters = data.Encounters.Select(one => one.Encounter).ToList();
        var features = encounters.Select(encounter => encounter.Features).ToList();
        return encounters.Count == 0 ? ([], []) : (
            [.. encounters.Zip(held.Model.Judge(features, reasonsMax: 0), (encounter, said) => new SeenRow(said.Probabilities[1], IsNewTo(held.Summary, encounter.Assessed) ? encounter.IsAbnormal : null))],
            held.Model.Drift(features));
    }

    async Task<(IReadOnlyList<SeenRow> Rows, IReadOnlyList<InputDrift> Inputs)> RowsSinceAsync(Caller caller, string model, Recipe recipe, CancellationToken cancellation)
    {
        var held = (await shelf.HeldByRecipeAsync(model, cancellation))!;
        var card = held.Model.Card;
        var data = await CollectAsync(caller, recipe, card.CreatedAt, cancellation);
        var fresh = RecordCohort.Since(recipe, data.Views.Rows, DateOnly.FromDateTime(card.CreatedAt.UtcDateTime));
        if (fresh.Labels.Count == 0)
        {
            return ([], []);
        }
        var said = Judge(held, recipe, fresh.Table, reasonsMax: 0);
        // Of many classes it is looked at whether the likeliest was right.
        var rows = said.Zip(fresh.Labels, (word, label) => new SeenRow(word.Probability, label is null ? null : recipe.HasManyClasses ? label == word.Label : label == RecordCohort.Yes));
        return ([.. rows], [.. InputProfile.Compare(card.Inputs, card.Rows, fresh.Table), .. recipe.HasManyClasses ? [SaidDrift(card, said)] : Array.Empty<InputDrift>()]);
    }

    /// <summary>How far the classes that a model says have moved from those that it was trained on: of words, that is what can be told.</summary>
    static InputDrift SaidDrift(ModelCard card, IReadOnlyList<ModelWord> said)
    {
        const string column = "category that it says";
        double rows = card.Evaluation.ClassRows.Sum();
        // Other classes and missing ones have places of their own.
        var before = new InputShares(column, null, card.Classes, [.. card.Evaluation.ClassRows.Select(count => count / rows), 0, 0]);
        return InputProfile.Compare([before], card.Rows, new Table([CategoryColumn.Of(column, [.. said.Select(word => word.Label)])]))[0];
    }

    /// <summary>The recipe of a model; null where there is no such model, or nobody knows its recipe.</summary>
    async Task<Recipe?> FindRecipeAsync(string model, CancellationToken cancellation) =>
        await shelf.HeldByRecipeAsync(model, cancellation) is { } held ? Recipes.FirstOrDefault(recipe => recipe.Name == held.Summary.Recipe) : null;

    async Task<ModelAnswer<T>> NotHeldAsync<T>(string model, CancellationToken cancellation) =>
        await shelf.SummaryAsync(model, cancellation) is { } other
            ? new ModelAnswer<T>.Refused($"There is no recipe {other.Recipe} any more. Ask a model of {string.Join(", ", Recipes.Select(recipe => recipe.Name))}.")
            : new ModelAnswer<T>.Unknown();

    async Task<string?> ForbiddenAsync(Caller caller, AuditAction action, CancellationToken cancellation)
    {
        if (caller.Role == Role.Practitioner)
        {
            return null;
        }
        await RefusedAsync(caller, action, ModelLibrary.Type, "The role uses no models.", cancellation);
        return $"The role {caller.Role} uses no models; a practitioner does.";
    }
}
