using Salus.Learning.Explain;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>A linear model's sum taken apart: the weight of each feature times its distance from the training rows' mean.</summary>
static class LinearExplanation
{
    public static IReadOnlyList<RowExplanation> Explain(TableClassifier model, Table table, int classIndex, int reasonsMax)
    {
        var (linear, features) = (model.Linear!, model.Preparation.Features);
        var rows = model.Preparation.TransformSparse(table);
        var basis = linear.Intercept(classIndex);
        for (var i = 0; i < features.Count; i++)
            basis += linear.Weight(classIndex, i) * model.Typical[i];
        return [.. Enumerable.Range(0, rows.RowCount).Select(row => new RowExplanation(basis, Top(row)))];

        IReadOnlyList<Contribution> Top(int row)
        {
            var shares = new double[features.Count];
            var values = new double[features.Count];
            var indices = rows.Indices(row);
            for (var i = 0; i < indices.Length; i++)
                values[indices[i]] = rows.Values(row)[i];
            for (var i = 0; i < shares.Length; i++)
                shares[i] = features[i].Kind == FeatureKind.Word && values[i] == 0 ? 0 : linear.Weight(classIndex, i) * (values[i] - model.Typical[i]);
            return
            [
                .. Enumerable.Range(0, shares.Length).Where(i => shares[i] != 0).OrderByDescending(i => Math.Abs(shares[i])).ThenBy(i => i).Take(reasonsMax)
                    .Select(i => new Contribution(features[i].Name, values[i], shares[i], features[i].Describe(values[i]))),
            ];
        }
    }

    /// <summary>The features whose weight, times their spread over the rows, is greatest.</summary>
    public static IReadOnlyList<FeatureImportance> Importance(TableClassifier model, CsrMatrix rows, int count)
    {
        var (_, deviations) = rows.Moments();
        var linear = model.Linear!;
        return
        [
            .. Enumerable.Range(0, deviations.Length)
                .Select(i => (Feature: i, Size: deviations[i] * Enumerable.Range(0, linear.ClassCount).Max(c => Math.Abs(linear.Weight(c, i)))))
                .Where(pair => pair.Size > 0).OrderByDescending(pair => pair.Size).ThenBy(pair => pair.Feature).Take(count)
                .Select(pair => new FeatureImportance(model.Preparation.Features[pair.Feature].Label, pair.Size)),
        ];
    }
}
