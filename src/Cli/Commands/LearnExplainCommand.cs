using System.CommandLine;
using Salus.Cli.Learn;
using Salus.Learning.Explain;
using Salus.Learning.Models;

namespace Salus.Cli.Commands;

/// <summary><c>salus learn explain</c>: what a model looks at, and what moved it in single rows.</summary>
static class LearnExplainCommand
{
    static readonly Argument<string> Model = new("MODEL") { Description = "A file written by salus learn train." };
    static readonly TableInput Input = new();
    static readonly Option<int?> Row = new("--row") { Description = "The one row to explain, counted from 1 (default: every row).", HelpName = "N" };
    static readonly Option<int> Reasons = new("--reasons") { Description = "Features told for each row.", HelpName = "N", DefaultValueFactory = _ => 8 };
    static readonly Option<string?> Plots = new("--plots") { Description = "A folder for a plot of what matters most, as SVG.", HelpName = "DIR" };
    static readonly Option<bool> Json = new("--json") { Description = "The explanation as one JSON object." };

    sealed record RowAnswer(int Row, string Predicted, double Probability, double Base, string Scale, IReadOnlyList<Contribution> Reasons);

    sealed record ModelAnswer(string Name, string Kind, IReadOnlyList<FeatureImportance> Importance, IReadOnlyList<RowAnswer> Rows);

    public static Command Create()
    {
        var command = new Command("explain", "Tell what a model looks at; with --data, what moved it in each row.") { Model };
        Input.AddTo(command);
        foreach (var option in (Option[])[Row, Reasons, Plots, Json])
        {
            command.Add(option);
        }
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var model = await ModelFile.ReadAsync(arguments.GetValue(Model)!, cancellation);
        var rows = Input.File(arguments) is null ? [] : await RowsAsync(model, arguments, cancellation);
        var answer = new ModelAnswer(model.Card.Name, model.Card.Kind, model.Card.Importance, rows);
        Console.Write(arguments.GetValue(Json) ? $"{EvaluationAnswer.ToJson(answer)}\n" : Text(answer));
        if (arguments.GetValue(Plots) is { } folder)
        {
            foreach (var plot in await PlotFolder.WriteAsync(folder, model.Card.Name, model.Card.Evaluation, model.Card.Importance, cancellation))
            {
                (arguments.GetValue(Json) ? Console.Error : Console.Out).WriteLine($"✓ {plot}");
            }
        }
        return ExitCodes.Done;
    }

    static async Task<IReadOnlyList<RowAnswer>> RowsAsync(TrainedModel model, ParseResult arguments, CancellationToken cancellation)
    {
        var table = (await ModelFile.ReadTableAsync(Input, arguments, model, cancellation)).Table;
        var first = 1;
        if (arguments.GetValue(Row) is { } row)
        {
            if (row < 1 || row > table.RowCount)
            {
                throw new CliException($"--row {row}: the table has rows 1 to {table.RowCount}.", ExitCodes.Usage);
            }
            (table, first) = (table.Take([row - 1]), row);
        }
        var scale = model.Classifier.IsLinear ? "log-odds" : "probability";
        return
        [
            .. model.Judge(table, Math.Max(1, arguments.GetValue(Reasons))).Select((judged, i) => new RowAnswer(
                first + i, model.Card.Classes[judged.Class], judged.Probabilities[judged.Probabilities.Length == 2 ? 1 : judged.Class], judged.Base, scale, judged.Reasons)),
        ];
    }

    static string Text(ModelAnswer answer)
    {
        var lines = new List<string> { $"{answer.Name} ({answer.Kind}). What matters most:" };
        lines.AddRange(answer.Importance.Take(10).Select(entry => $"  {entry.Feature,-32} {entry.Importance:0.0000}"));
        foreach (var row in answer.Rows)
        {
            lines.Add($"Row {row.Row}: {row.Predicted}, probability {row.Probability:0.000}; from {row.Base:0.000} ({row.Scale}):");
            lines.AddRange(row.Reasons.Select(reason => $"  {reason.Share,8:+0.000;-0.000}  {reason.Description}"));
        }
        return string.Concat(lines.Select(line => $"{line}\n"));
    }
}
