using Salus.Learning.Estimators;
using Salus.Learning.Tables;

namespace Salus.Learning.Explain;

/// <summary>A point of a partial dependence curve: the mean prediction were the feature <paramref name="Value"/> in every row.</summary>
public sealed record DependencePoint(double Value, double Mean);

/// <summary>What features do over many rows.</summary>
public static class Importance
{
    /// <summary>By feature, the mean absolute Shapley value over the matrix's rows; of more than <paramref name="rowsMax"/> rows, evenly spaced ones. Features of one place are summed first.</summary>
    public static double[] MeanAbsolute(IExplained model, FeatureMatrix matrix, int output, int rowsMax = 1_000, int[]? places = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rowsMax);
        var count = Math.Min(rowsMax, matrix.RowCount);
        var shares = new double[count][];
        Parallel.For(0, count, i => shares[i] = model.Explain(matrix.Row(RowAt(matrix, i, count)), output).Contributions);
        var means = new double[places is null ? matrix.Features.Count : places.Length == 0 ? 0 : places.Max() + 1];
        var own = new double[means.Length];
        foreach (var share in shares)
        {
            Array.Clear(own);
            for (var feature = 0; feature < share.Length; feature++)
                own[places?[feature] ?? feature] += share[feature];
            for (var place = 0; place < own.Length; place++)
                means[place] += Math.Abs(own[place]) / count;
        }
        return means;
    }

    /// <summary>Partial dependence (Friedman 2001) of the probability of one class at quantiles of the feature, or at each of its values where they are few.</summary>
    public static IReadOnlyList<DependencePoint> PartialDependence(IClassifier model, FeatureMatrix matrix, int feature, int classIndex, int points = 20, int rowsMax = 1_000)
    {
        var probabilities = new double[model.ClassCount];
        return PartialDependence(matrix, feature, points, rowsMax, row =>
        {
            model.Predict(row, probabilities);
            return probabilities[classIndex];
        });
    }

    /// <summary>Partial dependence (Friedman 2001) of the estimate.</summary>
    public static IReadOnlyList<DependencePoint> PartialDependence(IRegressor model, FeatureMatrix matrix, int feature, int points = 20, int rowsMax = 1_000) =>
        PartialDependence(matrix, feature, points, rowsMax, row => model.Predict(row));

    static List<DependencePoint> PartialDependence(FeatureMatrix matrix, int feature, int points, int rowsMax, Func<double[], double> predict)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(points, 2);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rowsMax);
        var count = Math.Min(rowsMax, matrix.RowCount);
        var rows = Enumerable.Range(0, count).Select(i => matrix.Row(RowAt(matrix, i, count))).ToArray();
        var curve = new List<DependencePoint>();
        foreach (var value in Grid(matrix, feature, points))
        {
            var sum = 0.0;
            foreach (var row in rows)
            {
                var own = row[feature];
                row[feature] = value;
                sum += predict(row);
                row[feature] = own;
            }
            curve.Add(new DependencePoint(value, sum / count));
        }
        return curve;
    }

    static double[] Grid(FeatureMatrix matrix, int feature, int points)
    {
        double[] known = [.. matrix.Column(feature).ToArray().Where(double.IsFinite).Order()];
        double[] distinct = [.. known.Distinct()];
        return distinct.Length <= points
            ? distinct
            : [.. Enumerable.Range(0, points).Select(i => known[(int)((long)i * (known.Length - 1) / (points - 1))]).Distinct()];
    }

    static int RowAt(FeatureMatrix matrix, int i, int count) => (int)((long)i * matrix.RowCount / count);
}
