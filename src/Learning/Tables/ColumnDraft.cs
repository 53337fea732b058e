using System.Globalization;

namespace Salus.Learning.Tables;

/// <summary>Gathers one column's fields, then settles its kind.</summary>
sealed class ColumnDraft(string name, CsvOptions options)
{
    // Repeated field texts share one string: tables of codes would otherwise hold millions of copies.
    const int SharedMax = 4_096;
    const int CodeLengthMax = 16;
    const int CodeRepeats = 20;

    readonly List<string?> values = [];
    readonly List<int> lines = [];
    readonly Dictionary<string, string> shared = new(StringComparer.Ordinal);
    bool numbers = true;
    bool dates = true;

    public int Count => values.Count;

    public void Add(string field, int line)
    {
        lines.Add(line);
        var trimmed = field.Trim();
        if (trimmed.Length == 0 || options.MissingMarks.Contains(trimmed, StringComparer.OrdinalIgnoreCase))
        {
            values.Add(null);
            return;
        }
        if (shared.TryGetValue(trimmed, out var known))
            trimmed = known;
        else if (shared.Count < SharedMax)
            shared.Add(trimmed, trimmed);
        numbers = numbers && TryNumber(trimmed, out _);
        dates = dates && TryDate(trimmed, out _);
        values.Add(trimmed);
    }

    public Column Finish(int index) => (options.Kinds.TryGetValue(name, out var stated) ? stated : Inferred()) switch
    {
        ColumnKind.Number => new NumberColumn(name, Convert(index, double.NaN, value => TryNumber(value, out var number) ? number : null, "a finite number such as 12.5")),
        ColumnKind.Date => new DateColumn(name, Convert<DateOnly?>(index, null, value => TryDate(value, out var date) ? (DateOnly?)date : null, "a date such as 2024-05-31")),
        ColumnKind.Category => CategoryColumn.Of(name, values),
        _ => new TextColumn(name, [.. values]),
    };

    ColumnKind Inferred()
    {
        var present = values.Count(value => value is not null);
        if (present == 0 || numbers)
            return ColumnKind.Number;
        if (dates)
            return ColumnKind.Date;
        var distinct = values.Where(value => value is not null).Distinct(StringComparer.Ordinal).Take(Math.Max(options.LevelsMax, present / CodeRepeats) + 1).Count();
        // Diagnosis codes have many levels, but each is short, one word, and stands in many rows.
        if (distinct <= present / CodeRepeats && values.All(value => value is null || (value.Length <= CodeLengthMax && !value.Contains(' ', StringComparison.Ordinal))))
            return ColumnKind.Category;
        var repeats = distinct <= Math.Max(2, present / 2) || values.All(value => value is null || value.Length <= CodeLengthMax);
        return distinct <= options.LevelsMax && repeats ? ColumnKind.Category : ColumnKind.Text;
    }

    T[] Convert<T>(int index, T missing, Func<string, T?> parse, string wanted)
    {
        var converted = new T[values.Count];
        for (var i = 0; i < converted.Length; i++)
        {
            if (values[i] is not { } value)
                converted[i] = missing;
            else if (parse(value) is { } parsed)
                converted[i] = parsed;
            else
                throw new CsvFaultException(lines[i], index, $"'{Shortened(value)}' cannot be read", $"write {wanted}, or leave the field empty");
        }
        return converted;
    }

    double[] Convert(int index, double missing, Func<string, double?> parse, string wanted) =>
        [.. Convert<double?>(index, missing, parse, wanted).Select(value => value.GetValueOrDefault())];

    static string Shortened(string value) => value.Length <= 40 ? value : string.Concat(value.AsSpan(0, 40), "…");

    static bool TryNumber(string value, out double number) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    static bool TryDate(string value, out DateOnly date) =>
        DateOnly.TryParseExact(value, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out date);
}
