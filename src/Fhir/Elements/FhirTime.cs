namespace Salus.Fhir.Elements;

/// <summary>How much of a date is given.</summary>
public enum TimePrecision
{
    /// <summary><c>2024</c></summary>
    Year,

    /// <summary><c>2024-02</c></summary>
    Month,

    /// <summary><c>2024-02-29</c></summary>
    Day,

    /// <summary><c>2024-02-29T12:30Z</c>, which only searches may write.</summary>
    Minute,

    /// <summary><c>2024-02-29T12:30:05Z</c></summary>
    Second,

    /// <summary>With a fraction of a second.</summary>
    Fraction,
}

/// <summary>A date, dateTime or instant as the range of time it stands for; without a zone it is taken as UTC.</summary>
/// <param name="Low">The first tick in it.</param>
/// <param name="High">The last tick in it.</param>
/// <param name="Precision">How much was given.</param>
/// <param name="HasZone">Whether a zone was given.</param>
public readonly record struct FhirTime(DateTimeOffset Low, DateTimeOffset High, TimePrecision Precision, bool HasZone)
{
    /// <summary>Reads a date, dateTime or instant; false when it is none.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out FhirTime time)
    {
        time = default;
        if (!Digits(text, 0, 4, out var year) || year == 0)
        {
            return false;
        }
        if (text.Length == 4)
        {
            time = Range(new(year, 1, 1), new(year, 12, 31), TimePrecision.Year);
            return true;
        }
        if (text[4] != '-' || !Digits(text, 5, 2, out var month) || month is 0 or > 12)
        {
            return false;
        }
        if (text.Length == 7)
        {
            time = Range(new(year, month, 1), new(year, month, DateTime.DaysInMonth(year, month)), TimePrecision.Month);
            return true;
        }
        if (text[7] != '-' || !Digits(text, 8, 2, out var day) || day == 0 || day > DateTime.DaysInMonth(year, month))
        {
            return false;
        }
        var date = new DateTime(year, month, day);
        if (text.Length == 10)
        {
            time = Range(date, date, TimePrecision.Day);
            return true;
        }
        return text[10] == 'T' && TryParseClock(text[11..], date, out time);
    }

    /// <summary>Reads a time of day, <c>hh:mm:ss</c> with an optional fraction; false when it is none.</summary>
    public static bool IsTimeOfDay(ReadOnlySpan<byte> text) => Clock(text, out _, out var length, out var precision) && length == text.Length && precision >= TimePrecision.Second;

    static bool TryParseClock(ReadOnlySpan<byte> text, DateTime date, out FhirTime time)
    {
        time = default;
        if (!Clock(text, out var ticks, out var length, out var precision) || !Zone(text[length..], out var offset, out var hasZone))
        {
            return false;
        }
        var low = date.Ticks + ticks - offset.Ticks;
        var width = precision switch
        {
            TimePrecision.Minute => TimeSpan.TicksPerMinute,
            TimePrecision.Second => TimeSpan.TicksPerSecond,
            _ => FractionWidth(text[..length]),
        };
        if (low < 0 || low + width - 1 > DateTime.MaxValue.Ticks)
        {
            return false;
        }
        time = new(new(low, TimeSpan.Zero), new(low + width - 1, TimeSpan.Zero), precision, hasZone);
        return true;
    }

    static bool Clock(ReadOnlySpan<byte> text, out long ticks, out int length, out TimePrecision precision)
    {
        ticks = 0;
        length = 5;
        precision = TimePrecision.Minute;
        if (!Digits(text, 0, 2, out var hour) || hour > 23 || text.Length < 5 || text[2] != ':' || !Digits(text, 3, 2, out var minute) || minute > 59)
        {
            return false;
        }
        ticks = (hour * TimeSpan.TicksPerHour) + (minute * TimeSpan.TicksPerMinute);
        if (text.Length < 6 || text[5] != ':')
        {
            return true;
        }
        if (!Digits(text, 6, 2, out var second) || second > 60)
        {
            return false;
        }
        ticks += second * TimeSpan.TicksPerSecond;
        length = 8;
        precision = TimePrecision.Second;
        if (text.Length < 9 || text[8] != '.')
        {
            return true;
        }
        length = 9;
        for (var unit = TimeSpan.TicksPerSecond / 10; length < text.Length && char.IsAsciiDigit((char)text[length]); unit /= 10)
        {
            ticks += (text[length++] - '0') * unit;
        }
        precision = TimePrecision.Fraction;
        return length > 9;
    }

    static long FractionWidth(ReadOnlySpan<byte> clock)
    {
        var width = TimeSpan.TicksPerSecond;
        for (var digits = clock.Length - 9; digits > 0 && width > 1; digits--)
        {
            width /= 10;
        }
        return width;
    }

    static bool Zone(ReadOnlySpan<byte> text, out TimeSpan offset, out bool hasZone)
    {
        offset = default;
        hasZone = text.Length > 0;
        if (!hasZone || (text.Length == 1 && text[0] == 'Z'))
        {
            return true;
        }
        if (text.Length != 6 || text[0] is not ((byte)'+' or (byte)'-') || text[3] != ':'
            || !Digits(text, 1, 2, out var hours) || hours > 14 || !Digits(text, 4, 2, out var minutes) || minutes > 59 || (hours == 14 && minutes > 0))
        {
            return false;
        }
        offset = new TimeSpan(hours, minutes, 0) * (text[0] == '-' ? -1 : 1);
        return true;
    }

    static bool Digits(ReadOnlySpan<byte> text, int at, int count, out int value)
    {
        value = 0;
        if (text.Length < at + count)
        {
            return false;
        }
        foreach (var digit in text.Slice(at, count))
        {
            if (!char.IsAsciiDigit((char)digit))
            {
                return false;
            }
            value = (value * 10) + digit - '0';
        }
        return true;
    }

    static FhirTime Range(DateTime firstDay, DateTime lastDay, TimePrecision precision) =>
        new(new(firstDay, TimeSpan.Zero), new(lastDay.Ticks + TimeSpan.TicksPerDay - 1, TimeSpan.Zero), precision, false);
}
