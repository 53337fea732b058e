using System.CommandLine;
using System.Diagnostics;
using Salus.Cli.Learn;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;

namespace Salus.Cli.Commands;

/// <summary><c>salus learn evaluate</c>: honest figures of a model on a table, unless the leakage guard refuses them.</summary>
static class LearnEvaluateCommand
{
    // Enough rows that the time of predicting them is not that of getting started.
    const int TimedRows = 20_000;
    const int TimedTexts = 2_000;

    static readonly TableInput Input = new();
    static readonly TaskInput Tasks = new();
    static readonly RecipeInput Recipes = new();
    static readonly LearnerInput Learner = new(repeatsDefault: 10);
    static readonly Option<string?> Plots = new("--plots") { Description = "A folder for plots as SVG: ROC, calibration, importance.", HelpName = "DIR" };
    static readonly Option<bool> Json = new("--json") { Description = "The report as one JSON object." };

    public static Command Create()
    {
        var command = new Command("evaluate", "Cross-validate a model on a table. The leakage guard refuses what would make the figures lie.");
        Input.AddTo(command);
        Tasks.AddTo(command);
        Recipes.AddTo(command);
        Learner.AddTo(command);
        command.Add(Plots);
        command.Add(Json);
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var recipe = Recipes.Find(arguments, Tasks);
        var (name, json) = (Learner.Model(arguments, recipe), arguments.GetValue(Json));
        Learner.Learner(arguments, name);
        var (source, _, rows, leftOut) = recipe is null
            ? Tasks.Read(arguments, await Input.ReadAsync(arguments, cancellation), name, Learner.Folds(arguments))
            : await Recipes.ReadAsync(arguments, recipe, Input, cancellation);
        var learner = Learner.Learner(arguments, name, rows.Labels.Length, recipe);
        var options = Learner.Evaluation(arguments, recipe);
        var outcome = await ShareTeller.RunAsync($"Judging {name} on {rows.Labels.Length:N0} rows", json,
            progress => Evaluator.Run(rows, learner, options, Learner.Override(arguments), progress, cancellation), cancellation);
        switch (outcome)
        {
            case EvaluationOutcome.Refused refused:
                throw new CliException($"{source}: {refused.Message}.");
            case EvaluationOutcome.Guarded guarded:
                Console.Write(json ? $"{EvaluationAnswer.Of(rows, name, options, leftOut, guarded.Findings).ToJson()}\n" : ReportText.Of(guarded.Findings));
                Console.Error.WriteLine("salus: The figures would lie, and are not given. Mend the table, or say why they are wanted all the same with --override REASON.");
                return ExitCodes.Findings;
            case EvaluationOutcome.Evaluated evaluated:
                await TellAsync(arguments, evaluated.Report, rows, learner, leftOut, cancellation);
                return ExitCodes.Done;
            default:
                throw new InvalidOperationException($"Evaluation came to {outcome.GetType().Name}.");
        }
    }

    static async Task TellAsync(ParseResult arguments, EvaluationReport report, TaskRows rows, TableLearner learner, IReadOnlyList<string> leftOut, CancellationToken cancellation)
    {
        var (model, fitSeconds, rowsPerSecond) = Timed(rows, learner, report.Options.Seed, cancellation);
        var json = arguments.GetValue(Json);
        Console.Write(json ? $"{EvaluationAnswer.Of(rows, learner.Name, leftOut, report, fitSeconds, rowsPerSecond).ToJson()}\n"
            : $"{(leftOut.Count == 0 ? "" : $"Left out: {string.Join("; ", leftOut)}\n")}{ReportText.Of(report)}  {"fit, all rows",-20} {fitSeconds:0.000} s; {rowsPerSecond:N0} rows predicted a second\n");
        if (arguments.GetValue(Plots) is not { } folder)
        {
            return;
        }
        foreach (var file in await PlotFolder.WriteAsync(folder, $"{rows.Task.Target}, {learner.Name}", report, ColumnImportance.Of(model, rows, report.Options.Seed), cancellation))
        {
            (json ? Console.Error : Console.Out).WriteLine($"✓ {file}");
        }
    }

    static (TableClassifier Model, double FitSeconds, double RowsPerSecond) Timed(TaskRows rows, TableLearner learner, ulong seed, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        var model = learner.Fit(rows.Features, rows.Labels, rows.Classes.Count, seed, cancellation);
        var fitSeconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var count = rows.Labels.Length;
        int[] repeated = [.. Enumerable.Range(0, Math.Max(count, rows.Task.Text is null ? TimedRows : TimedTexts)).Select(i => i % count)];
        var table = rows.Features.Take(repeated);
        started = Stopwatch.GetTimestamp();
        model.Predict(table);
        return (model, fitSeconds, repeated.Length / Stopwatch.GetElapsedTime(started).TotalSeconds);
    }
}
