using Salus.Learning;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Tests.Learning;

public sealed class EvaluatorTests
{
    static readonly ModelOrigin Origin = new("test", "testing only", new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.Zero), new byte[] { 0xCD });
    static readonly EvaluationOptions Quick = new() { Repeats = 1, Resamples = 50 };

    public static TheoryData<string> Names => [.. Learners.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_learner_is_judged_trained_written_and_read_alike(string name)
    {
        var rows = Learners.ReadsTextAlone(name) ? Notes(120) : Leaks.Rows(Leaks.Synthetic().Take([.. Enumerable.Range(0, 200)]), Leaks.Task);
        var learner = Learners.Find(name, rows.Labels.Length, trees: 20)!;
        var model = Trained(rows, learner, new LearningPlan { Evaluation = Quick });
        Assert.Equal(name, model.Card.Kind);
        Assert.InRange(model.Card.Evaluation.AucMean, 0.6, 1);
        Assert.Equal(model.ToBytes(), Trained(rows, Learners.Find(name, rows.Labels.Length, trees: 20, threads: 1)!, new LearningPlan { Evaluation = Quick }).ToBytes());
        Assert.True(TrainedModel.TryRead(model.ToBytes(), out var read, out _));
        var judged = model.Judge(rows.Features, 3);
        Assert.Equal(judged.Select(row => row.Probabilities), read.Judge(rows.Features, 3).Select(row => row.Probabilities));
        Assert.All(judged, row => Assert.Equal(1, row.Probabilities.Sum(), 9));
        Assert.All(judged, row => Assert.InRange(row.Reasons.Count, 0, 3));
        Assert.Contains(judged, row => row.Reasons.Count > 0);
        Assert.NotEmpty(model.Card.Importance);
        Assert.Equal(model.ToBytes(), read.ToBytes());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Bent_models_are_refused_with_a_reason_or_still_judge(string name)
    {
        var rows = Learners.ReadsTextAlone(name) ? Notes(60) : Leaks.Rows(Leaks.Synthetic().Take([.. Enumerable.Range(0, 100)]), Leaks.Task);
        var bytes = Trained(rows, Learners.Find(name, rows.Labels.Length, trees: 3)!, new LearningPlan { Evaluation = Quick with { Folds = 2 } }).ToBytes();
        var refused = Mutation.Run(bytes, bent =>
        {
            if (!TrainedModel.TryRead(bent, out var model, out var refusal))
                return refusal;
            if (model.Objection(rows.Features) is null)
                Assert.All(model.Probabilities(rows.Features), row => Assert.Equal(model.Card.Classes.Count, row.Length));
            return null;
        }, attempts: 400);
        Assert.True(refused > 130);
    }

    [Fact]
    public void Words_that_spoke_are_the_reasons_of_a_text_model()
    {
        var model = Trained(Notes(150), Learners.TextLinear(), new LearningPlan { Evaluation = Quick });
        var judged = model.Judge(new Table([new TextColumn("note", ["swollen knee after a fall", "sudden chest tightness", null])]), 4);
        Assert.Equal(["bones", "heart"], judged.Take(2).Select(row => model.Card.Classes[row.Class]));
        Assert.Contains(judged[0].Reasons, reason => reason.Description.Contains("knee", StringComparison.Ordinal) && reason.Share > 0);
        Assert.All(judged[0].Reasons, reason => Assert.DoesNotContain("chest", reason.Description, StringComparison.Ordinal));
    }

    [Fact]
    public void A_linear_explanation_adds_up_to_the_log_odds()
    {
        var rows = Leaks.Rows(Leaks.Synthetic(), Leaks.Task);
        var model = Trained(rows, Learners.Logistic(), new LearningPlan { Evaluation = Quick });
        foreach (var judged in model.Judge(rows.Features.Take([0, 5, 9]), 1_000))
            Assert.Equal(Math.Log(judged.Probabilities[1] / judged.Probabilities[0]), judged.Base + judged.Reasons.Sum(reason => reason.Share), 9);
    }

    [Fact]
    public void Parts_by_time_are_judged_by_what_came_before_them_alone()
    {
        // The label turns round half way: who learns from the future knows it, who learns from the past does not.
        var generator = new SeededGenerator(5);
        double[] x = [.. Enumerable.Range(0, 300).Select(_ => generator.NextDouble())];
        var table = new Table(
        [
            new NumberColumn("x", x), new DateColumn("day", [.. Enumerable.Range(0, 300).Select(i => (DateOnly?)new DateOnly(2020, 1, 1).AddDays(i))]),
            new NumberColumn("outcome", [.. x.Select((value, i) => value > 0.5 == i < 150 ? 1.0 : 0.0)]),
        ]);
        var report = Evaluated(Leaks.Rows(table, Leaks.Task with { Time = "day" }), Learners.Forest(30, 300), Quick with { Folds = 1 + 1 });
        Assert.True(report.TimeOrdered);
        Assert.InRange(report.Accuracy.Estimate, 0, 0.5);
        var folds = Folds.TimeOrdered([5, 1, 3, 3, 2, 4], 2);
        Assert.Equal([1, -1, 0, 0, -1, 1], folds);
    }

    [Fact]
    public void Figures_are_told_by_subgroup_with_their_intervals()
    {
        var table = Leaks.Synthetic();
        var generator = new SeededGenerator(3);
        table = table.With(CategoryColumn.Of("sex", [.. Enumerable.Range(0, table.RowCount).Select(_ => generator.NextInt(3) == 0 ? "male" : "female")]));
        var report = Evaluated(Leaks.Rows(table, Leaks.Task with { Subgroups = ["sex", "age"] }), Learners.Logistic(), Quick);
        Assert.Equal(["female", "male"], report.Subgroups.Where(part => part.Column == "sex").Select(part => part.Value));
        Assert.True(report.Subgroups.Count(part => part.Column == "age") > 2);
        Assert.All(["sex", "age"], column => Assert.Equal(768, report.Subgroups.Where(part => part.Column == column).Sum(part => part.Rows)));
        Assert.All(report.Subgroups.Where(part => part.Rows > 50), part => Assert.True(part.Accuracy.Low <= part.Accuracy.Estimate && part.Accuracy.Estimate <= part.Accuracy.High));
    }

    [Fact]
    public void A_part_in_which_nothing_went_wrong_is_not_told_as_certain()
    {
        double[] x = [.. Enumerable.Range(0, 60).Select(i => (double)(i % 2))];
        var table = new Table(
        [
            new NumberColumn("x", x), CategoryColumn.Of("site", [.. x.Select((_, i) => i < 8 ? "small" : "large")]), new NumberColumn("outcome", x),
        ]);
        var report = Assert.IsType<EvaluationOutcome.Evaluated>(Evaluator.Run(Leaks.Rows(table, Leaks.Task with { Subgroups = ["site"] }), Learners.Logistic(), Quick, "made to be told apart")).Report;
        var small = report.Subgroups.Single(part => part.Value == "small");
        Assert.Equal((1.0, 1.0), (small.Accuracy.Estimate, small.Sensitivity!.Estimate));
        // Wilson's interval of eight of eight, and of the four positives among them.
        Assert.Equal((0.6756, 0.5101), (Math.Round(small.Accuracy.Low, 4), Math.Round(small.Sensitivity.Low, 4)));
    }

    [Fact]
    public void Macro_F1_and_the_figures_of_many_classes_agree_with_those_worked_out()
    {
        var confusion = ClassMetrics.Confusion([0, 2, 2, 2, 1, 1], [0, 1, 2, 2, 1, 0], 3);
        Assert.Equal(0.6555555555555556, ClassMetrics.MacroF1(confusion), 12);
        Assert.Equal(0.06, ClassMetrics.Brier([0.8, 0.1, 0.1], 0), 12);
        Assert.Equal(-Math.Log(0.1), ClassMetrics.LogLoss([0.8, 0.1, 0.1], 2), 12);
        Assert.Equal(1, ClassMetrics.RocAuc([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]], [0, 1, 2], 3));
    }

    [Fact]
    public void Costs_choose_the_threshold_and_calibration_keeps_the_card_honest()
    {
        var rows = Leaks.Rows(Leaks.Synthetic(), Leaks.Task);
        var model = Trained(rows, Learners.Forest(40, 768), new LearningPlan { Evaluation = Quick, Calibration = "isotonic", Costs = (1, 5) });
        Assert.InRange(model.Card.Threshold, 0.02, 0.4);
        Assert.Equal(("isotonic", 5), (model.Card.Calibration, model.Card.Costs![1]));
        Assert.True(TrainedModel.TryRead(model.ToBytes(), out var read, out _));
        Assert.Equal(model.Probabilities(rows.Features), read.Probabilities(rows.Features));
        Assert.Contains("no calibration", Assert.IsType<LearningOutcome.Refused>(TrainedModel.Train(rows, Learners.Logistic(), new LearningPlan { Calibration = "magic" }, Origin)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_judged_is_refused_with_the_mend()
    {
        var table = Leaks.Synthetic();
        string Refused(TaskRows rows, EvaluationOptions options) => Assert.IsType<EvaluationOutcome.Refused>(Evaluator.Run(rows, Learners.Logistic(), options)).Message;
        Assert.Contains("Folds is 1", Refused(Leaks.Rows(table, Leaks.Task), Quick with { Folds = 1 }), StringComparison.Ordinal);
        Assert.Contains("too few for 90 folds", Refused(Leaks.Rows(table.Take([.. Enumerable.Range(0, 100)]), Leaks.Task), Quick with { Folds = 90 }), StringComparison.Ordinal);
        Assert.Null(TaskRows.Of(table, new TabularTask("nothing"), out var problem, out var mend));
        Assert.Equal(("there is no column 'nothing'", true), (problem, mend.StartsWith("name one of: glucose", StringComparison.Ordinal)));
        Assert.Null(TaskRows.Of(table, Leaks.Task with { Time = "skin_thickness" }, out problem, out _));
        Assert.Contains("missing in some rows", problem, StringComparison.Ordinal);
        Assert.Null(TaskRows.Of(table, Leaks.Task with { OutcomeDate = "age" }, out problem, out _));
        Assert.Contains("holds no dates", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Inputs_that_have_moved_since_training_are_named()
    {
        var table = Leaks.Synthetic();
        var profile = InputProfile.Of(table);
        Assert.All(InputProfile.Compare(profile, 768, table), drift => Assert.Equal((0, false), (Math.Round(drift.StabilityIndex, 9), drift.HasMoved)));
        var moved = table.With(new NumberColumn("bmi", [.. ((NumberColumn)table["bmi"]).Values.ToArray().Select(value => value + 8)]));
        var first = InputProfile.Compare(profile, 768, moved)[0];
        Assert.Equal(("bmi", true), (first.Column, first.HasMoved));
        Assert.InRange(first.StabilityIndex, 0.25, 20);
        // Of twelve rows drawn from the same table an index means little.
        Assert.DoesNotContain(InputProfile.Compare(profile, 768, table.Take([.. Enumerable.Range(0, 12)])), drift => drift.HasMoved);
    }

    [Fact]
    public void Rows_left_out_are_told()
    {
        var table = new Table([new NumberColumn("x", [1, 2, 2, 3, 4, 5]), CategoryColumn.Of("kind", ["a", "a", "a", "b", null, "c"])]);
        var selected = RowSelection.Of(table, new TabularTask("kind") { ManyClasses = true }, 1, deduplicate: true);
        Assert.Equal(["1 rows without 'kind'", "1 rows alike another in every feature"], selected.LeftOut);
        Assert.Equal(4, selected.Table.RowCount);
    }

    static TaskRows Notes(int count)
    {
        var generator = new SeededGenerator(17);
        string[][] words = [["chest", "tightness", "palpitations", "pressure"], ["knee", "fracture", "swollen", "fall"], ["rash", "itching", "skin", "blister"]];
        string[] fill = ["patient", "reports", "since", "morning", "sudden", "after", "mild", "severe"];
        string[] kinds = ["heart", "bones", "skin"];
        int[] labels = [.. Enumerable.Range(0, count).Select(i => i % 3)];
        string Note(int label) => string.Join(' ', Enumerable.Range(0, 12).Select(_ => generator.NextInt(3) == 0 ? words[label][generator.NextInt(4)] : fill[generator.NextInt(8)]));
        var table = new Table([new TextColumn("note", [.. labels.Select(Note)]), CategoryColumn.Of("kind", [.. labels.Select(label => kinds[label])])]);
        return Leaks.Rows(table, new TabularTask("kind") { Text = "note", ManyClasses = true });
    }

    static TrainedModel Trained(TaskRows rows, TableLearner learner, LearningPlan plan)
    {
        var outcome = TrainedModel.Train(rows, learner, plan, Origin);
        Assert.True(outcome is LearningOutcome.Trained, outcome.ToString());
        return ((LearningOutcome.Trained)outcome).Model;
    }

    static EvaluationReport Evaluated(TaskRows rows, TableLearner learner, EvaluationOptions options) =>
        Assert.IsType<EvaluationOutcome.Evaluated>(Evaluator.Run(rows, learner, options)).Report;
}
