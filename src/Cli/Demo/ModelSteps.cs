using Salus.Cli.Api;
using Salus.Learning.Evaluate;

namespace Salus.Cli.Demo;

/// <summary>A model learns from what patients let the doctor read, and judges an encounter.</summary>
static class ModelSteps
{
    const int ReasonsShown = 4;
    const int AnchorSecondsMax = 120;

    sealed record Prediction(string RiskAssessment, string Encounter, double Probability, string Label, IReadOnlyList<PredictionReason> Reasons);

    sealed record PredictionReason(string Feature, string Description, double Share);

    /// <summary>Trains on the node, with the best attainable accuracy beside the model's.</summary>
    public static async Task TrainAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        var cohort = world.Cohort!;
        notes.At("cross-validating and training");
        var model = await NodeTraining.TrainAsync(world.Doctor, new NodeTraining.Request
        {
            BestAttainable = new(cohort.BestAccuracy, cohort.BestAccuracyError, $"The synthetic cohort of seed {cohort.Seed}: whoever knows how it was drawn."),
        }, cancellation);
        var summary = model.Summary;
        var consented = world.Patients.Count(patient => patient.IsOfCohort && patient != world.Patients[^1]);
        StepNotes.Require(summary.Patients == consented,
            $"The model learned from {summary.Patients} patients, though {consented} with assessed encounters let the doctor read.");
        var figures = summary.Card.Evaluation;
        notes.Say($"{summary.Card.Kind} from {figures.Rows} assessed encounters of {summary.Patients} patients; the one who revoked is not among them");
        notes.Say($"accuracy {Share(figures.Accuracy)} over {figures.Options.Folds} folds of whole patients; always saying the commoner: {figures.Majority:P1}; best attainable: {cohort.BestAccuracy:P1}");
        notes.Say($"ROC-AUC {figures.Auc.Estimate:0.000} ({figures.Auc.Low:0.000} to {figures.Auc.High:0.000}), sensitivity {figures.Sensitivity?.Estimate:P0}, specificity {figures.Specificity?.Estimate:P0}; the leakage guard found {(figures.Guard.Count == 0 ? "nothing" : $"{figures.Guard.Count} leaks")}");
        if (figures.Accuracy.Low <= figures.Majority)
        {
            notes.Remark("On so few encounters the interval reaches down to always saying the commoner: more patients (--patients) tell more.");
        }
        var before = await world.Doctor.AskAsync(HttpMethod.Post, $"/api/patients/{world.Patients.First(candidate => candidate.IsOfCohort).Id}/predictions", new { }, cancellation);
        StepNotes.Require(before.Status == System.Net.HttpStatusCode.Conflict, $"A model that nobody released made a prediction (answer {(int)before.Status}).");
        var release = await NodeTraining.ReleaseAsync(world.Doctor, summary.Id, "For this demonstration: its figures are above always saying the commoner.", cancellation);
        notes.Say($"released by the doctor, under their name: Provenance/{release}; before, it predicted nothing");
        notes.Set("model", new
        {
            summary.Id, summary.Hash, summary.Card.Kind, Encounters = figures.Rows, Abnormal = figures.ClassRows[1], summary.Patients, summary.Card.DataCommitment,
            figures.Accuracy, figures.Auc, figures.Majority, Brier = figures.Brier.Estimate, Release = release,
        });
        notes.Set("bestAttainable", cohort.BestAccuracy);
    }

    /// <summary>Judges one patient's newest encounter; the prediction is a record like any other.</summary>
    public static async Task PredictAsync(DemoWorld world, StepNotes notes, CancellationToken cancellation)
    {
        var patient = world.Patients.First(candidate => candidate.IsOfCohort);
        var said = await world.Doctor.SendAsync<Prediction>(HttpMethod.Post, $"/api/patients/{patient.Id}/predictions", new { }, cancellation);
        StepNotes.Require(said.Label is "normal" or "abnormal" && said.Reasons.Count > 0, $"The prediction is '{said.Label}' with {said.Reasons.Count} reasons.");
        notes.Say($"the newest encounter of {patient.Id}: {said.Label}, probability of abnormal {said.Probability:P0}");
        notes.Remark("spoke for and against: " + string.Join("; ", said.Reasons.Take(ReasonsShown).Select(reason => $"{reason.Description} {(reason.Share < 0 ? "−" : "+")}{Math.Abs(reason.Share):P0}")));
        notes.At("the prediction goes to the chain");
        var proof = await RecordSteps.ProveAsync(
            await NodeProofs.OpenAsync(world.Doctor, world.Nobody, cancellation), $"RiskAssessment/{said.RiskAssessment}", cancellation);
        notes.Say($"stored as RiskAssessment/{said.RiskAssessment}: leaf {proof.Position}, anchored in block {proof.Block}");
        var revoked = await world.Doctor.AskAsync(HttpMethod.Post, $"/api/patients/{world.Patients[^1].Id}/predictions", new { }, cancellation);
        StepNotes.Require(revoked.Status == System.Net.HttpStatusCode.Forbidden, $"A patient who revoked was judged (answer {(int)revoked.Status}).");
        notes.Say("for the patient who revoked, the prediction was refused (403)");
        notes.Set("prediction", said);
        notes.Set("proof", proof);
    }

    static string Share(Interval interval) => $"{interval.Estimate:P1} ({interval.Low:P1} to {interval.High:P1})";
}
