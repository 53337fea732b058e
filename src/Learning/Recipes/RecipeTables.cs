using System.Globalization;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Recipes;

/// <summary>A table made ready by a recipe, with its task and what was left out, in words.</summary>
public sealed record PreparedTable(Table Table, TabularTask Task, IReadOnlyList<string> Told);

/// <summary>Makes tables ready as a recipe says.</summary>
public static class RecipeTables
{
    const int ShownMax = 12;

    /// <summary>The kinds to read the table's columns as.</summary>
    public static IReadOnlyDictionary<string, ColumnKind> Kinds(RecipeTable recipe, Table table) =>
        recipe.Columns.SelectMany(columns => columns.Names.Select(name => (name, columns.Kind))).Where(pair => table.Find(pair.name) is { } column && column.Kind != pair.Kind)
            .ToDictionary(pair => pair.name, pair => pair.Kind, StringComparer.Ordinal);

    /// <summary>The table with columns by the names that the recipe knows; null with the problem and the mend where there is no such column.</summary>
    public static Table? Renamed(Table table, IReadOnlyDictionary<string, string> names, out string problem, out string mend)
    {
        (problem, mend) = ("", "");
        foreach (var (known, own) in names)
        {
            if (table.Find(own) is not { } column)
            {
                (problem, mend) = ($"there is no column '{own}' to take for '{known}'", $"name one of: {Shown(table)}");
                return null;
            }
            if (known != own && table.Find(known) is not null)
            {
                (problem, mend) = ($"there is a column '{known}' already", $"leave '{own}' its name");
                return null;
            }
            table = new Table([.. table.Columns.Select(other => other == column ? Named(column, known) : other)]);
        }
        return table;
    }

    /// <summary>Reads the table as the recipe says; null with the problem and the mend where it cannot be.</summary>
    public static PreparedTable? Prepare(RecipeTable recipe, Table table, out string problem, out string mend)
    {
        (problem, mend) = ("", "");
        var told = new List<string>();
        var columns = new List<Column>();
        foreach (var group in recipe.Columns)
        {
            foreach (var name in group.Names)
            {
                if (table.Find(name) is not { } column)
                {
                    if (group.Optional)
                        continue;
                    (problem, mend) = ($"there is no column '{name}'{(group.About is null ? "" : $" ({group.About})")}", $"add it, or name yours with --column {name}=YOURS; there are: {Shown(table)}");
                    return null;
                }
                if (column.Kind != group.Kind)
                {
                    (problem, mend) = ($"the column '{name}' holds {Words(column.Kind)}, and the recipe asks for {Words(group.Kind)}", "mend its values, or name another column");
                    return null;
                }
                columns.Add(WithoutMarks(column, group.Missing));
            }
        }
        string[] unread = [.. table.Columns.Select(column => column.Name).Where(name => columns.All(column => column.Name != name))];
        if (unread.Length > 0)
            told.Add($"columns that the recipe does not read: {string.Join(", ", unread.Take(ShownMax))}{(unread.Length > ShownMax ? ", …" : "")}");
        var read = new Table(columns);
        foreach (var (name, values) in recipe.LeaveOut)
        {
            int[] kept = [.. Enumerable.Range(0, read.RowCount).Where(row => read[name].Show(row) is not { } value || !values.Contains(value))];
            if (kept.Length == read.RowCount)
                continue;
            told.Add($"{read.RowCount - kept.Length} rows whose '{name}' the recipe leaves out");
            read = read.Take(kept);
        }
        var task = TaskOf(recipe, read);
        var selected = RowSelection.Of(read, task, recipe.ClassRowsMin, recipe.Deduplicate);
        return new PreparedTable(selected.Table, task, [.. told, .. selected.LeftOut]);
    }

    // A column that the table may lack is neither dropped nor told by where it does.
    static TabularTask TaskOf(RecipeTable recipe, Table table) => new(recipe.Target)
    {
        Positive = recipe.Positive,
        Drop = [.. recipe.Drop.Where(name => table.Find(name) is not null)],
        Group = recipe.Group,
        Text = recipe.Text,
        Subgroups = [.. recipe.Subgroups.Where(name => table.Find(name) is not null)],
        ManyClasses = recipe.Positive is null,
    };

    static Column WithoutMarks(Column column, IReadOnlyList<string> marks) => column switch
    {
        _ when marks.Count == 0 => column,
        NumberColumn numbers => numbers.WithMissing([.. marks.Select(mark => double.Parse(mark, CultureInfo.InvariantCulture))]),
        CategoryColumn or TextColumn when Enumerable.Range(0, column.Count).Select(row => column.Show(row) is { } value && !marks.Contains(value) ? value : null).ToArray() is var values =>
            column is TextColumn ? new TextColumn(column.Name, values) : CategoryColumn.Of(column.Name, values),
        _ => column,
    };

    static Column Named(Column column, string name) => column switch
    {
        NumberColumn numbers => new NumberColumn(name, numbers.Values.ToArray()),
        CategoryColumn categories => new CategoryColumn(name, categories.Codes.ToArray(), [.. categories.Levels]),
        DateColumn dates => new DateColumn(name, [.. Enumerable.Range(0, dates.Count).Select(row => dates[row])]),
        _ => new TextColumn(name, [.. Enumerable.Range(0, column.Count).Select(column.Show)]),
    };

    static string Words(ColumnKind kind) => kind switch { ColumnKind.Number => "numbers", ColumnKind.Category => "categories", ColumnKind.Date => "dates", _ => "text" };

    static string Shown(Table table) => string.Join(", ", table.Columns.Select(column => column.Name).Take(ShownMax)) + (table.Columns.Count > ShownMax ? ", …" : "");
}
