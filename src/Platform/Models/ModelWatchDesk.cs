using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Store;

namespace Salus.Platform.Models;

// Looking at how a model fares, trying it, and letting it judge many.
public sealed partial class ModelDesk
{
    const int CohortMax = 1_000;

    /// <summary>
    /// Looks at what was written since the model was trained, as training would read it: how far what is measured has moved, and whether as many
    /// encounters came to be assessed abnormal as the model expects. The result is kept with the model.
    /// </summary>
    public async Task<ModelAnswer<ModelWatch>> WatchAsync(Caller caller, string model, CancellationToken cancellation)
    {
        if (await ForbiddenAsync(caller, AuditAction.Read, cancellation) is { } reason)
        {
            return new ModelAnswer<ModelWatch>.Forbidden(reason);
        }
        if (await shelf.HeldAsync(model, cancellation) is not { } held)
        {
            return await NotHeldAsync<ModelWatch>(model, cancellation);
        }
        var data = await CollectAsync(caller, encounter => IsNewTo(held.Summary, encounter.Written) || IsNewTo(held.Summary, encounter.Assessed), cancellation);
        if (data.Encounters.Count == 0)
        {
            return new ModelAnswer<ModelWatch>.Refused("Since the model was trained, nothing was written that patients let you read. Look again when there are new visits.");
        }
        var encounters = data.Encounters.Select(one => one.Encounter).ToList();
        var features = encounters.Select(encounter => encounter.Features).ToList();
        var probabilities = held.Model.Judge(features, reasonsMax: 0).Select(said => said.Probabilities[1]).ToArray();
        int[] assessed = [.. Enumerable.Range(0, encounters.Count).Where(row => encounters[row].IsAbnormal is not null && IsNewTo(held.Summary, encounters[row].Assessed))];
        var labels = Array.ConvertAll(assessed, row => encounters[row].IsAbnormal == true ? 1 : 0);
        var expected = Array.ConvertAll(assessed, row => probabilities[row]);
        var watch = new ModelWatch(
            model, caller.Account, SealedStore.Now(time), encounters.Count, held.Model.Drift(features), assessed.Length, expected.Sum(),
            assessed.Length == 0 ? null : ObservedShare.Wilson(labels.Average(), assessed.Length), Metrics.Calibration(expected, labels),
            labels.Distinct().Count() == 2 ? Metrics.RocAuc(expected, labels) : null);
        await StoreOwnAsync(caller, ModelNotices.Write(watch), AuditAction.Create, cancellation);
        return new ModelAnswer<ModelWatch>.Given(watch);
    }

    /// <summary>What a model says of values that are typed in; nothing is read from a record, and nothing stored.</summary>
    public async Task<ModelAnswer<WhatIf>> TryAsync(Caller caller, string model, EncounterFeatures values, CancellationToken cancellation)
    {
        if (await ForbiddenAsync(caller, AuditAction.Predict, cancellation) is { } reason)
        {
            return new ModelAnswer<WhatIf>.Forbidden(reason);
        }
        if (values == new EncounterFeatures())
        {
            return new ModelAnswer<WhatIf>.Refused("Give at least one value or some words.");
        }
        if (values.Objection() is { } objection)
        {
            return new ModelAnswer<WhatIf>.Refused(objection);
        }
        if (await shelf.HeldAsync(model, cancellation) is not { } held)
        {
            return await NotHeldAsync<WhatIf>(model, cancellation);
        }
        var (said, label, evidence, reasons) = Judge(held, [values])[0];
        return new ModelAnswer<WhatIf>.Given(new WhatIf(said.Probabilities[1], label, evidence, said.Scale, reasons));
    }

    /// <summary>
    /// Lets a model judge the newest encounter of every patient whose consent covers it for treatment, each read audited, the likeliest to be
    /// abnormal first. Nothing is stored: a prediction for the record is made for one patient.
    /// </summary>
    public async Task<ModelAnswer<CohortJudgement>> JudgeCohortAsync(Caller caller, string model, CancellationToken cancellation)
    {
        if (await ForbiddenAsync(caller, AuditAction.Predict, cancellation) is { } reason)
        {
            return new ModelAnswer<CohortJudgement>.Forbidden(reason);
        }
        if (await shelf.HeldAsync(model, cancellation) is not { } held)
        {
            return await NotHeldAsync<CohortJudgement>(model, cancellation);
        }
        var patients = (await consents.PatientsOfAsync(caller, cancellation)).Order(StringComparer.Ordinal).ToList();
        List<(string Patient, ReadEncounter Encounter)> newest = [];
        foreach (var patient in patients.Take(CohortMax))
        {
            var scope = await consents.ScopeAsync(caller, patient, Purpose.Treatment, cancellation);
            if (scope.Decide("Observation", time.GetUtcNow()) is AccessDecision.Allowed { InEmergency: false }
                && await records.RetrieveAsync(caller, patient, Purpose.Treatment, EncounterReader.Types, cancellation) is RetrievalOutcome.Found found
                && EncounterReader.Read(Intact(found)).LastOrDefault(encounter => encounter.HasContent) is { } encounter)
            {
                newest.Add((patient, encounter));
            }
        }
        var judged = Judge(held, [.. newest.Select(one => one.Encounter.Features)]);
        var lines = newest.Zip(judged, (one, said) => new CohortLine(
            one.Patient, one.Encounter.Id, one.Encounter.Start, said.Said.Probabilities[1], said.Label,
            one.Encounter.IsAbnormal switch { true => "abnormal", false => "normal", _ => null },
            MayHaveLearned(held.Summary, one.Encounter), said.Reasons.Count == 0 ? null : said.Reasons[0].Description));
        return new ModelAnswer<CohortJudgement>.Given(new CohortJudgement(
            model, [.. lines.OrderByDescending(line => line.Probability).ThenBy(line => line.Patient, StringComparer.Ordinal)], patients.Count - newest.Count));
    }

    /// <summary>There is no such model, or it is of a recipe that judges no visits.</summary>
    async Task<ModelAnswer<T>> NotHeldAsync<T>(string model, CancellationToken cancellation) =>
        await shelf.SummaryAsync(model, cancellation) is { JudgesVisits: false } other
            ? new ModelAnswer<T>.Refused($"The recipe {other.Recipe} does not judge visits, which is what this asks for. Ask a model of the recipe {ModelSummary.Condition}.")
            : new ModelAnswer<T>.Unknown();

    async Task<string?> ForbiddenAsync(Caller caller, AuditAction action, CancellationToken cancellation)
    {
        if (caller.Role == Role.Practitioner)
        {
            return null;
        }
        await RefusedAsync(caller, action, ModelLibrary.Type, "The role uses no models.", cancellation);
        return $"The role {caller.Role} uses no models; a practitioner does.";
    }
}
