using System.Globalization;

namespace Salus.Fhir.FhirPath;

enum TemporalKind
{
    Date,
    DateTime,
    Time,
}

enum TemporalPrecision
{
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Fraction,
}

/// <summary>A Date, DateTime or Time, as precise as it was given.</summary>
/// <param name="Kind">Which of the three.</param>
/// <param name="Start">Its first tick by its own clock; a time stands on the first day.</param>
/// <param name="Precision">The finest part given.</param>
/// <param name="FractionDigits">How many digits of a second's fraction were given.</param>
/// <param name="Offset">The minutes east of UTC; null when no zone was given.</param>
readonly record struct Temporal(TemporalKind Kind, DateTime Start, TemporalPrecision Precision, int FractionDigits = 0, int? Offset = null)
{
    const int OffsetLowMinutes = -12 * 60;
    const int OffsetHighMinutes = 14 * 60;

    /// <summary>The count of digits that the precision has: 4 for a year, 17 for milliseconds; a time's without its date.</summary>
    public int Digits => Kind == TemporalKind.Time
        ? Precision switch { TemporalPrecision.Hour => 2, TemporalPrecision.Minute => 4, TemporalPrecision.Second => 6, _ => 6 + FractionDigits }
        : Precision switch
        {
            TemporalPrecision.Year => 4,
            TemporalPrecision.Month => 6,
            TemporalPrecision.Day => 8,
            TemporalPrecision.Hour => 10,
            TemporalPrecision.Minute => 12,
            TemporalPrecision.Second => 14,
            _ => 14 + FractionDigits,
        };

    public static Temporal Now(DateTimeOffset now) =>
        new(TemporalKind.DateTime, Cut(now.DateTime, TimeSpan.TicksPerMillisecond), TemporalPrecision.Fraction, 3, (int)now.Offset.TotalMinutes);

    /// <summary>Reads what FHIR and the literals of FHIRPath write, without <c>@</c>; a Time without its <c>T</c>. A DateTime's zone and its parts below the year may be missing.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, TemporalKind kind, out Temporal value)
    {
        value = default;
        if (kind == TemporalKind.Time)
        {
            return Clock(text, new DateTime(1, 1, 1), TemporalKind.Time, null, out value);
        }
        if (!Part(text, 0, 4, 1, 9999, out var year))
        {
            return false;
        }
        var (month, day, precision, length) = (1, 1, TemporalPrecision.Year, 4);
        if (text.Length > 4 && text[4] == '-')
        {
            if (!Part(text, 5, 2, 1, 12, out month))
            {
                return false;
            }
            (precision, length) = (TemporalPrecision.Month, 7);
            if (text.Length > 7 && text[7] == '-')
            {
                if (!Part(text, 8, 2, 1, DateTime.DaysInMonth(year, month), out day))
                {
                    return false;
                }
                (precision, length) = (TemporalPrecision.Day, 10);
            }
        }
        var date = new DateTime(year, month, day);
        value = new Temporal(kind, date, precision);
        if (text.Length == length)
        {
            return true;
        }
        if (kind != TemporalKind.DateTime || text[length] != 'T')
        {
            return false;
        }
        var clock = text[(length + 1)..];
        return clock.IsEmpty || (precision == TemporalPrecision.Day && Zoned(clock, date, out value));
    }

    static bool Zoned(ReadOnlySpan<char> text, DateTime date, out Temporal value)
    {
        value = default;
        var end = text.IndexOfAny('Z', '+', '-');
        if (end < 0)
        {
            return Clock(text, date, TemporalKind.DateTime, null, out value);
        }
        var zone = text[end..];
        var offset = 0;
        if (zone is not "Z")
        {
            if (zone.Length != 6 || zone[0] == 'Z' || zone[3] != ':' || !Part(zone, 1, 2, 0, 14, out var hours) || !Part(zone, 4, 2, 0, 59, out var minutes))
            {
                return false;
            }
            offset = ((hours * 60) + minutes) * (zone[0] == '-' ? -1 : 1);
        }
        return Clock(text[..end], date, TemporalKind.DateTime, offset, out value);
    }

    static bool Clock(ReadOnlySpan<char> text, DateTime date, TemporalKind kind, int? offset, out Temporal value)
    {
        value = default;
        if (!Part(text, 0, 2, 0, 23, out var hour))
        {
            return false;
        }
        var start = date.AddHours(hour);
        if (text.Length == 2)
        {
            value = new(kind, start, TemporalPrecision.Hour, 0, offset);
            return true;
        }
        if (text[2] != ':' || !Part(text, 3, 2, 0, 59, out var minute))
        {
            return false;
        }
        start = start.AddMinutes(minute);
        if (text.Length == 5)
        {
            value = new(kind, start, TemporalPrecision.Minute, 0, offset);
            return true;
        }
        // A leap second is taken for the second before it: no clock of ours counts it.
        if (text[5] != ':' || !Part(text, 6, 2, 0, 60, out var second))
        {
            return false;
        }
        start = start.AddSeconds(Math.Min(second, 59));
        if (text.Length == 8)
        {
            value = new(kind, start, TemporalPrecision.Second, 0, offset);
            return true;
        }
        var digits = text[9..];
        if (text[8] != '.' || digits.IsEmpty || digits.ContainsAnyExceptInRange('0', '9'))
        {
            return false;
        }
        var unit = TimeSpan.TicksPerSecond;
        foreach (var digit in digits)
        {
            unit /= 10;
            start = start.AddTicks((digit - '0') * unit);
        }
        value = new(kind, start, TemporalPrecision.Fraction, digits.Length, offset);
        return true;
    }

    static bool Part(ReadOnlySpan<char> text, int at, int count, int min, int max, out int value)
    {
        value = 0;
        return text.Length >= at + count
            && int.TryParse(text.Slice(at, count), NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= min && value <= max;
    }

    /// <summary>Their order; null where one is too imprecise to tell, or of another kind (<see cref="AreComparable"/>).</summary>
    public static int? Compare(Temporal left, Temporal right)
    {
        if (left.Offset.HasValue != right.Offset.HasValue && (left.Precision > TemporalPrecision.Day || right.Precision > TemporalPrecision.Day))
        {
            return CompareUnzoned(left, right);
        }
        var (a, b) = left.Offset == right.Offset ? (left.Start, right.Start) : (Utc(left), Utc(right));
        var shared = (TemporalPrecision)Math.Min((int)left.Precision, (int)right.Precision);
        if (shared >= TemporalPrecision.Second)
        {
            return a.CompareTo(b);
        }
        var order = Floor(a, shared).CompareTo(Floor(b, shared));
        return order != 0 || left.Precision == right.Precision ? order : null;
    }

    /// <summary>Whether two kinds can be compared: a Date is a DateTime without a time.</summary>
    public static bool AreComparable(Temporal left, Temporal right) => left.Kind == TemporalKind.Time == (right.Kind == TemporalKind.Time);

    /// <summary>One has a zone and the other could be in any: they are told apart only when every zone does.</summary>
    static int? CompareUnzoned(Temporal left, Temporal right)
    {
        var (leftLow, leftHigh) = left.Range();
        var (rightLow, rightHigh) = right.Range();
        return leftHigh < rightLow ? -1 : leftLow > rightHigh ? 1 : null;
    }

    (DateTime Low, DateTime High) Range()
    {
        var last = Last(Start, Precision, FractionDigits);
        return Offset is { } minutes
            ? (Shift(Start, -minutes), Shift(last, -minutes))
            : (Shift(Start, -OffsetHighMinutes), Shift(last, -OffsetLowMinutes));
    }

    static DateTime Utc(Temporal value) => value.Offset is { } minutes ? Shift(value.Start, -minutes) : value.Start;

    static DateTime Shift(DateTime value, int minutes) =>
        new(Math.Clamp(value.Ticks + (minutes * TimeSpan.TicksPerMinute), DateTime.MinValue.Ticks, DateTime.MaxValue.Ticks));

    static DateTime Cut(DateTime value, long ticks) => new(value.Ticks - (value.Ticks % ticks));

    /// <summary>The first tick of the part that a moment is in.</summary>
    public static DateTime Floor(DateTime value, TemporalPrecision precision) => precision switch
    {
        TemporalPrecision.Year => new DateTime(value.Year, 1, 1),
        TemporalPrecision.Month => new DateTime(value.Year, value.Month, 1),
        TemporalPrecision.Day => value.Date,
        TemporalPrecision.Hour => Cut(value, TimeSpan.TicksPerHour),
        TemporalPrecision.Minute => Cut(value, TimeSpan.TicksPerMinute),
        TemporalPrecision.Second => Cut(value, TimeSpan.TicksPerSecond),
        _ => value,
    };

    /// <summary>The last tick of the part that starts at a moment.</summary>
    public static DateTime Last(DateTime start, TemporalPrecision precision, int fractionDigits = 0)
    {
        var ticks = precision switch
        {
            TemporalPrecision.Year => new DateTime(start.Year, 12, 31).Ticks - start.Ticks + TimeSpan.TicksPerDay,
            TemporalPrecision.Month => TimeSpan.TicksPerDay * DateTime.DaysInMonth(start.Year, start.Month),
            TemporalPrecision.Day => TimeSpan.TicksPerDay,
            TemporalPrecision.Hour => TimeSpan.TicksPerHour,
            TemporalPrecision.Minute => TimeSpan.TicksPerMinute,
            TemporalPrecision.Second => TimeSpan.TicksPerSecond,
            _ => Math.Max(1, TimeSpan.TicksPerSecond / (long)Math.Pow(10, Math.Min(fractionDigits, 7))),
        };
        return new DateTime(start.Ticks + ticks - 1);
    }

    /// <summary>This and a count of calendar units more; null when the result is out of range.</summary>
    /// <param name="amount">How many; what is finer than a whole one of this value's precision is dropped.</param>
    /// <param name="unit">A calendar word in the singular.</param>
    public Temporal? Plus(decimal amount, string unit)
    {
        try
        {
            return Kind == TemporalKind.Time ? PlusClock(amount, unit) : PlusDate(amount, unit);
        }
        catch (Exception error) when (error is ArgumentOutOfRangeException or OverflowException)
        {
            return null;
        }
    }

    Temporal PlusClock(decimal amount, string unit)
    {
        var ticks = (Start.Ticks + Whole(Ticks(unit) * decimal.Truncate(amount))) % TimeSpan.TicksPerDay;
        return this with { Start = new DateTime((long)(ticks < 0 ? ticks + TimeSpan.TicksPerDay : ticks)) };
    }

    /// <summary>As many whole units of this value's precision as a duration has.</summary>
    decimal Whole(decimal ticks)
    {
        var unit = Precision switch
        {
            TemporalPrecision.Hour => TimeSpan.TicksPerHour,
            TemporalPrecision.Minute => TimeSpan.TicksPerMinute,
            TemporalPrecision.Second => TimeSpan.TicksPerSecond,
            _ => 1,
        };
        return decimal.Truncate(ticks / unit) * unit;
    }

    Temporal PlusDate(decimal amount, string unit)
    {
        var whole = decimal.Truncate(amount);
        if (unit is "year" or "month")
        {
            var months = Precision == TemporalPrecision.Year && unit == "month" ? decimal.Truncate(whole / 12) * 12 : whole * (unit == "year" ? 12 : 1);
            return this with { Start = Start.AddMonths((int)months) };
        }
        var ticks = Ticks(unit) * whole;
        return Precision switch
        {
            TemporalPrecision.Year => this with { Start = Start.AddYears((int)decimal.Truncate(ticks / TimeSpan.TicksPerDay / 365)) },
            TemporalPrecision.Month => this with { Start = Start.AddMonths((int)decimal.Truncate(ticks / TimeSpan.TicksPerDay / 30)) },
            TemporalPrecision.Day => this with { Start = Start.AddDays((double)decimal.Truncate(ticks / TimeSpan.TicksPerDay)) },
            _ => this with { Start = Start.AddTicks((long)Whole(ticks)) },
        };
    }

    static decimal Ticks(string unit) => unit switch
    {
        "week" => TimeSpan.TicksPerDay * 7,
        "day" => TimeSpan.TicksPerDay,
        "hour" => TimeSpan.TicksPerHour,
        "minute" => TimeSpan.TicksPerMinute,
        "second" => TimeSpan.TicksPerSecond,
        _ => TimeSpan.TicksPerMillisecond,
    };

    public override string ToString()
    {
        var date = Kind == TemporalKind.Time ? "" : Precision switch
        {
            TemporalPrecision.Year => Start.ToString("yyyy", CultureInfo.InvariantCulture),
            TemporalPrecision.Month => Start.ToString("yyyy-MM", CultureInfo.InvariantCulture),
            _ => Start.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        };
        if (Precision <= TemporalPrecision.Day)
        {
            return date;
        }
        var clock = Start.ToString(
            Precision switch { TemporalPrecision.Hour => "HH", TemporalPrecision.Minute => "HH:mm", _ => "HH:mm:ss" }, CultureInfo.InvariantCulture);
        if (Precision == TemporalPrecision.Fraction)
        {
            var digits = (Start.Ticks % TimeSpan.TicksPerSecond).ToString("0000000", CultureInfo.InvariantCulture);
            clock += "." + digits.PadRight(FractionDigits, '0')[..FractionDigits];
        }
        return Kind == TemporalKind.Time ? clock : $"{date}T{clock}{Zone()}";
    }

    string Zone() => Offset switch
    {
        null => "",
        0 => "Z",
        var minutes => $"{(minutes < 0 ? '-' : '+')}{Math.Abs(minutes.Value) / 60:00}:{Math.Abs(minutes.Value) % 60:00}",
    };
}
