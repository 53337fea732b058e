using System.CommandLine;
using Salus.Learning.Models;
using Salus.Learning.Recipes;

namespace Salus.Cli.Learn;

/// <summary>What there is to learn from, ready for a learner.</summary>
/// <param name="Source">The file or folder.</param>
/// <param name="Hash">SHA-256 of what was read.</param>
/// <param name="Rows">The rows with their task.</param>
/// <param name="LeftOut">What was left out, in words.</param>
sealed record LearningRows(string Source, byte[] Hash, TaskRows Rows, IReadOnlyList<string> LeftOut);

/// <summary>The options that name a recipe, and what it is applied to.</summary>
sealed class RecipeInput
{
    readonly Option<string?> recipe = new("--recipe") { Description = "What is predicted, from which columns and how, as salus learn recipes lists.", HelpName = "NAME" };
    readonly Option<string?> fhir = new("--fhir") { Description = "With --recipe: a folder of FHIR bundles, resources (JSON) or NDJSON instead of a table.", HelpName = "DIR" };
    readonly Option<string[]> column = new("--column") { Description = "With --recipe: the recipe's column and the name that it has in your table; may be given often.", HelpName = "RECIPE=YOURS", DefaultValueFactory = _ => [] };

    public void AddTo(Command command)
    {
        command.Add(recipe);
        command.Add(fhir);
        command.Add(column);
    }

    /// <summary>The recipe that is named; null where none is.</summary>
    /// <exception cref="CliException">There is none of that name, or other options say what it says.</exception>
    public Recipe? Find(ParseResult arguments, TaskInput tasks)
    {
        if (arguments.GetValue(recipe) is not { } name)
        {
            return arguments.GetValue(fhir) is null && arguments.GetValue(column)!.Length == 0 ? null : throw new CliException("--fhir and --column go with a recipe: name it with --recipe.", ExitCodes.Usage);
        }
        var found = RecipeBook.Find(name) ?? throw new CliException($"'{name}' is no recipe; give one of: {string.Join(", ", RecipeBook.All.Select(known => known.Name))}.", ExitCodes.Usage);
        return tasks.Given(arguments) is [var first, ..] ? throw new CliException($"The recipe says what is predicted, and from what; leave {first} out.", ExitCodes.Usage) : found;
    }

    /// <summary>Reads the table or the folder as the recipe says.</summary>
    /// <exception cref="CliException">It is not what the recipe reads; the mend is named.</exception>
    public async Task<LearningRows> ReadAsync(ParseResult arguments, Recipe named, TableInput input, CancellationToken cancellation)
    {
        if (arguments.GetValue(fhir) is { } folder)
        {
            return input.File(arguments) is null ? await FromRecordsAsync(folder, named, cancellation) : throw new CliException("Give either --data or --fhir.", ExitCodes.Usage);
        }
        if (input.File(arguments) is null)
        {
            throw new CliException("Name the table with --data, or a folder of FHIR files with --fhir.", ExitCodes.Usage);
        }
        var table = named.Table ?? throw new CliException($"The recipe {named.Name} reads FHIR records; name their folder with --fhir.", ExitCodes.Usage);
        var names = TableInput.Pairs(arguments.GetValue(column)!, "--column", "glucose=plasma_glucose").ToDictionary(pair => pair.Column, pair => pair.Value, StringComparer.Ordinal);
        var plain = await input.ReadAsync(arguments, cancellation);
        var renamed = Renamed(plain, names);
        // A kind for a column that is not there would be refused with the wrong reason.
        var kinds = RecipeTables.Kinds(table, renamed.Table).ToDictionary(pair => names.GetValueOrDefault(pair.Key, pair.Key), pair => pair.Value);
        var loaded = kinds.Count == 0 ? renamed : Renamed(await input.ReadAsync(arguments, cancellation, kinds), names);
        if (RecipeTables.Prepare(table, loaded.Table, out var problem, out var mend) is not { } prepared
            || TaskRows.Of(prepared.Table, prepared.Task, out problem, out mend) is not { } rows)
        {
            throw new CliException($"{loaded.File}: {problem}; {mend}.");
        }
        return new LearningRows(loaded.File, loaded.Hash, rows, prepared.Told);
    }

    static LoadedTable Renamed(LoadedTable loaded, Dictionary<string, string> names) => RecipeTables.Renamed(loaded.Table, names, out var problem, out var mend) is { } table
        ? loaded with { Table = table }
        : throw new CliException($"{loaded.File}: {problem}; {mend}.");

    static async Task<LearningRows> FromRecordsAsync(string folder, Recipe named, CancellationToken cancellation)
    {
        var records = named.Records
            ?? throw new CliException($"The recipe {named.Name} reads {(named.Encounters ? "a table, or a node's own visits (--url)" : "a table")}; name the table with --data.", ExitCodes.Usage);
        var (views, hash) = await FhirFolder.ReadAsync(folder, records, cancellation);
        if (RecordCohort.Make(named, views) is not CohortOutcome.Made made)
        {
            throw new CliException($"{folder}: no model can be learned. {((CohortOutcome.TooFew)RecordCohort.Make(named, views)).Message}");
        }
        return TaskRows.Of(made.Table, made.Task, out var problem, out var mend) is { } rows
            ? new LearningRows(folder, hash, rows, made.Told)
            : throw new CliException($"{folder}: {problem}; {mend}.");
    }
}
