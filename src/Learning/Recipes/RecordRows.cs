using System.Collections.ObjectModel;

namespace Salus.Learning.Recipes;

/// <summary>The rows of one view: values by column, as plain numbers, truths and texts.</summary>
/// <param name="View">The view's name in the recipe.</param>
/// <param name="Columns">The names of the columns.</param>
/// <param name="Rows">The rows.</param>
public sealed record RecordRows(string View, IReadOnlyList<string> Columns, IReadOnlyList<object?[]> Rows)
{
    /// <summary>Those of the rows that are of records written since a model was trained, which it therefore has not seen.</summary>
    public IReadOnlySet<object?[]> New { get; init; } = ReadOnlySet<object?[]>.Empty;
}

/// <summary>A row of a view with the days that its date may mean, and whether its record is new.</summary>
sealed record DatedRow(object?[] Values, DateOnly? First, DateOnly? Last, bool IsNew);

/// <summary>The rows of one view by patient, each patient's in the order of their dates.</summary>
sealed class PatientRows
{
    const string PatientColumn = "patient";
    const string DateColumnName = "date";

    readonly Dictionary<string, DatedRow[]> rows;
    readonly Dictionary<string, int> places;

    public PatientRows(RecordRows given)
    {
        places = given.Columns.Index().ToDictionary(pair => pair.Item, pair => pair.Index, StringComparer.Ordinal);
        var (patient, date) = (Place(given.View, PatientColumn), places.GetValueOrDefault(DateColumnName, -1));
        rows = given.Rows.Where(row => row[patient] is string).GroupBy(row => (string)row[patient]!, StringComparer.Ordinal).ToDictionary(
            group => group.Key,
            // The sort keeps the order of rows of one day.
            group => group.Select(row => RecordDates.Read(date < 0 ? null : row[date]) is var (first, last) ? new DatedRow(row, first, last, given.New.Contains(row)) : new DatedRow(row, null, null, given.New.Contains(row))).OrderBy(row => row.Last).ToArray(),
            StringComparer.Ordinal);
        WithoutPatient = given.Rows.Count(row => row[patient] is not string);
    }

    /// <summary>Rows of nobody who is known.</summary>
    public int WithoutPatient { get; }

    public IEnumerable<string> Patients => rows.Keys;

    public DateOnly? Newest => rows.Values.Max(own => own.Max(row => row.Last));

    public IReadOnlyList<DatedRow> Of(string patient) => rows.GetValueOrDefault(patient) ?? [];

    /// <summary>A value of a row.</summary>
    public object? Value(DatedRow row, string column) => row.Values[Place("", column)];

    /// <summary>Whether a row has, in each column named, one of the values.</summary>
    public bool Meets(DatedRow row, IReadOnlyDictionary<string, IReadOnlyList<string>> where) =>
        where.All(condition => Value(row, condition.Key) is { } value && condition.Value.Contains(value is string text ? text : Convert.ToString(value)));

    int Place(string view, string column) =>
        places.TryGetValue(column, out var place) ? place : throw new ArgumentException($"the view {view} has no column '{column}'; it has: {string.Join(", ", places.Keys)}");
}
