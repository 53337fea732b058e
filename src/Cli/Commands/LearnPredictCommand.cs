using System.CommandLine;
using Salus.Cli.Learn;
using Salus.Learning.Models;

namespace Salus.Cli.Commands;

/// <summary><c>salus learn predict</c>: a model's word on every row of a table, as CSV or JSON on standard output.</summary>
static class LearnPredictCommand
{
    const int ReasonsMax = 3;

    static readonly Argument<string> Model = new("MODEL") { Description = "A file written by salus learn train." };
    static readonly TableInput Input = new();
    static readonly Option<bool> Drift = new("--drift") { Description = "Tell on standard error how far the columns have moved since training (population stability index)." };
    static readonly Option<bool> Json = new("--json") { Description = "One JSON object a row." };

    sealed record RowAnswer(int Row, string Predicted, IReadOnlyDictionary<string, double> Probabilities, IReadOnlyList<string> Reasons);

    public static Command Create()
    {
        var command = new Command("predict", "Judge every row of a table. Writes CSV: the row, the probability, what it comes to, what spoke most.") { Model };
        Input.AddTo(command);
        command.Add(Drift);
        command.Add(Json);
        command.SetAction(RunAsync);
        return command;
    }

    static async Task<int> RunAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var model = await ModelFile.ReadAsync(arguments.GetValue(Model)!, cancellation);
        var loaded = await ModelFile.ReadTableAsync(Input, arguments, model, cancellation);
        var two = model.Card.Classes.Count == 2;
        if (!arguments.GetValue(Json))
        {
            Console.WriteLine(two ? $"row,probability of {ModelFile.Field($"{model.Card.Target}={model.Card.Classes[1]}")},positive,reasons" : "row,predicted,probability,reasons");
        }
        foreach (var (row, judged) in model.Judge(loaded.Table, ReasonsMax).Index())
        {
            Console.WriteLine(arguments.GetValue(Json) ? Object(model, row + 1, judged) : Line(model, row + 1, judged, two));
        }
        if (arguments.GetValue(Drift))
        {
            foreach (var column in InputProfile.Compare(model.Card.Inputs, model.Card.Rows, loaded.Table))
            {
                Console.Error.WriteLine($"  {column.Column,-32} {column.StabilityIndex:0.000}{(column.HasMoved ? "  has moved" : "")}");
            }
        }
        return ExitCodes.Done;
    }

    static string Line(TrainedModel model, int row, Judgement judged, bool two)
    {
        var reasons = ModelFile.Field(string.Join("; ", Reasons(judged)));
        return two
            ? $"{row},{judged.Probabilities[1]:0.0000},{(judged.Class == 1 ? "yes" : "no")},{reasons}"
            : $"{row},{ModelFile.Field(model.Card.Classes[judged.Class])},{judged.Probabilities[judged.Class]:0.0000},{reasons}";
    }

    static string Object(TrainedModel model, int row, Judgement judged) => EvaluationAnswer.ToJson(new RowAnswer(
        row, model.Card.Classes[judged.Class], model.Card.Classes.Zip(judged.Probabilities).ToDictionary(pair => pair.First, pair => pair.Second), [.. Reasons(judged)]));

    static IEnumerable<string> Reasons(Judgement judged) => judged.Reasons.Select(reason => $"{reason.Description} {reason.Share:+0.00;-0.00}");
}
