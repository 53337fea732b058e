using System.Runtime.Versioning;
using Microsoft.Extensions.Logging.Abstractions;
using Salus.Learning.Cohort;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Models;

namespace Salus.Tests.Models;

/// <summary>What becomes of a model after its release.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class ModelLifeTests
{
    [Fact]
    public async Task Visits_written_since_show_whether_a_model_still_holds_and_train_the_next_one_which_waits_for_its_release()
    {
        await using var node = await CareNode.StartAsync();
        var cancellation = TestContext.Current.CancellationToken;
        var doctor = await node.EmployAsync(Role.Practitioner);
        var cohort = CohortGenerator.Make(new CohortOptions { Patients = 16, EncountersMax = 3, Draws = 100, Seed = 5 }).Patients;
        var patients = await node.EnterAsync(doctor, cohort);
        foreach (var patient in patients.Skip(1))
        {
            await node.ShareAsync(patient, Purpose.Treatment);
        }
        var request = new TrainingRequest(Folds: 3, Repeats: 1, Kind: "logistic", Seed: 7);
        var first = Assert.IsType<ModelTraining.Trained>(await node.Models.TrainAsync(doctor, request, cancellation)).Model.Summary;
        Assert.Null(first.Comparison);
        Assert.IsType<ReleaseOutcome.Done>(await node.Models.ReleaseAsync(doctor, first.Id, "Fit for this test's purposes.", cancellation));
        Assert.IsType<ModelAnswer<ModelWatch>.Refused>(await node.Models.WatchAsync(doctor, first.Id, cancellation));

        // The same patients again, all with a racing heart, and assessed the other way round.
        var later = cohort.Select(patient => patient with
        {
            Encounters = [.. patient.Encounters.Select(encounter => encounter with { AssessedAbnormal = !encounter.AssessedAbnormal, Vitals = encounter.Vitals with { HeartRate = 190 } })],
        }).ToList();
        await node.EnterAsync(doctor, later);
        var fresh = later.Skip(1).SelectMany(patient => patient.Encounters).ToList();

        var watch = Assert.IsType<ModelAnswer<ModelWatch>.Given>(await node.Models.WatchAsync(doctor, first.Id, cancellation)).Value;
        Assert.Equal((fresh.Count, fresh.Count), (watch.Encounters, watch.Assessed));
        Assert.Equal(("heart rate (/min)", true), (watch.Inputs[0].Column, watch.Inputs[0].HasMoved));
        Assert.False(watch.Inputs.Single(input => input.Column == "sex").HasMoved);
        Assert.Equal((double)fresh.Count(encounter => encounter.AssessedAbnormal) / fresh.Count, watch.Observed!.Estimate, 12);
        var kept = (await node.Models.FindAsync(CareNode.NewCaller(Role.Auditor), first.Id, cancellation))!.Watch!;
        Assert.Equal((watch.Time, watch.Expected, watch.Observed, doctor.Account), (kept.Time, kept.Expected, kept.Observed, kept.By));

        var judged = Assert.IsType<ModelAnswer<CohortJudgement>.Given>(await node.Models.JudgeCohortAsync(doctor, first.Id, cancellation)).Value;
        Assert.Equal(patients.Skip(1).Order(StringComparer.Ordinal), judged.Lines.Select(line => line.Patient).Order(StringComparer.Ordinal));
        Assert.Equal(judged.Lines.OrderByDescending(line => line.Probability).Select(line => line.Patient), judged.Lines.Select(line => line.Patient));
        // The newest visit by its date may be one of either time; both times stand in the list.
        Assert.Contains(judged.Lines, line => !line.IsLearned);
        Assert.Empty(Assert.IsType<PredictionList.Found>(await node.Models.PredictionsAsync(doctor, patients[1], cancellation)).Predictions);

        await RetrainAsync(node, first, fresh.Count, cancellation);
        Assert.True(await node.Accounts.DisableAsync(Guid.NewGuid(), doctor.Account, cancellation));
        Assert.Null(await Retraining(node, days: 30).RunAsync(ModelSummary.Condition, cancellation));
    }

    [Fact]
    public async Task Values_of_nobody_are_judged_and_nothing_is_stored()
    {
        await using var node = await CareNode.StartAsync();
        var cancellation = TestContext.Current.CancellationToken;
        var doctor = CareNode.NewCaller(Role.Practitioner);
        foreach (var patient in await node.EnterAsync(doctor, CohortGenerator.Make(new CohortOptions { Patients = 14, Draws = 100, Seed = 6 }).Patients))
        {
            await node.ShareAsync(patient, Purpose.Treatment);
        }
        var model = Assert.IsType<ModelTraining.Trained>(await node.Models.TrainAsync(doctor, new TrainingRequest(Trees: 40, Folds: 3, Repeats: 1), cancellation)).Model.Summary;
        var entries = await CountAsync(node);

        Dictionary<string, string?> well = new() { ["heart rate (/min)"] = "64", ["temperature (°C)"] = "36,6", ["respiratory rate (/min)"] = "12", ["oxygen saturation (%)"] = "99" };
        var low = Assert.IsType<ModelAnswer<WhatIf>.Given>(await node.Models.TryAsync(doctor, model.Id, well, cancellation)).Value;
        var high = Assert.IsType<ModelAnswer<WhatIf>.Given>(await node.Models.TryAsync(doctor, model.Id, new Dictionary<string, string?>
        {
            ["heart rate (/min)"] = "130", ["temperature (°C)"] = "39.5", ["respiratory rate (/min)"] = "28", ["oxygen saturation (%)"] = "88",
        }, cancellation)).Value;
        Assert.True(low.Probability < high.Probability, $"{low.Probability} is not below {high.Probability}.");
        Assert.Equal(("normal", "abnormal"), (low.Label, high.Label));
        Assert.NotEmpty(high.Reasons);
        Assert.IsType<ModelAnswer<WhatIf>.Refused>(await node.Models.TryAsync(doctor, model.Id, new Dictionary<string, string?>(), cancellation));
        foreach (var (column, value, said) in ((string, string, string)[])
        [
            ("heart rate (/min)", "-1", "Heart rate: give a number from 10 to 350 /min"), ("heart rate (/min)", "1000", "from 10 to 350"), ("temperature (°C)", "warm", "Temperature"),
            ("sex", "yes", "give one of female"), ("pulse", "64", "there is no column 'pulse'"), ("notes", new string('x', 50_001), "at most 50000 characters"),
        ])
        {
            Assert.Contains(said, Assert.IsType<ModelAnswer<WhatIf>.Refused>(await node.Models.TryAsync(doctor, model.Id, new Dictionary<string, string?>(well) { [column] = value }, cancellation)).Reason, StringComparison.Ordinal);
        }
        Assert.IsType<ModelAnswer<WhatIf>.Unknown>(await node.Models.TryAsync(doctor, Guid.NewGuid().ToString(), well, cancellation));
        Assert.Equal(entries, await CountAsync(node));

        Assert.Contains("kind is 'oracle'", Assert.IsType<ModelTraining.Refused>(await node.Models.TrainAsync(doctor, new TrainingRequest(Kind: "oracle"), cancellation)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_of_all_patients_that_is_full_says_how_many_it_does_not_hold()
    {
        await using var node = await CareNode.StartAsync(("Salus:Models:CohortMax", "10"));
        var cancellation = TestContext.Current.CancellationToken;
        var doctor = CareNode.NewCaller(Role.Practitioner);
        foreach (var patient in await node.EnterAsync(doctor, CohortGenerator.Make(new CohortOptions { Patients = 13, Draws = 100, Seed = 6 }).Patients))
        {
            await node.ShareAsync(patient, Purpose.Treatment);
        }
        var model = Assert.IsType<ModelTraining.Trained>(await node.Models.TrainAsync(doctor, new TrainingRequest(Folds: 3, Repeats: 1, Kind: "logistic"), cancellation)).Model.Summary;
        var judged = Assert.IsType<ModelAnswer<CohortJudgement>.Given>(await node.Models.JudgeCohortAsync(doctor, model.Id, cancellation)).Value;
        Assert.Equal((10, 0, 3, 10), (judged.Lines.Count, judged.LeftOut, judged.NotAsked, judged.Asked));
        var answered = System.Text.Json.JsonSerializer.SerializeToElement(judged, Salus.Learning.Models.CardJson.Options);
        Assert.Equal((10, 3), (answered.GetProperty("asked").GetInt32(), answered.GetProperty("notAsked").GetInt32()));
    }

    static async Task RetrainAsync(CareNode node, ModelSummary first, int fresh, CancellationToken cancellation)
    {
        Assert.Null(await Retraining(node, days: 0).RunAsync(ModelSummary.Condition, cancellation));
        var anew = Assert.IsType<ModelTraining.Trained>(await Retraining(node, days: 8).RunAsync(ModelSummary.Condition, cancellation)).Model.Summary;
        Assert.Equal((first.Card.Kind, first.Card.Seed, first.TrainedBy), (anew.Card.Kind, anew.Card.Seed, anew.TrainedBy));
        Assert.Equal((first.Id, fresh), (anew.Comparison!.With, anew.Comparison.Encounters));
        Assert.Equal((first.Patients, first.Patients), (anew.Comparison.Patients, anew.Comparison.KnownBefore));
        Assert.Contains($"On {fresh} encounters of {first.Patients} patients", anew.Comparison.About, StringComparison.Ordinal);
        // The old one has learned the opposite; the new one has seen both, and on these rows can only do better.
        Assert.True(anew.Comparison.Figures!.Auc.Difference.Estimate > 0);
        var models = (await node.Models.ListAsync(CareNode.NewCaller(Role.Auditor), cancellation))!;
        Assert.Equal([(anew.Id, false, false), (first.Id, true, true)], models.Select(model => (model.Summary.Id, model.IsReleased, model.IsInUse)));
    }

    static ModelRetraining Retraining(CareNode node, int days) =>
        new(node.Models, node.Accounts, new ModelOptions { RetrainEveryDays = 7 }, new Later(days), NullLogger<ModelRetraining>.Instance);

    static async Task<long> CountAsync(CareNode node)
    {
        await using var count = node.Database.CreateCommand("SELECT count(*) FROM entry");
        return (long)(await count.ExecuteScalarAsync())!;
    }

    sealed class Later(int days) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddDays(days);
    }
}
