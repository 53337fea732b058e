using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Evaluate;

/// <summary>Rows alike in every feature, more than tables of so few different values hold by chance.</summary>
static class DuplicateCheck
{
    const double ShareMin = 0.005;
    const double ChanceFactor = 30;

    public static IEnumerable<GuardFinding> Run(TaskRows rows)
    {
        var keys = RowKeys.Of(rows.Features);
        var alike = Enumerable.Range(0, keys.Length).GroupBy(row => keys[row]).Select(group => group.ToArray())
            // Rows of one patient stay on one side whatever they hold.
            .Where(group => group.Length > 1 && (rows.Groups is null || group.Select(row => rows.Groups[row]).Distinct().Count() > 1)).ToArray();
        var twins = alike.Sum(group => group.Length);
        var pairs = alike.Sum(group => group.Length * (group.Length - 1.0) / 2);
        if (twins < Math.Max(4, ShareMin * keys.Length) || pairs < ChanceFactor * ByChance(rows.Features))
            yield break;
        yield return new GuardFinding(LeakKind.DuplicateRows, rows.Task.Text is { } text ? [text] : [], twins,
            $"{twins} of {keys.Length} rows stand more than once ({alike.Length} different ones), so that folds would share them",
            "keep one of each (--deduplicate), or name the column that groups them");
    }

    // The pairs alike in all columns if columns had nothing to do with each other. Texts are never alike by chance.
    static double ByChance(Table table)
    {
        var pairs = table.RowCount * (table.RowCount - 1.0) / 2;
        foreach (var column in table.Columns)
        {
            var keys = RowKeys.Of(new Table([column]));
            pairs *= column.Kind == ColumnKind.Text ? 0 : keys.GroupBy(key => key).Sum(group => (double)group.Count() * (group.Count() - 1)) / (keys.Length * (keys.Length - 1.0));
        }
        return pairs;
    }
}
