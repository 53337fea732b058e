using System.Buffers;

namespace Salus.Fhir.FhirPath;

/// <summary>Comparison and arithmetic of quantities in whatever units they are written.</summary>
static class Quantities
{
    static readonly SearchValues<char> NoSymbol = SearchValues.Create("./(){}+-*^ ");

    /// <summary>Their order; null when their units measure different things or are not known.</summary>
    public static int? Compare(QuantityItem left, QuantityItem right)
    {
        if (left.Unit == right.Unit)
        {
            return left.Value.CompareTo(right.Value);
        }
        return MayMeet(left, right) && Units(left, right) is var (a, b) ? UcumUnit.Compare(left.Value, a, right.Value, b) : null;
    }

    /// <summary>Whether they are the same as far as the coarser of the two is written.</summary>
    public static bool AreEquivalent(QuantityItem left, QuantityItem right)
    {
        if (Units(left, right) is not var (a, b))
        {
            return left.Unit == right.Unit && Numbers.AreEquivalent(left.Value, right.Value);
        }
        var (leftStep, rightStep) = (a.Factor / Ratio.Ten(left.Value.Scale), b.Factor / Ratio.Ten(right.Value.Scale));
        var (coarse, unit, fine) = leftStep.CompareTo(rightStep) >= 0 ? (left, a, b.InBase(right.Value)) : (right, b, a.InBase(left.Value));
        return ((fine - unit.Offset) / unit.Factor).ToDecimal() is { } converted
            && Numbers.Round(converted, coarse.Value.Scale) == coarse.Value;
    }

    public static bool AreComparable(QuantityItem left, QuantityItem right) => left.Unit == right.Unit || Units(left, right) is not null;

    /// <summary>Sum or difference in the finer unit of the two; null when they do not go together.</summary>
    public static QuantityItem? Add(QuantityItem left, QuantityItem right, int sign)
    {
        if (left.Unit == right.Unit)
        {
            return new(left.Value + (sign * right.Value), left.Unit);
        }
        // What is measured from a zero of its own is added to nothing else
        if (!MayMeet(left, right) || Units(left, right) is not var (a, b) || a.IsSpecial || b.IsSpecial)
        {
            return null;
        }
        if (a.Factor.CompareTo(b.Factor) <= 0)
        {
            return Converted(b, right.Value, a) is { } more ? new(left.Value + (sign * more), left.Unit) : null;
        }
        return Converted(a, left.Value, b) is { } first ? new(first + (sign * right.Value), right.Unit) : null;
    }

    /// <summary>A quantity in another unit; null when that measures something else.</summary>
    public static QuantityItem? Convert(QuantityItem quantity, string unit)
    {
        var target = new QuantityItem(0m, unit);
        return quantity.Unit == unit ? quantity
            : MayMeet(quantity, target) && Units(quantity, target) is var (from, to) && Converted(from, quantity.Value, to) is { } value ? new(value, unit)
            : null;
    }

    static decimal? Converted(UcumUnit from, decimal value, UcumUnit to) =>
        ((from.InBase(value) - to.Offset) / to.Factor).ToDecimal() is { } converted ? Numbers.Trimmed(converted) : null;

    public static QuantityItem Multiply(QuantityItem left, QuantityItem right) => new(left.Value * right.Value, Joined(left.Unit, right.Unit, '.'));

    public static QuantityItem? Divide(QuantityItem left, QuantityItem right) =>
        right.Value == 0 ? null : new(left.Value / right.Value, Joined(left.Unit, right.Unit, '/'));

    static string Joined(string left, string right, char by)
    {
        (left, right) = (Calendar.CodeOf(left), Calendar.CodeOf(right));
        if (right == "1")
        {
            return left;
        }
        if (Power(left) is var (symbol, exponent) && Power(right) is var (other, more) && symbol == other)
        {
            return (by == '/' ? exponent - more : exponent + more) switch { 0 => "1", 1 => symbol, var sum => $"{symbol}{sum}" };
        }
        if (by == '/')
        {
            return left == right ? "1" : left == "1" ? "/" + Grouped(right) : $"{left}/{Grouped(right)}";
        }
        return left == "1" ? right : $"{left}.{Grouped(right)}";
    }

    /// <summary>A unit that is one symbol and its exponent, such as <c>cm2</c>.</summary>
    static (string Symbol, int Exponent)? Power(string unit)
    {
        var symbol = unit.TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9');
        if (symbol.Length == 0 || unit.AsSpan().ContainsAny(NoSymbol))
        {
            return null;
        }
        return symbol.Length == unit.Length ? (symbol, 1) : int.TryParse(unit.AsSpan(symbol.Length), out var exponent) ? (symbol, exponent) : null;
    }

    static string Grouped(string unit) => unit.AsSpan().ContainsAny('.', '/') ? $"({unit})" : unit;

    /// <summary>A calendar year or month has no fixed length, so it is never compared with UCUM's units, nor UCUM's year or month with a calendar's.</summary>
    static bool MayMeet(QuantityItem left, QuantityItem right) =>
        left.IsCalendar == right.IsCalendar || !(IsVariable(left.Unit) || IsVariable(right.Unit));

    static bool IsVariable(string unit) => Calendar.WordOf(unit) is { } word && Calendar.IsVariable(word);

    static (UcumUnit, UcumUnit)? Units(QuantityItem left, QuantityItem right)
    {
        // A year is twelve months, but beside the shorter words it is 365 days and a month is 30 (FHIRPath section 2.7, conversion of calendar durations).
        var isInDays = left.IsCalendar && right.IsCalendar && Calendar.IsVariable(left.Unit) != Calendar.IsVariable(right.Unit);
        return UcumUnit.Parse(Code(left.Unit, isInDays)) is { } a && UcumUnit.Parse(Code(right.Unit, isInDays)) is { } b && a.IsComparableTo(b) ? (a, b) : null;
    }

    static string Code(string unit, bool isInDays) => (unit, isInDays) switch
    {
        ("year", true) => "365.d",
        ("month", true) => "30.d",
        _ => Calendar.CodeOf(unit),
    };

}

/// <summary>Decimals by FHIRPath's rules.</summary>
static class Numbers
{
    /// <summary>Rounded to a count of fraction digits, halves away from zero.</summary>
    public static decimal Round(decimal value, int digits) => Math.Round(value, Math.Min(digits, 28), MidpointRounding.AwayFromZero);

    /// <summary>Whether both are the same, rounded to what the coarser is written with.</summary>
    public static bool AreEquivalent(decimal left, decimal right)
    {
        var digits = Math.Min(Significant(left), Significant(right));
        return Round(left, digits) == Round(right, digits);
    }

    /// <summary>Fraction digits without trailing zeros (FHIRPath section 6.1.2).</summary>
    static int Significant(decimal value) => Trimmed(value).Scale;

    /// <summary>Without the zeros at the end of the fraction, such as a division leaves.</summary>
    public static decimal Trimmed(decimal value) => value / 1.0000000000000000000000000000m;
}
