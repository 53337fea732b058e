using System.Globalization;
using Salus.Learning;
using Salus.Learning.Anomaly;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Tests.Learning;

/// <summary>Figures on public data, beside those that scikit-learn reaches with as many folds.</summary>
[Trait("Data", "field")]
public sealed class FieldLearnerTests
{
    [Theory]
    [InlineData("pima_diabetes.csv", "outcome", "", "", 0.829)]
    [InlineData("pima_diabetes.csv", "outcome", "", "glucose,blood_pressure,skin_thickness,insulin,bmi", 0.829)]
    [InlineData("heart_cleveland.csv", "target", "num", "", 0.907)]
    [InlineData("heart_disease_4sites.csv", "target", "num,site", "chol,trestbps", 0.883)]
    [InlineData("wdbc.csv", "target", "", "", 0.995)]
    public void Logistic_regression_is_nowhere_far_below_the_known_figures(string file, string target, string drop, string zeroIsMissing, double known)
    {
        var table = FieldTables.Read(file);
        foreach (var name in zeroIsMissing.Split(',', StringSplitOptions.RemoveEmptyEntries))
            table = table.With(((NumberColumn)table[name]).WithMissing(0));
        var report = Evaluated(Rows(table, new TabularTask(target) { Drop = drop.Split(',', StringSplitOptions.RemoveEmptyEntries) }), Learners.Logistic(), repeats: 4);
        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"logistic {file} {report.AucMean:0.0000} ± {report.AucDeviation:0.000}, known {known}"));
        Assert.InRange(report.AucMean, known - 0.005, 1);
        Assert.InRange(report.Auc.Estimate, report.Auc.Low, report.Auc.High);
    }

    [Theory]
    [InlineData("text-linear", 0.882)]
    [InlineData("text-forest", 0.778)]
    [InlineData("text-bayes", 0.7)]
    public void Notes_are_sorted_into_specialties_as_well_as_known(string model, double known)
    {
        var rows = Specialties();
        Assert.Equal(13, rows.Classes.Count);
        var report = Evaluated(rows, Learners.Find(model, rows.Labels.Length)!, repeats: 1);
        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"{model} {rows.Labels.Length} notes, macro-F1 {report.MacroF1FoldMean:0.0000}, accuracy {report.Accuracy.Estimate:0.000}, Brier {report.Brier.Estimate:0.000}, log loss {report.LogLoss.Estimate:0.000}, known {known}"));
        Assert.InRange(report.MacroF1FoldMean, known - 0.005, 1);
    }

    [Theory]
    [InlineData("cardio", "isolation-forest", 0.932)]
    [InlineData("cardio", "ecod", 0.88)]
    [InlineData("mammography", "ecod", 0.900)]
    [InlineData("thyroid", "isolation-forest", 0.97)]
    [InlineData("thyroid", "knn", 0.95)]
    [InlineData("wdbc", "histogram", 0.95)]
    public void Anomalies_are_found_as_well_as_known(string set, string model, double known)
    {
        using var stream = File.OpenRead(FieldData.File("anomaly", $"ad_{set}.csv"));
        var table = Assert.IsType<CsvOutcome.Loaded>(CsvTable.Read(stream)).Table;
        var matrix = Preparation.Fit(table.Without("y"), new PreparationOptions()).Transform(table);
        var auc = Metrics.RocAuc(Detectors.Fit(model, matrix, 1)!.Score(matrix), FieldTables.Labels(table, "y"));
        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"{model} {set} {auc:0.0000}, known {known}"));
        Assert.InRange(auc, known - 0.005, 1);
    }

    [Theory]
    [InlineData("pima_diabetes.csv", "outcome", "")]
    [InlineData("heart_cleveland.csv", "target", "num")]
    [InlineData("heart_disease_4sites.csv", "target", "num")]
    [InlineData("wdbc.csv", "target", "")]
    [InlineData("ckd.csv", "target", "")]
    public void The_guard_has_nothing_against_tables_that_hold_no_leak(string file, string target, string drop) =>
        Assert.Empty(LeakageGuard.Examine(Rows(FieldTables.Read(file), new TabularTask(target) { Drop = drop.Split(',', StringSplitOptions.RemoveEmptyEntries) })));

    [Fact]
    public void The_guard_names_what_leaks_in_the_same_tables()
    {
        Assert.Contains(LeakageGuard.Examine(Rows(FieldTables.Read("heart_cleveland.csv"), new TabularTask("target"))), finding => finding is { Kind: LeakKind.FeatureDeterminesLabel, Columns: ["num"] });
        using var stream = File.OpenRead(FieldData.File("text", "mtsamples.csv"));
        var notes = Assert.IsType<CsvOutcome.Loaded>(CsvTable.Read(stream)).Table;
        var task = new TabularTask("medical_specialty") { Text = "transcription", ManyClasses = true };
        var naive = RowSelection.Of(notes, task, 5, deduplicate: false);
        Assert.Contains(LeakageGuard.Examine(Rows(naive.Table, task)), finding => finding is { Kind: LeakKind.DuplicateRows, Columns: ["transcription"] });
        Assert.Empty(LeakageGuard.Examine(Rows(RowSelection.Of(notes, task, 5, deduplicate: true).Table, task)));
    }

    [Fact]
    public void Readmission_is_refused_until_it_is_grouped_by_patient()
    {
        var table = FieldTables.Read("diabetes130.csv");
        int[] first = [.. Enumerable.Range(0, 20_000)];
        table = table.Take(first);
        var task = new TabularTask("readmitted") { Positive = "<30", Drop = ["encounter_id"] };
        Assert.Contains(LeakageGuard.Examine(Rows(table, task)), finding => finding is { Kind: LeakKind.PatientOnBothSides, Columns: ["patient_nbr"] });
        Assert.Contains(LeakageGuard.Examine(Rows(table, task with { Drop = ["encounter_id", "patient_nbr"] })), finding => finding.Kind == LeakKind.PatientOnBothSides);
        var report = Evaluated(Rows(table, task with { Group = "patient_nbr" }), Learners.Logistic(), repeats: 1, folds: 2);
        TestContext.Current.SendDiagnosticMessage(string.Create(CultureInfo.InvariantCulture, $"readmission {report.AucMean:0.0000}"));
        Assert.InRange(report.AucMean, 0.60, 0.75);
    }

    static TaskRows Specialties()
    {
        string[] general =
        [
            "Surgery", "Consult - History and Phy.", "SOAP / Chart / Progress Notes", "Discharge Summary", "Emergency Room Reports", "Office Notes", "Letters", "General Medicine",
            "Radiology", "Lab Medicine - Pathology", "IME-QME-Work Comp etc.", "Hospice - Palliative Care", "Autopsy", "Chiropractic", "Speech - Language",
        ];
        using var stream = File.OpenRead(FieldData.File("text", "mtsamples.csv"));
        var notes = Assert.IsType<CsvOutcome.Loaded>(CsvTable.Read(stream)).Table;
        var specialty = notes["medical_specialty"];
        notes = notes.Take([.. Enumerable.Range(0, notes.RowCount).Where(row => !general.Contains(specialty.Show(row)!))]);
        var task = new TabularTask("medical_specialty") { Text = "transcription", ManyClasses = true };
        return Rows(RowSelection.Of(notes, task, 50, deduplicate: true).Table, task);
    }

    static TaskRows Rows(Table table, TabularTask task)
    {
        var rows = TaskRows.Of(table, task, out var problem, out _);
        Assert.True(rows is not null, problem);
        return rows;
    }

    static EvaluationReport Evaluated(TaskRows rows, TableLearner learner, int repeats, int folds = 5)
    {
        var outcome = Evaluator.Run(rows, learner, new EvaluationOptions { Repeats = repeats, Folds = folds, Resamples = 100 });
        Assert.False(outcome is EvaluationOutcome.Guarded, string.Join("; ", (outcome as EvaluationOutcome.Guarded)?.Findings.Select(finding => finding.Message) ?? []));
        return Assert.IsType<EvaluationOutcome.Evaluated>(outcome).Report;
    }
}
