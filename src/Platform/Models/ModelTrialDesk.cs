using Salus.Learning.Recipes;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Store;

namespace Salus.Platform.Models;

// Trying a model, and letting it judge many; nothing of it is stored.
public sealed partial class ModelDesk
{
    /// <summary>What a model says of values that are typed in, by column; nothing is read from a record, and nothing stored.</summary>
    public async Task<ModelAnswer<WhatIf>> TryAsync(Caller caller, string model, IReadOnlyDictionary<string, string?> values, CancellationToken cancellation)
    {
        if (await ForbiddenAsync(caller, AuditAction.Predict, cancellation) is { } reason)
        {
            return new ModelAnswer<WhatIf>.Forbidden(reason);
        }
        if (await FindRecipeAsync(model, cancellation) is not { } recipe)
        {
            return await NotHeldAsync<WhatIf>(model, cancellation);
        }
        if (RecipeField.Read(RecipeField.Of(recipe), values, out var faults) is not { } row)
        {
            return new ModelAnswer<WhatIf>.Refused($"{string.Join("; ", faults.Values)}.");
        }
        var said = Judge((await shelf.HeldByRecipeAsync(model, cancellation))!, recipe, row)[0];
        return new ModelAnswer<WhatIf>.Given(new WhatIf(said.Probability, said.Label, said.Evidence, said.Scale, said.Reasons, said.Classes));
    }

    /// <summary>
    /// Lets a model judge, of every patient whose consent covers it for treatment, what its recipe judges: the newest visit, the patient, the newest
    /// stay or the newest note without a category; each read audited, the likeliest first. Of more patients than one list holds it is not asked, and
    /// the answer says of how many. Nothing is stored: a prediction for the record is made for one patient.
    /// </summary>
    public async Task<ModelAnswer<CohortJudgement>> JudgeCohortAsync(Caller caller, string model, CancellationToken cancellation)
    {
        if (await ForbiddenAsync(caller, AuditAction.Predict, cancellation) is { } reason)
        {
            return new ModelAnswer<CohortJudgement>.Forbidden(reason);
        }
        if (await FindRecipeAsync(model, cancellation) is not { } recipe)
        {
            return await NotHeldAsync<CohortJudgement>(model, cancellation);
        }
        var sharing = await consents.PatientsOfAsync(caller, cancellation);
        var patients = sharing.Order(StringComparer.Ordinal).Take(options.CohortMax).ToList();
        var lines = recipe.Encounters
            ? await VisitLinesAsync(caller, (await shelf.HeldAsync(model, cancellation))!, patients, cancellation)
            : await LinesByAsync(caller, (await shelf.HeldByRecipeAsync(model, cancellation))!, recipe, patients, cancellation);
        return new ModelAnswer<CohortJudgement>.Given(new CohortJudgement(
            model, [.. lines.OrderByDescending(line => line.Probability).ThenBy(line => line.Patient, StringComparer.Ordinal)], patients.Count - lines.Count, sharing.Count - patients.Count));
    }

    async Task<List<CohortLine>> VisitLinesAsync(Caller caller, HeldModel held, IEnumerable<string> patients, CancellationToken cancellation)
    {
        List<(string Patient, ReadEncounter Encounter)> newest = [];
        foreach (var patient in patients)
        {
            if (await MayJudgeAsync(caller, patient, ["Observation"], cancellation)
                && await records.RetrieveAsync(caller, patient, Purpose.Treatment, EncounterReader.Types, cancellation) is RetrievalOutcome.Found found
                && EncounterReader.Read(Intact(found)).LastOrDefault(encounter => encounter.HasContent) is { } encounter)
            {
                newest.Add((patient, encounter));
            }
        }
        return
        [
            .. newest.Zip(Judge(held, [.. newest.Select(one => one.Encounter.Features)]), (one, said) => new CohortLine(
                one.Patient, $"Encounter/{one.Encounter.Id}", one.Encounter.Start, said.Said.Probabilities[1], said.Label,
                one.Encounter.IsAbnormal switch { true => "abnormal", false => "normal", _ => null },
                MayHaveLearned(held.Summary, one.Encounter), said.Reasons.Count == 0 ? null : said.Reasons[0].Description)),
        ];
    }

    async Task<List<CohortLine>> LinesByAsync(Caller caller, HeldRecipeModel held, Recipe recipe, IEnumerable<string> patients, CancellationToken cancellation)
    {
        List<CohortLine> lines = [];
        foreach (var patient in patients)
        {
            var views = new RecordViews(recipe);
            if (!await MayJudgeAsync(caller, patient, views.Types, cancellation)
                || await records.RetrieveAsync(caller, patient, Purpose.Treatment, views.Types, cancellation) is not RetrievalOutcome.Found found)
            {
                continue;
            }
            foreach (var record in Intact(found))
            {
                views.TryAdd(record);
            }
            if (RecordCohort.Subject(recipe, views.Rows, patient, DateOnly.FromDateTime(SealedStore.Now(time).UtcDateTime)) is SubjectOutcome.Found subject)
            {
                var said = Judge(held, recipe, subject.Features)[0];
                lines.Add(new CohortLine(
                    patient, subject is { Record.Length: > 0 } ? $"DocumentReference/{subject.Record}" : subject is { Visit.Length: > 0 } ? $"Encounter/{subject.Visit}" : "",
                    subject.Day is { } day ? new DateTimeOffset(day, TimeOnly.MinValue, TimeSpan.Zero) : null, said.Probability, said.Label, null, false,
                    said.Reasons.Count == 0 ? null : said.Reasons[0].Description));
            }
        }
        return lines;
    }

    /// <summary>Whether a consent covers all of those types for treatment; what was opened in an emergency is for one patient.</summary>
    async Task<bool> MayJudgeAsync(Caller caller, string patient, IReadOnlyList<string> types, CancellationToken cancellation)
    {
        var scope = await consents.ScopeAsync(caller, patient, Purpose.Treatment, cancellation);
        return types.All(type => scope.Decide(type, time.GetUtcNow()) is AccessDecision.Allowed { InEmergency: false });
    }
}
