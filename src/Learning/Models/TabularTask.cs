using System.Globalization;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>What is predicted from a table, and what is not to be looked at.</summary>
public sealed record TabularTask(string Target)
{
    /// <summary>The value of the target whose probability is wanted; null takes 1, true, yes, or the later of two values.</summary>
    public string? Positive { get; init; }

    /// <summary>Columns left out.</summary>
    public IReadOnlyList<string> Drop { get; init; } = [];

    /// <summary>The column whose rows stay on one side of every split, such as a patient's number; it is no feature.</summary>
    public string? Group { get; init; }

    /// <summary>The one column of text to learn from, where nothing else is.</summary>
    public string? Text { get; init; }

    /// <summary>The column (dates or numbers) that rows are ordered by, so that the future is never learned from; it is no feature.</summary>
    public string? Time { get; init; }

    /// <summary>The date of the outcome, which no feature may come after; it is no feature.</summary>
    public string? OutcomeDate { get; init; }

    /// <summary>Columns by whose values the figures are told too, such as sex or site.</summary>
    public IReadOnlyList<string> Subgroups { get; init; } = [];

    /// <summary>Whether a target of more than two values is a task of that many classes.</summary>
    public bool ManyClasses { get; init; }

    /// <summary>Columns that are no features.</summary>
    internal IReadOnlyList<string> Apart => [Target, .. Drop, .. new[] { Group, Time, OutcomeDate }.OfType<string>()];
}

/// <summary>A task read off a table: features apart from labels, groups and times.</summary>
public sealed record TaskRows
{
    const int ClassesMax = 200;
    static readonly int[] RoundSteps = [1, 2, 5, 10];
    static readonly string[] Affirmatives = ["1", "true", "yes", "y", "positive", "abnormal"];

    /// <summary>The columns to learn from.</summary>
    public required Table Features { get; init; }

    /// <summary>The class of each row.</summary>
    public required int[] Labels { get; init; }

    /// <summary>The classes' names; of two, the second is the positive one.</summary>
    public required IReadOnlyList<string> Classes { get; init; }

    /// <summary>The group of each row, or null.</summary>
    public int[]? Groups { get; init; }

    /// <summary>The place in time of each row, or null.</summary>
    public long[]? Times { get; init; }

    /// <summary>The columns of the subgroups.</summary>
    public IReadOnlyList<Column> Subgroups { get; init; } = [];

    /// <summary>When the outcome was known, or null.</summary>
    public DateColumn? OutcomeDates { get; init; }

    /// <summary>The whole table, with what is left out of the features.</summary>
    public required Table Whole { get; init; }

    /// <summary>What is predicted, and from what.</summary>
    public required TabularTask Task { get; init; }

    /// <summary>The positive value of two classes.</summary>
    public string Positive => Classes[^1];

    /// <summary>Reads a task off a table; null with the problem and the mend where it cannot be.</summary>
    public static TaskRows? Of(Table table, TabularTask task, out string problem, out string mend)
    {
        (problem, mend) = ("", "");
        var named = task.Apart.Concat(task.Subgroups).Concat(task.Text is null ? [] : [task.Text]).ToArray();
        if (named.FirstOrDefault(name => table.Find(name) is null) is { } unknown)
        {
            (problem, mend) = ($"there is no column '{unknown}'", $"name one of: {string.Join(", ", table.Columns.Select(column => column.Name))}");
            return null;
        }
        if (task.Apart.Skip(1).Append(task.Text).Contains(task.Target))
        {
            (problem, mend) = ($"'{task.Target}' is the target and is also dropped, grouped by or learned from", "name another column");
            return null;
        }
        var target = table[task.Target];
        var missing = Enumerable.Range(0, target.Count).Count(target.IsMissing);
        if (missing > 0)
        {
            (problem, mend) = ($"the target '{task.Target}' is missing in {missing} rows", "leave those rows out");
            return null;
        }
        if (ClassesOf(target, task, out problem, out mend) is not { } classes)
            return null;
        var features = task.Text is { } text ? new Table([AsText(table[text])]) : table.Without(task.Apart);
        if (!features.Columns.Any(column => column.Kind != ColumnKind.Date))
        {
            (problem, mend) = ("no column is left to learn from", "drop fewer columns; dates are not learned from");
            return null;
        }
        if (!TryTimes(table, task, out var times, ref problem, ref mend))
            return null;
        if (task.OutcomeDate is { } dated && table[dated] is not DateColumn)
        {
            (problem, mend) = ($"'{dated}' holds no dates", "name a column of dates such as 2024-05-31");
            return null;
        }
        var codes = classes.Index().ToDictionary(pair => pair.Item, pair => pair.Index, StringComparer.Ordinal);
        return new TaskRows
        {
            Features = features,
            // Of two classes all that is not the positive value is the other.
            Labels = [.. Enumerable.Range(0, target.Count).Select(row => codes.GetValueOrDefault(target.Show(row)!, 0))],
            Classes = classes,
            Groups = task.Group is null ? null : GroupsOf(table[task.Group]),
            Times = times,
            Subgroups = [.. task.Subgroups.Select(name => table[name] is NumberColumn number ? Bands(number) : table[name])],
            OutcomeDates = task.OutcomeDate is null ? null : (DateColumn)table[task.OutcomeDate],
            Whole = table,
            Task = task,
        };
    }

    static TextColumn AsText(Column column) => new(column.Name, [.. Enumerable.Range(0, column.Count).Select(column.Show)]);

    // Numbers of few values are codes; others are told by bands of about a fifth of their range.
    static Column Bands(NumberColumn column)
    {
        var known = column.Values.ToArray().Where(value => !double.IsNaN(value)).ToArray();
        if (known.Distinct().Count() <= 12)
            return column;
        var width = (known.Max() - known.Min()) / 5;
        var unit = Math.Pow(10, Math.Floor(Math.Log10(width)));
        var step = RoundSteps.Select(factor => factor * unit).First(step => step >= width * 0.999);
        return CategoryColumn.Of(column.Name, [.. column.Values.ToArray().Select(value => double.IsNaN(value) ? null : Band(Math.Floor(value / step) * step, step))]);
    }

    static string Band(double from, double step) => FormattableString.Invariant($"{Math.Round(from, 10)} to {Math.Round(from + step, 10)}");

    static bool TryTimes(Table table, TabularTask task, out long[]? times, ref string problem, ref string mend)
    {
        times = null;
        if (task.Time is not { } name)
            return true;
        var column = table[name];
        if (column is not (DateColumn or NumberColumn) || Enumerable.Range(0, column.Count).Any(column.IsMissing))
        {
            (problem, mend) = ($"'{name}' is missing in some rows, or holds neither dates nor numbers", "name a column that tells every row's time");
            return false;
        }
        // The order of doubles' bits is that of the numbers, turned round below zero.
        times = [.. Enumerable.Range(0, column.Count).Select(row => column is DateColumn dates ? dates[row]!.Value.DayNumber : Ordered(((NumberColumn)column).Values[row]))];
        return true;
    }

    static long Ordered(double value) => BitConverter.DoubleToInt64Bits(value) is var bits && bits >= 0 ? bits : long.MinValue - bits;

    static IReadOnlyList<string>? ClassesOf(Column target, TabularTask task, out string problem, out string mend)
    {
        var values = Grouping.Count(target);
        if (task.ManyClasses && task.Positive is null && values.Count > 2)
        {
            (problem, mend) = ("", "");
            if (values.Count <= ClassesMax)
                return [.. values.Select(value => value.Label).Order(StringComparer.Ordinal)];
            (problem, mend) = ($"the target '{task.Target}' has {values.Count} different values; at most {ClassesMax} can be told apart", "name the positive one, or another target");
            return null;
        }
        if (PositiveOf(target, task, out problem, out mend) is not { } positive)
            return null;
        return [values.Count == 2 ? values.First(value => value.Label != positive).Label : $"not {positive}", positive];
    }

    static string? PositiveOf(Column target, TabularTask task, out string problem, out string mend)
    {
        problem = mend = "";
        var values = Grouping.Count(target);
        var shown = string.Join(", ", values.Take(10).Select(value => value.Label));
        if (task.Positive is { } stated)
        {
            // A number is compared as a number: 1.0 in the file is 1 in the task.
            var wanted = target.Kind == ColumnKind.Number && double.TryParse(stated, CultureInfo.InvariantCulture, out var number) ? number.ToString(CultureInfo.InvariantCulture) : stated;
            if (values.Any(value => value.Label == wanted))
                return wanted;
            problem = $"'{stated}' is no value of '{task.Target}'";
            mend = $"name one of: {shown}";
            return null;
        }
        if (values.Count == 2)
        {
            return values.FirstOrDefault(value => Affirmatives.Contains(value.Label, StringComparer.OrdinalIgnoreCase))?.Label
                ?? values.MaxBy(value => value.Label, StringComparer.Ordinal)!.Label;
        }
        problem = $"the target '{task.Target}' has {values.Count} different values";
        mend = values.Count < 2 ? "give rows of at least two classes" : $"name the positive one, such as one of: {shown}";
        return null;
    }

    // A row without a group is a group by itself.
    static int[] GroupsOf(Column column)
    {
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        var groups = new int[column.Count];
        var next = 0;
        for (var row = 0; row < groups.Length; row++)
        {
            if (column.Show(row) is not { } name)
                groups[row] = next++;
            else if (!known.TryGetValue(name, out groups[row]))
                known.Add(name, groups[row] = next++);
        }
        return groups;
    }
}
