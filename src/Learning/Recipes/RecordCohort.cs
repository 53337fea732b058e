using System.Buffers.Binary;
using System.Collections.ObjectModel;
using System.Security.Cryptography;
using System.Text;
using Salus.Learning.Models;
using Salus.Learning.Tables;

namespace Salus.Learning.Recipes;

/// <summary>What came of making a table from records.</summary>
public abstract record CohortOutcome
{
    CohortOutcome() { }

    /// <summary>A table with its task; whose rows they are, and what was left out, in words.</summary>
    public sealed record Made(Table Table, TabularTask Task, IReadOnlyList<string> Patients, IReadOnlyList<string> Told) : CohortOutcome
    {
        /// <summary>The rows, in their order, that a model trained on the day that was asked about has not seen; none where no day was.</summary>
        public IReadOnlyList<int> Since { get; init; } = [];

        /// <summary>Patients of whom there were records before, from which such a model may have learned.</summary>
        public IReadOnlySet<string> KnownBefore { get; init; } = ReadOnlySet<string>.Empty;
    }

    /// <summary>The records are too few, or all of one kind; in words, with the mend.</summary>
    public sealed record TooFew(string Message) : CohortOutcome;
}

/// <summary>
/// Makes a model's table from the rows of views, joined by patient. A row is what was known of a patient on one day; nothing that a record dates
/// later, or so vaguely that it may be later, is seen.
/// </summary>
public sealed partial class RecordCohort
{
    /// <summary>Rows below which nothing is learned.</summary>
    public const int RowsMin = 20;

    /// <summary>Rows of each kind below which nothing is learned.</summary>
    public const int RowsOfEachMin = 5;

    /// <summary>The column that says whether the outcome came.</summary>
    public const string Target = "outcome";

    /// <summary>The label of rows whose outcome came.</summary>
    public const string Yes = "yes";

    const string Patient = "patient";
    const string Visit = "visit";
    const string OutcomeDay = "day of the outcome";
    const string NewestDay = "newest record seen";
    const string No = "no";

    readonly Recipe recipe;
    readonly RecipeRecords records;
    readonly Dictionary<string, PatientRows> views;
    readonly SortedDictionary<string, int> told = new(StringComparer.Ordinal);

    RecordCohort(Recipe recipe, IReadOnlyList<RecordRows> rows)
    {
        this.recipe = recipe;
        records = recipe.Records ?? throw new ArgumentException($"the recipe {recipe.Name} reads no records; use a table");
        views = rows.ToDictionary(view => view.View, view => new PatientRows(view), StringComparer.Ordinal);
        if (records.Views.Keys.FirstOrDefault(name => !views.ContainsKey(name)) is { } missing)
            throw new ArgumentException($"there are no rows of the view {missing}; run every view of the recipe");
    }

    /// <summary>Makes the table to learn from. The same records give the same table. Given the day of another model, it tells which rows that one has not seen.</summary>
    public static CohortOutcome Make(Recipe recipe, IReadOnlyList<RecordRows> rows, DateOnly? trained = null)
    {
        var cohort = new RecordCohort(recipe, rows);
        var outcome = cohort.Make(trained);
        return outcome is CohortOutcome.Made made && trained is not null
            ? made with { KnownBefore = made.Patients.Where(cohort.IsKnownBefore).ToHashSet(StringComparer.Ordinal) }
            : outcome;
    }

    // Who is looked at, up to which day, exclusive; and on which day, by records since written or before, it was told whether the outcome came.
    sealed record Sight(string Patient, DateOnly Before, DateOnly? StayStart, DateOnly? OutcomeDay, bool IsPositive)
    {
        public DateOnly Told { get; init; }

        public bool IsNew { get; init; }

        public bool IsPending { get; init; }
    }

    sealed record Seen(Sight Sight, object?[] Values, DateOnly? Newest, bool IsMeasured);

    static bool IsSince(Sight sight, DateOnly? trained) => trained is not null && (sight.IsNew || sight.Told > trained);

    bool IsKnownBefore(string patient) => views.Values.Any(view => view.Of(patient).Any(row => !row.IsNew));

    CohortOutcome Make(DateOnly? trained)
    {
        if (records.Per == RecordRow.Note)
            return MakeOfNotes(trained);
        var sights = Sights().ToList();
        Tell($"stays whose {records.Outcome.WithinDays} days are not over", sights.Count(sight => sight.IsPending));
        var seen = sights.Where(sight => !sight.IsPending).Select(See).ToList();
        if (records.Per == RecordRow.Patient)
        {
            var measured = seen.Where(one => one.IsMeasured).ToList();
            Tell("of whom nothing was measured before", seen.Count - measured.Count);
            seen = measured;
        }
        var positives = seen.Count(one => one.Sight.IsPositive);
        if (seen.Count < RowsMin || Math.Min(positives, seen.Count - positives) < RowsOfEachMin)
            return new CohortOutcome.TooFew(TooFew(seen.Count, positives));
        Column[] columns =
        [
            .. ColumnsOf(seen), new DateColumn(NewestDay, [.. seen.Select(one => one.Newest)]), new DateColumn(OutcomeDay, [.. seen.Select(one => one.Sight.OutcomeDay)]),
            CategoryColumn.Of(Patient, [.. seen.Select(one => one.Sight.Patient)]), CategoryColumn.Of(Target, [.. seen.Select(one => one.Sight.IsPositive ? Yes : No)]),
        ];
        var task = new TabularTask(Target) { Positive = Yes, Group = Patient, OutcomeDate = OutcomeDay, Subgroups = records.Subgroups };
        return new CohortOutcome.Made(new Table(columns), task, [.. seen.Select(one => one.Sight.Patient)], Told())
        {
            Since = [.. Enumerable.Range(0, seen.Count).Where(row => IsSince(seen[row].Sight, trained))],
        };
    }

    string TooFew(int rows, int positives)
    {
        var what = records.Per == RecordRow.Patient ? "patients" : "stays";
        var left = Told();
        return $"The records give {rows} {what}: {positives} with '{recipe.Outcome.Text}', {rows - positives} without. A model asks for at least {RowsMin}, and {RowsOfEachMin} of each. Take in more patients{(left.Count == 0 ? "" : $" (left out: {string.Join("; ", left)})")}.";
    }

    List<string> Told() =>
        [.. told.Select(pair => $"{pair.Value} {pair.Key}"), .. views.Where(view => view.Value.WithoutPatient > 0).Select(view => $"{view.Value.WithoutPatient} rows of '{view.Key}' that name no patient")];

    void Tell(string what, int count = 1)
    {
        if (count > 0)
            told[what] = told.GetValueOrDefault(what) + count;
    }

    IEnumerable<Sight> Sights() => records.Per == RecordRow.Patient ? Patients() : Stays();

    IEnumerable<Sight> Patients()
    {
        var outcome = records.Outcome;
        foreach (var patient in views.Values.SelectMany(view => view.Patients).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var own = views[outcome.From].Of(patient).Where(row => views[outcome.From].Meets(row, outcome.Where)).ToList();
            if (own.Count == 0)
            {
                if (ComparisonDay(patient) is var (day, isNew))
                    yield return new Sight(patient, day.AddDays(-outcome.LeadDays), null, null, false) { Told = day, IsNew = isNew };
                else
                    Tell("patients without a dated visit to compare on");
            }
            else if (own.Exists(row => row.First is null))
            {
                Tell("patients whose outcome has no date");
            }
            else
            {
                // A vague date may mean its first day. An outcome that was known before is none that came since.
                var first = own.Min(row => row.First!.Value);
                yield return new Sight(patient, first.AddDays(-outcome.LeadDays), null, first, true) { Told = first, IsNew = own.TrueForAll(row => row.IsNew) };
            }
        }
    }

    // Those without the outcome are looked at as if it had been looked for on a day when they were seen, drawn by their name: were it always the
    // last, they would be older and longer known than the others, and that would tell them apart.
    (DateOnly Day, bool IsNew)? ComparisonDay(string patient)
    {
        var dated = views.Where(view => view.Key != records.Outcome.From).SelectMany(view => view.Value.Of(patient)).Where(row => row.First is not null).GroupBy(row => row.First!.Value);
        (DateOnly Day, bool IsNew)[] days = [.. dated.Select(day => (day.Key, day.All(row => row.IsNew))).OrderBy(day => day.Key)];
        if (days.Length == 0)
            return null;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(patient), hash);
        // The first day has nothing before it.
        return days.Length == 1 ? days[0] : days[1 + (int)(BinaryPrimitives.ReadUInt64BigEndian(hash) % (ulong)(days.Length - 1))];
    }

    IEnumerable<Sight> Stays()
    {
        var outcome = records.Outcome;
        var known = views.Values.Max(view => view.Newest);
        foreach (var patient in views[outcome.From].Patients.Order(StringComparer.Ordinal))
        {
            var stays = StaysOf(patient);
            var died = Died(patient);
            foreach (var stay in stays)
            {
                if (stay is not { Start: { } begun, End: { } ended } || ended < begun)
                {
                    Tell("stays without a beginning and an end");
                    continue;
                }
                if (died <= ended)
                {
                    Tell("stays that ended with a death");
                    continue;
                }
                // Who is back on the day of going home was moved.
                var over = ended.AddDays(outcome.WithinDays);
                var back = stays.Select(next => next.Start).Where(next => next > ended && next <= over).Min();
                yield return new Sight(patient, ended.AddDays(1), begun, back, back is not null) { Told = over, IsNew = stay.IsNew, IsPending = over > known };
            }
        }
    }

    sealed record Stay(string Id, DateOnly? Start, DateOnly? End, bool IsNew);

    List<Stay> StaysOf(string patient)
    {
        var visits = views[records.Outcome.From];
        return [.. visits.Of(patient).Where(row => visits.Meets(row, records.Outcome.Where)).Select(row => new Stay(visits.Value(row, Visit) as string ?? "", row.First, RecordDates.Read(visits.Value(row, "end"))?.Last, row.IsNew))];
    }

    DateOnly? Died(string patient) => views.TryGetValue("people", out var people) ? people.Of(patient).Select(row => RecordDates.Read(people.Value(row, "died"))?.Last).Min() : null;

    Seen See(Sight sight)
    {
        var values = new object?[records.Features.Count];
        DateOnly? newest = null;
        var measured = false;
        for (var i = 0; i < values.Length; i++)
        {
            var feature = records.Features[i];
            if (feature.From is not { } from)
            {
                values[i] = (double)(sight.Before.DayNumber - 1 - sight.StayStart!.Value.DayNumber);
                continue;
            }
            var view = views[from];
            if (feature.Take is RecordTake.Static or RecordTake.Age)
            {
                var held = view.Of(sight.Patient).Select(row => view.Value(row, feature.Value!)).FirstOrDefault(value => value is not null);
                values[i] = feature.Take == RecordTake.Static ? Plain(held, feature.Kind)
                    : RecordDates.Read(held) is var (born, _) && RecordDates.Years(born, sight.Before.AddDays(-1)) is { } years ? (double)years : null;
                continue;
            }
            var rows = InSight(view, feature, sight);
            newest = rows.Aggregate(newest, (day, row) => day > row.Last ? day : row.Last);
            (values[i], var has) = Taken(view, feature, rows);
            measured |= has;
        }
        return new Seen(sight, values, newest, measured);
    }

    List<DatedRow> InSight(PatientRows view, RecordFeature feature, Sight sight)
    {
        // Of the visits themselves only those before the stay count.
        var before = sight.StayStart is { } start && feature.From == records.Outcome.From ? start : sight.Before;
        var since = feature.WithinDays == 0 ? DateOnly.MinValue : before.AddDays(-Math.Min(feature.WithinDays, before.DayNumber));
        return [.. view.Of(sight.Patient).Where(row => row.Last < before && row.First >= since && view.Meets(row, feature.Where))];
    }

    (object? Value, bool IsMeasured) Taken(PatientRows view, RecordFeature feature, List<DatedRow> rows)
    {
        switch (feature.Take)
        {
            case RecordTake.Count:
                return ((double)rows.Select(row => row.Last).Distinct().Count(), false);
            case RecordTake.Any:
                return (rows.Count > 0 ? 1.0 : 0.0, false);
            default:
                var values = rows.Select(row => Measured(view, feature, row)).Where(value => value is not null).ToList();
                object? taken = values.Count == 0 ? null : feature.Take == RecordTake.Mean ? values.OfType<double>().Average() : values[^1];
                return (taken, taken is not null);
        }
    }

    object? Measured(PatientRows view, RecordFeature feature, DatedRow row)
    {
        if (Plain(view.Value(row, feature.Value!), feature.Kind) is not { } value || feature.Units.Count == 0)
            return Plain(view.Value(row, feature.Value!), feature.Kind);
        if (view.Value(row, "unit") is string unit && feature.Units.TryGetValue(unit, out var factor))
            return (double)value * factor;
        Tell($"values of '{feature.Name}' in a unit that the recipe does not know");
        return null;
    }

    static object? Plain(object? value, ColumnKind kind) => value switch
    {
        null => null,
        _ when kind != ColumnKind.Number => Convert.ToString(value),
        decimal number => (double)number,
        int number => (double)number,
        bool truth => truth ? 1.0 : 0.0,
        _ => null,
    };

    IEnumerable<Column> ColumnsOf(List<Seen> seen) => records.Features.Select<RecordFeature, Column>((feature, i) => feature.Kind switch
    {
        ColumnKind.Number => new NumberColumn(feature.Name, [.. seen.Select(one => one.Values[i] as double? ?? double.NaN)]),
        ColumnKind.Text => new TextColumn(feature.Name, [.. seen.Select(one => one.Values[i] as string)]),
        _ => CategoryColumn.Of(feature.Name, [.. seen.Select(one => one.Values[i] as string)]),
    });
}
