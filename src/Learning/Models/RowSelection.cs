using Salus.Learning.Evaluate;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>A table ready for a task, and what was left out of it, in words.</summary>
public sealed record RowSelection(Table Table, IReadOnlyList<string> LeftOut)
{
    /// <summary>
    /// Leaves out rows without a target or without their text, classes of fewer rows than <paramref name="classRowsMin"/>
    /// where there are many, and on request all but the first of rows alike in every feature.
    /// </summary>
    public static RowSelection Of(Table table, TabularTask task, int classRowsMin, bool deduplicate)
    {
        var told = new List<string>();
        if (table.Find(task.Target) is not { } target || task.Apart.Any(name => table.Find(name) is null) || (task.Text is { } named && table.Find(named) is null))
            return new RowSelection(table, told);
        int[] kept = [.. Enumerable.Range(0, table.RowCount)];
        Keep(ref kept, row => !target.IsMissing(row), $"rows without '{task.Target}'", told);
        if (task.Text is { } text)
            Keep(ref kept, row => !table[text].IsMissing(row), $"rows without '{text}'", told);
        if (deduplicate)
        {
            var seen = new HashSet<UInt128>();
            var keys = RowKeys.Of(task.Text is { } only ? new Table([table[only]]) : table.Without(task.Apart));
            Keep(ref kept, row => seen.Add(keys[row]), "rows alike another in every feature", told);
        }
        if (task.ManyClasses && task.Positive is null)
        {
            var counts = kept.GroupBy(row => target.Show(row)!).ToDictionary(group => group.Key, group => group.Count());
            if (counts.Count > 2)
                Keep(ref kept, row => counts[target.Show(row)!] >= classRowsMin, $"rows of classes with fewer than {classRowsMin} rows", told);
        }
        return kept.Length == table.RowCount ? new RowSelection(table, told) : new RowSelection(table.Take(kept), told);
    }

    static void Keep(ref int[] rows, Func<int, bool> wanted, string what, List<string> told)
    {
        var kept = Array.FindAll(rows, row => wanted(row));
        if (kept.Length < rows.Length)
            told.Add($"{rows.Length - kept.Length} {what}");
        rows = kept;
    }
}
