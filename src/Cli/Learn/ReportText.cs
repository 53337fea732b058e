using System.Text;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;

namespace Salus.Cli.Learn;

/// <summary>Evaluations, findings and cards in words.</summary>
static class ReportText
{
    const int FeaturesShown = 10;

    /// <summary>What the guard found, one finding after another.</summary>
    public static string Of(IReadOnlyList<GuardFinding> findings)
    {
        var text = new StringBuilder();
        foreach (var finding in findings)
        {
            text.AppendLine($"✗ {Named(finding.Kind)}: {finding.Message}.").AppendLine($"    {Capital(finding.Mend)}.");
        }
        return text.ToString();
    }

    /// <summary>A report with its figures and intervals.</summary>
    public static string Of(EvaluationReport report)
    {
        var text = new StringBuilder();
        var parts = report.Classes.Zip(report.ClassRows, (name, rows) => $"{rows:N0} '{name}'");
        text.AppendLine($"{report.Rows:N0} rows ({string.Join(", ", report.Classes.Count > 4 ? parts.Take(3).Append($"… {report.Classes.Count} classes") : parts)}); {report.Features:N0} features");
        text.AppendLine(report.TimeOrdered
            ? $"{report.Options.Folds} parts by time, each judged by what came before it; 95 % intervals"
            : $"Cross-validated: {report.Options.Folds} folds, {report.Options.Repeats} times{(report.Groups is { } groups ? $", {groups:N0} groups kept whole" : "")}; 95 % intervals");
        text.AppendLine($"  {"ROC-AUC over folds",-20} {report.AucMean:0.000} ± {report.AucDeviation:0.000}");
        Figure(text, "ROC-AUC", report.Auc);
        Figure(text, "average precision", report.PrAuc);
        Figure(text, "accuracy", report.Accuracy);
        text.AppendLine($"  {"always the commonest",-20} {report.Majority:0.000}");
        Figure(text, "macro-F1", report.MacroF1);
        Figure(text, "Brier", report.Brier);
        Figure(text, "log loss", report.LogLoss);
        Figure(text, "sensitivity", report.Sensitivity);
        Figure(text, "specificity", report.Specificity);
        foreach (var part in report.Subgroups)
        {
            text.AppendLine($"  {$"{part.Column} {part.Value}",-20} {part.Rows:N0} rows; accuracy {Short(part.Accuracy)}{(part.Auc is { } auc ? $", ROC-AUC {Short(auc)}" : "")}{(part.Sensitivity is { } found ? $", sensitivity {Short(found)}" : "")}{(part.Specificity is { } spared ? $", specificity {Short(spared)}" : "")}");
        }
        if (report.Override is { } written)
        {
            text.Append(Of(report.Guard)).AppendLine($"Overridden: {written}");
        }
        return text.ToString();
    }

    /// <summary>A card as Markdown.</summary>
    public static string Of(ModelCard card)
    {
        var text = new StringBuilder();
        text.AppendLine($"# {card.Name}").AppendLine().AppendLine(card.IntendedUse).AppendLine();
        text.AppendLine($"- kind: {card.Kind}").AppendLine($"- predicts: {card.Target}: {string.Join(", ", card.Classes)}").AppendLine($"- trained: {card.CreatedAt:yyyy-MM-dd HH:mm} UTC on {card.Rows:N0} rows, seed {card.Seed}");
        text.AppendLine($"- data (SHA-256): {card.DataCommitment}").AppendLine($"- columns: {string.Join(", ", card.Columns)}");
        if (card.LeftOut.Count > 0)
        {
            text.AppendLine($"- left out: {string.Join(", ", card.LeftOut)}");
        }
        text.AppendLine($"- threshold: {card.Threshold:0.###}{(card.Costs is [var alarm, var missed] ? $", for costs {alarm:0.###} : {missed:0.###}" : "")}").AppendLine($"- calibration: {card.Calibration ?? "none"}");
        text.AppendLine($"- options: {string.Join(", ", card.Options.Select(option => $"{option.Key} {option.Value}"))}").AppendLine();
        text.AppendLine("## How well").AppendLine().Append(Of(card.Evaluation)).AppendLine();
        text.AppendLine(card.Evaluation.Guard.Count == 0 ? "The leakage guard found nothing." : "The leakage guard was overridden, see above.").AppendLine();
        text.AppendLine("## What matters most").AppendLine();
        foreach (var entry in card.Importance.Take(FeaturesShown))
        {
            text.AppendLine($"  {entry.Feature,-32} {entry.Importance:0.0000}");
        }
        return text.ToString();
    }

    /// <summary>A kind of leak, as a reader would say it.</summary>
    public static string Named(LeakKind kind) => kind switch
    {
        LeakKind.DuplicateRows => "Duplicate rows",
        LeakKind.PatientOnBothSides => "One patient on both sides",
        LeakKind.FeatureDeterminesLabel => "A feature that determines the label",
        LeakKind.PreparedOutsideFolds => "Prepared outside the folds",
        LeakKind.ResampledBeforeSplit => "Resampled before the split",
        _ => "A date after the outcome",
    };

    static void Figure(StringBuilder text, string name, Interval? figure)
    {
        if (figure is { } known)
        {
            text.AppendLine($"  {name,-20} {known.Estimate:0.000}  ({known.Low:0.000} to {known.High:0.000})");
        }
    }

    static string Short(Interval figure) => $"{figure.Estimate:0.000} ({figure.Low:0.000} to {figure.High:0.000})";

    static string Capital(string text) => text.Length == 0 ? text : string.Concat(char.ToUpperInvariant(text[0]).ToString(), text.AsSpan(1));
}
