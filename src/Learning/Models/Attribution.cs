using Salus.Learning.Estimators;
using Salus.Learning.Explain;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>Which features, words among them, move a model's predictions most.</summary>
static class Attribution
{
    const int RowsMax = 150;

    /// <summary>The features, most important first; none where the model explains no prediction.</summary>
    public static IReadOnlyList<FeatureImportance> Of(TableClassifier model, Table rows, int count)
    {
        if (model.Linear is not null)
            return LinearExplanation.Importance(model, model.Preparation.TransformSparse(rows), count);
        if (model.Dense is not IExplained explained)
            return [];
        var features = model.Preparation.Features;
        var shares = Importance.MeanAbsolute(explained, model.Preparation.Transform(rows), model.ClassCount - 1, RowsMax);
        return
        [
            .. Enumerable.Range(0, shares.Length).Where(feature => shares[feature] > 0).OrderByDescending(feature => shares[feature]).ThenBy(feature => feature)
                .Take(count).Select(feature => new FeatureImportance(features[feature].Label, shares[feature])),
        ];
    }
}
