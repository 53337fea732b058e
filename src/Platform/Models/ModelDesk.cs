using System.Collections.Concurrent;
using Npgsql;
using Salus.Ledger.Proofs;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Store;
using Salus.Vault.Keys;

namespace Salus.Platform.Models;

/// <summary>
/// Trains models from the node's own records, and judges encounters with them. It has no way to a record but the records' door: a model learns
/// from exactly what the consents given to its trainer cover, each read audited, and a prediction reads what the consents given to who asks cover.
/// </summary>
public sealed partial class ModelDesk(
    NpgsqlDataSource database, RecordsDesk records, ConsentDesk consents, AuditTrail audit, ProofDesk proofs, KeyVault vault, TimeProvider time) : IDisposable
{
    const int HistoryMax = 20;
    const int SummariesCachedMax = 200;

    readonly SealedStore store = new(vault);
    readonly ConcurrentDictionary<string, ModelSummary> summaries = new();
    readonly SemaphoreSlim training = new(1);
    volatile HeldModel? held;

    sealed record HeldModel(Salus.Learning.Models.ConditionModel Model, ModelSummary Summary);

    /// <summary>The newest models, newest first; the first is the one in use. Null for a role that sees none.</summary>
    public async Task<IReadOnlyList<ModelView>?> ListAsync(Caller caller, CancellationToken cancellation)
    {
        if (caller.Role is not (Role.Practitioner or Role.Researcher or Role.Auditor or Role.Administrator))
        {
            await RefusedAsync(caller, AuditAction.Read, "Library", "The role sees no models.", cancellation);
            return null;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        List<(ModelSummary Summary, LeafEnvelope Envelope)> found = [];
        foreach (var entry in await ModelStore.NewestAsync(connection, HistoryMax, cancellation))
        {
            if (await SummaryAsync(entry, cancellation) is { } summary)
            {
                found.Add((summary, entry.Envelope(entry.HashAsStored())));
            }
        }
        var states = await proofs.VerifyAsync([.. found.Select(model => model.Envelope)], cancellation);
        return [.. found.Select((model, i) => new ModelView(model.Summary, ProofView.Of(states[i])))];
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
        if (await HeldAsync(cancellation) is not { } model)
        {
            return new PredictionOutcome.NoModel();
        }
        var retrieval = await records.RetrieveAsync(caller, patient, Purpose.Treatment, EncounterReader.Types, cancellation);
        if (retrieval is not RetrievalOutcome.Found found)
        {
            return new PredictionOutcome.NoConsent(((RetrievalOutcome.Forbidden)retrieval).Reason);
        }
        var encounters = EncounterReader.Read(Intact(found));
        var chosen = encounter is null ? encounters.LastOrDefault(one => one.HasContent) : encounters.FirstOrDefault(one => one.Id == encounter);
        if (chosen is not { HasContent: true })
        {
            return new PredictionOutcome.NothingToJudge(encounter is not null && chosen is null
                ? "Among the records that the patient's consent covers there is no such encounter."
                : "Among the records that the patient's consent covers there is no encounter with vital signs or notes. Record a condition, or ask the patient to share visits, results and documents.");
        }
        return await StoreAsync(caller, patient, chosen, model, cancellation);
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
                        views.Add(view with { Proof = ProofView.Of(proven.Proof), Figures = await SummaryAsync(view.Model, cancellation) });
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
        var said = model.Model.Predict(encounter.Features);
        var view = new PredictionView(
            "", patient, encounter.Id, SealedStore.Now(time), said.Probability, said.IsPositive ? "abnormal" : "normal",
            [.. said.Reasons.Select(reason => new PredictionReason(reason.Feature, reason.Description, reason.Share))],
            encounter.Basis, model.Summary.Id, model.Summary, new ProofView("pending"));
        return await records.StoreOwnAsync(caller, RiskAssessmentJson.Write(view), LeafKind.Record, AuditAction.Predict, cancellation) switch
        {
            WriteOutcome.Written written => new PredictionOutcome.Predicted(view with { RiskAssessment = written.Records[0].Id }),
            WriteOutcome.Invalid invalid => throw new InvalidOperationException($"The prediction is no valid RiskAssessment: {invalid.Issues[0].Expression}: {invalid.Issues[0].Message}"),
            var other => throw new InvalidOperationException($"Storing a prediction came to {other.GetType().Name}."),
        };
    }

    /// <summary>Records that verify: what was altered neither teaches nor is judged.</summary>
    static List<StoredRecord> Intact(RetrievalOutcome.Found found) =>
        [.. found.Records.Where(proven => proven.Proof is not ProofState.Broken).Select(proven => proven.Record)];

    async Task<HeldModel?> HeldAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (await ModelStore.NewestIdAsync(connection, cancellation) is not { } newest)
        {
            return null;
        }
        if (held is { } known && known.Summary.Id == newest)
        {
            return known;
        }
        var entry = (await ModelStore.FindAsync(connection, newest, cancellation))!;
        var bytes = await store.OpenAsync(entry, cancellation)
            ?? throw new InvalidDataException($"The model Library/{newest} was altered in the database. Train a new one, and tell the administrator: salus verify names what differs.");
        return held = new HeldModel(ModelLibrary.ReadModel(bytes), ModelLibrary.ReadSummary(bytes, newest));
    }

    async Task<ModelSummary?> SummaryAsync(string id, CancellationToken cancellation)
    {
        if (summaries.TryGetValue(id, out var known))
        {
            return known;
        }
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return await ModelStore.FindAsync(connection, id, cancellation) is { } entry ? await SummaryAsync(entry, cancellation) : null;
    }

    async ValueTask<ModelSummary?> SummaryAsync(SealedEntry entry, CancellationToken cancellation)
    {
        if (summaries.TryGetValue(entry.Id, out var known))
        {
            return known;
        }
        if (await store.OpenAsync(entry, cancellation) is not { } bytes)
        {
            return null;
        }
        if (summaries.Count >= SummariesCachedMax)
        {
            summaries.Clear();
        }
        return summaries[entry.Id] = ModelLibrary.ReadSummary(bytes, entry.Id);
    }

    Task RefusedAsync(Caller caller, AuditAction action, string entity, string reason, CancellationToken cancellation) =>
        audit.RecordAsync(new AuditFact(action, false, caller.Account, null, entity, reason), cancellation);
}
