using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Evaluate;

/// <summary>
/// Looks for the ways in which a table makes a model look better than it is. Every rule asks for evidence that chance
/// would not bring about, since a refusal that is wrong teaches people to override.
/// </summary>
public static class LeakageGuard
{
    /// <summary>Fewer rows carry no evidence.</summary>
    internal const int RowsMin = 40;

    /// <summary>Everything that was found, by kind.</summary>
    public static IReadOnlyList<GuardFinding> Examine(TaskRows rows)
    {
        if (rows.Labels.Length < RowsMin)
            return [];
        List<GuardFinding> findings =
        [
            .. DuplicateCheck.Run(rows), .. PatientCheck.Run(rows), .. LabelCheck.Run(rows), .. PreparationCheck.Run(rows),
            .. ResamplingCheck.Run(rows), .. DateCheck(rows),
        ];
        return [.. findings.OrderBy(finding => finding.Kind)];
    }

    /// <summary>What a split that somebody else made does wrong: rows alike, or groups, on both sides.</summary>
    public static IReadOnlyList<GuardFinding> ExamineSplit(TaskRows rows, ReadOnlySpan<int> folds)
    {
        var sides = folds.ToArray();
        var findings = new List<GuardFinding>();
        var keys = RowKeys.Of(rows.Features);
        var shared = Enumerable.Range(0, keys.Length).GroupBy(row => keys[row]).Where(group => group.Select(row => sides[row]).Distinct().Count() > 1).Sum(group => group.Count());
        if (shared > 0)
            findings.Add(new GuardFinding(LeakKind.DuplicateRows, [], shared, $"{shared} rows stand alike in more than one fold", "keep one of each, or keep them in one fold"));
        if (rows.Groups is { } groups)
        {
            var torn = Enumerable.Range(0, groups.Length).GroupBy(row => groups[row]).Where(group => group.Select(row => sides[row]).Distinct().Count() > 1).ToArray();
            if (torn.Length > 0)
            {
                findings.Add(new GuardFinding(LeakKind.PatientOnBothSides, [rows.Task.Group!], torn.Sum(group => group.Count()),
                    $"{torn.Length} values of '{rows.Task.Group}' stand in more than one fold", "split by them"));
            }
        }
        return findings;
    }

    static IEnumerable<GuardFinding> DateCheck(TaskRows rows)
    {
        if (rows.OutcomeDates is not { } outcome)
            yield break;
        foreach (var dates in rows.Features.Columns.OfType<DateColumn>())
        {
            var late = Enumerable.Range(0, dates.Count).Count(row => dates[row] > outcome[row]);
            if (late > 0)
            {
                yield return new GuardFinding(LeakKind.DateAfterOutcome, [dates.Name], late,
                    $"'{dates.Name}' lies after the outcome ('{outcome.Name}') in {late} rows", "leave out what was not yet known when the prediction is wanted");
            }
        }
    }
}
