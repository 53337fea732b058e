namespace Salus.Learning.Tables;

/// <summary>A columnar, typed table: columns of one length with distinct names.</summary>
public sealed class Table
{
    readonly Dictionary<string, Column> byName = new(StringComparer.Ordinal);

    /// <summary>Takes columns of one length with distinct names.</summary>
    public Table(IReadOnlyList<Column> columns)
    {
        foreach (var column in columns)
        {
            if (column.Count != columns[0].Count)
                throw new ArgumentException($"column '{column.Name}' has {column.Count} rows, '{columns[0].Name}' has {columns[0].Count}");
            if (!byName.TryAdd(column.Name, column))
                throw new ArgumentException($"two columns are named '{column.Name}'");
        }
        Columns = [.. columns];
        RowCount = columns.Count == 0 ? 0 : columns[0].Count;
    }

    /// <summary>The columns in their order.</summary>
    public IReadOnlyList<Column> Columns { get; }

    /// <summary>The number of rows.</summary>
    public int RowCount { get; }

    /// <summary>The column of that name, or null.</summary>
    public Column? Find(string name) => byName.GetValueOrDefault(name);

    /// <summary>The column of that name.</summary>
    public Column this[string name] =>
        Find(name) ?? throw new KeyNotFoundException($"no column '{name}'; there are: {string.Join(", ", byName.Keys)}");

    /// <summary>The rows given, in that order.</summary>
    public Table Take(ReadOnlySpan<int> rows)
    {
        var taken = new Column[Columns.Count];
        for (var i = 0; i < taken.Length; i++)
            taken[i] = Columns[i].Take(rows);
        return new Table(taken);
    }

    /// <summary>The table without the columns named.</summary>
    public Table Without(params IEnumerable<string> names)
    {
        var dropped = names.ToHashSet(StringComparer.Ordinal);
        return new Table([.. Columns.Where(column => !dropped.Contains(column.Name))]);
    }

    /// <summary>The table with <paramref name="column"/> in place of the one of its name, or added at the end.</summary>
    public Table With(Column column) =>
        Find(column.Name) is null
            ? new Table([.. Columns, column])
            : new Table([.. Columns.Select(old => old.Name == column.Name ? column : old)]);
}
