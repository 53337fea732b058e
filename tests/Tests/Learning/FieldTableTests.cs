using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Tables;
using Xunit;

namespace Salus.Tests.Learning;

[Trait("Data", "field")]
public sealed class FieldTableTests
{
    [Fact]
    public void Pima_is_predicted_as_well_as_honest_cross_validation_allows_and_no_better()
    {
        var table = FieldTables.Read("pima_diabetes.csv");
        foreach (var name in new[] { "glucose", "blood_pressure", "skin_thickness", "insulin", "bmi" })
            table = table.With(((NumberColumn)table[name]).WithMissing(0));
        var report = Validate(table, "outcome", [], 3);

        Assert.Equal((768, 268), (report.Rows, report.ClassRows[1]));
        Assert.InRange(report.Accuracy.Estimate, 0.74, 0.79);
        Assert.InRange(report.AucMean, 0.805, 0.845);
        Assert.InRange(report.Majority, 0.65, 0.652);
        Assert.InRange(report.Auc.Estimate, report.Auc.Low, report.Auc.High);
    }

    [Fact]
    public void Wisconsin_breast_cancer_is_told_apart_almost_wholly()
    {
        var report = Validate(FieldTables.Read("wdbc.csv"), "target", [], 2);
        Assert.InRange(report.AucMean, 0.985, 0.997);
        Assert.InRange(report.Accuracy.Estimate, 0.94, 0.98);
    }

    [Fact]
    public void Cleveland_heart_disease_is_predicted_in_the_known_range()
    {
        var report = Validate(FieldTables.Read("heart_cleveland.csv"), "target", ["num"], 3);
        Assert.InRange(report.AucMean, 0.885, 0.925);
    }

    [Fact]
    public void Chronic_kidney_disease_with_its_many_missing_values_is_told_apart_almost_wholly()
    {
        var table = FieldTables.Read("ckd.csv");
        Assert.Equal(400, table.RowCount);
        Assert.Equal(ColumnKind.Category, table["rbc"].Kind);
        Assert.Equal(152, ColumnSummary.Of(table["rbc"]).Missing);
        var report = Validate(table, "target", [], 2);
        Assert.InRange(report.AucMean, 0.99, 1.0);
    }

    static EvaluationReport Validate(Table table, string target, string[] dropped, int repeats)
    {
        var rows = TaskRows.Of(table, new TabularTask(target) { Drop = dropped, Positive = "1" }, out var problem, out _);
        Assert.True(rows is not null, problem);
        var outcome = Evaluator.Run(rows, Learners.Forest(200, rows.Labels.Length), new EvaluationOptions { Repeats = repeats });
        Assert.True(outcome is EvaluationOutcome.Evaluated, outcome.ToString());
        return ((EvaluationOutcome.Evaluated)outcome).Report;
    }
}
