using System.CommandLine;
using Salus.Cli.Learn;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;

namespace Salus.Cli.Commands;

/// <summary><c>salus learn compare</c>: several kinds of model on the same folds.</summary>
static class LearnCompareCommand
{
    static readonly TableInput Input = new();
    static readonly TaskInput Tasks = new();
    static readonly LearnerInput Learner = new(repeatsDefault: 3);
    static readonly Option<string> Models = new("--models") { Description = "The kinds of model to compare, with commas between.", HelpName = "A,B", DefaultValueFactory = _ => "forest,logistic" };
    static readonly Option<bool> Json = new("--json") { Description = "The comparison as one JSON object." };

    sealed record ComparisonAnswer(IReadOnlyList<EvaluationAnswer> Models, string Best);

    public static Command Create()
    {
        var command = new Command("compare", "Judge several kinds of model on the same folds of a table.");
        Input.AddTo(command);
        Tasks.AddTo(command);
        Learner.AddTo(command, withModel: false);
        command.Add(Models);
        command.Add(Json);
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var names = TableInput.Names(arguments.GetValue(Models));
        if (names.Length < 2)
        {
            throw new CliException("Name at least two models with --models, such as forest,logistic.", ExitCodes.Usage);
        }
        _ = names.Select(name => Learner.Learner(arguments, name)).ToList();
        var (json, options) = (arguments.GetValue(Json), Learner.Evaluation(arguments));
        var loaded = await Input.ReadAsync(arguments, cancellation);
        var (_, _, rows, leftOut) = Tasks.Read(arguments, loaded, names[0], options.Folds);
        if (rows.Task.Text is null && names.FirstOrDefault(Learners.ReadsTextAlone) is { } reader)
        {
            throw new CliException($"{reader} reads notes: name their column with --text.", ExitCodes.Usage);
        }
        var answers = new List<EvaluationAnswer>();
        foreach (var learner in names.Select(name => Learner.Learner(arguments, name, loaded.Table.RowCount)))
        {
            var outcome = await ShareTeller.RunAsync($"Judging {learner.Name}", json, progress => Evaluator.Run(rows, learner, options, Learner.Override(arguments), progress, cancellation), cancellation);
            switch (outcome)
            {
                case EvaluationOutcome.Refused refused:
                    throw new CliException($"{loaded.File}: {refused.Message}.");
                case EvaluationOutcome.Guarded guarded:
                    Console.Write(json ? $"{EvaluationAnswer.Of(rows, learner.Name, options, leftOut, guarded.Findings).ToJson()}\n" : ReportText.Of(guarded.Findings));
                    Console.Error.WriteLine("salus: The figures would lie, and are not given. Mend the table, or say why they are wanted all the same with --override REASON.");
                    return ExitCodes.Findings;
                case EvaluationOutcome.Evaluated evaluated:
                    answers.Add(EvaluationAnswer.Of(rows, learner.Name, leftOut, evaluated.Report, evaluated.Times.FitSeconds, evaluated.Times.PredictRowsPerSecond));
                    break;
            }
        }
        var best = answers.MaxBy(answer => rows.Classes.Count == 2 ? answer.Auc!.Mean : answer.MacroF1)!.Model;
        Console.Write(json ? $"{EvaluationAnswer.ToJson(new ComparisonAnswer(answers, best))}\n" : Text(answers, best));
        return ExitCodes.Done;
    }

    static string Text(List<EvaluationAnswer> answers, string best) => string.Concat(
    [
        $"{answers[0].Rows:N0} rows, {answers[0].Folds} folds, {answers[0].Repeats} times, the same for each\n",
        $"  {"model",-14} {"ROC-AUC",-16} {"accuracy",-9} {"macro-F1",-9} {"Brier",-7} {"fit",8}\n",
        .. answers.Select(answer => $"{(answer.Model == best ? "✓" : " ")} {answer.Model,-14} {$"{answer.Auc!.Mean:0.000} ± {answer.Auc.Sd:0.000}",-16} {answer.Accuracy,-9:0.000} {answer.MacroF1,-9:0.000} {answer.Brier,-7:0.000} {answer.FitSeconds,6:0.000} s\n"),
        $"  {"commonest class",-31} {answers[0].Majority,-9:0.000}\n",
    ]);
}
