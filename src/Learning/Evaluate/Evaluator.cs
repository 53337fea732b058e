using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Evaluate;

/// <summary>What came of evaluating a learner.</summary>
public abstract record EvaluationOutcome
{
    EvaluationOutcome() { }

    /// <summary>The figures.</summary>
    public sealed record Evaluated(EvaluationReport Report, IReadOnlyList<double[][]> Probabilities, FitTimes Times) : EvaluationOutcome
    {
        /// <summary>The probabilities as the models said them, before any calibration.</summary>
        public required IReadOnlyList<double[][]> Unmended { get; init; }
    }

    /// <summary>The leakage guard found ways in which the figures would lie, and nobody has overridden it.</summary>
    public sealed record Guarded(IReadOnlyList<GuardFinding> Findings) : EvaluationOutcome;

    /// <summary>The rows or the options cannot be evaluated.</summary>
    public sealed record Refused(string Message) : EvaluationOutcome;
}

/// <summary>How long fitting took on average over the folds.</summary>
public sealed record FitTimes(double FitSeconds, double PredictRowsPerSecond);

/// <summary>Repeated, stratified k-fold cross-validation of preparation and estimator together; grouped or ordered by time where rows are.</summary>
public static class Evaluator
{
    /// <summary>Runs the guard, then the folds. <paramref name="written"/> overrides what the guard finds and stays in the report; <paramref name="progress"/> is told the share done.</summary>
    public static EvaluationOutcome Run(
        TaskRows rows, TableLearner learner, EvaluationOptions options, string? written = null, IProgress<double>? progress = null, CancellationToken cancellation = default)
    {
        if ((options.Objection() ?? learner.Objection() ?? Objection(rows, options)) is { } objection)
            return new EvaluationOutcome.Refused(objection);
        var findings = LeakageGuard.Examine(rows);
        if (findings.Count > 0 && string.IsNullOrWhiteSpace(written))
            return new EvaluationOutcome.Guarded(findings);
        try
        {
            var run = new FoldRun(rows, learner, options);
            run.Run(progress, cancellation);
            return new EvaluationOutcome.Evaluated(run.Report(findings, findings.Count > 0 ? written : null), run.Probabilities, run.Times) { Unmended = run.Unmended };
        }
        catch (ArgumentException unfit)
        {
            return new EvaluationOutcome.Refused(unfit.Message);
        }
    }

    static string? Objection(TaskRows rows, EvaluationOptions options)
    {
        if (rows.Times is not { } times)
            return Folds.Objection(rows.Labels, rows.Groups, rows.Classes.Count, options.Folds);
        return times.Distinct().Count() <= options.Folds ? $"there are too few different times for {options.Folds} folds; give fewer folds" : null;
    }
}
