using System.CommandLine;
using Salus.Cli.Learn;

namespace Salus.Cli.Commands;

/// <summary><c>salus learn card</c>: what is to be known of a model.</summary>
static class LearnCardCommand
{
    static readonly Argument<string> Model = new("MODEL") { Description = "A file written by salus learn train." };
    static readonly Option<bool> Json = new("--json") { Description = "The card as one JSON object." };

    public static Command Create()
    {
        var command = new Command("card", "Show a model's card: what it is for, the data it saw, its figures, what the guard found.") { Model, Json };
        command.SetAction(async (arguments, cancellation) =>
        {
            var card = (await ModelFile.ReadAsync(arguments.GetValue(Model)!, cancellation)).Card;
            Console.Write(arguments.GetValue(Json) ? $"{EvaluationAnswer.ToJson(card)}\n" : ReportText.Of(card));
            return ExitCodes.Done;
        });
        return command;
    }
}
