using Salus.Learning.Tables;

namespace Salus.Learning.Recipes;

/// <summary>What a model is asked to judge of a patient's records.</summary>
public abstract record SubjectOutcome
{
    SubjectOutcome() { }

    /// <summary>A patient as of a day, a stay or a note.</summary>
    /// <param name="Features">A table of one row, without an outcome.</param>
    /// <param name="Record">The logical id of the note's DocumentReference; empty where no note is judged.</param>
    /// <param name="Visit">The logical id of the Encounter; empty where there is none.</param>
    /// <param name="Day">The day of the note, the last day of the stay, or today.</param>
    public sealed record Found(Table Features, string Record, string Visit, DateOnly? Day) : SubjectOutcome;

    /// <summary>There is nothing to judge; why, in words.</summary>
    public sealed record Nothing(string Reason) : SubjectOutcome;
}

/// <summary>Rows that a model cannot have learned from, in the order of their patients.</summary>
/// <param name="Table">The features.</param>
/// <param name="Labels">What came of each: <c>yes</c> or <c>no</c>, or a note's category; null where the records do not tell yet.</param>
public sealed record FreshRows(Table Table, IReadOnlyList<string?> Labels);

// Whom a model judges, and what it has not seen.
public sealed partial class RecordCohort
{
    /// <summary>What is judged of a patient today: the patient, the newest stay that ended, or the newest note without a category; or the stay or the note that is named.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="rows">The rows of its views.</param>
    /// <param name="patient">The patient.</param>
    /// <param name="today">The day.</param>
    /// <param name="named">The Encounter or the DocumentReference, where it is not the newest.</param>
    /// <param name="isLeaving">Whether the patient leaves the stay that is named today, though its record may not say so yet.</param>
    public static SubjectOutcome Subject(Recipe recipe, IReadOnlyList<RecordRows> rows, string patient, DateOnly today, string? named = null, bool isLeaving = false)
    {
        var cohort = new RecordCohort(recipe, rows);
        return cohort.records.Per switch
        {
            RecordRow.Patient => cohort.PatientSubject(patient, today),
            RecordRow.Visit => cohort.StaySubject(patient, today, named, isLeaving),
            _ => cohort.NoteSubject(patient, named),
        };
    }

    /// <summary>
    /// The rows that training would make today, of which a model that was trained on a day has seen none: told by records that were written since,
    /// or about days since.
    /// </summary>
    public static FreshRows Since(Recipe recipe, IReadOnlyList<RecordRows> rows, DateOnly trained)
    {
        var cohort = new RecordCohort(recipe, rows);
        if (cohort.records.Per == RecordRow.Note)
            return cohort.FreshNotes(trained);
        var fresh = cohort.Sights().Where(sight => IsSince(sight, trained)).Select(cohort.See)
            .Where(seen => cohort.records.Per == RecordRow.Visit || seen.IsMeasured).ToList();
        return new FreshRows(new Table([.. cohort.ColumnsOf(fresh)]), [.. fresh.Select(seen => seen.Sight switch { { IsPositive: true } => Yes, { IsPending: true } => null, _ => No })]);
    }

    SubjectOutcome PatientSubject(string patient, DateOnly today)
    {
        var view = views[records.Outcome.From];
        if (view.Of(patient).Any(row => view.Meets(row, records.Outcome.Where)))
            return new SubjectOutcome.Nothing($"The record holds '{recipe.Outcome.Text}' already. {recipe.NotFor}");
        var seen = See(new Sight(patient, today.AddDays(1), null, null, false));
        return seen.IsMeasured
            ? new SubjectOutcome.Found(new Table([.. ColumnsOf([seen])]), "", "", today)
            : new SubjectOutcome.Nothing($"Among the records there is nothing that the recipe measures: {string.Join(", ", records.Features.Select(feature => feature.Name))}.");
    }

    SubjectOutcome StaySubject(string patient, DateOnly today, string? named, bool isLeaving)
    {
        var stays = StaysOf(patient).ConvertAll(stay => isLeaving && stay.Id == named && (stay.End is null || stay.End > today) ? stay with { End = today } : stay);
        var ended = stays.Where(stay => stay.End is { } end && end <= today && stay.Start <= end).ToList();
        if ((named is null ? ended.MaxBy(stay => stay.End) : ended.Find(stay => stay.Id == named)) is not { End: { } last } stay)
            return new SubjectOutcome.Nothing($"Among the records there is no {(named is null ? "stay in hospital" : "such stay")} that has begun and ended: a stay is judged on the day of going home.");
        if (Died(patient) <= today)
            return new SubjectOutcome.Nothing("The patient has died.");
        if (stays.Exists(next => next.Start > last && next.Start <= today))
            return new SubjectOutcome.Nothing($"The patient was back in hospital after the stay that ended on {last:yyyy-MM-dd}. {recipe.NotFor}");
        return last.AddDays(records.Outcome.WithinDays) < today
            ? new SubjectOutcome.Nothing($"The stay ended on {last:yyyy-MM-dd}: its {records.Outcome.WithinDays} days are over, and whether the patient was back stands in the record.")
            : new SubjectOutcome.Found(new Table([.. ColumnsOf([See(new Sight(patient, last.AddDays(1), stay.Start, null, false))])]), "", stay.Id, last);
    }
}
