using Salus.Learning;
using Salus.Learning.Evaluate;
using Salus.Learning.Explain;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Tests.Learning;

/// <summary>What moved a prediction is told by column, however many features were made of it.</summary>
public sealed class ColumnSharesTests
{
    static readonly ModelOrigin Origin = new("test", "testing only", new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.Zero), new byte[] { 0xCD });

    public static TheoryData<string> Kinds => ["logistic", "forest", "boosting"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Levels_and_marks_of_missing_values_are_one_reason_each_and_all_add_up(string kind)
    {
        var model = Train(kind);
        var columns = Cohort(8).Without("outcome");
        var judged = model.Judge(columns, reasonsMax: 100);
        Assert.All(judged, row => Assert.Equal(row.Reasons.Count, row.Reasons.Select(reason => reason.Feature).Distinct(StringComparer.Ordinal).Count()));
        Assert.All(judged, row => Assert.InRange(row.Reasons.Count, 1, columns.Columns.Count));
        Assert.All(judged, row => Assert.Equal(
            row.Scale == ExplanationScale.LogOdds ? Math.Log(row.Probabilities[1] / row.Probabilities[0]) : row.Probabilities[1], row.Base + row.Reasons.Sum(reason => reason.Share), 6));
        Assert.Equal(["colour", "glucose", "visits"], model.Card.Attributions.Select(one => one.Feature).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_reason_tells_the_columns_value_and_not_what_it_is_not()
    {
        var judged = Train("logistic").Judge(new Table(
        [
            CategoryColumn.Of("colour", ["red", null]), new NumberColumn("glucose (mg/dL)", [140, double.NaN]), new NumberColumn("visits", [2, double.NaN]),
        ]), reasonsMax: 10);
        Assert.Equal(["colour is red", "glucose 140 mg/dL", "visits 2"], judged[0].Reasons.Select(reason => reason.Description).Order(StringComparer.Ordinal));
        Assert.All(judged[1].Reasons, reason => Assert.EndsWith(" missing", reason.Description, StringComparison.Ordinal));
    }

    static TrainedModel Train(string kind)
    {
        var rows = TaskRows.Of(Cohort(300), new TabularTask("outcome") { Positive = "yes" }, out _, out _)!;
        var plan = new LearningPlan { Evaluation = new EvaluationOptions { Folds = 2, Repeats = 1, Resamples = 20 } };
        return Assert.IsType<LearningOutcome.Trained>(TrainedModel.Train(rows, Learners.Find(kind, 300, trees: 20)!, plan, Origin)).Model;
    }

    static Table Cohort(int count)
    {
        var draw = new SeededGenerator(5);
        string[] colours = ["red", "green", "blue"];
        var colour = Enumerable.Range(0, count).Select(_ => colours[draw.NextInt(3)]).ToArray();
        var glucose = Enumerable.Range(0, count).Select(_ => draw.NextInt(5) == 0 ? double.NaN : 80 + draw.NextInt(80)).ToArray();
        var visits = Enumerable.Range(0, count).Select(_ => draw.NextInt(6) == 0 ? double.NaN : draw.NextInt(4)).ToArray();
        var outcome = Enumerable.Range(0, count).Select(i => (colour[i] == "red" ? 1.5 : 0) + ((double.IsNaN(glucose[i]) ? 110 : glucose[i]) / 40) + (visits[i] >= 2 ? 1 : 0) + draw.NextDouble() > 4.2 ? "yes" : "no");
        return new Table([CategoryColumn.Of("colour", [.. colour]), new NumberColumn("glucose (mg/dL)", glucose), new NumberColumn("visits", visits), CategoryColumn.Of("outcome", [.. outcome])]);
    }
}
