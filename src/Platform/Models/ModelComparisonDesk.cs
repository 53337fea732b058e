using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Recipes;
using Salus.Platform.Identity;

namespace Salus.Platform.Models;

// A new model beside the one in use. That one judges what was told since it was trained; for the new one speaks its cross-validation, in which each
// row was judged by a model made alike from other patients. So neither has seen what it is judged by.
public sealed partial class ModelDesk
{
    const int ComparisonResamples = 1_000;

    /// <summary>What is to be known of the model of a recipe that is in use; null where none is.</summary>
    /// <exception cref="InvalidDataException">It was altered in the database, or is not the one that was released.</exception>
    internal async Task<ModelSummary?> InUseAsync(string recipe, CancellationToken cancellation) => (await shelf.InUseAsync(recipe, cancellation))?.Summary;

    /// <summary>When the newest model of a recipe was trained; null where there is none.</summary>
    internal async Task<DateTimeOffset?> NewestTrainedAsync(string recipe, CancellationToken cancellation) => (await shelf.NewestOfAsync(recipe, cancellation))?.Card.CreatedAt;

    /// <summary>The newest of those models that waits for its release and was compared with the one in use; null where none does.</summary>
    public static ModelView? SuccessorOf(ModelView used, IReadOnlyList<ModelView> models) => models
        .Where(model => model.Release is null && model.Summary.Recipe == used.Summary.Recipe && model.Summary.Comparison?.With == used.Summary.Id)
        .MaxBy(model => model.Summary.Card.CreatedAt);

    /// <summary>The model in use as one to compare with: one that was altered is none, and its use says so.</summary>
    static async Task<T?> ComparedWithAsync<T>(Func<Task<T?>> find) where T : class
    {
        try
        {
            return await find();
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    static ModelComparison? Compare(HeldModel? inUse, TrainingData data, double[] heldOut, ulong seed)
    {
        if (inUse is null)
        {
            return null;
        }
        int[] rows = [.. Enumerable.Range(0, heldOut.Length).Where(row => IsNewTo(inUse.Summary, data.Encounters[row].Encounter.Assessed))];
        var known = data.Encounters.Where(one => !IsNewTo(inUse.Summary, one.Encounter.Assessed)).Select(one => one.Patient).ToHashSet(StringComparer.Ordinal);
        return Comparison(inUse.Summary, [.. rows.Select(row => data.Encounters[row].Patient)], known, groups => PairedComparison.Of(
            [.. inUse.Model.Judge([.. rows.Select(row => data.Encounters[row].Encounter.Features)], reasonsMax: 0).Select(said => said.Probabilities[1])],
            Array.ConvertAll(rows, row => heldOut[row]), Array.ConvertAll(rows, row => data.Encounters[row].Encounter.IsAbnormal == true ? 1 : 0), groups, ComparisonResamples, seed));
    }

    static ModelComparison? Compare(HeldRecipeModel? inUse, Recipe recipe, CohortOutcome.Made made, TaskRows rows, LearningOutcome.Trained trained, ulong seed)
    {
        if (inUse is null)
        {
            return null;
        }
        int[] since = [.. made.Since];
        var table = rows.Features.Take(since);
        if (since.Length > 0 && inUse.Model.Objection(table) is { } objection)
        {
            return new ModelComparison(inUse.Summary.Id, since.Length, null) { About = $"The older model cannot judge what the recipe reads now: {objection}." };
        }
        return Comparison(inUse.Summary, [.. since.Select(row => made.Patients[row])], made.KnownBefore, groups =>
        {
            var labels = Array.ConvertAll(since, row => rows.Labels[row]);
            var (before, after) = (inUse.Model.Probabilities(table), Array.ConvertAll(since, row => HeldOut(trained, row)));
            // A category that one of them does not know, it holds for impossible.
            string[] classes = [.. rows.Classes, .. inUse.Model.Card.Classes.Except(rows.Classes, StringComparer.Ordinal)];
            return recipe.HasManyClasses
                ? PairedComparison.OfMany(Among(classes, inUse.Model.Card.Classes, before), Among(classes, rows.Classes, after), labels, groups, ComparisonResamples, seed)
                : PairedComparison.Of(Array.ConvertAll(before, row => row[1]), Array.ConvertAll(after, row => row[1]), labels, groups, ComparisonResamples, seed);
        });
    }

    static ModelComparison Comparison(ModelSummary inUse, IReadOnlyList<string> patients, IReadOnlySet<string> known, Func<int[], PairedComparison?> figures)
    {
        var places = patients.Distinct(StringComparer.Ordinal).Index().ToDictionary(pair => pair.Item, pair => pair.Index, StringComparer.Ordinal);
        var seen = places.Keys.Count(known.Contains);
        var found = patients.Count == 0 ? null : figures([.. patients.Select(patient => places[patient])]);
        var rows = $"{patients.Count} {inUse.Rows}{(inUse.Rows == "patients" ? "" : $" of {places.Count} patients")}";
        return new ModelComparison(inUse.Id, patients.Count, found)
        {
            Patients = places.Count,
            KnownBefore = seen,
            About = found is null
                ? $"Since the older model was trained, the records tell of {rows}: too few to compare on. {Least(inUse)}"
                : $"On {rows} of which the records told after the older model was trained. That one judged them as it stands{(seen == 0 ? "" : $"; from earlier records of {seen} of the patients it may have learned")}. For the new one speaks its cross-validation: each was judged by a model made alike without that patient.",
        };
    }

    static string Least(ModelSummary inUse) => inUse switch
    {
        { HasManyClasses: true } => $"That asks for {PairedComparison.RowsMin}, of two categories at least.",
        { JudgesVisits: true } => $"That asks for {PairedComparison.ClassRowsMin} assessed abnormal and as many normal.",
        _ => $"That asks for {PairedComparison.ClassRowsMin} with the outcome and as many without.",
    };

    static double[] HeldOut(LearningOutcome.Trained trained, int row) =>
        [.. Enumerable.Range(0, trained.HeldOut[0][row].Length).Select(c => trained.HeldOut.Average(repeat => repeat[row][c]))];

    static double[][] Among(string[] classes, IReadOnlyList<string> own, double[][] said)
    {
        var places = own.Select(name => Array.IndexOf(classes, name)).ToArray();
        return Array.ConvertAll(said, row =>
        {
            var among = new double[classes.Length];
            for (var c = 0; c < row.Length; c++)
            {
                among[places[c]] = row[c];
            }
            return among;
        });
    }
}
