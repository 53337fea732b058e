using System.Text.Json.Serialization;
using Salus.Learning.Evaluate;
using Salus.Learning.Explain;
using Salus.Learning.Models;
using Salus.Learning.Recipes;
using Salus.Platform.Anchoring;
using Salus.Platform.Identity.Passkeys;

namespace Salus.Platform.Models;

/// <summary>What the training of a model is asked to be.</summary>
/// <param name="Trees">Trees of a forest, or of boosting; 10 to 1000. The recipe's own number where none is given.</param>
/// <param name="Seed">The same seed on the same records gives the same model.</param>
/// <param name="Folds">Folds of the cross-validation, 2 to 20.</param>
/// <param name="Repeats">How often records are split anew, 1 to 10.</param>
/// <param name="BestAttainable">The best that any model could do on these records, where whoever made them knows it.</param>
/// <param name="Kind">forest, boosting or logistic; the recipe's own where none is given.</param>
/// <param name="Override">Why what the leakage guard finds is put up with; stays in the card.</param>
/// <param name="Recipe">What is predicted, and from what.</param>
public sealed record TrainingRequest(
    int? Trees = null, ulong Seed = 1, int Folds = 5, int Repeats = 3, BestAttainable? BestAttainable = null, string? Kind = null, string? Override = null,
    string Recipe = ModelSummary.Condition);

/// <summary>The accuracy of whoever knows how the records came to be.</summary>
/// <param name="Accuracy">As a share, 0 to 1.</param>
/// <param name="Error">Its standard error.</param>
/// <param name="About">Which records, in a sentence.</param>
public sealed record BestAttainable(double Accuracy, double Error, string About);

/// <summary>A new model beside the one that was in use when it was trained, on rows told since, which neither had seen.</summary>
/// <param name="With">The model in use then: the first of the two.</param>
/// <param name="Encounters">Encounters assessed, or patients, stays and notes told of, since that one was trained.</param>
/// <param name="Figures">The figures; null where those are too few, or the model in use cannot judge them.</param>
public sealed record ModelComparison(string With, int Encounters, PairedComparison? Figures)
{
    /// <summary>Whose rows those are, how many patients.</summary>
    public int Patients { get; init; }

    /// <summary>Patients among them from whose earlier records the model in use may have learned; the new one was judged by parts that had seen none of them.</summary>
    public int KnownBefore { get; init; }

    /// <summary>What was compared on what, in words; where there are no figures, why.</summary>
    public string About { get; init; } = "";
}

/// <summary>What is to be known of a model: never a patient's data, but for the words that matter most, each of which stands in several notes.</summary>
public sealed record ModelSummary
{
    /// <summary>The recipe of models that judge visits.</summary>
    public const string Condition = "condition";

    /// <summary>The logical id of the Library that holds it.</summary>
    public required string Id { get; init; }

    /// <summary>The recipe that it was trained by.</summary>
    public string Recipe { get; init; } = Condition;

    /// <summary>Whether it judges visits.</summary>
    [JsonIgnore]
    public bool JudgesVisits => Recipe == Condition;

    /// <summary>What its rows are.</summary>
    [JsonIgnore]
    public string Rows => JudgesVisits ? "encounters" : RecipeBook.Find(Recipe)?.Records?.Per switch { RecordRow.Visit => "stays", RecordRow.Note => "notes", _ => "patients" };

    /// <summary>How many rows it learned from, of how many patients.</summary>
    [JsonIgnore]
    public string RowsInWords => Card.Rows == Patients && Rows == "patients" ? $"{Patients} patients" : $"{Card.Rows} {Rows} of {Patients} patients";

    /// <summary>Whether it tells one of many classes.</summary>
    [JsonIgnore]
    public bool HasManyClasses => RecipeBook.Find(Recipe) is { HasManyClasses: true };

    /// <summary>The account on whose behalf it was trained, with exactly that account's consents.</summary>
    public required Guid TrainedBy { get; init; }

    /// <summary>Patients whose encounters it saw.</summary>
    public required int Patients { get; init; }

    /// <summary>Records left out, because their proof was broken or they did not open.</summary>
    public required int RecordsLeftOut { get; init; }

    /// <summary>SHA-256 of the model's bytes, hexadecimal: what a release names.</summary>
    public required string Hash { get; init; }

    /// <summary>The best that any model could do on these records, where it is known.</summary>
    public BestAttainable? BestAttainable { get; init; }

    /// <summary>Beside the model that was in use when it was trained; null where there was none.</summary>
    public ModelComparison? Comparison { get; init; }

    /// <summary>Its card. Its data commitment is the Merkle root over the salted commitments of the versions it saw.</summary>
    public required ModelCard Card { get; init; }
}

/// <summary>That a person released a model for use, or withdrew it.</summary>
/// <param name="Id">The logical id of the Provenance that says so.</param>
/// <param name="Model">The model.</param>
/// <param name="Hash">SHA-256 of the model's bytes.</param>
/// <param name="IsWithdrawal">Whether it was withdrawn.</param>
/// <param name="By">The account that did.</param>
/// <param name="Time">When.</param>
/// <param name="Statement">What that person states.</param>
public sealed record ModelRelease(string Id, string Model, string Hash, bool IsWithdrawal, Guid By, DateTimeOffset Time, string Statement)
{
    /// <summary>The same, signed with a passkey of that person's own; null where the node alone vouches for who it was.</summary>
    public SignedStatement? Signature { get; init; }

    /// <summary>Whether the signature holds and says the same; null where there is none.</summary>
    public bool? SignatureHolds { get; init; }
}

/// <summary>How a model fares on what was written after it was trained.</summary>
/// <param name="Model">The model.</param>
/// <param name="By">The account with whose consents it was looked at.</param>
/// <param name="Time">When.</param>
/// <param name="Encounters">Encounters, patients, stays or notes that it has not seen.</param>
/// <param name="Inputs">How far what is measured has moved, the most moved first.</param>
/// <param name="Assessed">Those of which the records tell by now what came.</param>
/// <param name="Expected">How many of those the model expects to be abnormal, to have the outcome, or to be sorted right.</param>
/// <param name="Observed">The share that is, with its 95 % interval; null without any.</param>
/// <param name="Calibration">Predicted and observed shares.</param>
/// <param name="Auc">ROC-AUC on them; null where one class is missing.</param>
public sealed record ModelWatch(
    string Model, Guid By, DateTimeOffset Time, int Encounters, IReadOnlyList<InputDrift> Inputs, int Assessed, double Expected, Interval? Observed,
    IReadOnlyList<CalibrationBin> Calibration, double? Auc)
{
    /// <summary>Whether more or fewer came true than the model expects, beyond what chance explains.</summary>
    public bool IsOffCalibration => Observed is { } share && Assessed > 0 && (Expected / Assessed < share.Low || Expected / Assessed > share.High);
}

/// <summary>A model with the proof that it stands in the log, and what became of it.</summary>
/// <param name="Summary">What is to be known of it.</param>
/// <param name="Proof">How far its proof has come.</param>
/// <param name="Release">Its newest release or withdrawal; null where nobody has released it.</param>
/// <param name="IsInUse">Whether it makes the predictions of its recipe.</param>
/// <param name="Watch">How it fared when last looked at; null where it was not.</param>
public sealed record ModelView(ModelSummary Summary, ProofView Proof, ModelRelease? Release, bool IsInUse, ModelWatch? Watch)
{
    /// <summary>Whether somebody has released it, and nobody withdrawn it.</summary>
    public bool IsReleased => Release is { IsWithdrawal: false };
}

/// <summary>What a word or a value added to a probability.</summary>
/// <param name="Feature">The feature's name.</param>
/// <param name="Description">The feature with its value, as a reader would say it.</param>
/// <param name="Share">What it added to, or took from, the probability or the log odds.</param>
public sealed record PredictionReason(string Feature, string Description, double Share);

/// <summary>How probable a class is, 0 to 1.</summary>
public sealed record ClassProbability(string Class, double Probability);

/// <summary>What a model said of an encounter, a patient, a stay or a note.</summary>
/// <param name="RiskAssessment">The logical id of the record that holds it.</param>
/// <param name="Patient">The patient's logical id.</param>
/// <param name="Encounter">The encounter's logical id; empty where the patient was judged, as of that day, or a note of no encounter.</param>
/// <param name="Time">When it was made.</param>
/// <param name="Probability">Of an abnormal assessment, or of what the recipe predicts, 0 to 1; of many classes the likeliest's.</param>
/// <param name="Evidence">How often what had about this probability, and was not seen by the model, came true; of many classes how often the likeliest was right.</param>
/// <param name="Label"><c>normal</c> or <c>abnormal</c> of a visit, <c>at risk</c> or <c>not at risk</c> of a patient or a stay, the likeliest class of a note.</param>
/// <param name="Scale">What the reasons add up to.</param>
/// <param name="Reasons">The words and values that spoke most, either way.</param>
/// <param name="Basis">The records it rests on.</param>
/// <param name="Model">The logical id of the model.</param>
/// <param name="Figures">The model's own figures; null when the model is not to be had any more.</param>
/// <param name="Proof">How far the record's proof has come.</param>
/// <param name="IsLearned">Whether the model may have learned from this encounter's assessment: then its probability says little.</param>
public sealed record PredictionView(
    string RiskAssessment, string Patient, string Encounter, DateTimeOffset Time, double Probability, ObservedShare? Evidence, string Label, ExplanationScale Scale,
    IReadOnlyList<PredictionReason> Reasons, IReadOnlyList<string> Basis, string Model, ModelSummary? Figures, ProofView Proof, bool IsLearned = false)
{
    /// <summary>The label of a patient whose probability is not below the model's threshold.</summary>
    public const string AtRisk = "at risk";

    /// <summary>The label of any other patient.</summary>
    public const string NotAtRisk = "not at risk";

    /// <summary>Of many classes every one with its probability, the likeliest first; else none.</summary>
    public IReadOnlyList<ClassProbability> Classes { get; init; } = [];

    /// <summary>The recipe of the model.</summary>
    public string Recipe { get; init; } = ModelSummary.Condition;
}

/// <summary>What became of training.</summary>
public abstract record ModelTraining
{
    ModelTraining() { }

    /// <summary>Sealed, stored and on its way into the log; in use once somebody releases it.</summary>
    public sealed record Trained(ModelView Model) : ModelTraining;

    /// <summary>The options are wrong, or the records do not suffice; the message says what would.</summary>
    public sealed record Refused(string Message) : ModelTraining;

    /// <summary>The leakage guard found ways in which the figures would lie; nothing was stored.</summary>
    public sealed record Guarded(IReadOnlyList<GuardFinding> Findings) : ModelTraining;

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

    /// <summary>No model is released for use.</summary>
    public sealed record NoModel : PredictionOutcome;

    /// <summary>The patient's consent does not cover the records that the model would read.</summary>
    public sealed record NoConsent(string Reason) : PredictionOutcome;

    /// <summary>There is no such encounter or note, or nothing was measured or written; why, in words.</summary>
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

/// <summary>What became of a release or a withdrawal.</summary>
public abstract record ReleaseOutcome
{
    ReleaseOutcome() { }

    /// <summary>Done, sealed and on its way into the log.</summary>
    public sealed record Done(ModelRelease Release) : ReleaseOutcome;

    /// <summary>It would be done; this is to be signed first.</summary>
    public sealed record ToSign(PreparedPasskey<RequestOptions> Question) : ReleaseOutcome;

    /// <summary>The device's answer was not taken, and nothing was done.</summary>
    public sealed record BadSignature(PasskeyFault Fault) : ReleaseOutcome;

    /// <summary>There is no such model.</summary>
    public sealed record Unknown : ReleaseOutcome;

    /// <summary>The statement is too short or too long, or there is nothing to withdraw; the message says what would be right.</summary>
    public sealed record Refused(string Message) : ReleaseOutcome;

    /// <summary>The role releases nothing.</summary>
    public sealed record Forbidden(string Reason) : ReleaseOutcome;
}

/// <summary>What became of the wish to see how a model fares, to try it, or to let it judge many.</summary>
/// <typeparam name="T">What is wanted.</typeparam>
public abstract record ModelAnswer<T>
{
    ModelAnswer() { }

    /// <summary>Here it is.</summary>
    public sealed record Given(T Value) : ModelAnswer<T>;

    /// <summary>There is no such model.</summary>
    public sealed record Unknown : ModelAnswer<T>;

    /// <summary>It cannot be had; the reason says what would be right.</summary>
    public sealed record Refused(string Reason) : ModelAnswer<T>;

    /// <summary>The role does not allow it.</summary>
    public sealed record Forbidden(string Reason) : ModelAnswer<T>;
}

/// <summary>What a model says of values that belong to nobody's record; nothing of it is stored.</summary>
/// <param name="Probability">Of what the model predicts, 0 to 1; of many classes the likeliest's.</param>
/// <param name="Label">What it comes to.</param>
/// <param name="Evidence">How often the like came true of what the model had not seen.</param>
/// <param name="Scale">What the reasons add up to.</param>
/// <param name="Reasons">What spoke most.</param>
/// <param name="Classes">Of many classes all of them, the likeliest first.</param>
public sealed record WhatIf(
    double Probability, string Label, ObservedShare? Evidence, ExplanationScale Scale, IReadOnlyList<PredictionReason> Reasons, IReadOnlyList<ClassProbability> Classes);

/// <summary>What a model says of one patient; nothing of it is stored.</summary>
/// <param name="Patient">The patient's logical id.</param>
/// <param name="Record">The visit, the stay (<c>Encounter/…</c>) or the note (<c>DocumentReference/…</c>); empty where the patient was judged.</param>
/// <param name="Day">When the visit began, where known; the last day of the stay, the day of the note, or today.</param>
/// <param name="Probability">Of what the model predicts, 0 to 1; of many classes the likeliest's.</param>
/// <param name="Label">What it comes to.</param>
/// <param name="Assessment">What the doctor recorded, where they did.</param>
/// <param name="IsLearned">Whether the model may have learned from this encounter: then its probability says little.</param>
/// <param name="Reason">What spoke most.</param>
public sealed record CohortLine(string Patient, string Record, DateTimeOffset? Day, double Probability, string Label, string? Assessment, bool IsLearned, string? Reason);

/// <summary>What a model says of all patients whose consent covers it, the likeliest first.</summary>
/// <param name="Model">The model.</param>
/// <param name="Lines">One a patient.</param>
/// <param name="LeftOut">Patients whose consent covers too little, or who have nothing to judge.</param>
/// <param name="NotAsked">Patients about whom it was not asked, for there are more than one list holds; 0 where it holds all.</param>
public sealed record CohortJudgement(string Model, IReadOnlyList<CohortLine> Lines, int LeftOut, int NotAsked)
{
    /// <summary>About how many patients it was asked.</summary>
    public int Asked => Lines.Count + LeftOut;
}
