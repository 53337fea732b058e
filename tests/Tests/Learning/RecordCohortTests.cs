using Salus.Learning.Evaluate;
using Salus.Learning.Models;
using Salus.Learning.Recipes;
using Salus.Learning.Tables;

namespace Salus.Tests.Learning;

/// <summary>Tables from rows of views: who is a row, what it may see, and what it may not.</summary>
public sealed class RecordCohortTests
{
    static readonly Recipe Diabetes = RecipeBook.Find("diabetes")!;
    static readonly Recipe Readmission = RecipeBook.Find("readmission")!;
    static readonly Recipe NoteCategory = RecipeBook.Find("note-category")!;

    [Fact]
    public void Nothing_of_the_days_before_the_outcome_that_led_to_it_or_of_later_ones_is_seen()
    {
        var rows = new Rows().People(40);
        for (var i = 0; i < 40; i++)
        {
            rows.Visit(i, "2020-01-10", "2020-01-10").Measure(i, "2020-01-10", "2339-0", 90 + i, "mg/dL").Visit(i, "2020-06-01", "2020-06-01").Visit(i, "2020-12-01", "2020-12-01");
            if (i < 10)
                rows.Diagnose(i, "2020-08-15", "44054006").Measure(i, "2020-07-20", "2339-0", 500, "mg/dL").Measure(i, "2020-08-15", "2339-0", 600, "mg/dL").Measure(i, "2020-08", "2339-0", 700, "mg/dL");
        }
        var made = Assert.IsType<CohortOutcome.Made>(RecordCohort.Make(Diabetes, rows.All));
        var glucose = (NumberColumn)made.Table["glucose (mg/dL)"];
        Assert.Equal(40, glucose.Count);
        Assert.All(glucose.Values.ToArray(), value => Assert.InRange(value, 90, 130));
        var task = TaskRows.Of(made.Table, made.Task, out _, out _)!;
        Assert.Equal(10, task.Labels.Sum());
        Assert.DoesNotContain(LeakageGuard.Examine(task), finding => finding.Kind is LeakKind.DateAfterOutcome or LeakKind.PatientOnBothSides);
        // The same day seen from a table that had looked further is named by the guard.
        var late = new DateColumn("newest record seen", [.. Enumerable.Range(0, 40).Select(_ => (DateOnly?)new DateOnly(2020, 9, 1))]);
        Assert.Contains(LeakageGuard.Examine(TaskRows.Of(made.Table.With(late), made.Task, out _, out _)!), finding => finding is { Kind: LeakKind.DateAfterOutcome, Rows: 10 });
    }

    [Fact]
    public void Units_are_brought_together_and_those_unknown_are_left_out_and_told()
    {
        var rows = new Rows().People(24);
        for (var i = 0; i < 24; i++)
        {
            rows.Visit(i, "2020-01-10", "2020-01-10").Visit(i, "2020-06-01", "2020-06-01").Visit(i, "2020-12-01", "2020-12-01").Measure(i, "2020-01-10", "39156-5", 25, "kg/m2");
            rows.Measure(i, "2020-01-10", "2339-0", i < 12 ? 5.0 : 90, i < 12 ? "mmol/L" : i < 20 ? "mg/dL" : "stone");
            if (i % 4 == 0)
                rows.Diagnose(i, "2020-11-15", "E11.9");
        }
        var made = Assert.IsType<CohortOutcome.Made>(RecordCohort.Make(Diabetes, rows.All));
        var byPatient = made.Patients.Zip(((NumberColumn)made.Table["glucose (mg/dL)"]).Values.ToArray()).ToDictionary();
        Assert.Equal((90.08, 90.0), (Math.Round(byPatient["p0"], 6), byPatient["p13"]));
        Assert.True(double.IsNaN(byPatient["p21"]));
        Assert.Contains(made.Told, text => text.EndsWith("values of 'glucose (mg/dL)' in a unit that the recipe does not know", StringComparison.Ordinal));
    }

    [Fact]
    public void Patients_without_a_dated_outcome_or_anything_measured_before_are_left_out_and_the_table_repeats()
    {
        var rows = new Rows().People(31);
        for (var i = 0; i < 30; i++)
        {
            rows.Visit(i, "2020-01-10", "2020-01-10").Visit(i, "2020-06-01", "2020-06-01");
            if (i > 0)
                rows.Measure(i, "2020-01-10", "39156-5", 20 + i, "kg/m2");
            if (i % 5 == 1)
                rows.Diagnose(i, i == 1 ? null : "2020-06", "44054006");
        }
        var made = Assert.IsType<CohortOutcome.Made>(RecordCohort.Make(Diabetes, rows.All));
        Assert.Equal(28, made.Table.RowCount);
        Assert.Equal(["1 of whom nothing was measured before", "1 patients whose outcome has no date", "1 patients without a dated visit to compare on"], made.Told);
        // A month may mean its first day.
        Assert.Equal(new DateOnly(2020, 6, 1), ((DateColumn)made.Table["day of the outcome"])[made.Patients.Index().First(pair => pair.Item == "p6").Index]);
        var again = Assert.IsType<CohortOutcome.Made>(RecordCohort.Make(Diabetes, [.. rows.All.Select(view => view with { Rows = [.. view.Rows.Reverse()] })]));
        Assert.Equal(made.Patients, again.Patients);
        Assert.All(made.Table.Columns, column => Assert.Equal(Enumerable.Range(0, column.Count).Select(column.Show), Enumerable.Range(0, column.Count).Select(again.Table[column.Name].Show)));
    }

    [Fact]
    public void Too_few_or_all_of_one_kind_is_said_in_words()
    {
        var rows = new Rows().People(30);
        for (var i = 0; i < 30; i++)
            rows.Visit(i, "2020-01-10", "2020-01-10").Visit(i, "2020-06-01", "2020-06-01").Measure(i, "2020-01-10", "39156-5", 20 + i, "kg/m2");
        Assert.Contains("30 patients: 0 with 'Type 2 diabetes mellitus', 30 without", Assert.IsType<CohortOutcome.TooFew>(RecordCohort.Make(Diabetes, rows.All)).Message, StringComparison.Ordinal);
        Assert.Contains("0 patients", Assert.IsType<CohortOutcome.TooFew>(RecordCohort.Make(Diabetes, new Rows().All)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_patient_is_seen_as_of_a_day()
    {
        var rows = new Rows().People(1).Visit(0, "2020-01-10", "2020-01-10").Measure(0, "2020-01-10", "39156-5", 31, "kg/m2").Measure(0, "2021-01-10", "39156-5", 35, "kg/m2");
        var seen = Assert.IsType<SubjectOutcome.Found>(RecordCohort.Subject(Diabetes, rows.All, "p0", new DateOnly(2020, 6, 1))).Features;
        Assert.Equal((31, 40, 1), (((NumberColumn)seen["body mass index (kg/m²)"]).Values[0], ((NumberColumn)seen["age (years)"]).Values[0], ((NumberColumn)seen["visits in a year"]).Values[0]));
        Assert.Contains("nothing that the recipe measures", Nothing(RecordCohort.Subject(Diabetes, rows.All, "p0", new DateOnly(2019, 6, 1))), StringComparison.Ordinal);
        Assert.Contains("nothing that the recipe measures", Nothing(RecordCohort.Subject(Diabetes, rows.All, "nobody", new DateOnly(2020, 6, 1))), StringComparison.Ordinal);
        Assert.Contains("holds 'Type 2 diabetes mellitus' already", Nothing(RecordCohort.Subject(Diabetes, rows.Diagnose(0, "2020-02-01", "73211009").All, "p0", new DateOnly(2020, 6, 1))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_stay_is_judged_from_going_home_until_its_days_are_over_or_the_patient_is_back()
    {
        var rows = new Rows().People(3).Visit(0, "2020-01-10", "2020-01-14", "IMP").Measure(0, "2020-01-12", "718-7", 12, "g/dL").Measure(0, "2020-01-15", "718-7", 5, "g/dL");
        Assert.Contains("has begun and ended", Nothing(Judged("p0", "2020-01-13")), StringComparison.Ordinal);
        var home = Assert.IsType<SubjectOutcome.Found>(Judged("p0", "2020-02-13"));
        Assert.Equal(("v0", "", new DateOnly(2020, 1, 14)), (home.Visit, home.Record, home.Day));
        // What was measured after going home is not seen, however late it is asked.
        Assert.Equal((12, 4), (((NumberColumn)home.Features["haemoglobin (g/dL)"]).Values[0], ((NumberColumn)home.Features["length of stay (days)"]).Values[0]));
        Assert.Contains("its 30 days are over", Nothing(Judged("p0", "2020-02-14")), StringComparison.Ordinal);
        Assert.Contains("no such stay", Nothing(Judged("p0", "2020-01-20", "v9")), StringComparison.Ordinal);
        rows.Visit(0, "2020-01-30", null, "IMP").Visit(1, "2020-01-10", "2020-01-10");
        Assert.IsType<SubjectOutcome.Found>(Judged("p0", "2020-01-29"));
        Assert.Contains("was back in hospital", Nothing(Judged("p0", "2020-01-30")), StringComparison.Ordinal);
        Assert.Contains("no stay in hospital", Nothing(Judged("p1", "2020-01-30")), StringComparison.Ordinal);

        // Who is discharged goes home today, whatever the record says of the end; from another stay, or one that is none, nobody does.
        var leaving = Assert.IsType<SubjectOutcome.Found>(Judged("p0", "2020-02-05", "v1", isLeaving: true));
        Assert.Equal(("v1", new DateOnly(2020, 2, 5), 6), (leaving.Visit, leaving.Day, ((NumberColumn)leaving.Features["length of stay (days)"]).Values[0]));
        Assert.Contains("no such stay", Nothing(Judged("p0", "2020-02-05", "v1")), StringComparison.Ordinal);
        Assert.Contains("no such stay", Nothing(Judged("p1", "2020-01-10", "v2", isLeaving: true)), StringComparison.Ordinal);
        Assert.Equal(new DateOnly(2020, 1, 12), Assert.IsType<SubjectOutcome.Found>(Judged("p0", "2020-01-12", "v0", isLeaving: true)).Day);

        SubjectOutcome Judged(string patient, string day, string? named = null, bool isLeaving = false) => RecordCohort.Subject(Readmission, rows.All, patient, DateOnly.Parse(day, System.Globalization.CultureInfo.InvariantCulture), named, isLeaving);
    }

    [Fact]
    public void A_stay_is_followed_by_another_within_thirty_days_or_not_and_sees_what_was_before_it()
    {
        var rows = new Rows().People(30);
        for (var i = 0; i < 30; i++)
        {
            rows.Visit(i, "2020-01-10", "2020-01-14", "IMP").Measure(i, "2020-01-12", "718-7", 12, "g/dL").Measure(i, "2020-01-15", "718-7", 5, "g/dL");
            // Back within thirty days; on the same day, which is a move; after thirty days; not at all.
            if (i % 4 != 3)
                rows.Visit(i, (i % 4) switch { 0 => "2020-02-13", 1 => "2020-01-14", _ => "2020-02-14" }, "2020-02-20", "IMP");
        }
        rows.Visit(0, "2021-01-01", "2021-01-01").Visit(29, "2020-12-20", "2020-12-24", "IMP").Visit(28, "2020-05-01", null, "IMP");
        var made = Assert.IsType<CohortOutcome.Made>(RecordCohort.Make(Readmission, rows.All));
        var first = Enumerable.Range(0, made.Table.RowCount).Where(row => ((NumberColumn)made.Table["length of stay (days)"]).Values[row] == 4).ToList();
        Assert.Equal(30, first.Count);
        Assert.Equal(Enumerable.Range(0, 30).Where(i => i % 4 == 0).Select(i => $"p{i}").Order(StringComparer.Ordinal), first.Where(row => made.Table["outcome"].Show(row) == "yes").Select(row => made.Patients[row]));
        Assert.All(first, row => Assert.Equal((12, 0), (((NumberColumn)made.Table["haemoglobin (g/dL)"]).Values[row], ((NumberColumn)made.Table["stays in a year"]).Values[row])));
        Assert.Contains("1 stays whose 30 days are not over", made.Told);
        Assert.Contains("1 stays without a beginning and an end", made.Told);
        Assert.Equal("patient", made.Task.Group);
    }

    [Fact]
    public void Notes_are_learned_from_by_their_category_and_the_newest_without_one_is_judged()
    {
        var notes = new Notes();
        foreach (var (field, words) in ((string, string)[])[("Cardiology", "chest pain"), ("Dermatology", "itching rash"), ("Orthopaedics", "knee swollen")])
        {
            foreach (var number in Enumerable.Range(0, 8))
                notes.Add($"p{number}", $"2020-01-{10 + number}", field, $"{words} {number}");
        }
        notes.Add("p1", "2020-02-01", "Cardiology", "chest pain 1").Add("p1", "2020-02-02", "Podiatry", "toe").Add("p1", "2020-02-03", null, "no category").Add("p2", null, " ", "older").Add("p2", "2020-03-01", null, null);
        var made = Assert.IsType<CohortOutcome.Made>(RecordCohort.Make(NoteCategory, notes.All));
        // Words alike count once, and a category of one note is none to learn.
        Assert.Equal(["8", "8", "8"], Grouping.Count(made.Table["outcome"]).Select(category => $"{category.Count}"));
        Assert.Equal(("note", "patient"), (made.Task.Text, made.Task.Group));
        Assert.Equal(3, TaskRows.Of(made.Table, made.Task, out _, out _)!.Classes.Count);

        var found = Assert.IsType<SubjectOutcome.Found>(RecordCohort.Subject(NoteCategory, notes.All, "p1", default));
        Assert.Equal(("no category", "n26", "v-n26", new DateOnly(2020, 2, 3)), (found.Features["note"].Show(0), found.Record, found.Visit, found.Day));
        Assert.Equal("older", Assert.IsType<SubjectOutcome.Found>(RecordCohort.Subject(NoteCategory, notes.All, "p2", default)).Features["note"].Show(0));
        Assert.Contains("category already: Podiatry", Nothing(RecordCohort.Subject(NoteCategory, notes.All, "p1", default, "n25")), StringComparison.Ordinal);
        Assert.Contains("no such note", Nothing(RecordCohort.Subject(NoteCategory, notes.All, "p2", default, "n25")), StringComparison.Ordinal);
        Assert.Contains("Every note", Nothing(RecordCohort.Subject(NoteCategory, notes.All, "p3", default)), StringComparison.Ordinal);
        Assert.Contains("no note of plain text", Nothing(RecordCohort.Subject(NoteCategory, notes.All, "p9", default)), StringComparison.Ordinal);
        Assert.Contains("0 notes in 0 categories", Assert.IsType<CohortOutcome.TooFew>(RecordCohort.Make(NoteCategory, new Notes().All)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_model_has_not_seen_is_told_by_records_written_since_or_about_days_since()
    {
        var rows = new Rows().People(5);
        for (var i = 0; i < 5; i++)
            rows.Visit(i, "2020-01-10", "2020-01-10").Measure(i, "2020-01-10", "39156-5", 25, "kg/m2");
        rows.Visit(0, "2020-02-01", "2020-02-01").Diagnose(0, "2020-06-15", "44054006").Diagnose(1, "2020-02-15", "44054006").Diagnose(2, "2020-02-15", "44054006").Visit(3, "2020-06-01", "2020-06-01");
        var trained = new DateOnly(2020, 3, 1);
        // One was found since; one compared on a day since; the others as they were.
        Assert.Equal(["yes", "no"], RecordCohort.Since(Diabetes, rows.All, trained).Labels);
        Assert.Equal(["yes", "yes", "no"], RecordCohort.Since(Diabetes, rows.Written(view: "diagnoses", row: 2), trained).Labels);
        Assert.Empty(RecordCohort.Since(Diabetes, rows.All, new DateOnly(2020, 7, 1)).Labels);

        var stays = new Rows().People(3).Visit(0, "2020-01-10", "2020-01-14", "IMP").Visit(0, "2020-01-20", "2020-01-24", "IMP").Visit(1, "2020-03-10", "2020-03-14", "IMP").Visit(2, "2020-04-01", "2020-04-02", "IMP");
        var since = RecordCohort.Since(Readmission, stays.Visit(1, "2020-04-20", "2020-04-20").All, trained);
        // The days of those before were over; those of the newest are not.
        Assert.Equal(["no", null], since.Labels);
        Assert.Equal([4, 1], ((NumberColumn)since.Table["length of stay (days)"]).Values.ToArray());
    }

    [Fact]
    public void A_table_to_learn_from_tells_which_rows_an_older_model_has_not_seen_and_whom_it_may_know()
    {
        var rows = new Rows().People(24);
        for (var i = 0; i < 24; i++)
        {
            rows.Visit(i, "2020-01-10", "2020-01-10").Visit(i, "2020-02-20", "2020-02-20").Measure(i, "2020-01-10", "39156-5", 25, "kg/m2");
            if (i % 4 == 0)
                rows.Diagnose(i, i < 12 ? "2020-02-15" : "2020-06-15", "44054006");
        }
        var made = Assert.IsType<CohortOutcome.Made>(RecordCohort.Make(Diabetes, rows.All, new DateOnly(2020, 3, 1)));
        Assert.Equal(["p12", "p16", "p20"], made.Since.Select(row => made.Patients[row]).Order(StringComparer.Ordinal));
        Assert.Equal(24, made.KnownBefore.Count);
        Assert.Empty(Assert.IsType<CohortOutcome.Made>(RecordCohort.Make(Diabetes, rows.All)).Since);
        // All of one patient was written since: of that one the older model knows nothing.
        var all = rows.All;
        var strangers = all.Select(view => view with { New = view.Rows.Where(row => (string?)row[0] == "p5").ToHashSet() }).ToList();
        var since = Assert.IsType<CohortOutcome.Made>(RecordCohort.Make(Diabetes, strangers, new DateOnly(2020, 3, 1)));
        Assert.Contains("p5", since.Since.Select(row => since.Patients[row]));
        Assert.DoesNotContain("p5", since.KnownBefore);
    }

    [Fact]
    public void Words_that_an_older_model_has_read_in_any_note_are_not_new_to_it()
    {
        var notes = new Notes();
        foreach (var field in (string[])["Cardiology", "Dermatology", "Orthopaedics"])
        {
            foreach (var number in Enumerable.Range(0, 8))
                notes.Add($"p{number + 2}", $"2020-01-{10 + number}", field, $"{field} {number}");
        }
        // The first patient's note stands for both, and is of a later day.
        notes.Add("p1", "2020-06-01", "Cardiology", "Cardiology 7").Add("p1", "2020-06-02", "Cardiology", "new words");
        var made = Assert.IsType<CohortOutcome.Made>(RecordCohort.Make(NoteCategory, notes.All, new DateOnly(2020, 3, 1)));
        Assert.Equal("new words", made.Table["note"].Show(Assert.Single(made.Since)));
    }

    static string Nothing(SubjectOutcome outcome) => Assert.IsType<SubjectOutcome.Nothing>(outcome).Reason;

    sealed class Notes
    {
        readonly List<object?[]> notes = [];

        public IReadOnlyList<RecordRows> All => [new("notes", ["patient", "note", "visit", "date", "specialty", "words"], notes)];

        public Notes Add(string person, string? date, string? field, string? words)
        {
            notes.Add([person, $"n{notes.Count}", $"v-n{notes.Count}", date, field, words is null ? "%" : Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(words))]);
            return this;
        }
    }

    sealed class Rows
    {
        readonly List<object?[]> people = [], visits = [], measures = [], diagnoses = [];

        public IReadOnlyList<RecordRows> All =>
        [
            new("people", ["patient", "sex", "born", "died"], people), new("visits", ["patient", "visit", "date", "end", "class", "source"], visits),
            new("measures", ["patient", "date", "code", "value", "unit", "text"], measures), new("diagnoses", ["patient", "date", "system", "code"], diagnoses),
        ];

        /// <summary>All, of which one row is of a record that was written since.</summary>
        public IReadOnlyList<RecordRows> Written(string view, int row) => [.. All.Select(rows => rows.View == view ? rows with { New = new HashSet<object?[]> { rows.Rows[row] } } : rows)];

        public Rows People(int count)
        {
            people.AddRange(Enumerable.Range(0, count).Select(i => new object?[] { $"p{i}", i % 2 == 0 ? "female" : "male", $"{1980 - i}-05-06", null }));
            return this;
        }

        public Rows Visit(int person, string start, string? end, string kind = "AMB")
        {
            visits.Add([$"p{person}", $"v{visits.Count}", $"{start}T08:00:00Z", end is null ? null : $"{end}T10:00:00+02:00", kind, null]);
            return this;
        }

        public Rows Measure(int person, string date, string code, double value, string unit)
        {
            measures.Add([$"p{person}", date, code, (decimal)value, unit, null]);
            return this;
        }

        public Rows Diagnose(int person, string? date, string code)
        {
            diagnoses.Add([$"p{person}", date, "http://snomed.info/sct", code]);
            return this;
        }
    }
}
