using System.Text.Json;
using System.Runtime.Versioning;
using Salus.Learning.Cohort;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Models;
using Salus.Platform.Records;

namespace Salus.Tests.Models;

[UnsupportedOSPlatform("windows")]
public sealed class ModelDeskTests
{
    const string Statement = "Its figures were looked at, and they suffice.";

    static readonly TrainingRequest Quick = new(Trees: 20, Folds: 3, Repeats: 1);

    [Fact]
    public async Task A_model_learns_from_consented_records_and_its_prediction_is_a_record_like_any_other()
    {
        await using var node = await CareNode.StartAsync();
        var doctor = CareNode.NewCaller(Role.Practitioner);
        var cancellation = TestContext.Current.CancellationToken;
        var cohort = CohortGenerator.Make(new CohortOptions { Patients = 16, EncountersMax = 4, Draws = 100, Seed = 3 });
        var patients = await node.EnterAsync(doctor, cohort.Patients);

        var few = Assert.IsType<ModelTraining.Refused>(await node.Models.TrainAsync(doctor, Quick, cancellation));
        Assert.Contains("0 encounters", few.Message, StringComparison.Ordinal);
        Assert.IsType<PredictionOutcome.NoModel>(await node.Models.PredictAsync(doctor, patients[0], null, cancellation));

        foreach (var patient in patients.Skip(1))
        {
            await node.ShareAsync(patient, Purpose.Treatment);
        }
        var best = new BestAttainable(cohort.BestAccuracy, cohort.BestAccuracyError, "the synthetic cohort of seed 3");
        var model = Assert.IsType<ModelTraining.Trained>(await node.Models.TrainAsync(doctor, Quick with { BestAttainable = best }, cancellation)).Model.Summary;
        Assert.Equal(cohort.Patients.Skip(1).Sum(patient => patient.Encounters.Count), model.Card.Rows);
        Assert.Equal(cohort.Patients.Skip(1).SelectMany(patient => patient.Encounters).Count(encounter => encounter.AssessedAbnormal), model.Card.Evaluation.ClassRows[1]);
        Assert.Equal(patients.Count - 1, model.Patients);
        Assert.Equal(best, model.BestAttainable);
        Assert.Equal(doctor.Account, model.TrainedBy);
        Assert.InRange(model.Card.Evaluation.Accuracy.Low, 0, model.Card.Evaluation.Accuracy.Estimate);
        Assert.Empty(model.Card.Evaluation.Guard);

        // Nobody has released it: it predicts nothing.
        Assert.IsType<PredictionOutcome.NoModel>(await node.Models.PredictAsync(doctor, patients[1], null, cancellation));
        var release = Assert.IsType<ReleaseOutcome.Done>(await node.Models.ReleaseAsync(doctor, model.Id, "Its figures are those of the cohort.", cancellation)).Release;
        Assert.Equal((model.Id, model.Hash, doctor.Account), (release.Model, release.Hash, release.By));

        // The patient who shares nothing is not judged, and taught nothing.
        Assert.IsType<PredictionOutcome.NoConsent>(await node.Models.PredictAsync(doctor, patients[0], null, cancellation));

        var predicted = Assert.IsType<PredictionOutcome.Predicted>(await node.Models.PredictAsync(doctor, patients[1], null, cancellation)).Prediction;
        Assert.InRange(predicted.Probability, 0, 1);
        Assert.Equal(predicted.Probability >= model.Card.Threshold ? "abnormal" : "normal", predicted.Label);
        Assert.NotEmpty(predicted.Reasons);
        Assert.InRange(predicted.Evidence!.Share.Estimate, predicted.Evidence.Share.Low, predicted.Evidence.Share.High);
        Assert.InRange(predicted.Probability, predicted.Evidence.From, predicted.Evidence.To);
        Assert.Equal(model.Id, predicted.Model);

        var owner = CareNode.NewCaller(Role.Patient, patients[1]);
        var found = Assert.IsType<ReadOutcome.Found>(await node.Records.ReadAsync(owner, "RiskAssessment", predicted.RiskAssessment, null, Purpose.PatientRequest, cancellation));
        using var json = JsonDocument.Parse(found.Record.Bytes);
        Assert.Equal(predicted.Probability * 100, json.RootElement.GetProperty("prediction")[0].GetProperty("probabilityDecimal").GetDouble(), 3);

        var listed = Assert.Single(Assert.IsType<PredictionList.Found>(await node.Models.PredictionsAsync(owner, patients[1], cancellation)).Predictions);
        Assert.Equal((predicted.RiskAssessment, predicted.Label, predicted.Encounter), (listed.RiskAssessment, listed.Label, listed.Encounter));
        Assert.Equal(predicted.Reasons.Select(reason => reason.Description), listed.Reasons.Select(reason => reason.Description));
        Assert.Equal(model.Card.Evaluation.Accuracy, listed.Figures?.Card.Evaluation.Accuracy);
        Assert.Equal((predicted.Evidence.Rows, true, true), (listed.Evidence?.Rows, listed.IsLearned, predicted.IsLearned));
        Assert.IsType<PredictionList.NoConsent>(await node.Models.PredictionsAsync(CareNode.NewCaller(Role.Patient, patients[2]), patients[1], cancellation));

        await CareNode.UntilAsync(async () =>
            ((PredictionList.Found)await node.Models.PredictionsAsync(owner, patients[1], cancellation)).Predictions[0].Proof.State == "anchored"
            && (await node.Models.ListAsync(doctor, cancellation))![0].Proof.State == "anchored");
        var accesses = await node.Records.AccessesAsync(owner, patients[1], 100, cancellation);
        Assert.Contains(accesses!, line => line.Fact is { Action: AuditAction.Predict, Succeeded: true } && line.Fact.Account == doctor.Account);
        Assert.Contains(await node.Records.AccessesAsync(CareNode.NewCaller(Role.Patient, patients[0]), patients[0], 100, cancellation) ?? [],
            line => line.Fact is { Action: AuditAction.Read, Succeeded: false });
    }

    [Fact]
    public async Task The_same_records_and_seed_give_the_same_model_and_it_is_used_only_while_a_person_stands_by_it()
    {
        await using var node = await CareNode.StartAsync();
        var doctor = CareNode.NewCaller(Role.Practitioner);
        var administrator = CareNode.NewCaller(Role.Administrator);
        var cancellation = TestContext.Current.CancellationToken;
        var patients = await node.EnterAsync(doctor, CohortGenerator.Make(new CohortOptions { Patients = 14, Draws = 100, Seed = 4 }).Patients);
        foreach (var patient in patients)
        {
            await node.ShareAsync(patient, Purpose.Research, Purpose.Treatment);
        }

        var one = Assert.IsType<ModelTraining.Trained>(await node.Models.TrainAsync(doctor, Quick, cancellation)).Model.Summary;
        var two = Assert.IsType<ModelTraining.Trained>(await node.Models.TrainAsync(doctor, Quick, cancellation)).Model.Summary;

        Assert.Equal((one.Card.DataCommitment, one.Card.Evaluation.Accuracy, one.Card.Evaluation.Auc), (two.Card.DataCommitment, two.Card.Evaluation.Accuracy, two.Card.Evaluation.Auc));
        Assert.Equal([two.Id, one.Id], (await node.Models.ListAsync(CareNode.NewCaller(Role.Auditor), cancellation))!.Select(model => model.Summary.Id));

        Assert.IsType<ReleaseOutcome.Forbidden>(await node.Models.ReleaseAsync(CareNode.NewCaller(Role.Auditor), one.Id, Statement, cancellation));
        Assert.IsType<ReleaseOutcome.Forbidden>(await node.Models.ReleaseAsync(CareNode.NewCaller(Role.Researcher), one.Id, Statement, cancellation));
        Assert.IsType<ReleaseOutcome.Refused>(await node.Models.ReleaseAsync(doctor, one.Id, "  fine    ", cancellation));
        Assert.IsType<ReleaseOutcome.Unknown>(await node.Models.ReleaseAsync(doctor, Guid.NewGuid().ToString(), Statement, cancellation));
        Assert.IsType<ReleaseOutcome.Refused>(await node.Models.WithdrawAsync(doctor, one.Id, Statement, cancellation));
        Assert.Null(await InUseAsync(node));

        Assert.IsType<ReleaseOutcome.Done>(await node.Models.ReleaseAsync(doctor, one.Id, Statement, cancellation));
        Assert.Equal(one.Id, await InUseAsync(node));
        var second = Assert.IsType<ReleaseOutcome.Done>(await node.Models.ReleaseAsync(administrator, two.Id, Statement, cancellation)).Release;
        Assert.Equal((administrator.Account, two.Hash, Statement), (second.By, second.Hash, second.Statement));
        Assert.Equal(two.Id, await InUseAsync(node));
        Assert.Equal(two.Id, Assert.IsType<PredictionOutcome.Predicted>(await node.Models.PredictAsync(doctor, patients[0], null, cancellation)).Prediction.Model);

        Assert.IsType<ReleaseOutcome.Done>(await node.Models.WithdrawAsync(doctor, two.Id, Statement, cancellation));
        Assert.Equal(one.Id, await InUseAsync(node));
        Assert.True((await node.Models.FindAsync(doctor, two.Id, cancellation))!.Release!.IsWithdrawal);
        Assert.IsType<ReleaseOutcome.Done>(await node.Models.WithdrawAsync(doctor, one.Id, Statement, cancellation));

        // Rows say nothing by themselves: a release moved behind the withdrawal, or copied under another name, releases nothing.
        await using (var moved = node.Database.CreateCommand("UPDATE entry SET written = now() + interval '1 day' WHERE type = 'Provenance' AND id = $1"))
        {
            moved.Parameters.AddWithValue(second.Id);
            Assert.Equal(1, await moved.ExecuteNonQueryAsync(cancellation));
        }
        await using (var copied = node.Database.CreateCommand("""
            INSERT INTO entry SELECT type, gen_random_uuid()::text, version, kind, owner, patient, now() + interval '2 days', deleted, content, sealed, blob, ciphertext
            FROM entry WHERE type = 'Provenance' AND id = $1
            """))
        {
            copied.Parameters.AddWithValue(second.Id);
            Assert.Equal(1, await copied.ExecuteNonQueryAsync(cancellation));
        }
        Assert.Null(await InUseAsync(node));
        Assert.IsType<PredictionOutcome.NoModel>(await node.Models.PredictAsync(doctor, patients[0], null, cancellation));
        await using var leaves = node.Database.CreateCommand("SELECT count(*) FROM entry WHERE type = 'Provenance' AND kind = 4");
        Assert.Equal(5L, await leaves.ExecuteScalarAsync(cancellation));
    }

    [Theory]
    [InlineData(Role.Patient)]
    [InlineData(Role.Laboratory)]
    [InlineData(Role.Researcher)]
    [InlineData(Role.Administrator)]
    public async Task Only_a_practitioner_trains_and_predicts(Role role)
    {
        await using var node = await CareNode.StartAsync();
        var caller = CareNode.NewCaller(role);

        Assert.IsType<ModelTraining.Forbidden>(await node.Models.TrainAsync(caller, Quick, TestContext.Current.CancellationToken));
        Assert.IsType<PredictionOutcome.Forbidden>(await node.Models.PredictAsync(caller, Guid.NewGuid().ToString(), null, TestContext.Current.CancellationToken));
        Assert.IsType<ModelAnswer<ModelWatch>.Forbidden>(await node.Models.WatchAsync(caller, Guid.NewGuid().ToString(), TestContext.Current.CancellationToken));
        Assert.IsType<ModelAnswer<CohortJudgement>.Forbidden>(await node.Models.JudgeCohortAsync(caller, Guid.NewGuid().ToString(), TestContext.Current.CancellationToken));
        Assert.Equal(role is Role.Researcher or Role.Administrator, await node.Models.ListAsync(caller, TestContext.Current.CancellationToken) is not null);
    }

    static async Task<string?> InUseAsync(CareNode node) =>
        (await node.Models.ListAsync(CareNode.NewCaller(Role.Researcher), TestContext.Current.CancellationToken))!.SingleOrDefault(model => model.IsInUse)?.Summary.Id;
}
