using System.CommandLine;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Cli.Learn;

/// <summary>The options that say what is predicted from a table, and from what.</summary>
sealed class TaskInput
{
    readonly Option<string?> target = new("--target") { Description = "The column to predict.", HelpName = "COLUMN" };
    readonly Option<string?> positive = new("--positive") { Description = "The value of the target whose probability is wanted. Without it, a target of many values is a task of as many classes.", HelpName = "VALUE" };
    readonly Option<string?> drop = new("--drop") { Description = "Columns to leave out, with commas between.", HelpName = "A,B" };
    readonly Option<string?> group = new("--group") { Description = "The column whose rows stay together in every split, such as a patient's number.", HelpName = "COLUMN" };
    readonly Option<string?> text = new("--text") { Description = "The one column of text to learn from.", HelpName = "COLUMN" };
    readonly Option<string?> time = new("--time") { Description = "The column that rows are ordered by: each part is judged by what came before it.", HelpName = "COLUMN" };
    readonly Option<string?> outcomeDate = new("--outcome-date") { Description = "The date of the outcome, which no other date may come after.", HelpName = "COLUMN" };
    readonly Option<string?> by = new("--by") { Description = "Columns by whose values the figures are told too, with commas between.", HelpName = "A,B" };
    readonly Option<bool> deduplicate = new("--deduplicate") { Description = "Keep the first of rows alike in every feature." };

    Option[] Options => [target, positive, drop, group, text, time, outcomeDate, by, deduplicate];

    /// <summary>The names of those options that are given.</summary>
    public IReadOnlyList<string> Given(ParseResult arguments) => [.. Options.Where(option => arguments.GetResult(option) is { Implicit: false }).Select(option => option.Name)];

    public void AddTo(Command command)
    {
        foreach (var option in Options)
        {
            command.Add(option);
        }
    }

    /// <summary>Whether the options name a column to predict.</summary>
    public bool IsNamed(ParseResult arguments) => arguments.GetValue(target) is not null;

    /// <summary>Reads the task off a table, for a learner of this name.</summary>
    /// <exception cref="CliException">It cannot be; the mend is named.</exception>
    public LearningRows Read(ParseResult arguments, LoadedTable loaded, string model, int folds)
    {
        var task = new TabularTask(arguments.GetValue(target) ?? throw new CliException("Name the column to predict with --target.", ExitCodes.Usage))
        {
            Positive = arguments.GetValue(positive),
            Drop = TableInput.Names(arguments.GetValue(drop)),
            Group = arguments.GetValue(group),
            Text = arguments.GetValue(text),
            Time = arguments.GetValue(time),
            OutcomeDate = arguments.GetValue(outcomeDate),
            Subgroups = TableInput.Names(arguments.GetValue(by)),
            ManyClasses = true,
        };
        if (task.Text is null && Learners.ReadsTextAlone(model))
        {
            throw new CliException($"{model} reads notes: name their column with --text.", ExitCodes.Usage);
        }
        var selected = RowSelection.Of(loaded.Table, task, folds, arguments.GetValue(deduplicate));
        return TaskRows.Of(selected.Table, task, out var problem, out var mend) is { } rows
            ? new LearningRows(loaded.File, loaded.Hash, rows, selected.LeftOut)
            : throw new CliException($"{loaded.File}: {problem}{(mend.Length == 0 ? "" : $"; {mend}")}.");
    }
}
