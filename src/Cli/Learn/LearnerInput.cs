using System.CommandLine;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Recipes;

namespace Salus.Cli.Learn;

/// <summary>The options that say which model is learned and how it is judged.</summary>
sealed class LearnerInput(int repeatsDefault)
{
    readonly Option<string> model = new("--model") { Description = $"The kind of model: {string.Join(", ", Learners.Names)}.", HelpName = "MODEL", DefaultValueFactory = _ => "forest" };
    readonly Option<int?> trees = new("--trees") { Description = "Trees of a forest, or rounds of boosting at most.", HelpName = "N" };
    readonly Option<int> threads = new("--threads") { Description = "Threads used; 0 is every processor. They change no figure.", HelpName = "N", DefaultValueFactory = _ => 0 };
    readonly Option<int> folds = new("--folds") { Description = "Parts that rows are split into, each held out once.", HelpName = "N", DefaultValueFactory = _ => 5 };
    readonly Option<int> repeats = new("--repeats") { Description = "How often rows are split anew.", HelpName = "N", DefaultValueFactory = _ => repeatsDefault };
    readonly Option<ulong> seed = new("--seed") { Description = "The same seed on the same rows gives the same model and figures.", HelpName = "N", DefaultValueFactory = _ => 1 };
    readonly Option<double> threshold = new("--threshold") { Description = "A probability not below this is positive.", HelpName = "SHARE", DefaultValueFactory = _ => 0.5 };
    readonly Option<string?> written = new("--override") { Description = "Why figures are wanted in spite of what the leakage guard finds; stays in the card.", HelpName = "REASON" };

    public void AddTo(Command command, bool withModel = true)
    {
        foreach (var option in (Option[])[.. withModel ? [model] : Array.Empty<Option>(), trees, threads, folds, repeats, seed, threshold, written])
        {
            command.Add(option);
        }
    }

    public string Model(ParseResult arguments) => arguments.GetValue(model)!;

    /// <summary>The kind of model that is named; a recipe's own where none is.</summary>
    public string Model(ParseResult arguments, Recipe? recipe) => recipe is null || IsGiven(arguments, model) ? Model(arguments) : recipe.Model.Kind;

    public int? Trees(ParseResult arguments) => arguments.GetValue(trees);

    public int Folds(ParseResult arguments) => arguments.GetValue(folds);

    public ulong Seed(ParseResult arguments) => arguments.GetValue(seed);

    public string? Override(ParseResult arguments) => arguments.GetValue(written);

    public EvaluationOptions Evaluation(ParseResult arguments, Recipe? recipe = null) => new()
    {
        Folds = arguments.GetValue(folds), Repeats = arguments.GetValue(repeats), Seed = arguments.GetValue(seed),
        Calibration = recipe?.Model.Calibration,
        // What the costs ask of probabilities that are true (Elkan 2001).
        Threshold = recipe?.Model.Costs is { } costs && !IsGiven(arguments, threshold) ? costs.FalseAlarm / (costs.FalseAlarm + costs.Missed) : arguments.GetValue(threshold),
    };

    static bool IsGiven(ParseResult arguments, Option option) => arguments.GetResult(option) is { Implicit: false };

    /// <summary>The learner of a name for about so many rows.</summary>
    /// <exception cref="CliException">There is none of that name.</exception>
    public TableLearner Learner(ParseResult arguments, string name, int rows = 0, Recipe? recipe = null) =>
        Learners.Find(name, rows, arguments.GetValue(trees) ?? recipe?.Model.Trees, arguments.GetValue(threads))
        ?? throw new CliException($"'{name}' is no model; give one of: {string.Join(", ", Learners.Names)}.", ExitCodes.Usage);
}
