using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Recipes;
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

    /// <summary>
    /// Trains a model on behalf of a practitioner, by a recipe, from the records of every patient whose consent covers that practitioner for research
    /// or for treatment, and no others. What is stored is sealed, logged and anchored;
    /// it is in use once somebody releases it.
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
        var recipe = Recipes.Single(known => known.Name == request.Recipe);
        if (!await training.WaitAsync(0, cancellation))
        {
            return new ModelTraining.Busy();
        }
        try
        {
            return recipe.Encounters
                ? await TrainOnAsync(caller, recipe, await CollectAsync(caller, encounter => encounter.IsAbnormal is not null, cancellation), request, cancellation)
                : await TrainByAsync(caller, recipe, request, cancellation);
        }
        finally
        {
            training.Release();
        }
    }

    sealed class TrainingData
    {
        public List<(string Patient, ReadEncounter Encounter)> Encounters { get; } = [];
        public List<(string Type, string Id, int Version)> Versions { get; } = [];
        public int LeftOut { get; set; }
        public int Patients => Encounters.Select(encounter => encounter.Patient).Distinct(StringComparer.Ordinal).Count();
    }

    // What was written since a model was trained, it has not seen; an assessment that was changed since may have been seen as it was.
    static bool IsNewTo(ModelSummary model, DateTimeOffset? written) => written > model.Card.CreatedAt;

    static bool MayHaveLearned(ModelSummary model, ReadEncounter encounter) => encounter.IsAbnormal is not null && !IsNewTo(model, encounter.Assessed);

    async Task<TrainingData> CollectAsync(Caller caller, Func<ReadEncounter, bool> wanted, CancellationToken cancellation)
    {
        var data = new TrainingData();
        // In one order, so that the same records and seed give the same model.
        foreach (var patient in (await consents.PatientsOfAsync(caller, cancellation)).Order(StringComparer.Ordinal))
        {
            if (await PurposeForAsync(caller, patient, ["ClinicalImpression"], cancellation) is not { } purpose
                || await records.RetrieveAsync(caller, patient, purpose, EncounterReader.Types, cancellation) is not RetrievalOutcome.Found found)
            {
                continue;
            }
            var intact = Intact(found);
            data.LeftOut += found.Records.Count - intact.Count + found.Altered.Count;
            var kept = EncounterReader.Read(intact).Where(encounter => encounter.HasContent && wanted(encounter)).ToList();
            if (kept.Count > 0)
            {
                data.Encounters.AddRange(kept.Select(encounter => (patient, encounter)));
                data.Versions.AddRange(intact.Select(record => (record.Type, record.Id, record.Version)));
            }
        }
        return data;
    }

    /// <summary>Research where the patient agreed to it, else treatment; null where no consent covers all of those types for either. What was opened in an emergency is not learnt from.</summary>
    async Task<Purpose?> PurposeForAsync(Caller caller, string patient, IReadOnlyList<string> types, CancellationToken cancellation)
    {
        foreach (var purpose in (Purpose[])[Purpose.Research, Purpose.Treatment])
        {
            var scope = await consents.ScopeAsync(caller, patient, purpose, cancellation);
            if (types.All(type => scope.Decide(type, time.GetUtcNow()) is AccessDecision.Allowed { InEmergency: false }))
            {
                return purpose;
            }
        }
        return null;
    }

    async Task<ModelTraining> TrainOnAsync(Caller caller, Recipe recipe, TrainingData data, TrainingRequest request, CancellationToken cancellation)
    {
        if (data.Encounters.Count < EncountersMin)
        {
            return new ModelTraining.Refused(
                $"Of the records that patients let you read, {data.Encounters.Count} encounters have an assessment of normal or abnormal; {EncountersMin} are the least to learn from. Record more assessments, or ask more patients for access.");
        }
        var commitment = await CommitmentAsync(data.Versions, cancellation);
        var now = SealedStore.Now(time);
        var plan = new LearningPlan
        {
            Evaluation = new EvaluationOptions { Folds = request.Folds, Repeats = request.Repeats, Seed = request.Seed },
            Calibration = recipe.Model.CalibrationOf(request.Kind),
            Override = request.Override,
        };
        var assessed = data.Encounters.Select(one => new AssessedEncounter(one.Patient, one.Encounter.Features, one.Encounter.IsAbnormal!.Value)).ToList();
        var learner = recipe.Learner(assessed.Count, request.Kind, request.Trees);
        var outcome = await Task.Run(
            () => ConditionModel.Train(assessed, learner, plan, new ModelOrigin(recipe.Name, recipe.IntendedUse, now, commitment), cancellation: cancellation), cancellation);
        return outcome switch
        {
            ConditionTraining.Trained trained => await StoreAsync(caller, trained, data, request, cancellation),
            ConditionTraining.Guarded guarded => new ModelTraining.Guarded(guarded.Findings),
            ConditionTraining.Refused refused => new ModelTraining.Refused(refused.Message),
            var other => throw new InvalidOperationException($"Training came to {other.GetType().Name}."),
        };
    }

    async Task<ModelTraining> StoreAsync(Caller caller, ConditionTraining.Trained trained, TrainingData data, TrainingRequest request, CancellationToken cancellation)
    {
        var summary = SummaryOf(caller, trained.Model.Card, data.Patients, data.LeftOut, request) with
        {
            Comparison = Compare(await ComparedWithAsync(() => shelf.InUseAsync(cancellation)), data, trained.HeldOut, request.Seed),
        };
        var outcome = await StoreAsync(caller, trained.Model.ToBytes(), summary, cancellation);
        if (outcome is ModelTraining.Trained stored)
        {
            shelf.Hold(new HeldModel(trained.Model, stored.Model.Summary));
        }
        return outcome;
    }

    static ModelSummary SummaryOf(Caller caller, ModelCard card, int patients, int leftOut, TrainingRequest request) => new()
    {
        Id = "", TrainedBy = caller.Account, Patients = patients, RecordsLeftOut = leftOut, Hash = "", BestAttainable = request.BestAttainable, Card = card,
    };

    async Task<ModelTraining> StoreAsync(Caller caller, byte[] bytes, ModelSummary summary, CancellationToken cancellation)
    {
        var compressed = ModelLibrary.Compress(bytes);
        if (compressed.Length > ModelLibrary.CompressedBytesMax)
        {
            return new ModelTraining.Refused($"The model has {compressed.Length >> 20} MiB; {ModelLibrary.CompressedBytesMax >> 20} MiB is the most that is kept. Train fewer trees.");
        }
        summary = summary with { Hash = ModelLibrary.Hash(bytes) };
        summary = summary with { Id = await StoreOwnAsync(caller, ModelLibrary.Write(compressed, summary), AuditAction.Create, cancellation) };
        return new ModelTraining.Trained(new ModelView(summary, new ProofView("pending"), null, false, null));
    }

    async Task<string> StoreOwnAsync(Caller caller, byte[] json, AuditAction action, CancellationToken cancellation) =>
        await records.StoreOwnAsync(caller, json, LeafKind.Model, action, cancellation) switch
        {
            WriteOutcome.Written done => done.Records[0].Id,
            WriteOutcome.Invalid invalid => throw new InvalidOperationException($"What a model's desk stores is no valid resource: {invalid.Issues[0].Expression}: {invalid.Issues[0].Message}"),
            var other => throw new InvalidOperationException($"Storing it came to {other.GetType().Name}."),
        };

    async Task<byte[]> CommitmentAsync(IReadOnlyList<(string Type, string Id, int Version)> versions, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var commitments = await ModelStore.CommitmentsAsync(connection, versions, cancellation);
        var tree = new MerkleTree();
        tree.Append([.. commitments.Select(commitment => MerkleHash.Leaf(commitment))]);
        return tree.Root();
    }

    /// <summary>The kinds of model that a recipe can be trained as.</summary>
    public static IReadOnlyList<string> KindsOf(string recipe) =>
        [.. Learners.Names.Where(name => Learners.ReadsTextAlone(name) == (RecipeBook.Find(recipe) is { } known && Learners.ReadsTextAlone(known.Model.Kind)))];

    static string? Objection(TrainingRequest request) => request switch
    {
        _ when RecipeBook.Find(request.Recipe) is { Encounters: false, Records: null } => $"the recipe {request.Recipe} learns from a table: salus learn train --recipe {request.Recipe} --data FILE",
        _ when Recipes.All(recipe => recipe.Name != request.Recipe) => $"recipe is '{request.Recipe}'; give one of {string.Join(", ", Recipes.Select(recipe => recipe.Name))}",
        { Trees: < 10 or > 1000 } => $"trees is {request.Trees}; give 10 to 1000",
        { Folds: < 2 or > 20 } => $"folds is {request.Folds}; give 2 to 20",
        { Repeats: < 1 or > 10 } => $"repeats is {request.Repeats}; give 1 to 10",
        { BestAttainable: { } best } when best.Accuracy is not (>= 0 and <= 1) || best.Error is not (>= 0 and <= 1) || best.About is not { Length: > 0 and <= 500 } =>
            "bestAttainable must have an accuracy and an error from 0 to 1, and say of which records in up to 500 characters",
        { Kind: { } kind } when !KindsOf(request.Recipe).Contains(kind) => $"kind is '{request.Kind}'; give one of {string.Join(", ", KindsOf(request.Recipe))}",
        { Override.Length: < StatementMin or > StatementMax } => $"override is the reason why the guard's findings are put up with; give {StatementMin} to {StatementMax} characters",
        _ => null,
    };
}
