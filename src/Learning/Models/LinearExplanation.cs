using Salus.Learning.Explain;
using Salus.Learning.Linear;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>A linear model's sum taken apart: the weight of each feature times its distance from the training rows' mean.</summary>
static class LinearExplanation
{
    public static IReadOnlyList<RowExplanation> Explain(TableClassifier model, Table table, int classIndex, int reasonsMax)
    {
        var (linear, features) = (model.Linear!, model.Preparation.Features);
        var rows = model.Preparation.TransformSparse(table);
        var columns = new ColumnShares(features);
        var basis = linear.Intercept(classIndex);
        for (var i = 0; i < features.Count; i++)
            basis += linear.Weight(classIndex, i) * model.Typical[i];
        return [.. Enumerable.Range(0, rows.RowCount).Select(row => new RowExplanation(basis, linear.ClassCount == 2 ? ExplanationScale.LogOdds : ExplanationScale.Margin, Top(row)))];

        IReadOnlyList<Contribution> Top(int row)
        {
            var shares = new double[features.Count];
            var values = new double[features.Count];
            var indices = rows.Indices(row);
            for (var i = 0; i < indices.Length; i++)
                values[indices[i]] = rows.Values(row)[i];
            for (var i = 0; i < shares.Length; i++)
                shares[i] = features[i].Kind == FeatureKind.Word && values[i] == 0 ? 0 : linear.Weight(classIndex, i) * (values[i] - model.Typical[i]);
            return columns.Top(table, row, shares, values, reasonsMax);
        }
    }

    /// <summary>The columns and words whose share of the sum is most spread over the rows: of a single feature its weight times its own spread.</summary>
    public static IReadOnlyList<FeatureImportance> Importance(TableClassifier model, CsrMatrix rows, int count)
    {
        var columns = new ColumnShares(model.Preparation.Features);
        var sizes = new double[columns.Count];
        var (typical, _) = rows.Moments();
        for (var c = 0; c < model.Linear!.ClassCount; c++)
        {
            foreach (var (place, deviation) in Deviations(model.Linear, rows, columns, typical, c).Index())
                sizes[place] = Math.Max(sizes[place], deviation);
        }
        return
        [
            .. Enumerable.Range(0, sizes.Length).Where(place => sizes[place] > 0).OrderByDescending(place => sizes[place]).ThenBy(place => place).Take(count)
                .Select(place => new FeatureImportance(columns.Label(place), sizes[place])),
        ];
    }

    /// <summary>By place, the spread of its share over the rows, about the mean that the features' own means give it.</summary>
    static double[] Deviations(LinearClassifier linear, CsrMatrix rows, ColumnShares columns, double[] typical, int classIndex)
    {
        var (means, squares, own) = (new double[columns.Count], new double[columns.Count], new double[columns.Count]);
        var (filled, touchedBy) = (new int[columns.Count], new int[columns.Count]);
        for (var i = 0; i < typical.Length; i++)
            means[columns.Places[i]] += linear.Weight(classIndex, i) * typical[i];
        for (var row = 0; row < rows.RowCount; row++)
        {
            var indices = rows.Indices(row);
            var values = rows.Values(row);
            for (var i = 0; i < indices.Length; i++)
                own[columns.Places[indices[i]]] += linear.Weight(classIndex, indices[i]) * values[i];
            foreach (var feature in indices)
            {
                var place = columns.Places[feature];
                if (touchedBy[place] == row + 1)
                    continue;
                touchedBy[place] = row + 1;
                filled[place]++;
                squares[place] += (own[place] - means[place]) * (own[place] - means[place]);
                own[place] = 0;
            }
        }
        return [.. squares.Select((square, place) => Math.Sqrt((square + ((rows.RowCount - filled[place]) * means[place] * means[place])) / rows.RowCount))];
    }
}
