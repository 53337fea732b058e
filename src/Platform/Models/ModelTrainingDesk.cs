using Salus.Learning.Evaluate;
using Salus.Learning.Forest;
using Salus.Learning.Models;
using Salus.Ledger.Merkle;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Store;

namespace Salus.Platform.Models;

// Training.
public sealed partial class ModelDesk
{
    /// <summary>Labelled encounters below which nothing is trained.</summary>
    public const int EncountersMin = 20;

    const string IntendedUse =
        "Tells, from vital signs, demographics and notes, how probable it is that a doctor would assess an encounter as abnormal. An aid to a doctor, not a diagnosis; it knows only patients like those it was trained on.";

    /// <summary>
    /// Trains a model on behalf of a practitioner, from the labelled encounters of every patient whose consent covers that practitioner for research
    /// or for treatment, and no others. What is stored is sealed, logged and anchored; it is in use at once.
    /// </summary>
    public async Task<ModelTraining> TrainAsync(Caller caller, TrainingRequest request, CancellationToken cancellation)
    {
        if (caller.Role != Role.Practitioner)
        {
            await RefusedAsync(caller, AuditAction.Create, "Library", "The role trains no models.", cancellation);
            return new ModelTraining.Forbidden($"The role {caller.Role} trains no models: a model learns from the records that a practitioner may read.");
        }
        if (Objection(request) is { } objection)
        {
            return new ModelTraining.Refused(objection);
        }
        if (!await training.WaitAsync(0, cancellation))
        {
            return new ModelTraining.Busy();
        }
        try
        {
            return await TrainOnAsync(caller, await CollectAsync(caller, cancellation), request, cancellation);
        }
        finally
        {
            training.Release();
        }
    }

    sealed class TrainingData
    {
        public List<AssessedEncounter> Encounters { get; } = [];
        public List<(string Type, string Id, int Version)> Versions { get; } = [];
        public int Patients { get; set; }
        public int LeftOut { get; set; }
    }

    async Task<TrainingData> CollectAsync(Caller caller, CancellationToken cancellation)
    {
        var data = new TrainingData();
        // In one order, so that the same records and seed give the same model.
        foreach (var patient in (await consents.PatientsOfAsync(caller, cancellation)).Order(StringComparer.Ordinal))
        {
            if (await PurposeForAsync(caller, patient, cancellation) is not { } purpose
                || await records.RetrieveAsync(caller, patient, purpose, EncounterReader.Types, cancellation) is not RetrievalOutcome.Found found)
            {
                continue;
            }
            var intact = Intact(found);
            data.LeftOut += found.Records.Count - intact.Count + found.Altered.Count;
            var labelled = EncounterReader.Read(intact).Where(encounter => encounter is { IsAbnormal: not null, HasContent: true }).ToList();
            if (labelled.Count > 0)
            {
                data.Patients++;
                data.Encounters.AddRange(labelled.Select(encounter => new AssessedEncounter(patient, encounter.Features, encounter.IsAbnormal!.Value)));
                data.Versions.AddRange(intact.Select(record => (record.Type, record.Id, record.Version)));
            }
        }
        return data;
    }

    /// <summary>Research where the patient agreed to it, else treatment; null where no consent covers the assessments for either. What was opened in an emergency is not learnt from.</summary>
    async Task<Purpose?> PurposeForAsync(Caller caller, string patient, CancellationToken cancellation)
    {
        foreach (var purpose in (Purpose[])[Purpose.Research, Purpose.Treatment])
        {
            var scope = await consents.ScopeAsync(caller, patient, purpose, cancellation);
            if (scope.Decide("ClinicalImpression", time.GetUtcNow()) is AccessDecision.Allowed { InEmergency: false })
            {
                return purpose;
            }
        }
        return null;
    }

    async Task<ModelTraining> TrainOnAsync(Caller caller, TrainingData data, TrainingRequest request, CancellationToken cancellation)
    {
        if (data.Encounters.Count < EncountersMin)
        {
            return new ModelTraining.Refused(
                $"Of the records that patients let you read, {data.Encounters.Count} encounters have an assessment of normal or abnormal; {EncountersMin} are the least to learn from. Record more assessments, or ask more patients for access.");
        }
        var commitment = await CommitmentAsync(data, cancellation);
        var now = SealedStore.Now(time);
        var options = new TrainingOptions
        {
            Forest = new ForestOptions { Trees = request.Trees, Seed = request.Seed },
            Validation = new CrossValidationOptions(request.Folds, request.Repeats, request.Seed),
        };
        var outcome = await Task.Run(
            () => ConditionModel.Train(data.Encounters, options, new ModelOrigin("condition", IntendedUse, now, commitment), cancellation), cancellation);
        if (outcome is ConditionTraining.Refused refused)
        {
            return new ModelTraining.Refused(refused.Message);
        }
        var model = ((ConditionTraining.Trained)outcome).Model;
        var compressed = ModelLibrary.Compress(model);
        if (compressed.Length > ModelLibrary.CompressedBytesMax)
        {
            return new ModelTraining.Refused($"The model has {compressed.Length >> 20} MiB; {ModelLibrary.CompressedBytesMax >> 20} MiB is the most that is kept. Train fewer trees than {request.Trees}.");
        }
        var summary = SummaryOf(model.Card, caller, data, request);
        var written = await records.StoreOwnAsync(caller, ModelLibrary.Write(compressed, summary), LeafKind.Model, AuditAction.Create, cancellation) switch
        {
            WriteOutcome.Written done => done.Records[0],
            WriteOutcome.Invalid invalid => throw new InvalidOperationException($"The model is no valid Library: {invalid.Issues[0].Expression}: {invalid.Issues[0].Message}"),
            var other => throw new InvalidOperationException($"Storing a model came to {other.GetType().Name}."),
        };
        summary = summary with { Id = written.Id };
        held = new HeldModel(model, summary);
        return new ModelTraining.Trained(new ModelView(summary, new ProofView("pending")));
    }

    async Task<byte[]> CommitmentAsync(TrainingData data, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var commitments = await ModelStore.CommitmentsAsync(connection, data.Versions, cancellation);
        var tree = new MerkleTree();
        tree.Append([.. commitments.Select(commitment => MerkleHash.Leaf(commitment))]);
        return tree.Root();
    }

    static string? Objection(TrainingRequest request) => request switch
    {
        { Trees: < 10 or > 1000 } => $"trees is {request.Trees}; give 10 to 1000",
        { Folds: < 2 or > 20 } => $"folds is {request.Folds}; give 2 to 20",
        { Repeats: < 1 or > 10 } => $"repeats is {request.Repeats}; give 1 to 10",
        { BestAttainable: { } best } when best.Accuracy is not (>= 0 and <= 1) || best.Error is not (>= 0 and <= 1) || best.About is not { Length: > 0 and <= 500 } =>
            "bestAttainable must have an accuracy and an error from 0 to 1, and say of which records in up to 500 characters",
        _ => null,
    };

    static ModelSummary SummaryOf(ModelCard card, Caller caller, TrainingData data, TrainingRequest request) => new()
    {
        Id = "",
        Created = card.CreatedAt,
        TrainedBy = caller.Account,
        IntendedUse = card.IntendedUse,
        Encounters = card.Rows,
        Abnormal = card.Validation.Positives,
        Patients = data.Patients,
        RecordsLeftOut = data.LeftOut,
        DataCommitment = card.DataCommitment,
        Trees = card.Forest.Trees,
        Seed = card.Forest.Seed,
        Folds = card.Validation.Folds,
        Repeats = card.Validation.Repeats,
        Accuracy = card.Validation.Accuracy,
        Auc = card.Validation.Auc,
        Majority = card.Validation.Majority,
        Brier = card.Validation.Brier,
        Sensitivity = card.Validation.Sensitivity,
        Specificity = card.Validation.Specificity,
        Threshold = card.Validation.Threshold,
        OutOfBagAccuracy = card.OutOfBagAccuracy,
        BestAttainable = request.BestAttainable,
        Importance = card.Importance,
        Calibration = card.Validation.Calibration,
    };
}
