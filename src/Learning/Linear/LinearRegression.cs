using Salus.Learning.Tables;

namespace Salus.Learning.Linear;

/// <summary>Least squares with an L2 penalty that leaves the intercept alone, by the normal equations on centred columns.</summary>
public sealed class LinearRegression
{
    /// <summary>Columns beyond this would need too much memory for the normal equations.</summary>
    public const int ColumnsMax = 4_096;

    readonly double[] weights;

    LinearRegression(double[] weights, double intercept)
    {
        this.weights = weights;
        Intercept = intercept;
    }

    /// <summary>The weight of each column.</summary>
    public IReadOnlyList<double> Weights => weights;

    /// <summary>The prediction for a row of zeros.</summary>
    public double Intercept { get; }

    /// <summary>Fits; <paramref name="penalty"/> is added to the diagonal (0 is plain least squares). Columns that others determine get the smallest weights that fit.</summary>
    public static LinearRegression Fit(CsrMatrix rows, double[] targets, double penalty = 0)
    {
        if (rows.RowCount != targets.Length || rows.RowCount == 0)
            throw new ArgumentException($"there are {rows.RowCount} rows and {targets.Length} targets; give as many of each, at least one");
        if (rows.ColumnCount is 0 or > ColumnsMax)
            throw new ArgumentException($"the rows have {rows.ColumnCount} columns; give 1 to {ColumnsMax}");
        if (!(penalty >= 0) || targets.Any(target => !double.IsFinite(target)))
            throw new ArgumentException("the penalty is negative or a target is not finite; give a penalty of 0 or more and finite targets");
        var (means, deviations) = rows.Moments();
        if (means.Any(mean => !double.IsFinite(mean)))
            throw new ArgumentException("a value is not finite; fill missing values first");
        var (mean, size) = (targets.Average(), rows.ColumnCount);
        var products = new double[size, size];
        var right = new double[size];
        for (var row = 0; row < rows.RowCount; row++)
        {
            var indices = rows.Indices(row);
            var values = rows.Values(row);
            for (var i = 0; i < indices.Length; i++)
            {
                right[indices[i]] += values[i] * (targets[row] - mean);
                for (var j = 0; j <= i; j++)
                    products[indices[i], indices[j]] += values[i] * values[j];
            }
        }
        for (var i = 0; i < size; i++)
        {
            for (var j = 0; j <= i; j++)
                products[i, j] -= rows.RowCount * means[i] * means[j];
            // A column that others determine leaves no pivot: a penalty below what rounding loses gives it one.
            products[i, i] += penalty + (1e-10 * rows.RowCount * Math.Max(deviations[i] * deviations[i], double.MinValue)) + 1e-30;
        }
        var weights = Solve(products, right);
        var intercept = mean;
        for (var i = 0; i < size; i++)
            intercept -= weights[i] * means[i];
        return new LinearRegression(weights, intercept);
    }

    /// <summary>The prediction for each row.</summary>
    public double[] Predict(CsrMatrix rows)
    {
        if (rows.ColumnCount != weights.Length)
            throw new ArgumentException($"the rows have {rows.ColumnCount} columns, the model was trained on {weights.Length}");
        var predicted = new double[rows.RowCount];
        for (var row = 0; row < predicted.Length; row++)
            predicted[row] = rows.Dot(row, weights) + Intercept;
        return predicted;
    }

    // Cholesky in place on the lower triangle.
    static double[] Solve(double[,] matrix, double[] right)
    {
        var size = right.Length;
        var solved = (double[])right.Clone();
        for (var j = 0; j < size; j++)
        {
            var pivot = matrix[j, j];
            for (var k = 0; k < j; k++)
                pivot -= matrix[j, k] * matrix[j, k];
            var root = pivot > 1e-14 * matrix[j, j] ? Math.Sqrt(pivot) : double.PositiveInfinity;
            matrix[j, j] = root;
            for (var i = j + 1; i < size; i++)
            {
                var sum = matrix[i, j];
                for (var k = 0; k < j; k++)
                    sum -= matrix[i, k] * matrix[j, k];
                matrix[i, j] = sum / root;
            }
        }
        for (var i = 0; i < size; i++)
        {
            for (var k = 0; k < i; k++)
                solved[i] -= matrix[i, k] * solved[k];
            solved[i] /= matrix[i, i];
        }
        for (var i = size - 1; i >= 0; i--)
        {
            for (var k = i + 1; k < size; k++)
                solved[i] -= matrix[k, i] * solved[k];
            solved[i] /= matrix[i, i];
        }
        return solved;
    }
}
