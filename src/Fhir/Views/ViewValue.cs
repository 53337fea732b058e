using System.Globalization;
using Salus.Fhir.Definitions;
using Salus.Fhir.FhirPath;

namespace Salus.Fhir.Views;

/// <summary>Items of FHIRPath as the plain values of a row, in the type that a column was given.</summary>
static class ViewValue
{
    /// <summary>The types of FHIR whose values are no text.</summary>
    static readonly HashSet<string> Whole = ["integer", "positiveInt", "unsignedInt", "integer64"];

    /// <summary>Whether a column may be given a type.</summary>
    public static bool IsPrimitive(string type) => type == "integer64" || FhirDefinitions.R4.Type(type) is { Kind: TypeKind.Primitive };

    /// <summary>A type written as a URL or with its namespace, by its bare name.</summary>
    public static string Bare(string type)
    {
        var name = type.StartsWith(FhirDefinitions.BaseUrl, StringComparison.Ordinal) ? type[FhirDefinitions.BaseUrl.Length..] : type;
        return name.StartsWith("FHIR.", StringComparison.Ordinal) ? name["FHIR.".Length..] : name;
    }

    /// <summary>The value; null for a primitive that has extensions alone.</summary>
    /// <exception cref="ViewException">It is a structure, or not of the column's type.</exception>
    public static object? Of(FhirPathItem item, string? type, string place)
    {
        object? value = item.System switch
        {
            null when item is ElementItem { IsPrimitive: true } => null,
            null => throw new ViewException(place, $"the value is a {item.TypeName}; a column holds a primitive value: name a part of it"),
            BooleanItem truth => truth.Value,
            IntegerItem integer => integer.Value,
            DecimalItem number => number.Value,
            StringItem text => text.Value,
            QuantityItem when item is ElementItem => throw new ViewException(place, $"the value is a {item.TypeName}; a column holds a primitive value: name a part of it, such as value"),
            var other => item is ElementItem { Element.Text: { } written } ? written : other.ToString(),
        };
        return value is null || type is null ? value : As(value, type)
            ?? throw new ViewException(place, $"the value '{Shown(value)}' is no {type}; give the column the type of its path");
    }

    static object? As(object value, string type) => value switch
    {
        bool when type == "boolean" => value,
        int when Whole.Contains(type) => value,
        int or decimal when type == "decimal" => Convert.ToDecimal(value, CultureInfo.InvariantCulture),
        decimal whole when Whole.Contains(type) && whole == decimal.Truncate(whole) && whole is >= int.MinValue and <= int.MaxValue => (int)whole,
        string when type != "boolean" && type != "decimal" && !Whole.Contains(type) => value,
        _ when type == "string" => Shown(value),
        _ => null,
    };

    static string Shown(object value) => value is bool truth ? (truth ? "true" : "false") : Convert.ToString(value, CultureInfo.InvariantCulture)!;
}
