using System.CommandLine;
using System.Diagnostics;
using Salus.Cli.Learn;
using Salus.Learning.Anomaly;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Cli.Commands;

/// <summary><c>salus learn anomaly</c>: how unusual each row of a table is, and how well that finds the rows that are marked.</summary>
static class LearnAnomalyCommand
{
    static readonly TableInput Input = new();
    static readonly Option<string?> Label = new("--label") { Description = "The column that marks unusual rows; it is not looked at, only compared with. Without it, the scores are written.", HelpName = "COLUMN" };
    static readonly Option<string?> Positive = new("--positive") { Description = "The value of the label that marks unusual rows.", HelpName = "VALUE" };
    static readonly Option<string?> Drop = new("--drop") { Description = "Columns to leave out, with commas between.", HelpName = "A,B" };
    static readonly Option<string> Model = new("--model") { Description = $"The detector: {string.Join(", ", Detectors.Names)}.", HelpName = "MODEL", DefaultValueFactory = _ => "isolation-forest" };
    static readonly Option<ulong> Seed = new("--seed") { Description = "The same seed on the same rows gives the same scores.", HelpName = "N", DefaultValueFactory = _ => 1 };
    static readonly Option<bool> Json = new("--json") { Description = "The report as one JSON object." };

    sealed record AnomalyAnswer(int Rows, int Features, string Model, int? Anomalies, double? Auc, double? AveragePrecision, double Seconds);

    public static Command Create()
    {
        var command = new Command("anomaly", "Score how unusual each row of a table is among all of them.");
        Input.AddTo(command);
        foreach (var option in (Option[])[Label, Positive, Drop, Model, Seed, Json])
        {
            command.Add(option);
        }
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var name = arguments.GetValue(Model)!;
        if (!Detectors.Names.Contains(name))
        {
            throw new CliException($"'{name}' is no detector; give one of: {string.Join(", ", Detectors.Names)}.", ExitCodes.Usage);
        }
        var loaded = await Input.ReadAsync(arguments, cancellation);
        var (table, labels) = Read(arguments, loaded);
        var features = Preparation.Fit(table, new PreparationOptions { CategoryMode = true }).Transform(table);
        if (features.Features.Count == 0 || features.RowCount < 2)
        {
            throw new CliException($"{loaded.File}: no column is left to look at; drop fewer columns, and give at least two rows.");
        }
        var started = Stopwatch.GetTimestamp();
        var scores = await ShareTeller.RunAsync($"Scoring {table.RowCount:N0} rows", arguments.GetValue(Json), _ => Detectors.Fit(name, features, arguments.GetValue(Seed))!.Score(features), cancellation);
        var answer = new AnomalyAnswer(table.RowCount, features.Features.Count, name, labels?.Sum(), labels is null ? null : Metrics.RocAuc(scores, labels),
            labels is null ? null : Metrics.PrAuc(scores, labels), Stopwatch.GetElapsedTime(started).TotalSeconds);
        if (arguments.GetValue(Json))
        {
            Console.WriteLine(EvaluationAnswer.ToJson(answer));
        }
        else if (labels is null)
        {
            Console.Write(string.Concat(scores.Select((score, row) => FormattableString.Invariant($"{(row == 0 ? "row,score\n" : "")}{row + 1},{score:0.######}\n"))));
        }
        else
        {
            Console.WriteLine($"{answer.Rows:N0} rows, {answer.Anomalies:N0} of them marked; {answer.Features} features; {name}\n  {"ROC-AUC",-20} {answer.Auc:0.000}\n  {"average precision",-20} {answer.AveragePrecision:0.000}");
        }
        return ExitCodes.Done;
    }

    static (Table Table, int[]? Labels) Read(ParseResult arguments, LoadedTable loaded)
    {
        var drop = TableInput.Names(arguments.GetValue(Drop));
        if (arguments.GetValue(Label) is not { } label)
        {
            return drop.FirstOrDefault(name => loaded.Table.Find(name) is null) is { } unknown
                ? throw new CliException($"{loaded.File}: there is no column '{unknown}'.")
                : (loaded.Table.Without(drop), null);
        }
        return TaskRows.Of(loaded.Table, new TabularTask(label) { Positive = arguments.GetValue(Positive), Drop = drop }, out var problem, out var mend) is { } rows
            ? (rows.Features, rows.Labels)
            : throw new CliException($"{loaded.File}: {problem}; {mend}.");
    }
}
