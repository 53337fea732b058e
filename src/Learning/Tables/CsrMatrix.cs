namespace Salus.Learning.Tables;

/// <summary>Numbers by row in compressed sparse rows: what is not stored is zero. Columns ascend within a row.</summary>
public sealed class CsrMatrix
{
    readonly int[] starts;
    readonly int[] indices;
    readonly double[] values;

    internal CsrMatrix(int columnCount, int[] starts, int[] indices, double[] values)
    {
        ColumnCount = columnCount;
        this.starts = starts;
        this.indices = indices;
        this.values = values;
    }

    /// <summary>The number of rows.</summary>
    public int RowCount => starts.Length - 1;

    /// <summary>The number of columns.</summary>
    public int ColumnCount { get; }

    /// <summary>How many numbers are stored.</summary>
    public int StoredCount => starts[^1];

    /// <summary>The columns stored in a row, ascending.</summary>
    public ReadOnlySpan<int> Indices(int row) => indices.AsSpan(starts[row], starts[row + 1] - starts[row]);

    /// <summary>The values stored in a row, in the order of <see cref="Indices"/>.</summary>
    public ReadOnlySpan<double> Values(int row) => values.AsSpan(starts[row], starts[row + 1] - starts[row]);

    /// <summary>The rows given, in that order.</summary>
    public CsrMatrix Take(ReadOnlySpan<int> rows)
    {
        var builder = new CsrBuilder(ColumnCount);
        foreach (var row in rows)
            builder.AddRow(Indices(row), Values(row));
        return builder.Build();
    }

    /// <summary>A matrix of plain rows; zeros are not stored.</summary>
    public static CsrMatrix OfRows(IReadOnlyList<double[]> rows)
    {
        var builder = new CsrBuilder(rows.Count == 0 ? 0 : rows[0].Length);
        foreach (var row in rows)
        {
            for (var i = 0; i < row.Length; i++)
                builder.Add(i, row[i]);
            builder.EndRow();
        }
        return builder.Build();
    }

    /// <summary>The product of a row with a dense vector, in four sums that need not wait for each other.</summary>
    internal double Dot(int row, ReadOnlySpan<double> vector)
    {
        var columns = Indices(row);
        var numbers = Values(row);
        double a = 0, b = 0, c = 0, d = 0;
        var i = 0;
        for (; i + 4 <= columns.Length && i + 4 <= numbers.Length; i += 4)
        {
            a += numbers[i] * vector[columns[i]];
            b += numbers[i + 1] * vector[columns[i + 1]];
            c += numbers[i + 2] * vector[columns[i + 2]];
            d += numbers[i + 3] * vector[columns[i + 3]];
        }
        for (; i < columns.Length; i++)
            a += numbers[i] * vector[columns[i]];
        return (a + b) + (c + d);
    }

    /// <summary>Adds a row, times <paramref name="factor"/>, to a dense vector.</summary>
    internal void AddTo(int row, double factor, Span<double> vector)
    {
        var columns = Indices(row);
        var numbers = Values(row);
        for (var i = 0; i < columns.Length; i++)
            vector[columns[i]] += factor * numbers[i];
    }

    /// <summary>The matrix with each column multiplied by its factor.</summary>
    internal CsrMatrix Scaled(ReadOnlySpan<double> factors)
    {
        var scaled = new double[starts[^1]];
        for (var i = 0; i < scaled.Length; i++)
            scaled[i] = values[i] * factors[indices[i]];
        return new CsrMatrix(ColumnCount, starts, indices, scaled);
    }

    /// <summary>The mean and the standard deviation of each column, zeros included.</summary>
    internal (double[] Means, double[] Deviations) Moments()
    {
        var means = new double[ColumnCount];
        var squares = new double[ColumnCount];
        var filled = new int[ColumnCount];
        for (var i = 0; i < starts[^1]; i++)
        {
            means[indices[i]] += values[i];
            filled[indices[i]]++;
        }
        for (var c = 0; c < means.Length; c++)
        {
            means[c] /= RowCount;
            squares[c] = (RowCount - filled[c]) * means[c] * means[c];
        }
        for (var i = 0; i < starts[^1]; i++)
        {
            var gap = values[i] - means[indices[i]];
            squares[indices[i]] += gap * gap;
        }
        return (means, Array.ConvertAll(squares, square => Math.Sqrt(square / RowCount)));
    }
}

/// <summary>Builds a <see cref="CsrMatrix"/> row by row; columns of a row must ascend.</summary>
sealed class CsrBuilder(int columnCount)
{
    readonly List<int> starts = [0];
    readonly List<int> indices = [];
    readonly List<double> values = [];

    public void Add(int column, double value)
    {
        if (value == 0)
            return;
        indices.Add(column);
        values.Add(value);
    }

    public void EndRow() => starts.Add(indices.Count);

    public void AddRow(ReadOnlySpan<int> columns, ReadOnlySpan<double> row)
    {
        indices.AddRange(columns);
        values.AddRange(row);
        EndRow();
    }

    public CsrMatrix Build() => new(columnCount, [.. starts], [.. indices], [.. values]);
}
