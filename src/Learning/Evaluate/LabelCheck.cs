using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Evaluate;

/// <summary>A feature that is the label in other clothes, or whose missing values were filled in by label.</summary>
static class LabelCheck
{
    const double MistakesShareMax = 0.02;
    const double RepeatsMin = 5;
    const int AmountsMin = 20;
    const double PureShare = 0.95;

    // A spike of one label among neighbours of the other must be less likely than this by chance.
    const double ChanceMax = 1e-9;

    public static IEnumerable<GuardFinding> Run(TaskRows rows)
    {
        foreach (var column in rows.Features.Columns.Where(column => column.Kind != ColumnKind.Text))
        {
            if (Determines(column, rows) is { } how)
            {
                yield return new GuardFinding(LeakKind.FeatureDeterminesLabel, [column.Name], rows.Labels.Length,
                    $"'{column.Name}' alone tells the label: {how}", $"leave it out (--drop {column.Name}), unless it is known before the outcome");
            }
            else if (column is NumberColumn numbers && Spikes(numbers, rows) is var spikes && (spikes.Select(spike => spike.Label).Distinct().Count() > 1 || spikes.Any(spike => IsBetween(spike.Value, numbers))))
            {
                yield return new GuardFinding(LeakKind.FeatureDeterminesLabel, [column.Name], spikes.Sum(spike => spike.Count),
                    $"'{column.Name}' is {string.Join(" and ", spikes.Select(spike => FormattableString.Invariant($"{spike.Value} in {spike.Count} rows of '{rows.Classes[spike.Label]}'")))}, among neighbours of other labels: missing values were filled in by label",
                    "leave missing values missing; they are filled within each fold");
            }
        }
    }

    static string? Determines(Column column, TaskRows rows)
    {
        var minority = rows.Labels.Length - rows.Labels.GroupBy(label => label).Max(group => group.Count());
        var allowed = MistakesShareMax * minority;
        var groups = Enumerable.Range(0, column.Count).GroupBy(row => column.Show(row) ?? "").Select(group => group.Select(row => rows.Labels[row]).ToArray()).ToArray();
        if (groups.Length > 1 && groups.Length * RepeatsMin <= column.Count)
        {
            var mistakes = groups.Sum(group => group.Length - group.GroupBy(label => label).Max(same => same.Count()));
            if (mistakes <= allowed)
                return $"its {groups.Length} values fail in {mistakes} rows";
        }
        var absent = Enumerable.Range(0, column.Count).GroupBy(column.IsMissing).Select(group => group.GroupBy(row => rows.Labels[row]).Max(same => same.Count())).ToArray();
        if (absent.Length == 2 && column.Count - absent.Sum() is var wrong && wrong <= allowed)
            return $"whether it is missing fails in {wrong} rows";
        return column is NumberColumn numbers && rows.Classes.Count == 2 && BestCut(numbers, rows.Labels) is var (cut, cutMistakes) && cutMistakes <= allowed
            ? FormattableString.Invariant($"one threshold at {cut} fails in {cutMistakes} rows") : null;
    }

    // Rows without a value stand on the side that suits them, as a tree would send them.
    static (double Cut, int Mistakes) BestCut(NumberColumn column, int[] labels)
    {
        var values = column.Values.ToArray();
        var known = Enumerable.Range(0, values.Length).Where(row => !double.IsNaN(values[row])).OrderBy(row => values[row]).ToArray();
        var missing = Enumerable.Range(0, values.Length).Where(row => double.IsNaN(values[row])).Select(row => labels[row]).ToArray();
        var spare = Math.Min(missing.Count(label => label == 1), missing.Count(label => label == 0));
        var (positives, total) = (0, known.Sum(row => labels[row]));
        var (best, cut) = (int.MaxValue, 0.0);
        for (var i = 0; i < known.Length; i++)
        {
            positives += labels[known[i]];
            if (i + 1 < known.Length && values[known[i + 1]] == values[known[i]])
                continue;
            var low = positives + (known.Length - i - 1 - (total - positives));
            var mistakes = Math.Min(low, known.Length - low) + spare;
            if (i + 1 < known.Length && mistakes < best)
                (best, cut) = (mistakes, values[known[i]]);
        }
        return (cut, best);
    }

    static List<(double Value, int Count, int Label)> Spikes(NumberColumn column, TaskRows rows)
    {
        var spikes = new List<(double Value, int Count, int Label)>();
        var values = column.Values.ToArray();
        var order = Enumerable.Range(0, values.Length).Where(row => !double.IsNaN(values[row])).OrderBy(row => values[row]).ToArray();
        var runs = Runs(order, values);
        if (runs.Count < AmountsMin)
            return spikes;
        foreach (var (start, count) in runs.Where(run => run.Count >= Math.Max(8, values.Length / 100)))
        {
            var (label, own) = Enumerable.Range(start, count).GroupBy(i => rows.Labels[order[i]]).Select(group => (group.Key, group.Count())).MaxBy(pair => pair.Item2);
            if (own < PureShare * count)
                continue;
            var reach = Math.Max(20, count / 2);
            var around = Enumerable.Range(start - reach, reach).Concat(Enumerable.Range(start + count, reach)).Where(i => i >= 0 && i < order.Length).ToArray();
            // A spike stands out of its surroundings: other values near it do not repeat nearly as often.
            var commonest = around.Length == 0 ? count : around.GroupBy(i => values[order[i]]).Max(group => group.Count());
            var share = (around.Count(i => rows.Labels[order[i]] == label) + 1.0) / (around.Length + 2);
            if (count >= 2 * commonest && (own * Math.Log(share)) + ((count - own) * Math.Log(count)) < Math.Log(ChanceMax))
                spikes.Add((values[order[start]], count, label));
        }
        return spikes;
    }

    // One value of one label may be a code of its own (died, transferred); a mean falls between the marks of the scale.
    static bool IsBetween(double value, NumberColumn column) =>
        value != Math.Floor(value) && !column.Values.ToArray().Any(other => !double.IsNaN(other) && other != value && other != Math.Floor(other));

    static List<(int Start, int Count)> Runs(int[] order, double[] values)
    {
        var runs = new List<(int Start, int Count)>();
        for (int i = 0, start = 0; i <= order.Length; i++)
        {
            if (i < order.Length && values[order[i]] == values[order[start]])
                continue;
            if (i > start)
                runs.Add((start, i - start));
            start = i;
        }
        return runs;
    }
}
