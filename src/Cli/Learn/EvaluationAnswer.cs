using System.Text.Json;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;

namespace Salus.Cli.Learn;

/// <summary>A figure over folds.</summary>
sealed record SpreadAnswer(double? Mean, double? Sd);

/// <summary>One evaluation as JSON. Figures are null where the guard refused.</summary>
sealed record EvaluationAnswer
{
    public required int Rows { get; init; }
    public required int Features { get; init; }
    public required string Model { get; init; }
    public required string Target { get; init; }
    public required IReadOnlyList<string> Classes { get; init; }
    public int? Groups { get; init; }
    public required int Folds { get; init; }
    public required int Repeats { get; init; }
    public required ulong Seed { get; init; }
    public SpreadAnswer? Auc { get; init; }
    public double? Accuracy { get; init; }
    public double? Majority { get; init; }
    public double? Brier { get; init; }
    public double? LogLoss { get; init; }
    public double? MacroF1 { get; init; }
    public double? PrAuc { get; init; }
    public double? Sensitivity { get; init; }
    public double? Specificity { get; init; }
    public double Threshold { get; init; }
    public double? FitSeconds { get; init; }
    public double? PredictRowsPerSecond { get; init; }
    public IReadOnlyDictionary<string, Interval?>? Intervals { get; init; }
    public IReadOnlyList<int[]>? Confusion { get; init; }
    public IReadOnlyList<CalibrationBin>? Calibration { get; init; }
    public IReadOnlyList<SubgroupFigures>? Subgroups { get; init; }
    public required IReadOnlyList<string> LeftOut { get; init; }
    public required IReadOnlyList<GuardFinding> Guard { get; init; }
    public required bool Refused { get; init; }
    public string? Override { get; init; }

    /// <summary>What the guard refused.</summary>
    public static EvaluationAnswer Of(TaskRows rows, string model, EvaluationOptions options, IReadOnlyList<string> leftOut, IReadOnlyList<GuardFinding> guard) => new()
    {
        Rows = rows.Labels.Length, Features = rows.Features.Columns.Count, Model = model, Target = rows.Task.Target, Classes = rows.Classes, Groups = rows.Groups?.Distinct().Count(),
        Folds = options.Folds, Repeats = options.Repeats, Seed = options.Seed, Threshold = options.Threshold, LeftOut = leftOut, Guard = guard, Refused = true,
    };

    /// <summary>What was found.</summary>
    public static EvaluationAnswer Of(TaskRows rows, string model, IReadOnlyList<string> leftOut, EvaluationReport report, double fitSeconds, double predictRowsPerSecond) =>
        Of(rows, model, report.Options, leftOut, report.Guard) with
        {
            Features = report.Features, Refused = false, Override = report.Override,
            Auc = new SpreadAnswer(report.AucMean, report.AucDeviation),
            Accuracy = report.Accuracy.Estimate, Majority = report.Majority, Brier = report.Brier.Estimate, LogLoss = report.LogLoss.Estimate,
            MacroF1 = report.MacroF1FoldMean, PrAuc = report.PrAuc?.Estimate, Sensitivity = report.Sensitivity?.Estimate, Specificity = report.Specificity?.Estimate,
            FitSeconds = fitSeconds, PredictRowsPerSecond = predictRowsPerSecond,
            Intervals = new Dictionary<string, Interval?>
            {
                ["auc"] = report.Auc, ["accuracy"] = report.Accuracy, ["brier"] = report.Brier, ["logLoss"] = report.LogLoss, ["macroF1"] = report.MacroF1,
                ["prAuc"] = report.PrAuc, ["sensitivity"] = report.Sensitivity, ["specificity"] = report.Specificity,
            },
            Confusion = report.Confusion, Calibration = report.Calibration, Subgroups = report.Subgroups,
        };

    public string ToJson() => ToJson(this);

    /// <summary>Any answer as JSON; what is no finite number is null.</summary>
    public static string ToJson<T>(T answer) => JsonSerializer.Serialize(answer, CardJson.Options);
}
