using System.Text;
using Salus.Learning;
using Salus.Learning.Cohort;
using Salus.Learning.Evaluate;
using Salus.Learning.Explain;
using Salus.Learning.Models;
using Salus.Learning.Tables;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class ModelTests
{
    static readonly LearningPlan Plan = new() { Evaluation = new EvaluationOptions { Repeats = 1, Resamples = 100 } };
    static readonly ModelOrigin Origin = new("test", "testing only", new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.Zero), new byte[] { 0xAB });

    [Fact]
    public void A_condition_model_explains_itself_and_reads_back_as_it_was_written()
    {
        var encounters = CohortGenerator.Make(new CohortOptions { Patients = 60, Draws = 100 }).ToAssessedEncounters();
        var trained = Trained(encounters);
        var model = trained.Model;
        var ill = new EncounterFeatures { HeartRate = 128, Temperature = 39.2, RespiratoryRate = 24, OxygenSaturation = 92, AgeYears = 60, Sex = "female", Notes = "Reports fever at home, persistent cough. Bilateral crackles." };
        var well = new EncounterFeatures { HeartRate = 68, Temperature = 36.6, RespiratoryRate = 13, OxygenSaturation = 99, AgeYears = 30, Sex = "male", Notes = "Presents for review. Denies fever, cough." };

        var judged = model.Judge([ill, well], reasonsMax: 1_000);
        Assert.Equal([1, 0], judged.Select(judgement => judgement.Class));
        Assert.Equal(ExplanationScale.Probability, judged[0].Scale);
        Assert.Equal(judged[0].Probabilities[1], judged[0].Base + judged[0].Reasons.Sum(reason => reason.Share), 10);
        Assert.Contains(judged[0].Reasons, reason => reason.Description == "temperature 39.2 °C" && reason.Share > 0);
        Assert.Contains(judged[0].Reasons, reason => reason.Description == "word 'crackles' present" && reason.Share > 0);

        Assert.True(ConditionModel.TryRead(model.ToBytes(), out var read, out _));
        Assert.Equal(judged[0].Probabilities, read.Judge([ill])[0].Probabilities);
        Assert.Equal(model.ToBytes(), read.ToBytes());
        Assert.Equal(("test", "ab", "abnormal", Origin.CreatedAt), (read.Card.Name, read.Card.DataCommitment, read.Card.Classes[1], read.Card.CreatedAt));
        Assert.Equal(60, read.Card.Evaluation.Groups);
        Assert.Empty(read.Card.Evaluation.Guard);
        // What the folds said of each encounter is what the card's figures are made of.
        var labels = encounters.Select(encounter => encounter.IsAbnormal ? 1 : 0).ToArray();
        Assert.Equal(Metrics.RocAuc(trained.HeldOut, labels), read.Card.Evaluation.Auc.Estimate, 12);
    }

    public static TheoryData<string> Kinds => [.. ConditionModel.Kinds];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void The_same_seed_trains_the_same_bytes_whatever_the_number_of_threads(string kind)
    {
        var encounters = CohortGenerator.Make(new CohortOptions { Patients = 40, Draws = 100 }).ToAssessedEncounters();
        Assert.Equal(Trained(encounters, kind, threads: 1).Model.ToBytes(), Trained(encounters, kind, threads: 2).Model.ToBytes());
    }

    [Fact]
    public void A_table_of_numbers_levels_and_text_trains_and_predicts()
    {
        var table = Sample();
        var model = Trained(table, new TabularTask("ill") { Positive = "yes", Group = "patient", Drop = ["seen"] });
        Assert.Equal(["x", "colour", "note"], model.Card.Columns);
        Assert.InRange(model.Card.Evaluation.Auc.Estimate, 0.9, 1);
        Assert.Equal(model.Probabilities(table), model.Judge(table).Select(judgement => judgement.Probabilities));
        Assert.True(TrainedModel.TryRead(model.ToBytes(), out var read, out _));
        Assert.Equal(model.Probabilities(table), read.Probabilities(table));
        Assert.Contains("'x'", read.Objection(table.Without("x")), StringComparison.Ordinal);
    }

    [Fact]
    public void Data_that_cannot_train_is_refused_with_the_mend()
    {
        var table = Sample();
        Assert.Contains("no column 'z'; name one of: ", Refused(table, new TabularTask("z")), StringComparison.Ordinal);
        Assert.Contains("'maybe' is no value", Refused(table, new TabularTask("ill") { Positive = "maybe" }), StringComparison.Ordinal);
        Assert.Contains("100 different values", Refused(table, new TabularTask("x")), StringComparison.Ordinal);
        Assert.Contains("no column is left", Refused(table, new TabularTask("ill") { Drop = ["x", "colour", "note", "patient"] }), StringComparison.Ordinal);
        Assert.Contains("missing in 1 rows", Refused(table.With(CategoryColumn.Of("ill", [null, .. Enumerable.Repeat("yes", 99)])), new TabularTask("ill")), StringComparison.Ordinal);
        Assert.Contains("at least two classes", Refused(table.With(CategoryColumn.Of("ill", [.. Enumerable.Repeat("yes", 100)])), new TabularTask("ill")), StringComparison.Ordinal);
        Assert.Contains("too few for 5 folds", Refused(table.Take([0, 1, 2, 3, 4, 5]), new TabularTask("ill")), StringComparison.Ordinal);
        Assert.Contains("no assessed encounters", Assert.IsType<ConditionTraining.Refused>(ConditionModel.Train([], Learners.Logistic(), Plan, Origin)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_model_or_no_condition_model_is_refused_with_the_reason()
    {
        var bytes = Trained(Sample(), new TabularTask("ill")).ToBytes();
        Assert.False(TrainedModel.TryRead("not a model"u8, out _, out var reason));
        Assert.Contains("do not begin with SALUSMODEL", reason, StringComparison.Ordinal);
        Assert.False(ConditionModel.TryRead(bytes, out _, out var other));
        Assert.Contains("no condition model", other, StringComparison.Ordinal);
    }

    [Fact]
    public void A_card_without_its_figures_is_refused()
    {
        using var stream = new MemoryStream();
        var card = Encoding.UTF8.GetBytes("{\"name\":\"x\"}");
        stream.Write([.. "SALUSMODEL"u8, 1, (byte)card.Length, 0, 0, 0, .. card]);
        Assert.False(TrainedModel.TryRead(stream.ToArray(), out _, out var refusal));
        Assert.Contains("the card cannot be read", refusal, StringComparison.Ordinal);
    }

    static ConditionTraining.Trained Trained(IReadOnlyList<AssessedEncounter> encounters, string kind = "forest", int threads = 0) =>
        Assert.IsType<ConditionTraining.Trained>(ConditionModel.Train(encounters, Learners.Find(kind, encounters.Count, trees: 20, threads)!, Plan, Origin, cancellation: TestContext.Current.CancellationToken));

    static TrainedModel Trained(Table table, TabularTask task)
    {
        var rows = TaskRows.Of(table, task, out var problem, out _);
        Assert.True(rows is not null, problem);
        // Each note says what the label is: the guard names it, and here that is the point.
        return Assert.IsType<LearningOutcome.Trained>(TrainedModel.Train(rows, Learners.Forest(20, 100), Plan with { Override = "a table made to be told apart" }, Origin, cancellation: TestContext.Current.CancellationToken)).Model;
    }

    static string Refused(Table table, TabularTask task)
    {
        if (TaskRows.Of(table, task, out var problem, out var mend) is not { } rows)
            return $"{problem}; {mend}";
        return Assert.IsType<LearningOutcome.Refused>(TrainedModel.Train(rows, Learners.Forest(20, 100), Plan, Origin)).Message;
    }

    static Table Sample()
    {
        var generator = new SeededGenerator(1);
        bool[] ill = [.. Enumerable.Range(0, 100).Select(_ => generator.NextInt(2) == 1)];
        return new Table(
        [
            new NumberColumn("x", [.. ill.Select(yes => (yes ? 1 : 0) + generator.NextDouble())]),
            CategoryColumn.Of("colour", [.. ill.Select(yes => generator.NextInt(5) == 0 ? null : yes ? "red" : "blue")]),
            new TextColumn("note", [.. ill.Select(yes => yes ? "severe pain" : "no pain")]),
            new DateColumn("seen", [.. ill.Select(_ => (DateOnly?)new DateOnly(2024, 1, 1))]),
            CategoryColumn.Of("patient", [.. Enumerable.Range(0, 100).Select(i => $"p{i / 2}")]),
            CategoryColumn.Of("ill", [.. ill.Select(yes => yes ? "yes" : "no")]),
        ]);
    }
}
