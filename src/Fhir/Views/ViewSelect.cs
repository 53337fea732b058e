using Salus.Fhir.FhirPath;

namespace Salus.Fhir.Views;

/// <summary>An expression with the element of the definition that holds it.</summary>
sealed record ViewPath(FhirPathExpression Expression, string Place);

/// <summary>How a select goes through items.</summary>
enum ViewIteration
{
    None,
    ForEach,
    ForEachOrNull,
    Repeat,
}

/// <summary>A compiled column and where its value stands in a row.</summary>
sealed record ViewCell(ViewPath Path, ViewColumn Column, int Index)
{
    public bool IsRowIndex => Path.Expression.Text.Trim() == "%rowIndex";

    public object? Evaluate(ViewRun run, FhirPathItem focus, int rowIndex)
    {
        var items = run.Evaluate(Path, focus, rowIndex);
        if (Column.IsCollection)
        {
            var values = new List<object?>(items.Count);
            foreach (var item in items)
            {
                if (ViewValue.Of(item, Column.Type, Path.Place) is { } value)
                {
                    values.Add(value);
                }
            }
            return values;
        }
        return items.Count switch
        {
            0 => null,
            1 => ViewValue.Of(items[0], Column.Type, Path.Place),
            var count => throw new ViewException(
                Path.Place, $"'{Column.Name}' has {count} values in one row; take one of them, such as with .first(), make a row of each with forEach, or set 'collection' to true"),
        };
    }
}

/// <summary>A compiled select. Branches of its union fill the same columns.</summary>
sealed record ViewSelect(ViewIteration Iteration, IReadOnlyList<ViewPath> Paths, IReadOnlyList<ViewCell> Cells, ViewSelect[] Selects, ViewSelect[] Union)
{
    /// <summary>All cells of it and of what nests in it.</summary>
    public IEnumerable<ViewCell> AllCells => [.. Cells, .. Selects.SelectMany(select => select.AllCells), .. Union.SelectMany(branch => branch.AllCells)];
}

/// <summary>A condition that a resource must meet.</summary>
sealed record ViewFilter(ViewPath Path)
{
    public bool Admits(ViewRun run)
    {
        var items = run.Evaluate(Path, run.Root, 0);
        return items.Count switch
        {
            0 => false,
            1 when items[0].Boolean is { } met => met,
            _ => throw new ViewException(Path.Place, $"'{Path.Expression.Text}' gives {(items.Count == 1 ? $"a {items[0].TypeName}" : $"{items.Count} values")}; a condition gives true or false, such as with .exists()"),
        };
    }
}
