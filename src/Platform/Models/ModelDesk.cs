using Npgsql;
using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Identity.Passkeys;
using Salus.Platform.Records;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Models;

/// <summary>
/// Trains models from the node's own records, and judges encounters with them. It has no way to a record but the records' door: a model learns
/// from exactly what the consents given to its trainer cover, each read audited, and a prediction reads what the consents given to who asks cover.
/// </summary>
public sealed partial class ModelDesk(
    NpgsqlDataSource database, RecordsDesk records, ConsentDesk consents, AuditTrail audit, ProofDesk proofs, KeyVault vault, PasskeyStatements statements, ModelOptions options, TimeProvider time) : IDisposable
{
    const int HistoryMax = 30;

    readonly ModelShelf shelf = new(database, vault);
    readonly SemaphoreSlim training = new(1);

    /// <summary>The newest models, newest first. Null for a role that sees none.</summary>
    public async Task<IReadOnlyList<ModelView>?> ListAsync(Caller caller, CancellationToken cancellation) =>
        await MaySeeAsync(caller, cancellation) ? await ViewAsync(await shelf.NewestAsync(HistoryMax, cancellation), cancellation) : null;

    /// <summary>One model. Null for a role that sees none, or where there is no such model.</summary>
    public async Task<ModelView?> FindAsync(Caller caller, string id, CancellationToken cancellation) =>
        await MaySeeAsync(caller, cancellation) && await shelf.FindAsync(id, cancellation) is { } found ? (await ViewAsync([found], cancellation))[0] : null;

    /// <summary>Whether the role sees models and their figures.</summary>
    public static bool MaySee(Caller caller) => caller.Role is Role.Practitioner or Role.Researcher or Role.Auditor or Role.Administrator;

    async Task<bool> MaySeeAsync(Caller caller, CancellationToken cancellation)
    {
        if (MaySee(caller))
        {
            return true;
        }
        await RefusedAsync(caller, AuditAction.Read, ModelLibrary.Type, "The role sees no models.", cancellation);
        return false;
    }

    async Task<IReadOnlyList<ModelView>> ViewAsync(IReadOnlyList<(ModelSummary Summary, SealedEntry Entry)> models, CancellationToken cancellation)
    {
        var states = await proofs.VerifyAsync([.. models.Select(model => model.Entry.Envelope(model.Entry.HashAsStored()))], cancellation);
        var releases = (await shelf.ReleasesAsync(cancellation)).Select(release => release with { SignatureHolds = Holds(release) }).ToList();
        var watches = await shelf.WatchesAsync(cancellation);
        var inUse = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var recipe in models.Select(model => model.Summary.Recipe).Distinct(StringComparer.Ordinal))
        {
            inUse[recipe] = (await shelf.ReleasedAsync(recipe, cancellation))?.Model;
        }
        return
        [
            .. models.Select((model, i) => new ModelView(
                model.Summary, ProofView.Of(states[i]), releases.FirstOrDefault(release => release.Model == model.Summary.Id), model.Summary.Id == inUse[model.Summary.Recipe],
                watches.GetValueOrDefault(model.Summary.Id))),
        ];
    }

    /// <summary>
    /// Judges the newest encounter of a patient that has anything to judge, or the one that is named, and stores the prediction in the record.
    /// </summary>
    public async Task<PredictionOutcome> PredictAsync(Caller caller, string patient, string? encounter, CancellationToken cancellation)
    {
        if (caller.Role != Role.Practitioner)
        {
            await RefusedAsync(caller, AuditAction.Predict, "RiskAssessment", "The role makes no predictions.", cancellation);
            return new PredictionOutcome.Forbidden($"The role {caller.Role} makes no predictions; a practitioner does.");
        }
        if (await shelf.InUseAsync(cancellation) is not { } model)
        {
            return new PredictionOutcome.NoModel();
        }
        var retrieval = await records.RetrieveAsync(caller, patient, Purpose.Treatment, EncounterReader.Types, cancellation);
        if (retrieval is not RetrievalOutcome.Found found)
        {
            return new PredictionOutcome.NoConsent(((RetrievalOutcome.Forbidden)retrieval).Reason);
        }
        var (chosen, isKnown) = Choose(Intact(found), encounter);
        if (chosen is null)
        {
            return new PredictionOutcome.NothingToJudge(encounter is not null && !isKnown
                ? "Among the records that the patient's consent covers there is no such encounter."
                : "Among the records that the patient's consent covers there is no encounter with vital signs or notes. Record a condition, or ask the patient to share visits, results and documents.");
        }
        return await StoreAsync(caller, patient, chosen, model, cancellation);
    }

    /// <summary>The encounter that is named, or the newest that has anything to judge; null where there is nothing, and whether the named one is there at all.</summary>
    static (ReadEncounter? Chosen, bool IsKnown) Choose(IReadOnlyList<StoredRecord> records, string? encounter)
    {
        var encounters = EncounterReader.Read(records);
        var chosen = encounter is null ? encounters.LastOrDefault(one => one.HasContent) : encounters.FirstOrDefault(one => one.Id == encounter);
        return (chosen is { HasContent: true } ? chosen : null, chosen is not null);
    }

    /// <summary>A patient's predictions, newest first, for the patient and for those whose consent covers them.</summary>
    public async Task<PredictionList> PredictionsAsync(Caller caller, string patient, CancellationToken cancellation)
    {
        switch (await records.RetrieveAsync(caller, patient, Purpose.Treatment, ["RiskAssessment"], cancellation))
        {
            case RetrievalOutcome.Found found:
                List<PredictionView> views = [];
                foreach (var proven in found.Records.Reverse())
                {
                    if (RiskAssessmentJson.Read(proven.Record) is { } view)
                    {
                        views.Add(view with { Proof = ProofView.Of(proven.Proof), Figures = await shelf.SummaryAsync(view.Model, cancellation) });
                    }
                }
                return new PredictionList.Found(views);
            case RetrievalOutcome.Forbidden forbidden:
                return new PredictionList.NoConsent(forbidden.Reason);
            default:
                throw new InvalidOperationException("A retrieval is found or forbidden.");
        }
    }

    /// <summary>Lets go of what is held.</summary>
    public void Dispose() => training.Dispose();

    async Task<PredictionOutcome> StoreAsync(Caller caller, string patient, ReadEncounter encounter, HeldModel model, CancellationToken cancellation)
    {
        var (said, label, evidence, reasons) = Judge(model, [encounter.Features])[0];
        var view = new PredictionView(
            "", patient, encounter.Id, SealedStore.Now(time), said.Probabilities[1], evidence, label, said.Scale, reasons,
            encounter.Basis, model.Summary.Id, model.Summary, new ProofView("pending"), MayHaveLearned(model.Summary, encounter));
        return await StoreAsync(caller, view, cancellation);
    }

    async Task<PredictionOutcome> StoreAsync(Caller caller, PredictionView view, CancellationToken cancellation) =>
        await records.StoreOwnAsync(caller, RiskAssessmentJson.Write(view), LeafKind.Record, AuditAction.Predict, cancellation) switch
        {
            WriteOutcome.Written written => new PredictionOutcome.Predicted(view with { RiskAssessment = written.Records[0].Id }),
            WriteOutcome.Invalid invalid => throw new InvalidOperationException($"The prediction is no valid RiskAssessment: {invalid.Issues[0].Expression}: {invalid.Issues[0].Message}"),
            var other => throw new InvalidOperationException($"Storing a prediction came to {other.GetType().Name}."),
        };

    /// <summary>Records that verify: what was altered neither teaches nor is judged.</summary>
    static List<StoredRecord> Intact(RetrievalOutcome.Found found) =>
        [.. found.Records.Where(proven => proven.Proof is not ProofState.Broken).Select(proven => proven.Record)];

    static IReadOnlyList<(Judgement Said, string Label, ObservedShare? Evidence, IReadOnlyList<PredictionReason> Reasons)> Judge(HeldModel model, IReadOnlyList<EncounterFeatures> encounters) =>
    [
        .. model.Model.Judge(encounters).Select(said => (said, said.Class == 1 ? "abnormal" : "normal", ObservedShare.About(model.Model.Card.Evaluation, said.Probabilities[1]),
            (IReadOnlyList<PredictionReason>)[.. said.Reasons.Select(reason => new PredictionReason(reason.Feature, reason.Description, reason.Share))])),
    ];

    Task RefusedAsync(Caller caller, AuditAction action, string entity, string reason, CancellationToken cancellation) =>
        audit.RecordAsync(new AuditFact(action, false, caller.Account, null, entity, reason), cancellation);
}
