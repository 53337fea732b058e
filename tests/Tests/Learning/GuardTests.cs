using Salus.Learning;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Tests.Learning;

public sealed class GuardTests
{
    static readonly Table Plain = Leaks.Synthetic();

    public static TheoryData<string, LeakKind, double> Cases => Leaks.All;

    [Fact]
    public void Honest_figures_of_the_same_table_are_ordinary_and_nothing_is_found() => Assert.InRange(Leaks.Honest(Plain), 0.70, 0.80);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_way_of_leaking_inflates_the_figures_and_is_named_and_refused(string leak, LeakKind kind, double accuracyMin)
    {
        var (table, task) = Leaks.Make(leak, Plain);
        var (accuracy, findings) = Leaks.Inflated(table, task);
        Assert.InRange(accuracy, accuracyMin, 1);
        Assert.Contains(findings, finding => finding.Kind == kind);
        Assert.All(findings, finding => Assert.True(finding is { Rows: > 0, Message.Length: > 20, Mend.Length: > 10 }));
    }

    [Fact]
    public void What_is_prepared_before_the_split_is_seen_by_its_exact_moments()
    {
        Table Each(Func<double[], Func<double, double>> prepare) => new(
        [
            .. Plain.Columns.OfType<NumberColumn>().Select(column => column.Name == "outcome"
                ? column
                : new NumberColumn(column.Name, [.. column.Values.ToArray().Select(prepare([.. column.Values.ToArray().Where(value => !double.IsNaN(value))]))])),
        ]);
        var standardized = Each(known =>
        {
            var mean = known.Average();
            var deviation = Math.Sqrt(known.Average(value => Math.Pow(value - mean, 2)));
            return value => (value - mean) / deviation;
        });
        var ranged = Each(known =>
        {
            var (least, most) = (known.Min(), known.Max());
            return value => (value - least) / (most - least);
        });
        var filled = Each(known =>
        {
            var mean = known.Average();
            return value => double.IsNaN(value) ? mean : value;
        });
        foreach (var table in new[] { standardized, ranged, filled })
            Assert.Contains(LeakageGuard.Examine(Leaks.Rows(table, Leaks.Task)), finding => finding.Kind == LeakKind.PreparedOutsideFolds);
    }

    [Fact]
    public void Few_values_alike_by_chance_are_no_duplicates()
    {
        var generator = new SeededGenerator(12);
        Column Coin(string name) => new NumberColumn(name, [.. Enumerable.Range(0, 400).Select(_ => (double)generator.NextInt(3))]);
        var table = new Table([Coin("a"), Coin("b"), Coin("c"), new NumberColumn("outcome", [.. Enumerable.Range(0, 400).Select(_ => (double)generator.NextInt(2))])]);
        Assert.Empty(LeakageGuard.Examine(Leaks.Rows(table, Leaks.Task)));
    }

    [Fact]
    public void Grouping_by_the_patient_is_the_mend()
    {
        var (table, _) = Leaks.Make("PatientsOften", Plain);
        Assert.Empty(LeakageGuard.Examine(Leaks.Rows(table, Leaks.Task with { Group = "patient_id" })));
        var other = table.With(CategoryColumn.Of("ward", [.. Enumerable.Range(0, table.RowCount).Select(row => $"w{row % 30}")]));
        Assert.Contains(LeakageGuard.Examine(Leaks.Rows(other, Leaks.Task with { Group = "ward" })), finding => finding is { Kind: LeakKind.PatientOnBothSides, Columns: ["patient_id"] });
    }

    [Fact]
    public void A_split_that_somebody_else_made_is_examined_too()
    {
        var (table, _) = Leaks.Make("PatientsOften", Plain);
        var rows = Leaks.Rows(table, Leaks.Task with { Group = "patient_id" });
        Assert.Empty(LeakageGuard.ExamineSplit(rows, Folds.StratifiedGrouped(rows.Labels, rows.Groups, 2, 5, 1)));
        var finding = Assert.Single(LeakageGuard.ExamineSplit(rows, Folds.Stratified(rows.Labels, 2, 5, 1)));
        Assert.Equal((LeakKind.PatientOnBothSides, "patient_id"), (finding.Kind, finding.Columns.Single()));
        var twice = Leaks.Rows(Leaks.Make("RowsTwice", Plain).Table, Leaks.Task);
        Assert.Equal(LeakKind.DuplicateRows, Assert.Single(LeakageGuard.ExamineSplit(twice, Folds.Stratified(twice.Labels, 2, 5, 1))).Kind);
    }

    [Fact]
    public void The_same_note_under_two_labels_is_found_and_can_be_left_out()
    {
        string[] notes = [.. Enumerable.Range(0, 100).Select(i => $"note {i % 80} tells of a knee and a hip")];
        var table = new Table([new TextColumn("note", notes), CategoryColumn.Of("kind", [.. Enumerable.Range(0, 100).Select(i => i % 3 == 0 ? "a" : i % 3 == 1 ? "b" : "c")])]);
        var task = new TabularTask("kind") { Text = "note", ManyClasses = true };
        Assert.Equal((LeakKind.DuplicateRows, 40), LeakageGuard.Examine(Leaks.Rows(table, task)).Select(finding => (finding.Kind, finding.Rows)).Single());
        var selected = RowSelection.Of(table, task, 2, deduplicate: true);
        Assert.Equal(["20 rows alike another in every feature"], selected.LeftOut);
        Assert.Empty(LeakageGuard.Examine(Leaks.Rows(selected.Table, task)));
    }
}
