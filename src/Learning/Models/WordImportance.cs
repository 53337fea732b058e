using Salus.Learning.Estimators;
using Salus.Learning.Explain;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>Which words of text columns move a model's predictions most.</summary>
static class WordImportance
{
    const int RowsMax = 150;

    /// <summary>The words, most important first; none where the model reads no text or explains no prediction.</summary>
    public static IReadOnlyList<FeatureImportance> Of(TableClassifier model, Table rows, int count)
    {
        var features = model.Preparation.Features;
        var words = Enumerable.Range(0, features.Count).Where(feature => features[feature].Kind == FeatureKind.Word).ToArray();
        if (words.Length == 0)
            return [];
        if (model.Linear is not null)
        {
            var named = words.Select(feature => features[feature].Label).ToHashSet(StringComparer.Ordinal);
            return [.. LinearExplanation.Importance(model, model.Preparation.TransformSparse(rows), int.MaxValue).Where(entry => named.Contains(entry.Feature)).Take(count)];
        }
        if (model.Dense is not IExplained explained)
            return [];
        var shares = Importance.MeanAbsolute(explained, model.Preparation.Transform(rows), model.ClassCount - 1, RowsMax);
        return
        [
            .. words.Where(feature => shares[feature] > 0).OrderByDescending(feature => shares[feature]).ThenBy(feature => features[feature].Label, StringComparer.Ordinal)
                .Take(count).Select(feature => new FeatureImportance(features[feature].Label, shares[feature])),
        ];
    }
}
