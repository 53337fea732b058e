using System.Globalization;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.FhirPath;

/// <summary>One item of a collection: an element of a resource, or a value of FHIRPath's own types.</summary>
public abstract class FhirPathItem
{
    private protected FhirPathItem() { }

    /// <summary>The namespace of its type: <c>FHIR</c> or <c>System</c>.</summary>
    public virtual string TypeNamespace => "System";

    /// <summary>The name of its type, such as <c>Patient</c>, <c>code</c> or <c>Boolean</c>.</summary>
    public abstract string TypeName { get; }

    /// <summary>The element that it is; missing when it is a computed value.</summary>
    public virtual Element Element => default;

    /// <summary>The id and extensions beside a primitive element; missing when there are none.</summary>
    public virtual Element Shadow => default;

    /// <summary>The value in FHIRPath's own types; null for a structure or a primitive without a value.</summary>
    internal virtual FhirPathItem? System => this;

    /// <summary>The value as a boolean, when it is one.</summary>
    public bool? Boolean => (System as BooleanItem)?.Value;

    /// <summary>The value as text, when it is a string.</summary>
    public string? Text => (System as StringItem)?.Value;

    /// <summary>The value as a number, when it is one.</summary>
    public decimal? Number => System switch { IntegerItem integer => integer.Value, DecimalItem number => number.Value, _ => null };

    /// <summary>A resource, or an element within one of a given type.</summary>
    /// <param name="value">The element; missing for a primitive that has extensions alone.</param>
    /// <param name="type">Its type.</param>
    /// <param name="shadow">For a primitive: the object that holds its id and extensions.</param>
    public static FhirPathItem Of(Element value, TypeDefinition type, Element shadow = default) => new ElementItem(value, shadow, type);

    /// <summary>A resource; one whose type R4 does not know has the type Resource.</summary>
    public static FhirPathItem Of(Resource resource) => TypeModel.ResourceItem(resource.Root);

    /// <summary>A string.</summary>
    public static FhirPathItem Of(string text) => new StringItem(text);

    /// <summary>A boolean.</summary>
    public static FhirPathItem Of(bool value) => BooleanItem.For(value);

    /// <summary>An integer.</summary>
    public static FhirPathItem Of(int value) => new IntegerItem(value);

    /// <summary>A decimal; its scale is its precision.</summary>
    public static FhirPathItem Of(decimal value) => new DecimalItem(value);
}

sealed class ElementItem(Element value, Element shadow, TypeDefinition type) : FhirPathItem
{
    FhirPathItem? _system;
    bool _isConverted;

    public override string TypeNamespace => "FHIR";

    public override string TypeName => TypeModel.NameOf(type);

    public TypeDefinition Type => type;

    public override Element Element => value;

    public override Element Shadow => shadow;

    public bool IsPrimitive => type.Kind == TypeKind.Primitive;

    internal override FhirPathItem? System
    {
        get
        {
            if (!_isConverted)
            {
                _system = Conversion.FromElement(this);
                _isConverted = true;
            }
            return _system;
        }
    }

    public override string ToString() => System?.ToString() ?? value.ToString();
}

sealed class BooleanItem : FhirPathItem
{
    BooleanItem(bool value) => Value = value;

    public static BooleanItem True { get; } = new(true);

    public static BooleanItem False { get; } = new(false);

    public bool Value { get; }

    public override string TypeName => "Boolean";

    public static BooleanItem For(bool value) => value ? True : False;

    public override string ToString() => Value ? "true" : "false";
}

sealed class IntegerItem(int value) : FhirPathItem
{
    public int Value => value;

    public override string TypeName => "Integer";

    public override string ToString() => value.ToString(CultureInfo.InvariantCulture);
}

sealed class DecimalItem(decimal value) : FhirPathItem
{
    public decimal Value => value;

    public override string TypeName => "Decimal";

    public override string ToString() => value.ToString(CultureInfo.InvariantCulture);
}

sealed class StringItem(string value) : FhirPathItem
{
    public string Value => value;

    public override string TypeName => "String";

    public override string ToString() => value;
}

/// <summary>A Date, DateTime or Time.</summary>
sealed class TemporalItem(Temporal value) : FhirPathItem
{
    public Temporal Value => value;

    public override string TypeName => value.Kind.ToString();

    public override string ToString() => value.ToString();
}

sealed class QuantityItem(decimal value, string unit) : FhirPathItem
{
    public decimal Value => value;

    /// <summary>A UCUM code, or a calendar duration's word in the singular.</summary>
    public string Unit => unit;

    public bool IsCalendar => Calendar.IsWord(unit);

    public override string TypeName => "Quantity";

    public override string ToString()
    {
        var number = value.ToString(CultureInfo.InvariantCulture);
        return IsCalendar ? $"{number} {(value is 1 or -1 ? unit : unit + "s")}" : $"{number} '{unit}'";
    }
}

/// <summary>What <c>type()</c> gives.</summary>
sealed class TypeInfoItem(string space, string name, string baseType) : FhirPathItem
{
    public string Namespace => space;

    public string Name => name;

    public string BaseType => baseType;

    public override string TypeName => space == "System" ? "SimpleTypeInfo" : "ClassInfo";

    public override string ToString() => $"{space}.{name}";
}
