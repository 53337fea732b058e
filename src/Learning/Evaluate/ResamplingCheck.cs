using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Evaluate;

/// <summary>Traces of rows added to even out classes: copies of one class alone, or values between the marks of the scale in one class alone.</summary>
static class ResamplingCheck
{
    const double CopiesShareMin = 0.1;
    const double BetweenShareMin = 0.05;
    const double OtherShareMax = 0.001;

    public static IEnumerable<GuardFinding> Run(TaskRows rows)
    {
        const string Mend = "give the rows as they were recorded; weigh classes in training instead";
        if (Copied(rows) is var (copied, copies))
            yield return new GuardFinding(LeakKind.ResampledBeforeSplit, [], copies, $"{copies} rows are copies, all of '{rows.Classes[copied]}', and classes have as many rows: one was filled up before the split", Mend);
        for (var c = 0; c < rows.Classes.Count; c++)
        {
            var between = rows.Features.Columns.OfType<NumberColumn>().Where(column => IsBetween(column, rows.Labels, c)).Select(column => column.Name).ToArray();
            if (between.Length < 2)
                continue;
            yield return new GuardFinding(LeakKind.ResampledBeforeSplit, between, rows.Labels.Count(label => label == c),
                $"{string.Join(", ", between.Select(name => $"'{name}'"))} hold whole numbers, but numbers between them in rows of '{rows.Classes[c]}': rows were made up before the split", Mend);
        }
    }

    static (int Label, int Copies)? Copied(TaskRows rows)
    {
        var counts = Enumerable.Range(0, rows.Classes.Count).Select(c => rows.Labels.Count(label => label == c)).ToArray();
        if (counts.Max() > counts.Min() * 1.02)
            return null;
        var keys = RowKeys.Of(rows.Features);
        var surplus = Enumerable.Range(0, counts.Length).Select(c =>
        {
            var own = Enumerable.Range(0, keys.Length).Where(row => rows.Labels[row] == c).Select(row => keys[row]).ToArray();
            return own.Length - own.Distinct().Count();
        }).ToArray();
        var most = Array.IndexOf(surplus, surplus.Max());
        return surplus[most] >= CopiesShareMin * counts[most] && surplus.Min() <= 0.02 * counts.Min() ? (most, surplus[most]) : null;
    }

    static bool IsBetween(NumberColumn column, int[] labels, int label)
    {
        int own = 0, ownBetween = 0, other = 0, otherBetween = 0;
        for (var row = 0; row < labels.Length; row++)
        {
            if (column.IsMissing(row))
                continue;
            var between = column.Values[row] != Math.Floor(column.Values[row]);
            if (labels[row] == label)
                (own, ownBetween) = (own + 1, ownBetween + (between ? 1 : 0));
            else
                (other, otherBetween) = (other + 1, otherBetween + (between ? 1 : 0));
        }
        return own >= 20 && other >= 20 && ownBetween >= BetweenShareMin * own && otherBetween <= OtherShareMax * other;
    }
}
