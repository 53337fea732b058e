using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Evaluate;

/// <summary>Traces of a preparation that was fitted on all rows before they were split: exact moments, exact ranges, means of the rest, label shares.</summary>
static class PreparationCheck
{
    const int AmountsMin = 20;
    const double MomentsTolerance = 1e-3;
    const double ExactTolerance = 1e-6;

    public static IEnumerable<GuardFinding> Run(TaskRows rows)
    {
        const string Mend = "give the values as they were measured; they are prepared within each fold";
        var amounts = rows.Features.Columns.OfType<NumberColumn>().Select(column => new Amounts(column)).Where(amounts => amounts.Distinct >= AmountsMin).ToArray();
        var standardized = amounts.Where(column => column.IsStandardized).ToArray();
        if (standardized.Length >= 2)
            yield return Finding(standardized, "have a mean of 0 and a standard deviation of 1 over all rows: they were standardised before the split", Mend);
        var ranged = amounts.Where(column => column.IsRanged).ToArray();
        if (ranged.Length >= 3 && ranged.Length * 5 >= amounts.Length * 4)
            yield return Finding(ranged, "run from exactly 0 to exactly 1 over all rows: they were scaled before the split", Mend);
        var filled = amounts.Where(column => column.IsFilledWithMean).ToArray();
        if (filled.Length > 0)
            yield return Finding(filled, "repeat a value that is the mean of all others: missing values were filled before the split", Mend);
        foreach (var column in rows.Features.Columns.OfType<NumberColumn>())
        {
            if (Enumerable.Range(0, rows.Classes.Count).FirstOrDefault(label => IsLabelShare(column, rows.Labels, label), -1) is >= 0 and var label)
            {
                yield return new GuardFinding(LeakKind.PreparedOutsideFolds, [column.Name], rows.Labels.Length,
                    $"the values of '{column.Name}' are the shares of '{rows.Classes[label]}' among the rows that have them: categories were coded by label before the split", Mend);
            }
        }
    }

    static GuardFinding Finding(Amounts[] columns, string what, string mend)
    {
        string[] names = [.. columns.Select(column => column.Name)];
        return new GuardFinding(LeakKind.PreparedOutsideFolds, names, columns.Max(column => column.Count), $"{string.Join(", ", names.Select(name => $"'{name}'"))} {what}", mend);
    }

    static bool IsLabelShare(NumberColumn column, int[] labels, int label)
    {
        var groups = Enumerable.Range(0, column.Count).Where(row => !column.IsMissing(row)).GroupBy(row => column.Values[row]).ToArray();
        // 0 and 1 alone are the label itself, which has a finding of its own.
        return groups.Length >= 3 && groups.Any(group => group.Key is > 0 and < 1 && group.Count() > 1)
            && groups.All(group => Math.Abs(group.Key - ((double)group.Count(row => labels[row] == label) / group.Count())) < ExactTolerance);
    }

    sealed class Amounts
    {
        readonly double[] values;

        public Amounts(NumberColumn column)
        {
            Name = column.Name;
            values = [.. column.Values.ToArray().Where(value => !double.IsNaN(value))];
            Distinct = values.Distinct().Count();
        }

        public string Name { get; }

        public int Count => values.Length;

        public int Distinct { get; }

        public bool IsStandardized
        {
            get
            {
                var mean = values.Average();
                return Math.Abs(mean) < MomentsTolerance && Math.Abs(Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / values.Length) - 1) < MomentsTolerance + (1.0 / values.Length);
            }
        }

        public bool IsRanged => values.Min() == 0 && values.Max() == 1 && values.Any(value => value is > 0 and < 1);

        public bool IsFilledWithMean
        {
            get
            {
                var commonest = values.GroupBy(value => value).MaxBy(group => group.Count())!;
                var others = values.Where(value => value != commonest.Key).ToArray();
                // A mean falls between the marks of the scale that the others were measured on.
                return commonest.Count() >= 5 && others.Length > 0 && Math.Abs(commonest.Key - others.Average()) <= ExactTolerance * Math.Abs(commonest.Key)
                    && Decimals(commonest.Key) > others.Max(Decimals);
            }
        }

        static int Decimals(double value)
        {
            var scaled = Math.Abs(value);
            for (var decimals = 0; decimals < 10; decimals++, scaled *= 10)
            {
                if (Math.Abs(scaled - Math.Round(scaled)) < 1e-7 * Math.Max(1, scaled))
                    return decimals;
            }
            return 10;
        }
    }
}
