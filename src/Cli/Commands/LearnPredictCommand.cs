using System.CommandLine;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Cli.Commands;

/// <summary><c>salus learn predict</c>: a model's word on every row of a table, as CSV on standard output.</summary>
static class LearnPredictCommand
{
    const int ReasonsMax = 3;
    static readonly Argument<string> ModelFile = new("MODEL") { Description = "A file written by salus learn train." };
    static readonly Option<string> Csv = new("--csv") { Description = "The table to judge, with the columns that the model was trained on.", HelpName = "FILE", Required = true };

    public static Command Create()
    {
        var command = new Command("predict", "Judge every row of a CSV file. Writes CSV: the row, the probability, whether it reaches the threshold, what spoke most.") { ModelFile, Csv };
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var file = arguments.GetValue(ModelFile)!;
        if (!File.Exists(file))
        {
            throw new CliException($"There is no file {file}.");
        }
        if (!TabularModel.TryRead(await File.ReadAllBytesAsync(file, cancellation), out var model, out var refusal))
        {
            throw new CliException($"{file} is no model: {refusal}.");
        }
        var csv = arguments.GetValue(Csv)!;
        var (table, _) = await LearnTrainCommand.ReadAsync(csv, cancellation, new CsvOptions { Kinds = model.Columns });
        if (model.Objection(table) is { } objection)
        {
            throw new CliException($"{csv}: {objection}.");
        }
        Console.WriteLine($"row,probability of {Field($"{model.Card.Target}={model.Card.Positive}")},positive,reasons");
        var row = 0;
        foreach (var prediction in model.Predict(table, ReasonsMax))
        {
            row++;
            var reasons = string.Join("; ", prediction.Reasons.Select(reason => $"{reason.Description} {reason.Share:+0.00;-0.00}"));
            Console.WriteLine($"{row},{prediction.Probability:0.0000},{(prediction.IsPositive ? "yes" : "no")},{Field(reasons)}");
        }
        return 0;
    }

    static string Field(string text) => text.AsSpan().ContainsAny(",\"\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
