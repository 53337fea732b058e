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
}

/// <summary>A task read off a table: features apart from labels and groups.</summary>
sealed record TaskRows(Table Features, int[] Labels, int[]? Groups, string Positive)
{
    static readonly string[] Affirmatives = ["1", "true", "yes", "y", "positive", "abnormal"];

    public static TaskRows? Of(Table table, TabularTask task, out string problem, out string mend)
    {
        problem = mend = "";
        var named = task.Drop.Append(task.Target).Concat(task.Group is null ? [] : [task.Group]).ToArray();
        if (named.FirstOrDefault(name => table.Find(name) is null) is { } unknown)
        {
            problem = $"there is no column '{unknown}'";
            mend = $"name one of: {string.Join(", ", table.Columns.Select(column => column.Name))}";
            return null;
        }
        if (task.Group == task.Target || task.Drop.Contains(task.Target))
        {
            problem = $"'{task.Target}' is the target and is also dropped or grouped by";
            mend = "name another column";
            return null;
        }
        var target = table[task.Target];
        var missing = Enumerable.Range(0, target.Count).Count(target.IsMissing);
        if (missing > 0)
        {
            problem = $"the target '{task.Target}' is missing in {missing} rows";
            mend = "leave those rows out";
            return null;
        }
        if (PositiveOf(target, task, out problem, out mend) is not { } positive)
            return null;
        var features = table.Without(named);
        if (!features.Columns.Any(column => column.Kind != ColumnKind.Date))
        {
            problem = "no column is left to learn from";
            mend = "drop fewer columns; dates are not learned from";
            return null;
        }
        var labels = Enumerable.Range(0, target.Count).Select(row => target.Show(row) == positive ? 1 : 0).ToArray();
        return new TaskRows(features, labels, task.Group is null ? null : GroupsOf(table[task.Group]), positive);
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
