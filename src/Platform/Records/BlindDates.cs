using System.Globalization;
using Salus.Fhir.Search;

namespace Salus.Platform.Records;

/// <summary>
/// Dates of birth and death as words to be hashed: the year, the month and the day as far as they are known, and a word of its own for a date of which
/// no more is known. A range of time becomes the few hundred words that lie in it.
/// </summary>
static class BlindDates
{
    static readonly DateOnly First = new(1850, 1, 1);
    static readonly DateOnly Last = new(2120, 12, 31);

    /// <summary>The words under which a date stands.</summary>
    public static IEnumerable<string> Of(IndexValue.Date date)
    {
        var (low, high) = (Day(date.Low), Day(date.High));
        var isDay = low == high;
        var isMonth = !isDay && low.Year == high.Year && low.Month == high.Month;
        yield return Year(low);
        if (isDay || isMonth)
        {
            yield return Month(low);
        }
        yield return isDay ? Exactly(low) : isMonth ? Only(Month(low)) : Only(Year(low));
    }

    /// <summary>The words of which a date has one when it matches; for <c>ne</c>, those of which it has none.</summary>
    public static IReadOnlyCollection<string> Search(DateValue value)
    {
        var (low, high) = (Clamp(Day(value.Low)), Clamp(Day(value.High)));
        return value.Prefix switch
        {
            SearchPrefix.Gt => [.. After(high), .. Reaching(high, isAbove: true)],
            SearchPrefix.Lt => [.. Before(low), .. Reaching(low, isAbove: false)],
            SearchPrefix.Ge => [.. After(high), .. Reaching(high, isAbove: true), .. Within(low, high)],
            SearchPrefix.Le => [.. Before(low), .. Reaching(low, isAbove: false), .. Within(low, high)],
            SearchPrefix.Sa => After(high),
            SearchPrefix.Eb => Before(low),
            SearchPrefix.Ap => [.. Within(low, high), .. Partly(low), .. Partly(high)],
            _ => Within(low, high),
        };
    }

    static List<string> After(DateOnly day) => day >= Last ? [] : Within(day.AddDays(1), Last);

    static List<string> Before(DateOnly day) => day <= First ? [] : Within(First, day.AddDays(-1));

    /// <summary>Dates of which the month or the year alone is known, and that reach beyond a day in it.</summary>
    static IEnumerable<string> Reaching(DateOnly day, bool isAbove)
    {
        var next = day.AddDays(isAbove ? 1 : -1);
        return [.. next.Year == day.Year ? [Only(Year(day))] : Array.Empty<string>(), .. next.Year == day.Year && next.Month == day.Month ? [Only(Month(day))] : Array.Empty<string>()];
    }

    static string[] Partly(DateOnly day) => [Only(Year(day)), Only(Month(day))];

    /// <summary>The words of all dates that lie within two days: whole years, then whole months, then days.</summary>
    static List<string> Within(DateOnly low, DateOnly high)
    {
        List<string> words = [];
        for (var day = low; day <= high;)
        {
            var yearEnd = new DateOnly(day.Year, 12, 31);
            var monthEnd = new DateOnly(day.Year, day.Month, DateTime.DaysInMonth(day.Year, day.Month));
            if (day is { Month: 1, Day: 1 } && yearEnd <= high)
            {
                words.Add(Year(day));
                day = yearEnd.AddDays(1);
            }
            else if (day.Day == 1 && monthEnd <= high)
            {
                words.Add(Month(day));
                day = monthEnd.AddDays(1);
            }
            else
            {
                words.Add(Exactly(day));
                day = day.AddDays(1);
            }
        }
        return words;
    }

    static DateOnly Day(DateTimeOffset time) => DateOnly.FromDateTime(time.UtcDateTime);

    static DateOnly Clamp(DateOnly day) => day < First ? First : day > Last ? Last : day;

    static string Year(DateOnly day) => day.ToString("yyyy", CultureInfo.InvariantCulture);

    static string Month(DateOnly day) => day.ToString("yyyy-MM", CultureInfo.InvariantCulture);

    static string Exactly(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    static string Only(string word) => $"{word} only";
}
