using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Platform.Anchoring;

namespace Salus.Platform.Models;

/// <summary>What the training of a model is asked to be.</summary>
/// <param name="Trees">Trees of the forest, 10 to 1000.</param>
/// <param name="Seed">The same seed on the same records gives the same model.</param>
/// <param name="Folds">Folds of the cross-validation, 2 to 20.</param>
/// <param name="Repeats">How often records are split anew, 1 to 10.</param>
/// <param name="BestAttainable">The best that any model could do on these records, where whoever made them knows it.</param>
public sealed record TrainingRequest(int Trees = 200, ulong Seed = 1, int Folds = 5, int Repeats = 3, BestAttainable? BestAttainable = null);

/// <summary>The accuracy of whoever knows how the records came to be.</summary>
/// <param name="Accuracy">As a share, 0 to 1.</param>
/// <param name="Error">Its standard error.</param>
/// <param name="About">Which records, in a sentence.</param>
public sealed record BestAttainable(double Accuracy, double Error, string About);

/// <summary>What is to be known of a model: never a patient's data, but for the words that matter most, each of which stands in several notes.</summary>
public sealed record ModelSummary
{
    /// <summary>The logical id of the Library that holds it.</summary>
    public required string Id { get; init; }
    /// <summary>When it was trained.</summary>
    public required DateTimeOffset Created { get; init; }
    /// <summary>The account on whose behalf it was trained, with exactly that account's consents.</summary>
    public required Guid TrainedBy { get; init; }
    /// <summary>What it is for, and what it is not.</summary>
    public required string IntendedUse { get; init; }
    /// <summary>Assessed encounters it saw.</summary>
    public required int Encounters { get; init; }
    /// <summary>Of those, assessed abnormal.</summary>
    public required int Abnormal { get; init; }
    /// <summary>Patients they belong to.</summary>
    public required int Patients { get; init; }
    /// <summary>Records left out, because their proof was broken or they did not open.</summary>
    public required int RecordsLeftOut { get; init; }
    /// <summary>The Merkle root over the salted commitments of the versions it saw, hexadecimal.</summary>
    public required string DataCommitment { get; init; }
    /// <summary>Trees of the forest.</summary>
    public required int Trees { get; init; }
    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }
    /// <summary>Folds, each holding whole patients.</summary>
    public required int Folds { get; init; }
    /// <summary>How often the folds were drawn.</summary>
    public required int Repeats { get; init; }
    /// <summary>Cross-validated accuracy, with its 95 % interval.</summary>
    public required Interval Accuracy { get; init; }
    /// <summary>Cross-validated ROC-AUC, with its 95 % interval.</summary>
    public required Interval Auc { get; init; }
    /// <summary>The accuracy of always saying the more frequent label.</summary>
    public required double Majority { get; init; }
    /// <summary>The mean squared error of the probability.</summary>
    public required double Brier { get; init; }
    /// <summary>The share of abnormal encounters found at the threshold.</summary>
    public required double Sensitivity { get; init; }
    /// <summary>The share of normal encounters left alone at the threshold.</summary>
    public required double Specificity { get; init; }
    /// <summary>A probability not below this is called abnormal.</summary>
    public required double Threshold { get; init; }
    /// <summary>Accuracy of the final forest out of bag.</summary>
    public required double OutOfBagAccuracy { get; init; }
    /// <summary>The best that any model could do on these records, where it is known.</summary>
    public BestAttainable? BestAttainable { get; init; }
    /// <summary>What matters most, most important first.</summary>
    public required IReadOnlyList<FeatureImportance> Importance { get; init; }
    /// <summary>How predicted and observed shares agree.</summary>
    public required IReadOnlyList<CalibrationBin> Calibration { get; init; }
}

/// <summary>A model with the proof that it stands in the log.</summary>
public sealed record ModelView(ModelSummary Summary, ProofView Proof);

/// <summary>What a word or a value added to a probability.</summary>
/// <param name="Feature">The feature's name.</param>
/// <param name="Description">The feature with its value, as a reader would say it.</param>
/// <param name="Share">What it added to, or took from, the probability.</param>
public sealed record PredictionReason(string Feature, string Description, double Share);

/// <summary>What a model said of an encounter.</summary>
/// <param name="RiskAssessment">The logical id of the record that holds it.</param>
/// <param name="Patient">The patient's logical id.</param>
/// <param name="Encounter">The encounter's logical id.</param>
/// <param name="Time">When it was made.</param>
/// <param name="Probability">Of an abnormal assessment, 0 to 1.</param>
/// <param name="Label"><c>normal</c> or <c>abnormal</c>.</param>
/// <param name="Reasons">The words and values that spoke most, either way.</param>
/// <param name="Basis">The records it rests on.</param>
/// <param name="Model">The logical id of the model.</param>
/// <param name="Figures">The model's own figures; null when the model is not to be had any more.</param>
/// <param name="Proof">How far the record's proof has come.</param>
public sealed record PredictionView(
    string RiskAssessment, string Patient, string Encounter, DateTimeOffset Time, double Probability, string Label, IReadOnlyList<PredictionReason> Reasons,
    IReadOnlyList<string> Basis, string Model, ModelSummary? Figures, ProofView Proof);

/// <summary>What became of training.</summary>
public abstract record ModelTraining
{
    ModelTraining() { }

    /// <summary>Sealed, stored, on its way into the log, and in use.</summary>
    public sealed record Trained(ModelView Model) : ModelTraining;

    /// <summary>The options are wrong, or the records do not suffice; the message says what would.</summary>
    public sealed record Refused(string Message) : ModelTraining;

    /// <summary>The caller may not train.</summary>
    public sealed record Forbidden(string Reason) : ModelTraining;

    /// <summary>Another training runs.</summary>
    public sealed record Busy : ModelTraining;
}

/// <summary>What became of a prediction.</summary>
public abstract record PredictionOutcome
{
    PredictionOutcome() { }

    /// <summary>Made, and stored in the patient's record.</summary>
    public sealed record Predicted(PredictionView Prediction) : PredictionOutcome;

    /// <summary>No model was trained yet.</summary>
    public sealed record NoModel : PredictionOutcome;

    /// <summary>The patient's consent does not cover the records that the model would read.</summary>
    public sealed record NoConsent(string Reason) : PredictionOutcome;

    /// <summary>There is no such encounter, or nothing was measured or written at it.</summary>
    public sealed record NothingToJudge(string Reason) : PredictionOutcome;

    /// <summary>The caller's role does not predict.</summary>
    public sealed record Forbidden(string Reason) : PredictionOutcome;
}

/// <summary>What became of listing a patient's predictions.</summary>
public abstract record PredictionList
{
    PredictionList() { }

    /// <summary>Newest first.</summary>
    public sealed record Found(IReadOnlyList<PredictionView> Predictions) : PredictionList;

    /// <summary>No consent covers them.</summary>
    public sealed record NoConsent(string Reason) : PredictionList;
}
