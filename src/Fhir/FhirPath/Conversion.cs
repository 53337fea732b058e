using System.Globalization;
using System.Text.RegularExpressions;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.FhirPath;

/// <summary>From FHIR's types to FHIRPath's own, and between those (FHIRPath section 5.5).</summary>
static partial class Conversion
{
    const string Ucum = "http://unitsofmeasure.org";

    /// <summary>The value of an element in FHIRPath's own types (R4 section 2.9.1); null when it has none.</summary>
    public static FhirPathItem? FromElement(ElementItem item)
    {
        var element = item.Element;
        if (!item.IsPrimitive)
        {
            return element.Kind == ElementKind.Complex && TypeModel.Descends(item.Type, "Quantity") ? FromQuantity(element) : null;
        }
        return (item.Type.Primitive, element.Kind) switch
        {
            (_, ElementKind.Missing) => null,
            (_, ElementKind.True or ElementKind.False) => BooleanItem.For(element.Kind == ElementKind.True),
            (PrimitiveKind.Integer or PrimitiveKind.PositiveInt or PrimitiveKind.UnsignedInt, ElementKind.Number) =>
                element.Number is { } whole && whole == decimal.Truncate(whole) && whole is >= int.MinValue and <= int.MaxValue ? new IntegerItem((int)whole) : null,
            (_, ElementKind.Number) => element.Number is { } number ? new DecimalItem(number) : null,
            (PrimitiveKind.Date, ElementKind.Text) => Moment(element.Text!, TemporalKind.Date),
            (PrimitiveKind.DateTime or PrimitiveKind.Instant, ElementKind.Text) => Moment(element.Text!, TemporalKind.DateTime),
            (PrimitiveKind.Time, ElementKind.Text) => Moment(element.Text!, TemporalKind.Time),
            (_, ElementKind.Text) => new StringItem(element.Text!),
            _ => null,
        };
    }

    /// <summary>What is no moment, though its type says so, stays the text it is.</summary>
    static FhirPathItem Moment(string text, TemporalKind kind) =>
        Temporal.TryParse(text, kind, out var moment) ? new TemporalItem(moment) : new StringItem(text);

    static QuantityItem? FromQuantity(Element element)
    {
        if (element["value"u8].Number is not { } value || !element["comparator"u8].IsMissing)
        {
            return null;
        }
        var code = element["code"u8].Text;
        return element["system"u8].Text == Ucum && code is not null
            ? new(value, code)
            : new(value, element["unit"u8].Text ?? code ?? "1");
    }

    public static QuantityItem Quantity(FhirPathItem item) => item as QuantityItem ?? new QuantityItem(item.Number!.Value, "1");

    /// <summary>A value as another type; null when it cannot be.</summary>
    public static FhirPathItem? To(string type, FhirPathItem item) => (type, item.System) switch
    {
        (_, null) => null,
        ("Boolean", { } value) => ToBoolean(value),
        ("Integer", { } value) => ToInteger(value),
        ("Decimal", { } value) => ToDecimal(value),
        ("String", { } value) => value is TypeInfoItem ? null : value as StringItem ?? new StringItem(value.ToString()!),
        ("Date", { } value) => ToMoment(value, TemporalKind.Date),
        ("DateTime", { } value) => ToMoment(value, TemporalKind.DateTime),
        ("Time", { } value) => ToMoment(value, TemporalKind.Time),
        (_, { } value) => ToQuantity(value),
    };

    static BooleanItem? ToBoolean(FhirPathItem value) => value switch
    {
        BooleanItem known => known,
        IntegerItem or DecimalItem => value.Number is 0 or 1 ? BooleanItem.For(value.Number == 1) : null,
        StringItem text => text.Value.ToUpperInvariant() switch
        {
            "TRUE" or "T" or "YES" or "Y" or "1" or "1.0" => BooleanItem.True,
            "FALSE" or "F" or "NO" or "N" or "0" or "0.0" => BooleanItem.False,
            _ => null,
        },
        _ => null,
    };

    static IntegerItem? ToInteger(FhirPathItem value) => value switch
    {
        IntegerItem integer => integer,
        BooleanItem known => new(known.Value ? 1 : 0),
        StringItem text => int.TryParse(text.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? new(number) : null,
        _ => null,
    };

    static DecimalItem? ToDecimal(FhirPathItem value) => value switch
    {
        DecimalItem number => number,
        IntegerItem integer => new(integer.Value),
        BooleanItem known => new(known.Value ? 1m : 0m),
        StringItem text => Decimals().IsMatch(text.Value) && decimal.TryParse(text.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? new(number) : null,
        _ => null,
    };

    static TemporalItem? ToMoment(FhirPathItem value, TemporalKind kind) => value switch
    {
        TemporalItem moment when moment.Value.Kind == kind => moment,
        TemporalItem { Value: { Kind: TemporalKind.Date } date } when kind == TemporalKind.DateTime => new(date with { Kind = TemporalKind.DateTime }),
        TemporalItem { Value: { Kind: TemporalKind.DateTime } time } when kind == TemporalKind.Date => new(DateOf(time)),
        StringItem text when Temporal.TryParse(text.Value, kind, out var moment) => new(moment),
        StringItem text when kind == TemporalKind.Date && Temporal.TryParse(text.Value, TemporalKind.DateTime, out var time) => new(DateOf(time)),
        _ => null,
    };

    public static Temporal DateOf(Temporal moment)
    {
        var precision = (TemporalPrecision)Math.Min((int)moment.Precision, (int)TemporalPrecision.Day);
        return new(TemporalKind.Date, Temporal.Floor(moment.Start, precision), precision);
    }

    static QuantityItem? ToQuantity(FhirPathItem value)
    {
        switch (value)
        {
            case QuantityItem quantity:
                return quantity;
            case IntegerItem or DecimalItem:
                return new(value.Number!.Value, "1");
            case BooleanItem known:
                return new(known.Value ? 1.0m : 0.0m, "1");
            case StringItem text when QuantityText().Match(text.Value) is { Success: true } match
                && decimal.TryParse(match.Groups["value"].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number):
                var unit = match.Groups["unit"].Success ? match.Groups["unit"].Value : match.Groups["word"].Success ? Calendar.Singular(match.Groups["word"].Value) : "1";
                return unit is null ? null : new(number, unit);
            default:
                return null;
        }
    }

    /// <summary>A quantity in another unit; null when it measures something else.</summary>
    public static QuantityItem? InUnit(QuantityItem quantity, string unit)
    {
        return Quantities.Convert(quantity, Calendar.Singular(unit) ?? unit);
    }

    [GeneratedRegex(@"^[+-]?[0-9]+(\.[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Decimals();

    [GeneratedRegex(@"^(?<value>[+-]?[0-9]+(\.[0-9]+)?)\s*('(?<unit>[^']+)'|(?<word>[a-zA-Z]+))?\z", RegexOptions.CultureInvariant)]
    private static partial Regex QuantityText();
}
