using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Evaluate;

/// <summary>A column that names patients, some in several rows, which the splits do not keep together.</summary>
static class PatientCheck
{
    const double DistinctShareMin = 0.02;

    static readonly HashSet<string> People = new(StringComparer.Ordinal) { "patient", "subject", "person", "participant", "individual", "member" };
    static readonly HashSet<string> Numbers = new(StringComparer.Ordinal) { "id", "ids", "nbr", "no", "num", "nr", "number", "key", "code", "identifier", "uuid", "hash" };
    static readonly HashSet<string> Alone = new(StringComparer.Ordinal) { "mrn", "ssn", "nhs", "pid", "subjectid", "patientid", "personid" };

    public static IEnumerable<GuardFinding> Run(TaskRows rows)
    {
        // By time, what a patient was before is what a model would know of them.
        if (rows.Times is not null)
            yield break;
        foreach (var column in rows.Whole.Columns.Where(column => column.Name != rows.Task.Target && column.Name != rows.Task.Group && NamesPatients(column.Name)))
        {
            var patients = Enumerable.Range(0, column.Count).Where(row => !column.IsMissing(row)).GroupBy(row => column.Show(row)!).Select(group => group.ToArray()).ToArray();
            var several = patients.Where(patient => patient.Length > 1 && (rows.Groups is null || patient.Select(row => rows.Groups[row]).Distinct().Count() > 1)).ToArray();
            if (several.Length == 0 || patients.Length < Math.Max(10, DistinctShareMin * column.Count))
                continue;
            yield return new GuardFinding(LeakKind.PatientOnBothSides, [column.Name], several.Sum(patient => patient.Length),
                $"{several.Length} values of '{column.Name}' stand in several rows, which folds would tear apart", $"keep them together (--group {column.Name})");
        }
    }

    static bool NamesPatients(string name)
    {
        var parts = name.ToLowerInvariant().Split(['_', ' ', '-', '.', '(', ')'], StringSplitOptions.RemoveEmptyEntries);
        return parts.Any(Alone.Contains) || (parts.Any(People.Contains) && (parts.Length == 1 || parts.Any(Numbers.Contains)));
    }
}
