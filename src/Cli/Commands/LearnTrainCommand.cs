using System.CommandLine;
using System.Globalization;
using Salus.Cli.Api;
using Salus.Cli.Learn;
using Salus.Cli.Terminal;
using Salus.Learning.Models;

namespace Salus.Cli.Commands;

/// <summary><c>salus learn train</c>: a model with its card, here or on a node.</summary>
static class LearnTrainCommand
{
    const int FeaturesShown = 10;
    const int NodeTrees = 200;

    static readonly TableInput Input = new();
    static readonly TaskInput Tasks = new();
    static readonly RecipeInput Recipes = new();
    static readonly LearnerInput Learner = new(repeatsDefault: 3);
    static readonly Option<string?> Out = new("--out") { Description = "The file that the model is written to.", HelpName = "MODEL" };
    static readonly Option<string?> Use = new("--intended-use") { Description = "What the model is for, and what it is not; stays in the card.", HelpName = "TEXT" };
    static readonly Option<string?> Calibrate = new("--calibrate") { Description = "Mend probabilities by held-out predictions: platt or isotonic.", HelpName = "WAY" };
    static readonly Option<string?> Costs = new("--costs") { Description = "What a false alarm and a missed case cost, such as 1:5; the threshold is chosen by that.", HelpName = "A:M" };
    static readonly Option<string?> Plots = new("--plots") { Description = "A folder for plots as SVG: ROC, calibration, importance.", HelpName = "DIR" };
    static readonly Option<bool> Json = new("--json") { Description = "The card as one JSON object." };
    static readonly Option<string?> Statement = new("--release") { Description = "With --url: release the model for use, with what you state of it; kept under your name.", HelpName = "STATEMENT" };
    static readonly SignInOptions SignIn = new();

    public static Command Create()
    {
        var command = new Command("train", "Train from a CSV file here (--data, --target, --out), by a recipe from a table or FHIR files (--recipe, --data or --fhir), or ask a node to train on its own records (--url, --email).");
        Input.AddTo(command);
        Tasks.AddTo(command);
        Recipes.AddTo(command);
        Learner.AddTo(command);
        foreach (var option in (Option[])[Out, Use, Calibrate, Costs, Plots, Json])
        {
            command.Add(option);
        }
        command.Add(Statement);
        SignIn.AddTo(command);
        command.SetAction((arguments, cancellation) => arguments.GetValue(SignIn.Url) is null ? TrainHereAsync(arguments, cancellation) : TrainThereAsync(arguments, cancellation));
        return command;
    }

    static async Task<int> TrainHereAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var recipe = Recipes.Find(arguments, Tasks);
        if (recipe is null && Input.File(arguments) is null)
        {
            throw new CliException("Name the table with --data, or a node with --url.", ExitCodes.Usage);
        }
        if (recipe is null && !Tasks.IsNamed(arguments))
        {
            throw new CliException("Name the column to predict with --target, or a recipe with --recipe.", ExitCodes.Usage);
        }
        var file = arguments.GetValue(Out) ?? throw new CliException("Name the file for the model with --out.", ExitCodes.Usage);
        var (name, json) = (Learner.Model(arguments, recipe), arguments.GetValue(Json));
        Learner.Learner(arguments, name);
        var plan = new LearningPlan
        {
            Evaluation = Learner.Evaluation(arguments, recipe), Override = Learner.Override(arguments),
            Calibration = arguments.GetValue(Calibrate) ?? recipe?.Model.CalibrationOf(name),
            Costs = CostsOf(arguments.GetValue(Costs)) ?? (recipe?.Model.Costs is { } costs ? (costs.FalseAlarm, costs.Missed) : null),
        };
        var (source, hash, rows, leftOut) = recipe is null
            ? Tasks.Read(arguments, await Input.ReadAsync(arguments, cancellation), name, Learner.Folds(arguments))
            : await Recipes.ReadAsync(arguments, recipe, Input, cancellation);
        var learner = Learner.Learner(arguments, name, rows.Labels.Length, recipe);
        var origin = new ModelOrigin(
            Path.GetFileNameWithoutExtension(file), arguments.GetValue(Use) ?? recipe?.Use ?? $"Trained on {Path.GetFileName(source)}. An aid, not a diagnosis; it knows only rows like those.",
            TimeProvider.System.GetUtcNow(), hash);
        var outcome = await ShareTeller.RunAsync($"Judging and training {name} on {rows.Labels.Length:N0} rows", json,
            progress => TrainedModel.Train(rows, learner, plan, origin, progress, cancellation), cancellation);
        switch (outcome)
        {
            case LearningOutcome.Refused refused:
                throw new CliException($"{source}: {refused.Message}.");
            case LearningOutcome.Guarded guarded:
                Console.Write(json ? $"{EvaluationAnswer.Of(rows, name, plan.Evaluation, leftOut, guarded.Findings).ToJson()}\n" : ReportText.Of(guarded.Findings));
                Console.Error.WriteLine("salus: The model's figures would lie, and nothing was written. Mend the table, or say why it is wanted all the same with --override REASON.");
                return ExitCodes.Findings;
            case LearningOutcome.Trained trained:
                await File.WriteAllBytesAsync(file, trained.Model.ToBytes(), cancellation);
                await TellAsync(arguments, trained.Model.Card, leftOut, cancellation);
                (json ? Console.Error : Console.Out).WriteLine($"✓ {Path.GetFullPath(file)}");
                return ExitCodes.Done;
            default:
                throw new InvalidOperationException($"Training came to {outcome.GetType().Name}.");
        }
    }

    static async Task TellAsync(ParseResult arguments, ModelCard card, IReadOnlyList<string> leftOut, CancellationToken cancellation)
    {
        if (arguments.GetValue(Json))
        {
            Console.WriteLine(EvaluationAnswer.ToJson(card));
        }
        else
        {
            Console.Write($"{(leftOut.Count == 0 ? "" : $"Left out: {string.Join("; ", leftOut)}\n")}{ReportText.Of(card.Evaluation)}");
            Console.WriteLine($"  {"threshold",-20} {card.Threshold:0.000}{(card.Calibration is { } way ? $"; probabilities mended ({way})" : "")}");
            Tell("What matters most:", card.Importance.Select(importance => (importance.Feature, importance.Importance)));
        }
        if (arguments.GetValue(Plots) is { } folder)
        {
            foreach (var plot in await PlotFolder.WriteAsync(folder, card.Name, card.Evaluation, card.Importance, cancellation))
            {
                (arguments.GetValue(Json) ? Console.Error : Console.Out).WriteLine($"✓ {plot}");
            }
        }
    }

    static (double FalseAlarm, double Missed)? CostsOf(string? given)
    {
        if (given is null)
        {
            return null;
        }
        return given.Split(':') is [var alarm, var missed] && Cost(alarm) is { } first && Cost(missed) is { } second && first + second > 0
            ? (first, second)
            : throw new CliException($"--costs {given}: give what a false alarm and a missed case cost, such as 1:5.", ExitCodes.Usage);
    }

    static double? Cost(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var cost) && cost >= 0 && double.IsFinite(cost) ? cost : null;

    static async Task<int> TrainThereAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var recipe = Recipes.Find(arguments, Tasks);
        using var client = await SignIn.SignInAsync(arguments, cancellation);
        var model = (await StepTeller.RunAsync("The node trains", (_, _) => NodeTraining.TrainAsync(client, new NodeTraining.Request
        {
            Recipe = recipe?.Name, Kind = Learner.Model(arguments, recipe), Trees = Learner.Trees(arguments) ?? NodeTrees, Seed = Learner.Seed(arguments), Override = Learner.Override(arguments),
        }, cancellation))).Summary;
        var told = arguments.GetValue(Json) ? Console.Error : Console.Out;
        await told.WriteLineAsync($"{model.Card.Rows} {(recipe?.Records is { } read ? read.Per == Salus.Learning.Recipes.RecordRow.Visit ? "stays" : "rows" : "assessed encounters")} of {model.Patients} patients whose consent covers it");
        await TellAsync(arguments, model.Card, [], cancellation);
        if (arguments.GetValue(Statement) is not { } statement)
        {
            await told.WriteLineAsync($"✓ Library/{model.Id} on the node. It predicts once somebody releases it: on its page, or with --release STATEMENT");
            return ExitCodes.Done;
        }
        var release = await NodeTraining.ReleaseAsync(client, model.Id, statement, cancellation);
        await told.WriteLineAsync($"✓ Library/{model.Id} on the node, released for use by Provenance/{release}");
        return ExitCodes.Done;
    }

    static void Tell(string title, IEnumerable<(string Feature, double Importance)> features)
    {
        Console.WriteLine(title);
        foreach (var (feature, importance) in features.Take(FeaturesShown))
        {
            Console.WriteLine($"  {feature,-32} {importance:0.0000}");
        }
    }
}
