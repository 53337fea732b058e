using System.Globalization;
using Salus.Learning.Evaluate;
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
    public static IReadOnlyList<(string Value, string Text)> Kinds { get; } = [("forest", "Random forest"), ("boosting", "Boosted trees"), ("logistic", "Logistic regression")];

    /// <summary>A kind in words.</summary>
    public static string Kind(string kind) => Kinds.FirstOrDefault(known => known.Value == kind).Text ?? kind;

    /// <summary>A model by what it tells and its kind.</summary>
    public static string Named(ModelSummary model) => model.JudgesVisits ? Kind(model.Card.Kind) : $"{RecipeBook.Find(model.Recipe)?.Title ?? model.Recipe}, {Lower(Kind(model.Card.Kind))}";

    /// <summary>What its rows are.</summary>
    public static string Rows(ModelSummary model) => model.JudgesVisits ? "encounters" : RecipeBook.Find(model.Recipe)?.Records?.Per == RecordRow.Visit ? "stays" : "days";

    /// <summary>What its positive rows have.</summary>
    public static string Positive(ModelSummary model) => model.JudgesVisits ? "abnormal" : $"with “{RecipeBook.Find(model.Recipe)?.Outcome.Text ?? model.Recipe}”";

    /// <summary>The recipes with their titles.</summary>
    public static IReadOnlyList<(string Value, string Text)> Recipes { get; } = [.. ModelDesk.Recipes.Select(recipe => (recipe.Name, recipe.Title))];

    /// <summary>A word at the start of a line.</summary>
    public static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    static string Lower(string text) => text.Length == 0 ? text : char.ToLowerInvariant(text[0]) + text[1..];

    /// <summary>How probabilities were mended.</summary>
    public static string Calibration(string? calibration) => calibration switch
    {
        null => "none: probabilities stand as the model gives them",
        "platt" => "by Platt's curve, learned from what models said that had not seen the encounter; the figures here are of mended probabilities",
        _ => "by steps that rise (isotonic), learned from what models said that had not seen the encounter; the figures here are of mended probabilities",
    };

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

    /// <summary>How often the same probability came true, in a sentence; null where nothing is known of it.</summary>
    public static string? Evidence(ObservedShare? evidence, Recipe? recipe = null) => evidence is null ? null
        : $"Of {evidence.Rows} {(recipe is null ? "visits" : "rows")} that it gave {evidence.From * 100:0} to {evidence.To * 100:0} % without having seen them, {Share(evidence.Share.Estimate)} {(recipe is null ? "were assessed abnormal" : $"came to have “{recipe.Outcome.Text}”")} ({Share(evidence.Share.Low)} to {Share(evidence.Share.High)}).";

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
