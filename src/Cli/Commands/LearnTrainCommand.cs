using System.CommandLine;
using System.Security.Cryptography;
using Salus.Cli.Api;
using Salus.Cli.Terminal;
using Salus.Learning.Evaluate;
using Salus.Learning.Forest;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Cli.Commands;

/// <summary><c>salus learn train</c>: a random forest, with its cross-validated figures.</summary>
static class LearnTrainCommand
{
    const int FeaturesShown = 10;

    static readonly Option<string?> Csv = new("--csv") { Description = "The table to learn from (UTF-8, with a header).", HelpName = "FILE" };
    static readonly Option<string?> Target = new("--target") { Description = "The column to predict.", HelpName = "COLUMN" };
    static readonly Option<string?> Positive = new("--positive") { Description = "The value of the target whose probability is wanted.", HelpName = "VALUE" };
    static readonly Option<string?> Drop = new("--drop") { Description = "Columns to leave out, with commas between.", HelpName = "A,B" };
    static readonly Option<string?> Group = new("--group") { Description = "The column whose rows stay together in every split, such as a patient's number.", HelpName = "COLUMN" };
    static readonly Option<ulong> Seed = new("--seed") { Description = "The same seed on the same rows gives the same model.", HelpName = "N", DefaultValueFactory = _ => 1 };
    static readonly Option<int> Trees = new("--trees") { Description = "Trees of the forest.", HelpName = "N", DefaultValueFactory = _ => 200 };
    static readonly Option<string?> Out = new("--out") { Description = "The file that the model is written to.", HelpName = "MODEL" };
    static readonly SignInOptions SignIn = new();

    public static Command Create()
    {
        var command = new Command("train", "Train from a CSV file here (--csv, --target, --out), or ask a node to train on its own records (--url, --email).")
        {
            Csv, Target, Positive, Drop, Group, Seed, Trees, Out,
        };
        SignIn.AddTo(command);
        command.SetAction((arguments, cancellation) => arguments.GetValue(SignIn.Url) is null ? TrainHereAsync(arguments, cancellation) : TrainThereAsync(arguments, cancellation));
        return command;
    }

    static async Task<int> TrainHereAsync(ParseResult arguments, CancellationToken cancellation)
    {
        var file = arguments.GetValue(Csv) ?? throw new CliException("Name the table with --csv, or a node with --url.");
        var target = arguments.GetValue(Target) ?? throw new CliException("Name the column to predict with --target.");
        var model = arguments.GetValue(Out) ?? throw new CliException("Name the file for the model with --out.");
        var (table, hash) = await ReadAsync(file, cancellation);
        var task = new TabularTask(target)
        {
            Positive = arguments.GetValue(Positive),
            Drop = arguments.GetValue(Drop)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [],
            Group = arguments.GetValue(Group),
        };
        var options = new TrainingOptions
        {
            Forest = new ForestOptions { Trees = arguments.GetValue(Trees), Seed = arguments.GetValue(Seed) },
            Validation = new CrossValidationOptions(Seed: arguments.GetValue(Seed)),
        };
        var origin = new ModelOrigin(Path.GetFileNameWithoutExtension(model), $"Trained on {Path.GetFileName(file)}. An aid, not a diagnosis; it knows only rows like those.",
            TimeProvider.System.GetUtcNow(), hash);
        if (!StepTeller.IsLive)
        {
            Console.WriteLine($"Cross-validating and training on {table.RowCount:N0} rows …");
        }
        var outcome = await StepTeller.RunAsync($"Cross-validating and training on {table.RowCount:N0} rows",
            (_, _) => Task.Run(() => TabularModel.Train(table, task, options, origin, cancellation), cancellation));
        if (outcome is TrainingOutcome.Refused refused)
        {
            throw new CliException($"{file}: {refused.Message}.");
        }
        var trained = ((TrainingOutcome.Trained)outcome).Model;
        await File.WriteAllBytesAsync(model, trained.ToBytes(), cancellation);
        Tell(trained.Card);
        Console.WriteLine($"✓ {Path.GetFullPath(model)}");
        return 0;
    }

    static async Task<int> TrainThereAsync(ParseResult arguments, CancellationToken cancellation)
    {
        using var client = await SignIn.SignInAsync(arguments, cancellation);
        var model = (await StepTeller.RunAsync("The node trains", (_, _) => NodeTraining.TrainAsync(client,
            new NodeTraining.Request { Trees = arguments.GetValue(Trees), Seed = arguments.GetValue(Seed) }, cancellation))).Summary;
        Console.WriteLine($"{model.Encounters} assessed encounters of {model.Patients} patients whose consent covers it, {model.Abnormal} abnormal; {model.Trees} trees");
        Figure("accuracy", model.Accuracy.Estimate, model.Accuracy.Low, model.Accuracy.High);
        Figure("ROC-AUC", model.Auc.Estimate, model.Auc.Low, model.Auc.High);
        Console.WriteLine($"  {"always the commoner",-20} {model.Majority:0.000}");
        Tell(model.Importance.Select(importance => (importance.Feature, importance.Importance)));
        Console.WriteLine($"✓ Library/{model.Id} on the node, in use at once");
        return 0;
    }

    /// <summary>A CSV file as a table, with the hash of its bytes.</summary>
    /// <exception cref="CliException">It is none, at this line and column.</exception>
    internal static async Task<(Table Table, byte[] Hash)> ReadAsync(string file, CancellationToken cancellation, CsvOptions? options = null)
    {
        if (!File.Exists(file))
        {
            throw new CliException($"There is no file {file}.");
        }
        await using var stream = File.OpenRead(file);
        var hash = await SHA256.HashDataAsync(stream, cancellation);
        stream.Position = 0;
        return CsvTable.Read(stream, options) switch
        {
            CsvOutcome.Loaded loaded => (loaded.Table, hash),
            CsvOutcome.Refused refused => throw new CliException($"{file}: {refused.Message}."),
            var other => throw new InvalidOperationException($"Reading came to {other.GetType().Name}."),
        };
    }

    static void Tell(ModelCard card)
    {
        var report = card.Validation;
        Console.WriteLine($"{card.Rows:N0} rows, {report.Positives:N0} of them '{card.Positive}'; {card.Features} features; {card.Forest.Trees} trees");
        Console.WriteLine($"Cross-validated: {report.Folds} folds, {report.Repeats} times{(report.Groups is { } groups ? $", {groups} groups kept whole" : "")}; 95 % intervals");
        Figure("accuracy", report.Accuracy.Estimate, report.Accuracy.Low, report.Accuracy.High);
        Figure("ROC-AUC", report.Auc.Estimate, report.Auc.Low, report.Auc.High);
        Console.WriteLine($"  {"always the commoner",-20} {report.Majority:0.000}");
        Console.WriteLine($"  {"sensitivity",-20} {report.Sensitivity:0.000}   specificity {report.Specificity:0.000}   Brier {report.Brier:0.000}   average precision {report.PrAuc:0.000}");
        Tell(card.Importance.Select(importance => (importance.Feature, importance.Importance)));
    }

    static void Tell(IEnumerable<(string Feature, double Importance)> features)
    {
        Console.WriteLine("What matters most (loss of accuracy when permuted):");
        foreach (var (feature, importance) in features.Take(FeaturesShown))
        {
            Console.WriteLine($"  {feature,-32} {importance:0.0000}");
        }
    }

    static void Figure(string name, double estimate, double low, double high) => Console.WriteLine($"  {name,-20} {estimate:0.000}  ({low:0.000} to {high:0.000})");
}
