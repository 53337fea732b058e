using System.Runtime.Versioning;
using System.Text;
using System.Text.Json;
using Salus.Learning.Recipes;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Models;
using Salus.Platform.Records;
using Salus.Tests.Learning;

namespace Salus.Tests.Models;

/// <summary>Models that the node trains by recipe, and what they say of patients.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class RecipeDeskTests
{
    const int People = 27;
    const int Newcomers = 3;
    const string Statement = "Its figures were looked at, and they suffice.";

    static readonly TrainingRequest Request = new(Folds: 3, Repeats: 1, Recipe: "diabetes");

    [Fact]
    public async Task A_recipe_learns_from_consented_records_and_its_prediction_says_what_it_predicts()
    {
        await using var node = await CareNode.StartAsync();
        var cancellation = TestContext.Current.CancellationToken;
        var doctor = CareNode.NewCaller(Role.Practitioner);
        var patients = new List<string>();
        foreach (var bundle in FhirCohort.Bundles(People))
        {
            var written = Assert.IsType<WriteOutcome.Written>(await node.Records.ImportAsync(doctor, Encoding.UTF8.GetBytes(bundle), cancellation));
            patients.Add(written.Records.First(record => record.Type == "Patient").Id);
        }

        var nobody = Assert.IsType<ModelTraining.Refused>(await node.Models.TrainAsync(doctor, Request, cancellation));
        Assert.Contains("0 patients: 0 with 'Type 2 diabetes mellitus'", nobody.Message, StringComparison.Ordinal);
        foreach (var patient in patients.Skip(1))
        {
            await node.ShareAsync(patient, Purpose.Treatment);
        }
        var model = Assert.IsType<ModelTraining.Trained>(await node.Models.TrainAsync(doctor, Request, cancellation)).Model.Summary;
        Assert.Equal(("diabetes", "logistic", People - 1, People - 1), (model.Recipe, model.Card.Kind, model.Card.Rows, model.Patients));
        Assert.Equal(Enumerable.Range(1, People - 1).Count(FhirCohort.IsIll), model.Card.Evaluation.ClassRows[1]);
        Assert.Equal(("platt", 0), (model.Card.Calibration, model.Card.Evaluation.Guard.Count));
        Assert.Contains(RecipeBook.Find("diabetes")!.NotFor, model.Card.IntendedUse, StringComparison.Ordinal);
        Assert.Equal(model.Card.DataCommitment, Assert.IsType<ModelTraining.Trained>(await node.Models.TrainAsync(doctor, Request, cancellation)).Model.Summary.Card.DataCommitment);

        // Nobody has released it; then it is in use beside, not instead of, one that judges visits.
        Assert.IsType<PredictionOutcome.NoModel>(await node.Models.PredictByAsync(doctor, patients[1], "diabetes", null, cancellation));
        Assert.Empty(await node.Models.RecipesInUseAsync(doctor, cancellation));
        Assert.IsType<ReleaseOutcome.Done>(await node.Models.ReleaseAsync(doctor, model.Id, Statement, cancellation));
        Assert.Equal(["diabetes"], (await node.Models.RecipesInUseAsync(doctor, cancellation)).Select(recipe => recipe.Name));
        Assert.True((await node.Models.FindAsync(doctor, model.Id, cancellation))!.IsInUse);
        Assert.IsType<PredictionOutcome.NoModel>(await node.Models.PredictAsync(doctor, patients[1], null, cancellation));
        await TriedAsync(node, doctor, model);
        await WatchedAsync(node, doctor, model);

        Assert.IsType<PredictionOutcome.Forbidden>(await node.Models.PredictByAsync(CareNode.NewCaller(Role.Auditor), patients[1], "diabetes", null, cancellation));
        Assert.IsType<PredictionOutcome.NoConsent>(await node.Models.PredictByAsync(doctor, patients[0], "diabetes", null, cancellation));
        Assert.Contains("holds 'Type 2 diabetes mellitus' already", Nothing(await node.Models.PredictByAsync(doctor, patients[3], "diabetes", null, cancellation)), StringComparison.Ordinal);
        Assert.Contains("'magic' is no recipe", Nothing(await node.Models.PredictByAsync(doctor, patients[1], "magic", null, cancellation)), StringComparison.Ordinal);
        // What was measured years ago is no news.
        Assert.Contains("nothing that the recipe measures", Nothing(await node.Models.PredictByAsync(doctor, patients[1], "diabetes", null, cancellation)), StringComparison.Ordinal);

        await node.Records.CreateAsync(doctor, Encoding.UTF8.GetBytes($$$"""
            {"resourceType":"Observation","status":"final","subject":{"reference":"Patient/{{{patients[1]}}}"},"effectiveDateTime":"{{{TimeProvider.System.GetUtcNow().AddDays(-3):yyyy-MM-dd}}}",
             "code":{"coding":[{"system":"http://loinc.org","code":"2339-0"}]},"valueQuantity":{"value":190,"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"}}
            """), cancellation);
        var predicted = Assert.IsType<PredictionOutcome.Predicted>(await node.Models.PredictByAsync(doctor, patients[1], "diabetes", null, cancellation)).Prediction;
        Assert.Equal(predicted.Probability >= model.Card.Threshold ? "at risk" : "not at risk", predicted.Label);
        Assert.Contains(predicted.Reasons, reason => reason.Feature.StartsWith("glucose", StringComparison.Ordinal));

        // Those of whom nothing was measured lately, who have it already or share nothing are left out.
        var cohort = Assert.IsType<ModelAnswer<CohortJudgement>.Given>(await node.Models.JudgeCohortAsync(doctor, model.Id, cancellation)).Value;
        var line = Assert.Single(cohort.Lines);
        Assert.Equal((patients[1], "", predicted.Probability, predicted.Label, false), (line.Patient, line.Record, line.Probability, line.Label, line.IsLearned));
        Assert.Equal(People - 1 + Newcomers - 1, cohort.LeftOut);

        var owner = CareNode.NewCaller(Role.Patient, patients[1]);
        var found = Assert.IsType<ReadOutcome.Found>(await node.Records.ReadAsync(owner, "RiskAssessment", predicted.RiskAssessment, null, Purpose.PatientRequest, cancellation));
        var json = JsonElement.Parse(found.Record.Bytes);
        Assert.Equal("44054006", json.GetProperty("prediction")[0].GetProperty("outcome").GetProperty("coding")[0].GetProperty("code").GetString());
        Assert.False(json.TryGetProperty("encounter", out _));
        var listed = Assert.Single(Assert.IsType<PredictionList.Found>(await node.Models.PredictionsAsync(owner, patients[1], cancellation)).Predictions);
        Assert.Equal(("diabetes", predicted.Label, ""), (listed.Recipe, listed.Label, listed.Encounter));
        Assert.Equal(predicted.Probability, listed.Probability, tolerance: 1e-5);
    }

    [Fact]
    public async Task Recipes_that_the_node_cannot_train_by_are_refused_in_words()
    {
        await using var node = await CareNode.StartAsync();
        var cancellation = TestContext.Current.CancellationToken;
        var doctor = CareNode.NewCaller(Role.Practitioner);
        Assert.Contains("0 notes", Assert.IsType<ModelTraining.Refused>(await node.Models.TrainAsync(doctor, Request with { Recipe = "note-category" }, cancellation)).Message, StringComparison.Ordinal);
        Assert.Contains("kind is 'forest'; give one of text-linear", Assert.IsType<ModelTraining.Refused>(await node.Models.TrainAsync(doctor, Request with { Recipe = "note-category", Kind = "forest" }, cancellation)).Message, StringComparison.Ordinal);
        Assert.Contains("recipe is 'magic'", Assert.IsType<ModelTraining.Refused>(await node.Models.TrainAsync(doctor, Request with { Recipe = "magic" }, cancellation)).Message, StringComparison.Ordinal);
        Assert.Contains("0 stays", Assert.IsType<ModelTraining.Refused>(await node.Models.TrainAsync(doctor, Request with { Recipe = "readmission" }, cancellation)).Message, StringComparison.Ordinal);
        Assert.IsType<ModelTraining.Forbidden>(await node.Models.TrainAsync(CareNode.NewCaller(Role.Researcher), Request, cancellation));
    }

    static async Task TriedAsync(CareNode node, Caller doctor, ModelSummary model)
    {
        var cancellation = TestContext.Current.CancellationToken;
        Dictionary<string, string?> values = new() { ["age (years)"] = "60", ["sex"] = "female", ["glucose (mg/dL)"] = "80", ["hypertension known"] = "0" };
        var low = Assert.IsType<ModelAnswer<WhatIf>.Given>(await node.Models.TryAsync(doctor, model.Id, values, cancellation)).Value;
        values["glucose (mg/dL)"] = "190";
        var high = Assert.IsType<ModelAnswer<WhatIf>.Given>(await node.Models.TryAsync(doctor, model.Id, values, cancellation)).Value;
        Assert.True(low.Probability < high.Probability, $"{low.Probability} is not below {high.Probability}.");
        Assert.Equal("at risk", high.Label);
        values["glucose (mg/dL)"] = "5";
        Assert.Contains("Glucose: give a number from 10 to 2000 mg/dL", Assert.IsType<ModelAnswer<WhatIf>.Refused>(await node.Models.TryAsync(doctor, model.Id, values, cancellation)).Reason, StringComparison.Ordinal);
        Assert.IsType<ModelAnswer<WhatIf>.Forbidden>(await node.Models.TryAsync(CareNode.NewCaller(Role.Researcher), model.Id, values, cancellation));
    }

    static async Task WatchedAsync(CareNode node, Caller doctor, ModelSummary model)
    {
        var cancellation = TestContext.Current.CancellationToken;
        Assert.Contains("nothing was written", Assert.IsType<ModelAnswer<ModelWatch>.Refused>(await node.Models.WatchAsync(doctor, model.Id, cancellation)).Reason, StringComparison.Ordinal);
        // Three whom the model has not seen; the first of them is ill.
        foreach (var bundle in FhirCohort.Bundles(People + Newcomers).Skip(People))
        {
            var written = Assert.IsType<WriteOutcome.Written>(await node.Records.ImportAsync(doctor, Encoding.UTF8.GetBytes(bundle), cancellation));
            await node.ShareAsync(written.Records.First(record => record.Type == "Patient").Id, Purpose.Treatment);
        }
        var watch = Assert.IsType<ModelAnswer<ModelWatch>.Given>(await node.Models.WatchAsync(doctor, model.Id, cancellation)).Value;
        Assert.Equal((Newcomers, Newcomers), (watch.Encounters, watch.Assessed));
        Assert.Equal(1.0 / Newcomers, watch.Observed!.Estimate, 12);
        Assert.InRange(watch.Expected, 0.01, Newcomers - 0.01);
        Assert.Contains(watch.Inputs, input => input.Column == "glucose (mg/dL)");
        Assert.Equal(watch.Expected, (await node.Models.FindAsync(CareNode.NewCaller(Role.Auditor), model.Id, cancellation))!.Watch!.Expected);
        // Trained anew it is held against the one in use on those three, who are strangers to it, and too few to tell.
        var comparison = Assert.IsType<ModelTraining.Trained>(await node.Models.TrainAsync(doctor, Request, cancellation)).Model.Summary.Comparison!;
        Assert.Equal((model.Id, Newcomers, Newcomers, 0, null), (comparison.With, comparison.Encounters, comparison.Patients, comparison.KnownBefore, comparison.Figures));
        Assert.Contains($"tell of {Newcomers} patients: too few to compare on", comparison.About, StringComparison.Ordinal);
    }

    static string Nothing(PredictionOutcome outcome) => Assert.IsType<PredictionOutcome.NothingToJudge>(outcome).Reason;
}
