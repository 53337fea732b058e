using System.Globalization;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Recipes;
using Salus.Platform.Identity;
using Salus.Platform.Models;

namespace Salus.Host.Ui.Pages.Models;

/// <summary>Figures and kinds of models as a reader would say them.</summary>
static class ModelWords
{
    /// <summary>The roles that see models.</summary>
    public const string Readers = $"{nameof(Role.Practitioner)},{nameof(Role.Researcher)},{nameof(Role.Auditor)},{nameof(Role.Administrator)}";

    /// <summary>The kinds that can be trained, with their words.</summary>
    public static IReadOnlyList<(string Value, string Text)> Kinds { get; } = 
    [
        ("forest", "Random forest"), ("boosting", "Boosted trees"), ("logistic", "Logistic regression"),
        ("text-linear", "Linear model of terms"), ("text-bayes", "Naive Bayes of terms"), ("text-forest", "Forest of words"),
    ];

    /// <summary>A kind in words.</summary>
    public static string Kind(string kind) => Kinds.FirstOrDefault(known => known.Value == kind).Text ?? kind;

    /// <summary>A model by what it tells and its kind.</summary>
    public static string Named(ModelSummary model) => $"{Title(model.Recipe)}, {Lower(Kind(model.Card.Kind))}";

    /// <summary>A recipe's title.</summary>
    public static string Title(string recipe) => RecipeBook.Find(recipe)?.Title ?? recipe;

    /// <summary>A recipe of other models than those that judge visits; null for theirs.</summary>
    public static Recipe? RecipeOf(string name) => name == ModelSummary.Condition ? null : RecipeBook.Find(name);

    /// <summary>Whether its recipe is there, so that the node can ask it.</summary>
    public static bool IsKnown(ModelSummary model) => ModelDesk.Recipes.Any(recipe => recipe.Name == model.Recipe);

    /// <summary>What of a patient a recipe judges.</summary>
    public static string Judged(Recipe recipe) => recipe.Records?.Per switch
    {
        RecordRow.Visit => "the newest stay in hospital, as of going home",
        RecordRow.Note => "the newest note without a category",
        RecordRow.Patient => "the patient, as of today",
        _ => "the newest visit",
    };

    /// <summary>What a probability is of.</summary>
    public static string What(Recipe? recipe, string label) => recipe switch { null => "an abnormal assessment", { HasManyClasses: true } => $"the category “{label}”", _ => $"“{recipe.Outcome.Text}”" };

    /// <summary>What shares to the right speak for.</summary>
    public static string Towards(Recipe? recipe, string label) => recipe switch { null => "abnormal", { HasManyClasses: true } => $"“{label}”", _ => $"“{recipe.Outcome.Text}”" };

    /// <summary>The style of what a model came to: alarming, reassuring, or neither.</summary>
    public static string Tone(string label, bool isOfMany) => isOfMany ? "" : label is "abnormal" or PredictionView.AtRisk ? "abnormal" : "normal";

    /// <summary>The same of a prediction.</summary>
    public static string Tone(PredictionView prediction) => Tone(prediction.Label, prediction.Classes.Count > 0);

    /// <summary>What its positive rows have.</summary>
    public static string Positive(ModelSummary model) => model.JudgesVisits ? "abnormal" : $"with “{RecipeBook.Find(model.Recipe)?.Outcome.Text ?? model.Recipe}”";

    /// <summary>The recipes with their titles.</summary>
    public static IReadOnlyList<(string Value, string Text)> Recipes { get; } = [.. ModelDesk.Recipes.Select(recipe => (recipe.Name, recipe.Title))];

    /// <summary>A word at the start of a line.</summary>
    public static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    static string Lower(string text) => text.Length == 0 ? text : char.ToLowerInvariant(text[0]) + text[1..];

    /// <summary>How probabilities were mended.</summary>
    public static string Calibration(ModelSummary model) => model.Card.Calibration switch
    {
        null => "none: probabilities stand as the model gives them",
        "platt" => $"by Platt's curve, learned from what models said of {model.Rows} that they had not seen; the figures here are of mended probabilities",
        _ => $"by steps that rise (isotonic), learned from what models said of {model.Rows} that they had not seen; the figures here are of mended probabilities",
    };

    /// <summary>Whether a missed case costs more or less than a false alarm: accuracy is then given up on purpose, and what counts is how many are found and how many spared.</summary>
    public static bool WeighsMistakes(ModelCard card) => card.Costs is [var alarm, var missed] && alarm != missed;

    /// <summary>What a missed case costs beside a false alarm.</summary>
    public static string MissedCost(ModelCard card) => card.Costs is [var alarm, var missed] ? (missed / alarm).ToString("0.#", CultureInfo.InvariantCulture) : "1";

    /// <summary>A part of the patients by a column and its value, with the unit after the value.</summary>
    public static string Part(string column, string value) =>
        column.IndexOf(" (", StringComparison.Ordinal) is > 0 and var at && column.EndsWith(')') ? $"{Capital(column[..at])} {value} {column[(at + 2)..^1]}" : $"{Capital(column)}: {value}";

    /// <summary>When other systems ask for a recipe's advice.</summary>
    public static string Moment(Recipe recipe) => recipe.Hook == AdviceHook.EncounterDischarge ? "when a patient is discharged" : "when a patient's record is opened";

    /// <summary>A share as a percentage.</summary>
    public static string Share(double share) => double.IsFinite(share) ? string.Create(CultureInfo.InvariantCulture, $"{share * 100:0.0} %") : "–";

    /// <summary>A figure.</summary>
    public static string Plain(double value) => double.IsFinite(value) ? value.ToString("0.000", CultureInfo.InvariantCulture) : "–";

    /// <summary>A share with its interval.</summary>
    public static string Share(Interval? figure) => figure is null ? "–" : double.IsFinite(figure.Low) ? $"{Share(figure.Estimate)} ({Share(figure.Low)} to {Share(figure.High)})" : Share(figure.Estimate);

    /// <summary>A figure with its interval.</summary>
    public static string Plain(Interval? figure) => figure is null ? "–" : double.IsFinite(figure.Low) ? $"{Plain(figure.Estimate)} ({Plain(figure.Low)} to {Plain(figure.High)})" : Plain(figure.Estimate);

    /// <summary>What has become of a model, in a word or two.</summary>
    public static (string Badge, string Text) State(ModelView model) => model switch
    {
        { IsInUse: true } => ("badge-good", "✓ In use"),
        { IsReleased: true } => ("badge-note", "Released before"),
        { Release.IsWithdrawal: true } => ("badge-bad", "Withdrawn"),
        _ => ("badge-wait", "Not released"),
    };

    /// <summary>How often the like came true, in a sentence; null where nothing is known of it.</summary>
    public static string? Evidence(ObservedShare? evidence, Recipe? recipe = null, string label = "") => evidence is null ? null : recipe is { HasManyClasses: true }
        ? $"Of {Count(evidence.Rows, "note")} that it put under “{label}” without having seen them, {Share(evidence.Share.Estimate)} belonged there ({Share(evidence.Share.Low)} to {Share(evidence.Share.High)})."
        : $"Of {Count(evidence.Rows, recipe?.Records?.Per switch { null => "visit", RecordRow.Visit => "stay", _ => "patient" })} that it gave {evidence.From * 100:0} to {evidence.To * 100:0} % without having seen them, {Share(evidence.Share.Estimate)} {(recipe is null ? "were assessed abnormal" : $"came to have “{recipe.Outcome.Text}”")} ({Share(evidence.Share.Low)} to {Share(evidence.Share.High)}).";

    static string Count(int count, string one) => $"{count} {one}{(count == 1 ? "" : "s")}";

    /// <summary>A kind of leak.</summary>
    public static string Leak(LeakKind kind) => kind switch
    {
        LeakKind.DuplicateRows => "Duplicate rows",
        LeakKind.PatientOnBothSides => "One patient on both sides",
        LeakKind.FeatureDeterminesLabel => "A value that gives the assessment away",
        LeakKind.PreparedOutsideFolds => "Prepared outside the folds",
        LeakKind.ResampledBeforeSplit => "Resampled before the split",
        _ => "A date after the outcome",
    };
}
