using Salus.Learning.Tables;

namespace Salus.Learning.Text;

/// <summary>Weighs the terms found in texts.</summary>
static class TextRows
{
    /// <summary>Texts handled in one piece of parallel work.</summary>
    public const int Block = 64;

    /// <summary>Sorts the columns found, counts repeats, and weighs the counts.</summary>
    public static (int[] Columns, double[] Values) Weigh(Span<int> found, ReadOnlySpan<double> weights, TextOptions options)
    {
        found.Sort();
        var distinct = 0;
        for (var i = 0; i < found.Length; i++)
            distinct += i == 0 || found[i] != found[i - 1] ? 1 : 0;
        var (columns, values) = (new int[distinct], new double[distinct]);
        var squares = 0.0;
        for (int i = 0, at = 0; i < found.Length; at++)
        {
            var begin = i;
            while (i < found.Length && found[i] == found[begin])
                i++;
            columns[at] = found[begin];
            double count = i - begin;
            values[at] = (options.Sublinear ? 1 + Math.Log(count) : count) * (options.InverseFrequency ? weights[found[begin]] : 1);
            squares += values[at] * values[at];
        }
        if (options.Normalize && squares > 0)
        {
            var factor = 1 / Math.Sqrt(squares);
            for (var i = 0; i < values.Length; i++)
                values[i] *= factor;
        }
        return (columns, values);
    }

    /// <summary>The rows as one matrix.</summary>
    public static CsrMatrix Join((int[] Columns, double[] Values)[] rows, int columnCount)
    {
        var starts = new int[rows.Length + 1];
        for (var row = 0; row < rows.Length; row++)
            starts[row + 1] = checked(starts[row] + rows[row].Columns.Length);
        var (indices, values) = (new int[starts[^1]], new double[starts[^1]]);
        for (var row = 0; row < rows.Length; row++)
        {
            rows[row].Columns.CopyTo(indices, starts[row]);
            rows[row].Values.CopyTo(values, starts[row]);
        }
        return new CsrMatrix(columnCount, starts, indices, values);
    }

    /// <summary>The smoothed inverse frequency of terms that are in so many of the texts.</summary>
    public static double[] InverseFrequencies(ReadOnlySpan<int> documents, int texts)
    {
        var weights = new double[documents.Length];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = Math.Log((1.0 + texts) / (1.0 + documents[i])) + 1;
        return weights;
    }
}
