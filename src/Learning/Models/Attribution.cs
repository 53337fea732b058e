using Salus.Learning.Estimators;
using Salus.Learning.Explain;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>Which columns, and which words, move a model's predictions most.</summary>
static class Attribution
{
    const int RowsMax = 150;

    /// <summary>Those, most important first; none where the model explains no prediction.</summary>
    public static IReadOnlyList<FeatureImportance> Of(TableClassifier model, Table rows, int count)
    {
        if (model.Linear is not null)
            return LinearExplanation.Importance(model, model.Preparation.TransformSparse(rows), count);
        if (model.Dense is not IExplained explained)
            return [];
        var columns = new ColumnShares(model.Preparation.Features);
        var shares = Importance.MeanAbsolute(explained, model.Preparation.Transform(rows), model.ClassCount - 1, RowsMax, columns.Places);
        return
        [
            .. Enumerable.Range(0, columns.Count).Where(place => shares[place] > 0).OrderByDescending(place => shares[place]).ThenBy(place => place)
                .Take(count).Select(place => new FeatureImportance(columns.Label(place), shares[place])),
        ];
    }
}
