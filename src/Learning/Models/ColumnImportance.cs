using Salus.Learning.Evaluate;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>Importance by permutation (Breiman 2001) of a table's columns, whatever the model: the loss of AUC when one column's values change places.</summary>
public static class ColumnImportance
{
    const int RowsMax = 4_000;
    const int Rounds = 3;

    /// <summary>The columns that matter most, most important first; for a linear model of text, the terms whose weights move it most.</summary>
    public static IReadOnlyList<FeatureImportance> Of(TableClassifier model, TaskRows rows, ulong seed, int count = 30)
    {
        if (rows.Task.Text is not null && model.Linear is not null)
            return LinearExplanation.Importance(model, model.Preparation.TransformSparse(rows.Features), count);
        var generator = SeededGenerator.For(seed, 0x696D706F7274);
        int[] sample = [.. Enumerable.Range(0, rows.Labels.Length)];
        generator.Shuffle<int>(sample);
        sample = sample[..Math.Min(sample.Length, RowsMax)];
        var (table, labels) = (rows.Features.Take(sample), Array.ConvertAll(sample, row => rows.Labels[row]));
        if (labels.Distinct().Count() < 2)
            return [];
        double Auc(Table given) => ClassMetrics.RocAuc(model.Predict(given), labels, rows.Classes.Count);
        var whole = Auc(table);
        return
        [
            .. model.Preparation.Columns.Keys.Select(name => new FeatureImportance(name, whole - Enumerable.Range(0, Rounds).Average(_ => Auc(table.With(Shuffled(table[name], generator))))))
                .OrderByDescending(entry => entry.Importance).ThenBy(entry => entry.Feature, StringComparer.Ordinal).Take(count),
        ];
    }

    static Column Shuffled(Column column, SeededGenerator generator)
    {
        int[] order = [.. Enumerable.Range(0, column.Count)];
        generator.Shuffle<int>(order);
        return column.Take(order);
    }
}
