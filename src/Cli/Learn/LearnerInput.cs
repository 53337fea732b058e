using System.CommandLine;
using System.Globalization;
using Salus.Learning.Evaluate;
using Salus.Learning.Linear;
using Salus.Learning.Models;
using Salus.Learning.Recipes;

namespace Salus.Cli.Learn;

/// <summary>The options that say which model is learned and how it is judged.</summary>
sealed class LearnerInput(int repeatsDefault)
{
    const string Chosen = "auto";
    const int ChoiceParts = 5;

    readonly Option<string> model = new("--model") { Description = $"The kind of model: {string.Join(", ", Learners.Names)}.", HelpName = "MODEL", DefaultValueFactory = _ => "forest" };
    readonly Option<int?> trees = new("--trees") { Description = "Trees of a forest, or rounds of boosting at most.", HelpName = "N" };
    readonly Option<string?> penalty = new("--l2") { Description = $"The L2 penalty of logistic regression: a number (1 where none is given), or {Chosen}: chosen anew by the training rows of each fold, by parts of them.", HelpName = "NUMBER" };
    readonly Option<int> threads = new("--threads") { Description = "Threads used; 0 is every processor. They change no figure.", HelpName = "N", DefaultValueFactory = _ => 0 };
    readonly Option<int> folds = new("--folds") { Description = "Parts that rows are split into, each held out once.", HelpName = "N", DefaultValueFactory = _ => 5 };
    readonly Option<int> repeats = new("--repeats") { Description = "How often rows are split anew.", HelpName = "N", DefaultValueFactory = _ => repeatsDefault };
    readonly Option<ulong> seed = new("--seed") { Description = "The same seed on the same rows gives the same model and figures.", HelpName = "N", DefaultValueFactory = _ => 1 };
    readonly Option<double> threshold = new("--threshold") { Description = "A probability not below this is positive.", HelpName = "SHARE", DefaultValueFactory = _ => 0.5 };
    readonly Option<string?> written = new("--override") { Description = "Why figures are wanted in spite of what the leakage guard finds; stays in the card.", HelpName = "REASON" };

    public void AddTo(Command command, bool withModel = true)
    {
        foreach (var option in (Option[])[.. withModel ? [model] : Array.Empty<Option>(), trees, penalty, threads, folds, repeats, seed, threshold, written])
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
        Calibration = recipe?.Model.CalibrationOf(Model(arguments, recipe)),
        Threshold = recipe?.Model.ThresholdAsked is { } asked && !IsGiven(arguments, threshold) ? asked : arguments.GetValue(threshold),
    };

    static bool IsGiven(ParseResult arguments, Option option) => arguments.GetResult(option) is { Implicit: false };

    /// <summary>The learner of a name for about so many rows.</summary>
    /// <exception cref="CliException">There is none of that name.</exception>
    public TableLearner Learner(ParseResult arguments, string name, int rows = 0, Recipe? recipe = null)
    {
        var learner = Learners.Find(name, rows, arguments.GetValue(trees) ?? recipe?.Model.Trees, arguments.GetValue(threads))
            ?? throw new CliException($"'{name}' is no model; give one of: {string.Join(", ", Learners.Names)}.", ExitCodes.Usage);
        return arguments.GetValue(penalty) is { } given && learner is LogisticLearner logistic ? logistic with { Logistic = Penalised(logistic.Logistic, given) } : learner;
    }

    static LogisticOptions Penalised(LogisticOptions options, string given)
    {
        if (given == Chosen)
        {
            return options with { CostParts = ChoiceParts };
        }
        return double.TryParse(given, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && options with { Cost = 1 / number } is var penalised && number > 0 && penalised.Objection() is null
            ? penalised
            : throw new CliException($"--l2 {given}: give a number above 0, or {Chosen}.", ExitCodes.Usage);
    }
}
