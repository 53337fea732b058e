using System.Globalization;

namespace Salus.Learning.Recipes;

/// <summary>Dates as records write them: a year, a month, a day, or a moment, of which the day counts.</summary>
static class RecordDates
{
    const int DayLength = 10;

    /// <summary>The first and the last day that a date may mean; null for what is none.</summary>
    public static (DateOnly First, DateOnly Last)? Read(object? value)
    {
        if (value is not string text)
            return null;
        var day = text.Length > DayLength ? text[..DayLength] : text;
        foreach (var (format, months, days) in ((string, int, int)[])[("yyyy-MM-dd", 0, 1), ("yyyy-MM", 1, 0), ("yyyy", 12, 0)])
        {
            if (DateOnly.TryParseExact(day, format, CultureInfo.InvariantCulture, DateTimeStyles.None, out var first))
                return (first, days == 1 || first.Year == DateOnly.MaxValue.Year ? first : first.AddMonths(months).AddDays(-1));
        }
        return null;
    }

    /// <summary>Whole years from one day to another; null where the second comes first.</summary>
    public static int? Years(DateOnly born, DateOnly day)
    {
        if (born > day)
            return null;
        var years = day.Year - born.Year;
        return born.AddYears(years) > day ? years - 1 : years;
    }
}
