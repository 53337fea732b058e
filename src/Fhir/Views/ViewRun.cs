using Salus.Fhir.FhirPath;

namespace Salus.Fhir.Views;

/// <summary>One resource on its way through a view.</summary>
sealed class ViewRun
{
    const string RowIndexName = "rowIndex";
    const int RepeatDepthMax = 64;
    const int RepeatItemsMax = 100_000;

    readonly object?[] _row;
    readonly int _rowsMax;
    readonly Dictionary<string, FhirPathCollection> _variables;
    readonly EvaluationContext _context;

    public ViewRun(FhirPathItem root, int columns, IReadOnlyDictionary<string, FhirPathCollection> constants, ViewLimits limits, ViewScope scope)
    {
        Root = root;
        _row = new object?[columns];
        _rowsMax = limits.RowsMax;
        _variables = new Dictionary<string, FhirPathCollection>(constants);
        _context = new EvaluationContext
        {
            Resource = root,
            Variables = _variables,
            Clock = scope.Clock,
            Resolve = scope.Resolve is { } resolve ? reference => resolve(reference) is { } found ? FhirPathItem.Of(found) : null : null,
        };
    }

    public FhirPathItem Root { get; }

    public List<object?[]> Rows { get; } = [];

    public FhirPathCollection Evaluate(ViewPath path, FhirPathItem focus, int rowIndex)
    {
        _variables[RowIndexName] = new(FhirPathItem.Of(rowIndex));
        try
        {
            return path.Expression.Evaluate(focus, _context);
        }
        catch (FhirPathException fault)
        {
            throw new ViewException(path.Place, fault.Message);
        }
    }

    /// <summary>Adds the rows of the selects of a view: each beside each of the others.</summary>
    public void Emit(ViewSelect[] selects) => Beside(selects, [], 0, Root, 0, Add);

    void Add()
    {
        if (Rows.Count == _rowsMax)
        {
            throw new ViewException("ViewDefinition.select", $"one resource gives more than {_rowsMax} rows; nest fewer forEach beside each other");
        }
        Rows.Add((object?[])_row.Clone());
    }

    // The row is filled in place: what comes after a select runs once for each of its rows.
    void Run(ViewSelect select, FhirPathItem focus, int rowIndex, Action next)
    {
        if (select.Iteration == ViewIteration.None)
        {
            Fill(select, focus, rowIndex, next);
            return;
        }
        var items = ItemsOf(select, focus, rowIndex);
        for (var index = 0; index < items.Count; index++)
        {
            Fill(select, items[index], index, next);
        }
        if (items.Count == 0 && select.Iteration == ViewIteration.ForEachOrNull)
        {
            foreach (var cell in select.AllCells)
            {
                _row[cell.Index] = cell.IsRowIndex ? 0 : null;
            }
            next();
        }
    }

    void Fill(ViewSelect select, FhirPathItem focus, int rowIndex, Action next)
    {
        foreach (var cell in select.Cells)
        {
            _row[cell.Index] = cell.Evaluate(this, focus, rowIndex);
        }
        Beside(select.Selects, select.Union, 0, focus, rowIndex, next);
    }

    void Beside(ViewSelect[] selects, ViewSelect[] union, int at, FhirPathItem focus, int rowIndex, Action next)
    {
        if (at < selects.Length)
        {
            Run(selects[at], focus, rowIndex, () => Beside(selects, union, at + 1, focus, rowIndex, next));
            return;
        }
        if (union.Length == 0)
        {
            next();
            return;
        }
        foreach (var branch in union)
        {
            Run(branch, focus, rowIndex, next);
        }
    }

    IReadOnlyList<FhirPathItem> ItemsOf(ViewSelect select, FhirPathItem focus, int rowIndex)
    {
        if (select.Iteration != ViewIteration.Repeat)
        {
            return Evaluate(select.Paths[0], focus, rowIndex);
        }
        var found = new List<FhirPathItem>();
        Descend(select.Paths, focus, rowIndex, 0, found);
        return found;
    }

    // Each item comes before what lies below it.
    void Descend(IReadOnlyList<ViewPath> paths, FhirPathItem focus, int rowIndex, int depth, List<FhirPathItem> found)
    {
        foreach (var path in paths)
        {
            foreach (var item in Evaluate(path, focus, rowIndex))
            {
                if (depth == RepeatDepthMax || found.Count == RepeatItemsMax)
                {
                    throw new ViewException(path.Place, $"repeating '{path.Expression.Text}' does not end within {RepeatDepthMax} levels and {RepeatItemsMax} items; name a path that leads deeper");
                }
                found.Add(item);
                Descend(paths, item, rowIndex, depth + 1, found);
            }
        }
    }
}
