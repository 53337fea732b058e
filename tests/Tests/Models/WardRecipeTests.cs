using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Models;
using Salus.Platform.Records;

namespace Salus.Tests.Models;

/// <summary>Models of stays and of notes, which the node trains, asks and stores like the others.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class WardRecipeTests
{
    const int People = 27;
    const string Statement = "Its figures were looked at, and they suffice.";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_stay_and_a_note_are_judged_by_consent_and_stored_with_what_the_model_says_of_them()
    {
        await using var node = await CareNode.StartAsync();
        var doctor = CareNode.NewCaller(Role.Practitioner);
        var patients = new List<string>();
        foreach (var bundle in WardCohort.Bundles(People))
        {
            var written = Assert.IsType<WriteOutcome.Written>(await node.Records.ImportAsync(doctor, Encoding.UTF8.GetBytes(bundle), Cancellation));
            patients.Add(written.Records.First(record => record.Type == "Patient").Id);
        }
        foreach (var patient in patients.Skip(1))
        {
            await node.ShareAsync(patient, Purpose.Treatment);
        }
        await StayAsync(node, doctor, patients);
        await NoteAsync(node, doctor, patients);
    }

    static async Task StayAsync(CareNode node, Caller doctor, List<string> patients)
    {
        var model = await TrainAsync(node, doctor, "readmission");
        // 26 first stays, and the second ones of those who came back.
        Assert.Equal((People - 1) + Enumerable.Range(1, People - 1).Count(WardCohort.IsBack), model.Card.Rows);
        var today = TimeProvider.System.GetUtcNow();
        Assert.Contains("its 30 days are over", Nothing(await node.Models.PredictByAsync(doctor, patients[1], "readmission", null, Cancellation)), StringComparison.Ordinal);
        Assert.IsType<PredictionOutcome.NoConsent>(await node.Models.PredictByAsync(doctor, patients[0], "readmission", null, Cancellation));
        Assert.IsType<PredictionOutcome.Forbidden>(await node.Models.PredictByAsync(CareNode.NewCaller(Role.Researcher), patients[1], "readmission", null, Cancellation));

        var stay = await WriteAsync(node, doctor, WardCohort.Stay($"Patient/{patients[1]}", $"{today.AddDays(-6):yyyy-MM-dd}", $"{today.AddDays(-2):yyyy-MM-dd}"));
        await WriteAsync(node, doctor, WardCohort.Haemoglobin($"Patient/{patients[1]}", $"{today.AddDays(-4):yyyy-MM-dd}", 8));
        var predicted = Assert.IsType<PredictionOutcome.Predicted>(await node.Models.PredictByAsync(doctor, patients[1], "readmission", null, Cancellation)).Prediction;
        Assert.Equal((stay, predicted.Probability >= model.Card.Threshold ? "at risk" : "not at risk", model.Id), (predicted.Encounter, predicted.Label, predicted.Model));
        Assert.Contains(predicted.Reasons, reason => reason.Feature.StartsWith("haemoglobin", StringComparison.Ordinal) && reason.Share > 0);
        var named = Assert.IsType<PredictionOutcome.Predicted>(await node.Models.PredictByAsync(doctor, patients[1], "readmission", stay, Cancellation)).Prediction;
        Assert.Equal(predicted.Probability, named.Probability);

        await StaysTogetherAsync(node, doctor, model, predicted);
        var json = await StoredAsync(node, patients[1], predicted.RiskAssessment);
        Assert.Equal($"Encounter/{stay}", json.GetProperty("encounter").GetProperty("reference").GetString());
        Assert.Equal("417005", json.GetProperty("prediction")[0].GetProperty("outcome").GetProperty("coding")[0].GetProperty("code").GetString());
        Assert.Contains("stays of 26 patients", json.GetProperty("note")[0].GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    static async Task StaysTogetherAsync(CareNode node, Caller doctor, ModelSummary model, PredictionView predicted)
    {
        var line = Assert.Single(Assert.IsType<ModelAnswer<CohortJudgement>.Given>(await node.Models.JudgeCohortAsync(doctor, model.Id, Cancellation)).Value.Lines);
        Assert.Equal((predicted.Patient, $"Encounter/{predicted.Encounter}", predicted.Probability), (line.Patient, line.Record, line.Probability));
        // Of the one stay since, nobody can tell yet whether the patient comes back.
        var watch = Assert.IsType<ModelAnswer<ModelWatch>.Given>(await node.Models.WatchAsync(doctor, model.Id, Cancellation)).Value;
        Assert.Equal((1, 0, null, false), (watch.Encounters, watch.Assessed, watch.Observed, watch.IsOffCalibration));
        var low = Assert.IsType<ModelAnswer<WhatIf>.Given>(await node.Models.TryAsync(doctor, model.Id, new Dictionary<string, string?> { ["haemoglobin (g/dL)"] = "8" }, Cancellation)).Value;
        var high = Assert.IsType<ModelAnswer<WhatIf>.Given>(await node.Models.TryAsync(doctor, model.Id, new Dictionary<string, string?> { ["haemoglobin (g/dL)"] = "14" }, Cancellation)).Value;
        Assert.True(low.Probability > high.Probability, $"{low.Probability} is not above {high.Probability}.");
    }

    static async Task NotesTogetherAsync(CareNode node, Caller doctor, ModelSummary model, string patient, string note)
    {
        var line = Assert.Single(Assert.IsType<ModelAnswer<CohortJudgement>.Given>(await node.Models.JudgeCohortAsync(doctor, model.Id, Cancellation)).Value.Lines);
        Assert.Equal((patient, $"DocumentReference/{note}", "Dermatology"), (line.Patient, line.Record, line.Label));
        var tried = Assert.IsType<ModelAnswer<WhatIf>.Given>(await node.Models.TryAsync(doctor, model.Id, new Dictionary<string, string?> { ["note"] = "palpitations and chest pain" }, Cancellation)).Value;
        Assert.Equal(("Cardiology", 3), (tried.Label, tried.Classes.Count));
        Assert.Contains("Write some words", Assert.IsType<ModelAnswer<WhatIf>.Refused>(await node.Models.TryAsync(doctor, model.Id, new Dictionary<string, string?>(), Cancellation)).Reason, StringComparison.OrdinalIgnoreCase);

        // Two notes without a category, one that is sorted as the model would, and one of a category that it does not know.
        await WriteAsync(node, doctor, WardCohort.Note($"Patient/{patient}", "2021-07-02", "the knee is swollen", "Orthopaedics"));
        await WriteAsync(node, doctor, WardCohort.Note($"Patient/{patient}", "2021-07-03", "an ingrown toenail", "Podiatry"));
        var watch = Assert.IsType<ModelAnswer<ModelWatch>.Given>(await node.Models.WatchAsync(doctor, model.Id, Cancellation)).Value;
        Assert.Equal((4, 2, 0.5), (watch.Encounters, watch.Assessed, watch.Observed!.Estimate));
        Assert.Equal("category that it says", Assert.Single(watch.Inputs).Column);
    }

    static async Task NoteAsync(CareNode node, Caller doctor, List<string> patients)
    {
        var model = await TrainAsync(node, doctor, "note-category");
        Assert.Equal(("text-linear", People - 1), (model.Card.Kind, model.Card.Rows));
        Assert.Equal(WardCohort.Fields, model.Card.Classes);
        Assert.Contains("category already", Nothing(await node.Models.PredictByAsync(doctor, patients[1], "note-category", null, Cancellation)), StringComparison.Ordinal);

        var note = await WriteAsync(node, doctor, WardCohort.Note($"Patient/{patients[2]}", "2021-07-01", "An itching rash and scaly skin, eczema of the scalp", null));
        await WriteAsync(node, doctor, WardCohort.Note($"Patient/{patients[2]}", "2021-06-20", "The wrist was broken in a fall", null));
        var predicted = Assert.IsType<PredictionOutcome.Predicted>(await node.Models.PredictByAsync(doctor, patients[2], "note-category", null, Cancellation)).Prediction;
        Assert.Equal(("Dermatology", "Dermatology", $"DocumentReference/{note}"), (predicted.Label, predicted.Classes[0].Class, Assert.Single(predicted.Basis)));
        Assert.Equal(1, predicted.Classes.Sum(one => one.Probability), tolerance: 1e-9);
        Assert.Equal(predicted.Probability, predicted.Classes[0].Probability);
        Assert.Equal(predicted.Classes.OrderByDescending(one => one.Probability), predicted.Classes);
        Assert.NotEmpty(predicted.Reasons);
        Assert.True(predicted.Evidence is null or { Share: { Low: >= 0, High: <= 1 } });

        await NotesTogetherAsync(node, doctor, model, patients[2], note);
        var json = await StoredAsync(node, patients[2], predicted.RiskAssessment);
        Assert.Equal(3, json.GetProperty("prediction").GetArrayLength());
        Assert.Equal("https://salus.health/fhir/note-category", json.GetProperty("prediction")[0].GetProperty("outcome").GetProperty("coding")[0].GetProperty("system").GetString());
        var owner = CareNode.NewCaller(Role.Patient, patients[2]);
        var listed = Assert.Single(Assert.IsType<PredictionList.Found>(await node.Models.PredictionsAsync(owner, patients[2], Cancellation)).Predictions);
        Assert.Equal(("note-category", "Dermatology"), (listed.Recipe, listed.Label));
        Assert.Equal(predicted.Classes.Select(one => (one.Class, Math.Round(one.Probability, 5))), listed.Classes.Select(one => (one.Class, Math.Round(one.Probability, 5))));
    }

    static async Task<ModelSummary> TrainAsync(CareNode node, Caller doctor, string recipe)
    {
        var request = new TrainingRequest(Trees: 30, Folds: 3, Repeats: 1, Recipe: recipe);
        var trained = await node.Models.TrainAsync(doctor, request, Cancellation);
        var model = Assert.IsType<ModelTraining.Trained>(trained).Model.Summary;
        Assert.IsType<PredictionOutcome.NoModel>(await node.Models.PredictByAsync(doctor, "nobody", recipe, null, Cancellation));
        Assert.IsType<ReleaseOutcome.Done>(await node.Models.ReleaseAsync(doctor, model.Id, Statement, Cancellation));
        return model;
    }

    static async Task<string> WriteAsync(CareNode node, Caller doctor, JsonObject resource) =>
        Assert.IsType<WriteOutcome.Written>(await node.Records.CreateAsync(doctor, Encoding.UTF8.GetBytes(resource.ToJsonString()), Cancellation)).Records[0].Id;

    static async Task<JsonElement> StoredAsync(CareNode node, string patient, string id) => JsonElement.Parse(Assert.IsType<ReadOutcome.Found>(
        await node.Records.ReadAsync(CareNode.NewCaller(Role.Patient, patient), "RiskAssessment", id, null, Purpose.PatientRequest, Cancellation)).Record.Bytes);

    static string Nothing(PredictionOutcome outcome) => Assert.IsType<PredictionOutcome.NothingToJudge>(outcome).Reason;
}
