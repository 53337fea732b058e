using System.CommandLine;
using Salus.Cli.Learn;
using Salus.Learning.Recipes;

namespace Salus.Cli.Commands;

/// <summary><c>salus learn recipes</c>: what can be trained by name.</summary>
static class LearnRecipesCommand
{
    static readonly Argument<string?> Name = new("NAME") { Description = "One recipe, in full.", Arity = ArgumentArity.ZeroOrOne };
    static readonly Option<bool> Json = new("--json") { Description = "The recipes as one JSON array." };

    sealed record RecipeAnswer(
        string Name, string Title, string Sentence, string IntendedUse, string NotFor, RecipeOutcome Outcome, RecipeModel Model, IReadOnlyList<string> From, IReadOnlyList<string> Columns, IReadOnlyList<string> Features);

    public static Command Create()
    {
        var command = new Command("recipes", "List what can be trained by name: from which columns or records, for what, and for what not.") { Name, Json };
        command.SetAction((arguments, _) => Task.FromResult(Run(arguments)));
        return command;
    }

    static int Run(ParseResult arguments)
    {
        var name = arguments.GetValue(Name);
        var shown = name is null ? RecipeBook.All
            : RecipeBook.Find(name) is { } one ? [one] : throw new CliException($"'{name}' is no recipe; give one of: {string.Join(", ", RecipeBook.All.Select(known => known.Name))}.", ExitCodes.Usage);
        if (arguments.GetValue(Json))
        {
            Console.WriteLine(EvaluationAnswer.ToJson(shown.Select(recipe => new RecipeAnswer(
                recipe.Name, recipe.Title, recipe.Sentence, recipe.IntendedUse, recipe.NotFor, recipe.Outcome, recipe.Model, From(recipe),
                [.. recipe.Table?.Columns.SelectMany(columns => columns.Names) ?? []], [.. recipe.Records?.Features.Select(feature => feature.Name) ?? []]))));
            return ExitCodes.Done;
        }
        foreach (var recipe in shown)
        {
            Console.WriteLine($"{recipe.Name,-16} {recipe.Sentence}");
            if (name is null)
            {
                Console.WriteLine($"{"",-16} from {string.Join(", ", From(recipe))}; {recipe.Model.Kind}");
                continue;
            }
            Tell("For", recipe.IntendedUse);
            Tell("Not for", recipe.NotFor);
            Tell("Predicts", $"{recipe.Outcome.Text}{(recipe.Outcome.Codes.Count == 0 ? "" : $" ({string.Join(", ", recipe.Outcome.Codes.Select(code => $"{code.System}|{code.Code}"))})")}");
            Tell("Model", $"{recipe.Model.Kind}{(recipe.Model.Calibration is { } way ? $", mended ({way})" : "")}{(recipe.Model.Costs is { } costs ? $", costs {costs.FalseAlarm} : {costs.Missed}" : "")}. {recipe.Model.Why}");
            if (recipe.Table is { } table)
            {
                Tell("Table", table.About);
                foreach (var columns in table.Columns)
                {
                    Console.WriteLine($"    {string.Join(", ", columns.Names)}: {columns.Kind.ToString().ToLowerInvariant()}{(columns.About is null ? "" : $", {columns.About}")}{(columns.Missing.Count == 0 ? "" : $"; {string.Join(", ", columns.Missing)} is missing")}{(columns.Optional ? "; may be left out" : "")}");
                }
            }
            if (recipe.Records is { } records)
            {
                Tell("Records", $"{string.Join(", ", records.Features.Select(feature => feature.Name))}; from {(records.Outcome.LeadDays > 0 ? $"before {records.Outcome.LeadDays} days before the outcome" : "before the outcome")}");
            }
        }
        return ExitCodes.Done;
    }

    static string[] From(Recipe recipe) =>
        [.. new[] { recipe.Table is null ? null : "a table (--data)", recipe.Records is null ? null : "FHIR records (--fhir, --url)", recipe.Encounters ? "a node's visits (--url)" : null }.OfType<string>()];

    static void Tell(string title, string text) => Console.WriteLine($"  {title,-9} {text}");
}
