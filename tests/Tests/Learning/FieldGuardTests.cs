using Salus.Learning.Evaluate;
using Salus.Learning.Tables;

namespace Salus.Tests.Learning;

/// <summary>The Pima figures of the papers, reproduced in each of the ways they came about, and refused.</summary>
[Trait("Data", "field")]
public sealed class FieldGuardTests
{
    public static TheoryData<string, LeakKind, double> Cases => Leaks.All;

    [Fact]
    public void Honest_cross_validation_of_pima_gives_the_known_accuracy() => Assert.InRange(Leaks.Honest(Pima()), 0.745, 0.785);

    [Theory]
    [MemberData(nameof(Cases))]
    public void Each_way_of_inflating_pima_is_named_and_refused(string leak, LeakKind kind, double accuracyMin)
    {
        var (table, task) = Leaks.Make(leak, Pima());
        var (accuracy, findings) = Leaks.Inflated(table, task);
        TestContext.Current.SendDiagnosticMessage($"{leak}: accuracy {accuracy:0.000}; {string.Join("; ", findings.Select(finding => finding.Kind))}");
        Assert.InRange(accuracy, accuracyMin, 1);
        Assert.Contains(findings, finding => finding.Kind == kind);
    }

    static Table Pima()
    {
        var table = FieldTables.Read("pima_diabetes.csv");
        foreach (var name in new[] { "glucose", "blood_pressure", "skin_thickness", "insulin", "bmi" })
            table = table.With(((NumberColumn)table[name]).WithMissing(0));
        return table;
    }
}
