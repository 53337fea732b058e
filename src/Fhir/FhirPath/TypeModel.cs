using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.FhirPath;

/// <summary>What FHIRPath needs to know of R4's types: their names, descent and members.</summary>
static class TypeModel
{
    static readonly HashSet<string> SystemTypes = ["Any", "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity", "SimpleTypeInfo", "ClassInfo"];

    static FhirDefinitions Definitions => FhirDefinitions.R4;

    public static TypeDefinition? Type(string name) => Definitions.Type(name);

    public static bool IsSystemType(string name) => SystemTypes.Contains(name);

    /// <summary>Whether there is a type by that name. One that is in the other namespace than the one written is a type too, of which nothing is.</summary>
    public static bool Exists(TypeSpecifier type) =>
        type.Namespace is null or "FHIR" or "System" && (Definitions.Type(type.Name) is not null || SystemTypes.Contains(type.Name));

    public static ElementItem ResourceItem(Element root) =>
        new(root, default, Definitions.Resource(root["resourceType"u8].Raw) ?? Definitions.Type("Resource")!);

    /// <summary>A type's name; that of a structure within another is the type it is built on.</summary>
    public static string NameOf(TypeDefinition type) => type.Kind == TypeKind.Backbone ? BackboneBase(type) : type.Name;

    /// <summary>The name of the type that another specialises; null at the root.</summary>
    public static string? ParentOf(TypeDefinition type) => type.Kind == TypeKind.Backbone ? BackboneBase(type) : type.Parent;

    static string BackboneBase(TypeDefinition type)
    {
        var owner = Definitions.Type(type.Name[..type.Name.IndexOf('.', StringComparison.Ordinal)]);
        return owner?.Kind == TypeKind.Resource ? "BackboneElement" : "Element";
    }

    public static bool Descends(TypeDefinition type, string ancestor)
    {
        for (var at = type; at is not null; at = ParentOf(at) is { } parent ? Definitions.Type(parent) : null)
        {
            if (at.Name == ancestor)
            {
                return true;
            }
        }
        return false;
    }

    public static bool Is(FhirPathItem item, TypeSpecifier type) => item is ElementItem element
        ? type.Namespace is null or "FHIR" && Descends(element.Type, type.Name)
        : type.Namespace is null or "System" && (item.TypeName == type.Name || type.Name == "Any");

    /// <summary>Whether <c>as</c> and <c>ofType</c> keep an item: structures by descent, primitives by their own type alone, as the suite of HL7 has it.</summary>
    public static bool IsKept(FhirPathItem item, TypeSpecifier type) =>
        item is ElementItem { IsPrimitive: true } primitive ? type.Namespace is null or "FHIR" && primitive.Type.Name == type.Name : Is(item, type);

    /// <summary>The definition of a member; null when the type has none by that name.</summary>
    public static ElementDefinition? MemberOf(TypeDefinition type, string name)
    {
        foreach (var element in type.Elements)
        {
            if (element.Name == name)
            {
                return element;
            }
        }
        return null;
    }

    /// <summary>All members that are there, in their order; a primitive's are its id and extensions.</summary>
    public static void AppendChildren(ElementItem item, ref FhirPathCollection.Builder into)
    {
        var container = item.IsPrimitive ? item.Shadow : item.Element;
        if (container.IsMissing)
        {
            return;
        }
        var hasShadows = HasShadows(container);
        foreach (var child in container.Children)
        {
            if (item.Type.Slot(child.NameUtf8) is not { } slot)
            {
                continue;
            }
            if (!slot.IsShadow)
            {
                AppendValues(child, hasShadows && slot.Type.Kind == TypeKind.Primitive ? container[slot.Twin] : default, slot.Type, ref into);
            }
            else if (container[slot.Twin].IsMissing)
            {
                AppendValues(default, child, slot.Type, ref into);
            }
        }
    }

    static bool HasShadows(Element container)
    {
        foreach (var child in container.Children)
        {
            if (child.NameUtf8.StartsWith("_"u8))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The repetitions of one member, each with the extensions beside it.</summary>
    public static void AppendValues(Element values, Element shadows, TypeDefinition type, ref FhirPathCollection.Builder into)
    {
        if (values.Kind != ElementKind.Array && shadows.Kind != ElementKind.Array)
        {
            Append(values, shadows, type, ref into);
            return;
        }
        var value = values.Items.GetEnumerator();
        var shadow = shadows.Items.GetEnumerator();
        while (true)
        {
            var hasValue = value.MoveNext();
            var hasShadow = shadow.MoveNext();
            if (!hasValue && !hasShadow)
            {
                return;
            }
            Append(hasValue ? value.Current : default, hasShadow ? shadow.Current : default, type, ref into);
        }
    }

    static void Append(Element value, Element shadow, TypeDefinition type, ref FhirPathCollection.Builder into)
    {
        var present = value.Kind == ElementKind.Null ? default : value;
        var beside = shadow.Kind == ElementKind.Complex ? shadow : default;
        if (!present.IsMissing || !beside.IsMissing)
        {
            into.Add(type.Kind == TypeKind.Resource ? ResourceItem(present) : new ElementItem(present, beside, type));
        }
    }
}

/// <summary>A step to a member by name, which almost always meets the type that it met before.</summary>
sealed class MemberStep(string name)
{
    Known _last = new(null, null, [], [], null);

    sealed record Known(TypeDefinition? Of, ElementDefinition? Member, byte[] JsonName, byte[] ShadowName, TypeDefinition? Type);

    public void Append(FhirPathItem item, ref FhirPathCollection.Builder into)
    {
        switch (item)
        {
            case ElementItem element:
                Append(element, ref into);
                break;
            case TypeInfoItem info:
                if (name is "namespace" or "name" or "baseType")
                {
                    into.Add(new StringItem(name == "namespace" ? info.Namespace : name == "name" ? info.Name : info.BaseType));
                }
                break;
            case QuantityItem quantity when name is "value" or "unit":
                into.Add(name == "value" ? new DecimalItem(quantity.Value) : new StringItem(quantity.Unit));
                break;
        }
    }

    void Append(ElementItem item, ref FhirPathCollection.Builder into)
    {
        var known = _last;
        if (known.Of != item.Type)
        {
            _last = known = Find(item.Type);
        }
        if (known.Member is null)
        {
            return;
        }
        if (item.IsPrimitive && name == "value")
        {
            if (item.System is { } value)
            {
                into.Add(value);
            }
            return;
        }
        var container = item.IsPrimitive ? item.Shadow : item.Element;
        if (known.Type is { } type)
        {
            var shadows = type.Kind == TypeKind.Primitive ? container[known.ShadowName] : default;
            TypeModel.AppendValues(container[known.JsonName], shadows, type, ref into);
            return;
        }
        AppendChoice(item.Type, container, known, ref into);
    }

    static void AppendChoice(TypeDefinition owner, Element container, Known known, ref FhirPathCollection.Builder into)
    {
        foreach (var child in container.Children)
        {
            var isShadow = child.NameUtf8.StartsWith("_"u8);
            if (!child.NameUtf8[(isShadow ? 1 : 0)..].StartsWith(known.JsonName) || owner.Slot(child.NameUtf8) is not { } slot || slot.Element != known.Member)
            {
                continue;
            }
            if (!isShadow)
            {
                TypeModel.AppendValues(child, slot.Type.Kind == TypeKind.Primitive ? container[slot.Twin] : default, slot.Type, ref into);
            }
            else if (container[slot.Twin].IsMissing)
            {
                TypeModel.AppendValues(default, child, slot.Type, ref into);
            }
        }
    }

    Known Find(TypeDefinition type)
    {
        var member = TypeModel.MemberOf(type, name);
        return member is null
            ? new(type, null, [], [], null)
            : new(type, member, Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes("_" + name), member.IsChoice ? null : TypeModel.Type(member.Types[0]));
    }
}
