namespace Salus.Fhir.FhirPath;

/// <summary>Comparison and arithmetic of quantities in whatever units they are written.</summary>
static class Quantities
{
    /// <summary>Their order; null when their units measure different things or are not known.</summary>
    public static int? Compare(QuantityItem left, QuantityItem right)
    {
        if (left.Unit == right.Unit)
        {
            return left.Value.CompareTo(right.Value);
        }
        return MayMeet(left, right) && Units(left, right) is var (a, b) ? a.InBase(left.Value).CompareTo(b.InBase(right.Value)) : null;
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

    /// <summary>Sum or difference in the unit of the left; null when they do not go together.</summary>
    public static QuantityItem? Add(QuantityItem left, QuantityItem right, int sign)
    {
        if (left.Unit == right.Unit)
        {
            return new(left.Value + (sign * right.Value), left.Unit);
        }
        if (!MayMeet(left, right) || Units(left, right) is not var (a, b))
        {
            return null;
        }
        return (b.InBase(right.Value) / a.Factor).ToDecimal() is { } converted ? new(left.Value + (sign * Trimmed(converted)), left.Unit) : null;
    }

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
        if (by == '/')
        {
            return left == right ? "1" : left == "1" ? "/" + Grouped(right) : $"{left}/{Grouped(right)}";
        }
        return left == "1" ? right : $"{left}.{Grouped(right)}";
    }

    static string Grouped(string unit) => unit.AsSpan().ContainsAny('.', '/') ? $"({unit})" : unit;

    /// <summary>A calendar year or month has no fixed length, so it is never compared with UCUM's.</summary>
    static bool MayMeet(QuantityItem left, QuantityItem right) =>
        left.IsCalendar == right.IsCalendar || !(Calendar.IsVariable(left.Unit) || Calendar.IsVariable(right.Unit));

    static (UcumUnit, UcumUnit)? Units(QuantityItem left, QuantityItem right) =>
        UcumUnit.Parse(Calendar.CodeOf(left.Unit)) is { } a && UcumUnit.Parse(Calendar.CodeOf(right.Unit)) is { } b && a.IsComparableTo(b) ? (a, b) : null;

    /// <summary>Without the zeros that a division leaves at the end.</summary>
    static decimal Trimmed(decimal value) => value / 1.0000000000000000000000000000m;
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
    static int Significant(decimal value) => (value / 1.0000000000000000000000000000m).Scale;
}
