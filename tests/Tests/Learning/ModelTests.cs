using System.Text;
using Salus.Learning;
using Salus.Learning.Cohort;
using Salus.Learning.Evaluate;
using Salus.Learning.Forest;
using Salus.Learning.Models;
using Salus.Learning.Tables;
using Xunit;

namespace Salus.Tests.Learning;

public sealed class ModelTests
{
    static readonly TrainingOptions Options = new() { Forest = new ForestOptions { Trees = 20 }, Validation = new CrossValidationOptions(Repeats: 1, Resamples: 100) };
    static readonly ModelOrigin Origin = new("test", "testing only", new DateTimeOffset(2025, 1, 2, 3, 4, 5, TimeSpan.Zero), new byte[] { 0xAB });

    [Fact]
    public void A_condition_model_explains_itself_and_reads_back_as_it_was_written()
    {
        var encounters = CohortGenerator.Make(new CohortOptions { Patients = 60, Draws = 100 }).ToAssessedEncounters();
        var model = Assert.IsType<ConditionTraining.Trained>(ConditionModel.Train(encounters, Options, Origin, TestContext.Current.CancellationToken)).Model;
        var ill = new EncounterFeatures { HeartRate = 128, Temperature = 39.2, RespiratoryRate = 24, OxygenSaturation = 92, AgeYears = 60, Sex = "female", Notes = "Reports fever at home, persistent cough. Bilateral crackles." };
        var well = new EncounterFeatures { HeartRate = 68, Temperature = 36.6, RespiratoryRate = 13, OxygenSaturation = 99, AgeYears = 30, Sex = "male", Notes = "Presents for review. Denies fever, cough." };

        var prediction = model.Predict(ill, reasonsMax: 1_000);
        Assert.True(prediction.IsPositive);
        Assert.False(model.Predict(well).IsPositive);
        Assert.Equal(prediction.Probability, prediction.Base + prediction.Reasons.Sum(reason => reason.Share), 10);
        Assert.Contains(prediction.Reasons, reason => reason.Description == "temperature 39.2 °C" && reason.Share > 0);
        Assert.Contains(prediction.Reasons, reason => reason.Description == "word 'crackles' present" && reason.Share > 0);

        Assert.True(ConditionModel.TryRead(model.ToBytes(), out var read, out _));
        Assert.Equal(prediction.Probability, read.Predict(ill).Probability);
        Assert.Equal(model.ToBytes(), read.ToBytes());
        Assert.Equal(("test", "ab", "abnormal", Origin.CreatedAt), (read.Card.Name, read.Card.DataCommitment, read.Card.Positive, read.Card.CreatedAt));
        Assert.Equal(60, read.Card.Validation.Groups);
    }

    [Fact]
    public void The_same_seed_trains_the_same_bytes_whatever_the_number_of_threads()
    {
        var encounters = CohortGenerator.Make(new CohortOptions { Patients = 40, Draws = 100 }).ToAssessedEncounters();
        byte[] Trained(int threads) => Assert.IsType<ConditionTraining.Trained>(ConditionModel.Train(encounters, Options with { Forest = Options.Forest with { Threads = threads } }, Origin)).Model.ToBytes();
        Assert.Equal(Trained(1), Trained(2));
    }

    [Fact]
    public void A_table_of_numbers_levels_and_text_trains_and_predicts()
    {
        var table = Sample();
        var model = Trained(table, new TabularTask("ill") { Positive = "yes", Group = "patient", Drop = ["seen"] });
        Assert.Equal(["x", "colour", "note"], model.Card.Columns);
        Assert.InRange(model.Card.Validation.Auc.Estimate, 0.9, 1);
        Assert.Equal(model.Probabilities(table), model.Predict(table).Select(prediction => prediction.Probability));
        Assert.True(TabularModel.TryRead(model.ToBytes(), out var read, out _));
        Assert.Equal(model.Probabilities(table), read.Probabilities(table));
        Assert.Contains("'x'", read.Objection(table.Without("x")), StringComparison.Ordinal);
    }

    [Fact]
    public void Data_that_cannot_train_is_refused_with_the_mend()
    {
        var table = Sample();
        Assert.Contains("no column 'z'; name one of: ", Refused(table, new TabularTask("z")), StringComparison.Ordinal);
        Assert.Contains("'maybe' is no value", Refused(table, new TabularTask("ill") { Positive = "maybe" }), StringComparison.Ordinal);
        Assert.Contains("100 different values; name the positive one", Refused(table, new TabularTask("x")), StringComparison.Ordinal);
        Assert.Contains("no column is left", Refused(table, new TabularTask("ill") { Drop = ["x", "colour", "note", "patient"] }), StringComparison.Ordinal);
        Assert.Contains("missing in 1 rows", Refused(table.With(CategoryColumn.Of("ill", [null, .. Enumerable.Repeat("yes", 99)])), new TabularTask("ill")), StringComparison.Ordinal);
        Assert.Contains("at least two classes", Refused(table.With(CategoryColumn.Of("ill", [.. Enumerable.Repeat("yes", 100)])), new TabularTask("ill")), StringComparison.Ordinal);
        Assert.Contains("too few for 5 folds", Refused(table.Take([0, 1, 2, 3, 4, 5]), new TabularTask("ill")), StringComparison.Ordinal);
        Assert.Contains("no assessed encounters", Assert.IsType<ConditionTraining.Refused>(ConditionModel.Train([], Options, Origin)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Bent_models_are_refused_with_a_reason_or_still_predict()
    {
        var table = Sample();
        var model = Trained(table, new TabularTask("ill"));
        var bytes = model.ToBytes();
        Assert.False(TabularModel.TryRead("not a model"u8, out _, out var reason));
        Assert.Contains("do not begin with SALUSMODEL", reason, StringComparison.Ordinal);
        Assert.False(ConditionModel.TryRead(bytes, out _, out var other));
        Assert.Contains("no condition model", other, StringComparison.Ordinal);
        var generator = new SeededGenerator(3);
        for (var attempt = 0; attempt < 2_000; attempt++)
        {
            var bent = (byte[])bytes.Clone();
            bent[generator.NextInt(bent.Length)] ^= (byte)(1 + generator.NextInt(255));
            if (!TabularModel.TryRead(bent, out var read, out var refusal))
                Assert.NotEmpty(refusal);
            else if (read.Objection(table) is null)
                Assert.All(read.Probabilities(table), probability => Assert.InRange(probability, 0, 1));
        }
    }

    [Fact]
    public void A_card_without_its_figures_is_refused()
    {
        using var stream = new MemoryStream();
        var card = Encoding.UTF8.GetBytes("{\"name\":\"x\"}");
        stream.Write([.. "SALUSMODEL"u8, 1, (byte)card.Length, 0, 0, 0, .. card]);
        Assert.False(TabularModel.TryRead(stream.ToArray(), out _, out var refusal));
        Assert.Contains("the card cannot be read", refusal, StringComparison.Ordinal);
    }

    static TabularModel Trained(Table table, TabularTask task) =>
        Assert.IsType<TrainingOutcome.Trained>(TabularModel.Train(table, task, Options, Origin, TestContext.Current.CancellationToken)).Model;

    static string Refused(Table table, TabularTask task) =>
        Assert.IsType<TrainingOutcome.Refused>(TabularModel.Train(table, task, Options, Origin)).Message;

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
