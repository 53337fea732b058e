using System.Globalization;
using Salus.Fhir.Search;

namespace Salus.Platform.Records;

/// <summary>What is asked of the index: a tree of conditions on one row of <c>search_value</c>.</summary>
abstract record IndexPlan
{
    /// <summary>Every row.</summary>
    public sealed record Everything : IndexPlan;

    /// <summary>One of the hashes is there.</summary>
    public sealed record AnyHash(Guid[] Hashes) : IndexPlan;

    /// <summary>All of the hashes are there.</summary>
    public sealed record AllHashes(Guid[] Hashes) : IndexPlan;

    /// <summary>The parameter has a value.</summary>
    public sealed record Present(int Name) : IndexPlan;

    /// <summary>A range of that name meets one of the alternatives.</summary>
    public sealed record InRange(int Name, IReadOnlyList<RangeTest> Alternatives) : IndexPlan;

    /// <summary>When the version was stored.</summary>
    public sealed record Written(IReadOnlyList<DateValue> Alternatives) : IndexPlan;

    /// <summary>The row stands under this key.</summary>
    public sealed record OfKey(int Number) : IndexPlan;

    /// <summary>One of these ids.</summary>
    public sealed record Ids(string[] Values) : IndexPlan;

    /// <summary>One of them holds.</summary>
    public sealed record Or(IReadOnlyList<IndexPlan> Plans) : IndexPlan;

    /// <summary>All of them hold.</summary>
    public sealed record And(IReadOnlyList<IndexPlan> Plans) : IndexPlan;

    /// <summary>It does not hold.</summary>
    public sealed record Not(IndexPlan Plan) : IndexPlan;

    /// <summary>The condition in SQL on the row <c>s</c>.</summary>
    public string ToSql(SqlValues values) => this switch
    {
        AnyHash any => $"s.hashes && {values.Add(any.Hashes)}",
        AllHashes all => $"s.hashes @> {values.Add(all.Hashes)}",
        Present present => $"{values.Add(present.Name)} = ANY(s.marks)",
        InRange range => $"EXISTS (SELECT 1 FROM search_range r WHERE r.id = s.id AND r.name = {values.Add(range.Name)} AND ({Any(range.Alternatives.Select(test => test.ToSql(values)))}))",
        Written written => $"({Any(written.Alternatives.Select(date => WrittenSql(date, values)))})",
        OfKey key => $"s.key = {values.Add(key.Number)}",
        Ids ids => $"s.id = ANY({values.Add(ids.Values)})",
        Or or => or.Plans.Count == 0 ? "false" : $"({Any(or.Plans.Select(plan => plan.ToSql(values)))})",
        And and => and.Plans.Count == 0 ? "true" : $"({string.Join(" AND ", and.Plans.Select(plan => plan.ToSql(values)))})",
        Not not => $"NOT ({not.Plan.ToSql(values)})",
        _ => "true",
    };

    static string Any(IEnumerable<string> conditions) => string.Join(" OR ", conditions);

    /// <summary>A stored version's time is one point, written to the millisecond in the resource: what is searched is widened to whole ones, and the column left as it is for its index.</summary>
    static string WrittenSql(DateValue date, SqlValues values)
    {
        // The first millisecond that is not before the lower bound, and the first after the upper
        string From() => values.Add(Milliseconds(date.Low.ToUniversalTime().AddTicks(TimeSpan.TicksPerMillisecond - 1)));
        string Past() => values.Add(Milliseconds(date.High.ToUniversalTime()).AddMilliseconds(1));
        return date.Prefix switch
        {
            SearchPrefix.Ne => $"NOT (s.written >= {From()} AND s.written < {Past()})",
            SearchPrefix.Gt or SearchPrefix.Sa => $"s.written >= {Past()}",
            SearchPrefix.Lt or SearchPrefix.Eb => $"s.written < {From()}",
            SearchPrefix.Ge => $"s.written >= {From()}",
            SearchPrefix.Le => $"s.written < {Past()}",
            _ => $"(s.written >= {From()} AND s.written < {Past()})",
        };
    }

    static DateTimeOffset Milliseconds(DateTimeOffset time) => time.AddTicks(-(time.Ticks % TimeSpan.TicksPerMillisecond));
}

/// <summary>How a stored range is compared with one that is searched.</summary>
/// <param name="Prefix">How.</param>
/// <param name="Low">The first of the range searched.</param>
/// <param name="High">The last of it, or for a number the first above it.</param>
/// <param name="Value">The number itself; null for a date.</param>
/// <param name="Unit">The keyed hash of the unit; null for any.</param>
sealed record RangeTest(SearchPrefix Prefix, double Low, double High, double? Value, int? Unit)
{
    public string ToSql(SqlValues values)
    {
        string Of(double number) => values.Add(number);
        var inside = Value is null ? "<=" : "<";
        var (above, below) = (Value ?? High, Value ?? Low);
        var test = Prefix switch
        {
            // The bound of high alone is what the index goes by
            SearchPrefix.Eq => $"r.low >= {Of(Low)} AND r.high {inside} {Of(High)} AND r.high >= {Of(Low)}",
            SearchPrefix.Ne => $"NOT (r.low >= {Of(Low)} AND r.high {inside} {Of(High)})",
            SearchPrefix.Gt => $"r.high > {Of(above)}",
            SearchPrefix.Lt => $"r.low < {Of(below)}",
            SearchPrefix.Ge when Value is not null => $"r.high >= {Of(above)}",
            SearchPrefix.Le when Value is not null => $"r.low <= {Of(below)}",
            SearchPrefix.Ge => $"(r.high > {Of(above)} OR (r.low >= {Of(Low)} AND r.high BETWEEN {Of(Low)} AND {Of(High)}))",
            SearchPrefix.Le => $"(r.low < {Of(below)} OR (r.low >= {Of(Low)} AND r.high <= {Of(High)}))",
            SearchPrefix.Sa => $"r.low > {Of(above)} AND r.high > {Of(above)}",
            SearchPrefix.Eb => $"r.high < {Of(below)}",
            _ => $"r.low <= {Of(High)} AND r.high >= {Of(Low)}",
        };
        return Unit is { } unit ? $"({test} AND {values.Add(unit)} = ANY(r.units))" : $"({test})";
    }
}

/// <summary>The values of a statement's parameters, in their order.</summary>
sealed class SqlValues
{
    readonly List<object?> values = [];

    public object?[] All => [.. values];

    /// <summary>Adds a value; the name of its parameter.</summary>
    public string Add(object? value)
    {
        values.Add(value);
        return string.Create(CultureInfo.InvariantCulture, $"${values.Count}");
    }
}
