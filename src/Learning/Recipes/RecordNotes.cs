using System.Text;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Recipes;

// Rows that are notes: the words of one, and the category that it was given.
public sealed partial class RecordCohort
{
    const int CategoriesMin = 3;
    const string NoteId = "note";

    sealed record Note(string Patient, string Id, string Visit, string Words, string? Category, DateOnly? Day, bool IsNew);

    CohortOutcome.Made? NotesWithCategory(DateOnly? trained, out int rows, out int categories)
    {
        var notes = Notes().Where(note => note.Category is not null).ToList();
        // Of notes alike one stands for all: a model that has seen any has seen its words.
        var seen = notes.Where(note => trained is null || !IsSince(note, trained.Value)).Select(note => note.Words).ToHashSet(StringComparer.Ordinal);
        var table = TableOf(notes).With(CategoryColumn.Of(Patient, [.. notes.Select(note => note.Patient)])).With(CategoryColumn.Of(Target, [.. notes.Select(note => note.Category)]));
        var task = new TabularTask(Target) { Group = Patient, Text = NoteColumn, ManyClasses = true };
        var selected = RowSelection.Of(table, task, records.Outcome.ClassRowsMin, deduplicate: true);
        rows = selected.Table.RowCount;
        categories = Grouping.Count(selected.Table[Target]).Count;
        return rows < RowsMin || categories < CategoriesMin
            ? null
            : new CohortOutcome.Made(selected.Table, task, [.. Enumerable.Range(0, rows).Select(row => selected.Table[Patient].Show(row)!)], [.. Told(), .. selected.LeftOut])
            {
                Since = [.. Enumerable.Range(0, rows).Where(row => !seen.Contains(selected.Table[NoteColumn].Show(row)!))],
            };
    }

    CohortOutcome MakeOfNotes(DateOnly? trained) => NotesWithCategory(trained, out var rows, out var categories) is { } made ? made : new CohortOutcome.TooFew(
        $"The records give {rows} notes in {categories} categories of at least {records.Outcome.ClassRowsMin} different notes each. A model asks for at least {RowsMin}, in {CategoriesMin} categories. Take in more notes whose category is known.");

    SubjectOutcome NoteSubject(string patient, string? named)
    {
        var notes = NotesOf(patient).ToList();
        var chosen = named is null ? notes.LastOrDefault(note => note.Category is null) : notes.Find(note => note.Id == named);
        return chosen switch
        {
            null when named is not null => new SubjectOutcome.Nothing("Among the records there is no such note, or it has no plain text."),
            null => new SubjectOutcome.Nothing(notes.Count == 0 ? "Among the records there is no note of plain text." : "Every note among the records has its category already."),
            { Category: { } category } => new SubjectOutcome.Nothing($"The note has its category already: {category}."),
            _ => new SubjectOutcome.Found(TableOf([chosen]), chosen.Id, chosen.Visit, chosen.Day),
        };
    }

    FreshRows FreshNotes(DateOnly trained)
    {
        var fresh = Notes().Where(note => IsSince(note, trained)).ToList();
        return new FreshRows(TableOf(fresh), [.. fresh.Select(note => note.Category)]);
    }

    static bool IsSince(Note note, DateOnly trained) => note.IsNew || note.Day > trained;

    string NoteColumn => records.Features[0].Name;

    Table TableOf(IReadOnlyList<Note> notes) => new([new TextColumn(NoteColumn, [.. notes.Select(note => note.Words)])]);

    IEnumerable<Note> Notes() => views[records.Outcome.From].Patients.Order(StringComparer.Ordinal).SelectMany(NotesOf);

    /// <summary>A patient's notes, the oldest first.</summary>
    IEnumerable<Note> NotesOf(string patient)
    {
        var view = views[records.Outcome.From];
        foreach (var row in view.Of(patient).Where(row => view.Meets(row, records.Outcome.Where)))
        {
            if (Words(view.Value(row, records.Features[0].Value!)) is { } words)
            {
                var category = (view.Value(row, records.Outcome.Value!) as string)?.Trim();
                yield return new Note(patient, view.Value(row, NoteId) as string ?? "", view.Value(row, Visit) as string ?? "", words, category is { Length: > 0 } ? category : null, row.Last, row.IsNew);
            }
        }
    }

    /// <summary>The words of an attachment, which is UTF-8 in base64; null for what is none, or empty.</summary>
    static string? Words(object? data)
    {
        if (data is not string text)
            return null;
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) && Encoding.UTF8.GetString(bytes, 0, length).Trim() is { Length: > 0 } words ? words : null;
    }
}
