using Salus.Learning;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Tests.Learning;

/// <summary>The ways in which published figures came out too good, done on purpose to a table with a label of 0 and 1 in "outcome".</summary>
static class Leaks
{
    public static readonly TabularTask Task = new("outcome");

    public static TheoryData<string, LeakKind, double> All => new()
    {
        { nameof(RowsTwice), LeakKind.DuplicateRows, 0.88 },
        { nameof(FilledByLabel), LeakKind.FeatureDeterminesLabel, 0.84 },
        { nameof(PatientsOften), LeakKind.PatientOnBothSides, 0.88 },
        { nameof(LabelInDisguise), LeakKind.FeatureDeterminesLabel, 0.97 },
        { nameof(CodedByLabel), LeakKind.PreparedOutsideFolds, 0.88 },
        { nameof(FilledUp), LeakKind.ResampledBeforeSplit, 0.80 },
        { nameof(MadeUp), LeakKind.ResampledBeforeSplit, 0.78 },
        { nameof(KnownLater), LeakKind.DateAfterOutcome, 0.84 },
    };

    /// <summary>A table that leaks so, and the task on it.</summary>
    public static (Table Table, TabularTask Task) Make(string leak, Table table) => leak switch
    {
        nameof(RowsTwice) => (RowsTwice(table), Task),
        nameof(FilledByLabel) => (FilledByLabel(table), Task),
        nameof(PatientsOften) => (PatientsOften(table), Task with { Drop = ["patient_id"] }),
        nameof(LabelInDisguise) => (LabelInDisguise(table), Task),
        nameof(CodedByLabel) => (CodedByLabel(table), Task),
        nameof(FilledUp) => (FilledUp(table), Task),
        nameof(MadeUp) => (MadeUp(table), Task),
        _ => (KnownLater(table), Task with { OutcomeDate = "diagnosed" }),
    };

    static Table RowsTwice(Table table) => table.Take([.. Enumerable.Range(0, table.RowCount * 3).Select(i => i % table.RowCount)]);

    static Table FilledByLabel(Table table)
    {
        var labels = FieldTables.Labels(table, "outcome");
        foreach (var column in table.Columns.OfType<NumberColumn>().Where(column => column.Values.ToArray().Any(double.IsNaN)).ToArray())
        {
            var values = column.Values.ToArray();
            var means = Enumerable.Range(0, 2).Select(label => values.Where((value, row) => labels[row] == label && !double.IsNaN(value)).Average()).ToArray();
            table = table.With(new NumberColumn(column.Name, [.. values.Select((value, row) => double.IsNaN(value) ? means[labels[row]] : value)]));
        }
        return table;
    }

    static Table PatientsOften(Table table)
    {
        int[] rows = [.. Enumerable.Range(0, table.RowCount * 3).Select(i => i % table.RowCount)];
        var generator = new SeededGenerator(7);
        var often = table.Take(rows);
        foreach (var column in often.Columns.OfType<NumberColumn>().Where(column => column.Name is not "outcome").ToArray())
        {
            // One visit differs from the next by a little.
            var spread = column.Values.ToArray().Where(value => !double.IsNaN(value)).Max() / 200;
            often = often.With(new NumberColumn(column.Name, [.. column.Values.ToArray().Select(value => Math.Round(value + (generator.NextDouble() * spread), 3))]));
        }
        return often.With(CategoryColumn.Of("patient_id", [.. rows.Select(row => $"p{row}")]));
    }

    static Table LabelInDisguise(Table table)
    {
        var labels = FieldTables.Labels(table, "outcome");
        return table.With(CategoryColumn.Of("treated", [.. labels.Select((label, row) => label == 1 && row % 97 != 0 ? "yes" : "no")]));
    }

    static Table CodedByLabel(Table table)
    {
        var labels = FieldTables.Labels(table, "outcome");
        var codes = ((NumberColumn)table["pedigree"]).Values.ToArray();
        var shares = codes.Index().GroupBy(pair => pair.Item).ToDictionary(group => group.Key, group => group.Average(pair => labels[pair.Index]));
        return table.With(new NumberColumn("pedigree", [.. codes.Select(code => shares[code])]));
    }

    static Table FilledUp(Table table)
    {
        var (positives, missing) = Positives(table);
        return table.Take([.. Enumerable.Range(0, table.RowCount), .. Enumerable.Range(0, missing).Select(i => positives[i % positives.Length])]);
    }

    // SMOTE: rows between two of the rarer class.
    static Table MadeUp(Table table)
    {
        var (positives, missing) = Positives(table);
        var generator = new SeededGenerator(8);
        var pairs = Enumerable.Range(0, missing).Select(i => (One: positives[i % positives.Length], Other: positives[generator.NextInt(positives.Length)], Share: 0.02 * generator.NextDouble())).ToArray();
        return new Table([.. table.Columns.OfType<NumberColumn>().Select(column =>
            new NumberColumn(column.Name, [.. column.Values, .. pairs.Select(pair => column.Values[pair.One] + (pair.Share * (column.Values[pair.Other] - column.Values[pair.One])))]))]);
    }

    static Table KnownLater(Table table)
    {
        var labels = FieldTables.Labels(table, "outcome");
        var generator = new SeededGenerator(11);
        var diagnosed = Enumerable.Range(0, labels.Length).Select(i => (DateOnly?)new DateOnly(2020, 1, 1).AddDays(i % 300)).ToArray();
        // Most of those who have it are given medicine a while after; a few others have had some before, for another reason.
        return table.With(new DateColumn("diagnosed", diagnosed))
            .With(new DateColumn("medicine_started", [.. labels.Select((label, row) => generator.NextDouble() < (label == 1 ? 0.8 : 0.1) ? diagnosed[row]!.Value.AddDays(label == 1 ? 10 : -40) : (DateOnly?)null)]));
    }

    static (int[] Positives, int Missing) Positives(Table table)
    {
        var labels = FieldTables.Labels(table, "outcome");
        int[] positives = [.. Enumerable.Range(0, labels.Length).Where(row => labels[row] == 1)];
        return (positives, labels.Length - (2 * positives.Length));
    }

    /// <summary>A synthetic table of the shape of the Pima data: as many rows, as many missing values, about as hard.</summary>
    public static Table Synthetic()
    {
        var generator = new SeededGenerator(21);
        double Normal() => Enumerable.Range(0, 12).Sum(_ => generator.NextDouble()) - 6;
        var (glucose, pressure, skin, insulin, bmi, pedigree, age, outcome) = (new double[768], new double[768], new double[768], new double[768], new double[768], new double[768], new double[768], new double[768]);
        for (var i = 0; i < 768; i++)
        {
            var illness = Normal();
            glucose[i] = Math.Round(121 + (26 * ((0.8 * illness) + (0.6 * Normal()))));
            bmi[i] = Math.Round(32 + (7 * ((0.5 * illness) + (0.85 * Normal()))), 1);
            age[i] = Math.Round(33 + (9 * Math.Abs((0.4 * illness) + (0.9 * Normal()))));
            pressure[i] = Math.Round(72 + (12 * Normal()));
            skin[i] = generator.NextDouble() < 0.3 ? double.NaN : Math.Round(29 + (10 * Normal()));
            insulin[i] = generator.NextDouble() < 0.48 ? double.NaN : Math.Round(155 + (60 * ((0.4 * illness) + Normal())));
            pedigree[i] = Math.Round(0.1 + (0.3 * Math.Abs(Normal())), 3);
            outcome[i] = generator.NextDouble() < 1 / (1 + Math.Exp(1.3 - (3.5 * illness))) ? 1 : 0;
        }
        return new Table(
        [
            new NumberColumn("glucose", glucose), new NumberColumn("blood_pressure", pressure), new NumberColumn("skin_thickness", skin), new NumberColumn("insulin", insulin),
            new NumberColumn("bmi", bmi), new NumberColumn("pedigree", pedigree), new NumberColumn("age", age), new NumberColumn("outcome", outcome),
        ]);
    }

    /// <summary>The accuracy that the guard would not give, and what it says instead.</summary>
    public static (double Accuracy, IReadOnlyList<GuardFinding> Findings) Inflated(Table table, TabularTask task)
    {
        var rows = Rows(table, task);
        var guarded = Assert.IsType<EvaluationOutcome.Guarded>(Evaluate(rows, null));
        var evaluated = Assert.IsType<EvaluationOutcome.Evaluated>(Evaluate(rows, "to show what it would look like"));
        Assert.Equal("to show what it would look like", evaluated.Report.Override);
        Assert.Equal(guarded.Findings.Select(finding => finding.Message), evaluated.Report.Guard.Select(finding => finding.Message));
        return (evaluated.Report.Accuracy.Estimate, guarded.Findings);
    }

    /// <summary>The accuracy of the table as it is, which the guard has nothing against.</summary>
    public static double Honest(Table table) => Assert.IsType<EvaluationOutcome.Evaluated>(Evaluate(Rows(table, Task), null)).Report.Accuracy.Estimate;

    public static TaskRows Rows(Table table, TabularTask task)
    {
        var rows = TaskRows.Of(table, task, out var problem, out _);
        Assert.True(rows is not null, problem);
        return rows;
    }

    static EvaluationOutcome Evaluate(TaskRows rows, string? written)
    {
        var forest = Learners.Forest(60, rows.Labels.Length) with { Preparation = new PreparationOptions { Dates = true, MarkMissing = true } };
        return Evaluator.Run(rows, forest, new EvaluationOptions { Repeats = 1, Resamples = 50 }, written);
    }
}
