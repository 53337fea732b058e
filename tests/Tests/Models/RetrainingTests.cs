using System.Runtime.Versioning;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Models;
using Salus.Platform.Records;

namespace Salus.Tests.Models;

/// <summary>Models of stays and of notes are trained anew like that of visits, and held against the one in use.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class RetrainingTests
{
    const int People = 25;
    const int Newcomers = 2;
    const string Statement = "Its figures were looked at, and they suffice.";
    const string NewField = "Neurology";

    static readonly string[] Fields = [.. WardCohort.Fields, NewField];
    static readonly string[] NewWords = ["tachycardia while resting", "blisters and hives", "a splint on the ankle", "numbness of the left hand"];

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_recipe_is_trained_anew_on_its_own_held_against_the_one_in_use_and_replaces_nothing()
    {
        await using var node = await CareNode.StartAsync();
        var doctor = await node.EmployAsync(Role.Practitioner);
        var patients = await EnterAsync(node, doctor, WardCohort.Bundles(People));
        var (stays, notes) = (await TrainAsync(node, doctor, "readmission"), await TrainAsync(node, doctor, "note-category"));
        Assert.Null(await RetrainAsync(node, "diabetes", days: 8));
        Assert.Null(await RetrainAsync(node, "readmission", days: 6));

        // The same people a year later: those with much haemoglobin come back, and their notes have other words, and one category more.
        foreach (var (index, patient) in patients.Index())
        {
            await WriteAsync(node, doctor, Later(index, patient));
        }
        // Words that the old model has learned, of another patient: it has seen them.
        await WriteAsync(node, doctor, [WardCohort.Note($"Patient/{patients[0]}", "2022-03-01", "an itching rash on both arms, seen by day 1", "Dermatology")]);
        await EnterAsync(node, doctor, WardCohort.Bundles(People + Newcomers).Skip(People));

        await StaysAsync(node, stays);
        await NotesAsync(node, notes);
        // Trained a moment ago.
        Assert.Null(await RetrainAsync(node, "readmission", days: 6));
    }

    static async Task StaysAsync(CareNode node, ModelSummary old)
    {
        var anew = Assert.IsType<ModelTraining.Trained>(await RetrainAsync(node, "readmission", days: 8)).Model.Summary;
        Assert.Equal((old.Recipe, old.Card.Kind, old.Card.Seed, old.Card.Options["Trees"], old.TrainedBy), (anew.Recipe, anew.Card.Kind, anew.Card.Seed, anew.Card.Options["Trees"], anew.TrainedBy));
        var comparison = anew.Comparison!;
        var returns = Enumerable.Range(0, People).Count(IsBack);
        var fresh = People + returns + Newcomers + Enumerable.Range(People, Newcomers).Count(WardCohort.IsBack);
        Assert.Equal((old.Id, fresh, People + Newcomers, People), (comparison.With, comparison.Encounters, comparison.Patients, comparison.KnownBefore));
        Assert.Equal((fresh, null), (comparison.Figures!.Rows, comparison.Figures.Accuracy));
        Assert.True(comparison.Figures.Auc.Difference.Estimate > 0, $"{comparison.Figures.Auc}");
        Assert.Contains($"On {fresh} stays of {People + Newcomers} patients", comparison.About, StringComparison.Ordinal);
        Assert.Contains($"from earlier records of {People} of the patients it may have learned", comparison.About, StringComparison.Ordinal);
        await KeptAsync(node, old, anew);
    }

    static async Task NotesAsync(CareNode node, ModelSummary old)
    {
        var anew = Assert.IsType<ModelTraining.Trained>(await RetrainAsync(node, "note-category", days: 8)).Model.Summary;
        Assert.Equal(WardCohort.Fields, old.Card.Classes);
        Assert.Equal(Fields.Order(StringComparer.Ordinal), anew.Card.Classes);
        var comparison = anew.Comparison!;
        Assert.Equal((old.Id, People + Newcomers), (comparison.With, comparison.Encounters));
        var right = comparison.Figures!.Accuracy!;
        // Of the new words the old one knows none, and of one category in four nothing.
        Assert.True(right.Difference.Low > 0, $"{right}");
        Assert.InRange(right.Second.Estimate, 0.6, 1);
        Assert.True(comparison.Figures.Brier.Difference.Estimate < 0);
        await KeptAsync(node, old, anew);
    }

    static async Task KeptAsync(CareNode node, ModelSummary old, ModelSummary anew)
    {
        var models = (await node.Models.ListAsync(CareNode.NewCaller(Role.Auditor), Cancellation))!;
        var used = models.Single(model => model.Summary.Id == old.Id);
        Assert.Equal((true, true), (used.IsReleased, used.IsInUse));
        var successor = ModelDesk.SuccessorOf(used, models)!;
        Assert.Equal((anew.Id, false, false), (successor.Summary.Id, successor.IsReleased, successor.IsInUse));
        // What was stored reads back.
        Assert.Equal(anew.Comparison, successor.Summary.Comparison);
    }

    static bool IsBack(int index) => index % 2 == 0;

    static JsonObject[] Later(int index, string patient)
    {
        var person = $"Patient/{patient}";
        JsonObject[] first =
        [
            WardCohort.Stay(person, "2022-01-10", $"2022-01-{13 + (index % 4)}"), WardCohort.Haemoglobin(person, "2022-01-12", IsBack(index) ? 15 : 8), WardCohort.Stay(person, "2022-06-01", "2022-06-01", "AMB"),
            WardCohort.Note(person, "2022-02-01", $"{NewWords[index % 4]} and {NewWords[index % 4]}, told on day {index}", Fields[index % 4]),
        ];
        return IsBack(index) ? [.. first, WardCohort.Stay(person, "2022-01-20", "2022-01-28")] : first;
    }

    static async Task<List<string>> EnterAsync(CareNode node, Caller doctor, IEnumerable<string> bundles)
    {
        List<string> patients = [];
        foreach (var bundle in bundles)
        {
            var written = Assert.IsType<WriteOutcome.Written>(await node.Records.ImportAsync(doctor, Encoding.UTF8.GetBytes(bundle), Cancellation));
            patients.Add(written.Records.First(record => record.Type == "Patient").Id);
            await node.ShareAsync(patients[^1], Purpose.Treatment);
        }
        return patients;
    }

    static async Task WriteAsync(CareNode node, Caller doctor, JsonObject[] resources)
    {
        foreach (var resource in resources)
        {
            Assert.IsType<WriteOutcome.Written>(await node.Records.CreateAsync(doctor, Encoding.UTF8.GetBytes(resource.ToJsonString()), Cancellation));
        }
    }

    static async Task<ModelSummary> TrainAsync(CareNode node, Caller doctor, string recipe)
    {
        var kind = recipe == "readmission" ? "forest" : null;
        var model = Assert.IsType<ModelTraining.Trained>(await node.Models.TrainAsync(doctor, new TrainingRequest(Trees: 30, Folds: 3, Repeats: 1, Kind: kind, Recipe: recipe), Cancellation)).Model.Summary;
        Assert.Null(model.Comparison);
        Assert.IsType<ReleaseOutcome.Done>(await node.Models.ReleaseAsync(doctor, model.Id, Statement, Cancellation));
        return model;
    }

    static Task<ModelTraining?> RetrainAsync(CareNode node, string recipe, int days) =>
        new ModelRetraining(node.Models, node.Accounts, new ModelOptions { RetrainEveryDays = 7 }, new DaysLater(days), NullLogger<ModelRetraining>.Instance).RunAsync(recipe, Cancellation);

    sealed class DaysLater(int days) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddDays(days);
    }
}
