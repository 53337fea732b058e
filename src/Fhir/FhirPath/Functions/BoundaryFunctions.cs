namespace Salus.Fhir.FhirPath;

/// <summary>Precision, and the least and greatest values that an imprecise one may stand for (FHIRPath, additional functions).</summary>
static class BoundaryFunctions
{
    const int DecimalDigits = 8;
    const int DecimalDigitsMax = 28;
    const int OffsetLowMinutes = 14 * 60;
    const int OffsetHighMinutes = -12 * 60;

    public static void AddTo(Action<string, int, int, Function> add)
    {
        add("lowBoundary", 0, 1, (call, frame, input) => Boundary(call, frame, input, false));
        add("highBoundary", 0, 1, (call, frame, input) => Boundary(call, frame, input, true));
        add("precision", 0, 0, Precision);
        add("comparable", 1, 1, Comparable);
    }

    static FhirPathCollection Boundary(Call call, Frame frame, FhirPathCollection input, bool isHigh)
    {
        if (call.Single(input) is not { } item)
        {
            return default;
        }
        var digits = call.Count == 0 ? null : call.Integer(frame, 0);
        if (call.Count > 0 && digits is null)
        {
            return default;
        }
        if (item is ElementItem { TypeName: "Period" })
        {
            // A period without a start or an end has no bound on that side.
            var side = item.Element[isHigh ? "end"u8 : "start"u8].Text;
            if (side is null || !Temporal.TryParse(side, TemporalKind.DateTime, out var bounding))
            {
                return default;
            }
            item = new TemporalItem(bounding);
        }
        FhirPathItem? result = item.System switch
        {
            IntegerItem or DecimalItem => Of(item.Number!.Value, digits, isHigh) is { } number ? new DecimalItem(number) : null,
            QuantityItem quantity => Of(quantity.Value, digits, isHigh) is { } number ? new QuantityItem(number, quantity.Unit) : null,
            TemporalItem moment => Of(moment.Value, digits, isHigh) is { } bound ? new TemporalItem(bound) : null,
            var value => throw call.Fail($"is for numbers, quantities, dates and times; here is {(value ?? item).TypeName}"),
        };
        return result is null ? default : new(result);
    }

    /// <summary>Half a unit of the last digit away, then cut to the digits wanted: towards zero on the near side, to the nearest on the far side.</summary>
    static decimal? Of(decimal value, int? wanted, bool isHigh)
    {
        var digits = wanted ?? DecimalDigits;
        if (digits is < 0 or > DecimalDigitsMax || value.Scale >= DecimalDigitsMax)
        {
            return null;
        }
        var half = new decimal(5, 0, 0, false, (byte)(value.Scale + 1));
        var bound = value + (isHigh ? half : -half);
        var isFar = isHigh == value >= 0;
        var rounded = isFar ? Numbers.Round(bound, digits) : Math.Round(bound, digits, MidpointRounding.ToZero);
        try
        {
            return rounded + new decimal(0, 0, 0, false, (byte)digits);
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    static Temporal? Of(Temporal value, int? wanted, bool isHigh)
    {
        var (precision, fraction) = Target(value.Kind, wanted ?? value.Kind switch { TemporalKind.Date => 8, TemporalKind.Time => 9, _ => 17 });
        if (precision is not { } target)
        {
            return null;
        }
        // An hour without minutes is the hour's first minute: FHIR has no time without minutes.
        var known = value.Precision == TemporalPrecision.Hour ? TemporalPrecision.Minute : value.Precision;
        var moment = isHigh && known < target ? Temporal.Last(value.Start, known, value.FractionDigits) : value.Start;
        var cut = target == TemporalPrecision.Fraction ? new DateTime(moment.Ticks - (moment.Ticks % TimeSpan.TicksPerMillisecond)) : Temporal.Floor(moment, target);
        var offset = value.Kind == TemporalKind.DateTime && target > TemporalPrecision.Day
            ? value.Offset ?? (isHigh ? OffsetHighMinutes : OffsetLowMinutes)
            : (int?)null;
        return new Temporal(value.Kind, cut, target, fraction, offset);
    }

    static (TemporalPrecision? Precision, int Fraction) Target(TemporalKind kind, int digits) => (kind, digits) switch
    {
        (TemporalKind.Time, 2) or (TemporalKind.DateTime, 10) => (TemporalPrecision.Hour, 0),
        (TemporalKind.Time, 4) or (TemporalKind.DateTime, 12) => (TemporalPrecision.Minute, 0),
        (TemporalKind.Time, 6) or (TemporalKind.DateTime, 14) => (TemporalPrecision.Second, 0),
        (TemporalKind.Time, 9) or (TemporalKind.DateTime, 17) => (TemporalPrecision.Fraction, 3),
        (not TemporalKind.Time, 4) => (TemporalPrecision.Year, 0),
        (not TemporalKind.Time, 6) => (TemporalPrecision.Month, 0),
        (not TemporalKind.Time, 8) => (TemporalPrecision.Day, 0),
        _ => (null, 0),
    };

    static FhirPathCollection Precision(Call call, Frame frame, FhirPathCollection input)
    {
        if (call.Single(input) is not { } item)
        {
            return default;
        }
        return new(new IntegerItem(item.System switch
        {
            IntegerItem => 0,
            DecimalItem number => number.Value.Scale,
            QuantityItem quantity => quantity.Value.Scale,
            TemporalItem moment => moment.Value.Digits,
            var value => throw call.Fail($"is for numbers, dates and times; here is {(value ?? item).TypeName}"),
        }));
    }

    static FhirPathCollection Comparable(Call call, Frame frame, FhirPathCollection input)
    {
        var other = call.Argument(frame, 0);
        if (input.IsEmpty || other.IsEmpty)
        {
            return default;
        }
        return call.Single(input)?.System is QuantityItem left && call.Single(other)?.System is QuantityItem right
            ? Compiler.Result(Quantities.AreComparable(left, right))
            : throw call.Fail("is for quantities");
    }
}
