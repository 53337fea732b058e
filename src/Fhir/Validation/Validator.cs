using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>Checks resources against the base definitions: types, elements, cardinality, formats, required codes, references.</summary>
public sealed class Validator(FhirDefinitions definitions)
{
    /// <summary>A validator over R4's own definitions.</summary>
    public static Validator R4 { get; } = new(FhirDefinitions.R4);

    /// <summary>Every rule the resource breaks, at most <paramref name="issuesMax"/>; empty when it is valid.</summary>
    public IReadOnlyList<FhirIssue> Validate(Resource resource, int issuesMax = 200)
    {
        var run = new ValidationRun(definitions, resource.Root, issuesMax);
        run.CheckResource(resource.Root, null);
        return run.Issues;
    }
}

/// <summary>One walk over one resource.</summary>
sealed class ValidationRun(FhirDefinitions definitions, Element root, int issuesMax)
{
    readonly TypeDefinition _shadow = definitions.Type("Element")!;
    readonly TypeDefinition _extension = definitions.Type("Extension")!;
    readonly TypeDefinition _reference = definitions.Type("Reference")!;
    List<FhirIssue>? _issues;

    public IReadOnlyList<FhirIssue> Issues => _issues ?? (IReadOnlyList<FhirIssue>)[];

    /// <summary>Checks a resource, at the root or inside another; <paramref name="container"/> is the one whose contained list it is in.</summary>
    public void CheckResource(Element resource, Element? container)
    {
        if (resource.Kind != ElementKind.Complex)
        {
            Add(resource, "structure", "A resource is an object; this is not.");
            return;
        }
        var typeName = resource["resourceType"u8];
        if (typeName.Kind != ElementKind.Text)
        {
            Add(resource, "structure", "A resource needs its \"resourceType\".");
            return;
        }
        if (definitions.Resource(typeName.Raw) is not { } type)
        {
            Add(typeName, "structure", $"R4 has no resource type '{typeName.Text}'.");
            return;
        }
        if (container is not null)
        {
            CheckContained(resource);
        }
        CheckMembers(resource, type, container ?? resource);
    }

    void CheckContained(Element resource)
    {
        if (resource["id"u8].IsMissing)
        {
            Add(resource, "required", "A contained resource needs an id, so that it can be referred to.");
        }
        if (!resource["contained"u8].IsMissing)
        {
            Add(resource["contained"u8], "structure", "A contained resource must not contain resources.");
        }
    }

    void CheckMembers(Element parent, TypeDefinition type, Element owner)
    {
        Span<ushort> seen = stackalloc ushort[type.Elements.Count];
        seen.Clear();
        var isResource = type.Kind == TypeKind.Resource;
        var any = false;
        foreach (var member in parent.Children)
        {
            any = true;
            var slot = type.Slot(member.NameUtf8);
            if (slot is null)
            {
                if (!isResource || !member.NameUtf8.SequenceEqual("resourceType"u8))
                {
                    AddUnknown(member, type);
                }
                continue;
            }
            // A choice remembers which of its types it met; anything else that it was met
            var mark = (ushort)(slot.Element.IsChoice ? 1 + IndexOf(slot.Element.Types, slot.Type.Name) : 1);
            if (seen[slot.Position] != 0 && seen[slot.Position] != mark)
            {
                Add(member, "structure", $"{slot.Element.Name}[x] may have only one type; it has another already.");
            }
            seen[slot.Position] = mark;
            CheckMember(parent, member, slot, owner);
        }
        if (!any)
        {
            Add(parent, "structure", "An object must not be empty.");
        }
        foreach (var position in type.Required)
        {
            if (seen[position] == 0)
            {
                var element = type.Elements[position];
                Add(parent, "required", $"{type.Name} needs '{element.Name}{(element.IsChoice ? "[x]" : "")}' (at least {element.Min}).");
            }
        }
        if (type == _extension)
        {
            CheckExtension(parent);
        }
    }

    void CheckMember(Element parent, Element member, ElementSlot slot, Element owner)
    {
        if (!slot.Element.IsRepeating)
        {
            if (member.Kind == ElementKind.Array)
            {
                Add(member, "structure", $"{slot.JsonName} is a single value here, not an array.");
                return;
            }
            CheckValue(member, slot, owner);
            return;
        }
        if (member.Kind != ElementKind.Array)
        {
            Add(member, "structure", $"{slot.JsonName} may repeat, so it must be an array.");
            return;
        }
        var count = 0;
        foreach (var item in member.Children)
        {
            if (item.Kind != ElementKind.Null)
            {
                CheckValue(item, slot, owner);
            }
            else if (!HasTwin(parent, slot, count))
            {
                Add(item, "structure", "null stands only where a primitive has extensions instead of a value.");
            }
            count++;
        }
        if (count == 0)
        {
            Add(member, "structure", "An array must not be empty.");
        }
        else if (!slot.IsShadow && (count < slot.Element.Min || (slot.Element.Max > 0 && count > slot.Element.Max)))
        {
            Add(member, "structure", $"{slot.JsonName} has {count} items; it must have {slot.Element.Min} to {(slot.Element.Max == 0 ? "*" : slot.Element.Max)}.");
        }
    }

    static bool HasTwin(Element parent, ElementSlot slot, int position)
    {
        if (slot.Type.Kind != TypeKind.Primitive)
        {
            return false;
        }
        foreach (var twin in parent[slot.Twin].Children)
        {
            if (position-- == 0)
            {
                return twin.Kind != ElementKind.Null;
            }
        }
        return false;
    }

    void CheckValue(Element value, ElementSlot slot, Element owner)
    {
        if (slot.IsShadow)
        {
            CheckObject(value, slot, _shadow, owner);
        }
        else if (slot.Type.Kind == TypeKind.Primitive)
        {
            CheckPrimitive(value, slot);
        }
        else if (slot.Type.Kind == TypeKind.Resource)
        {
            CheckResource(value, slot.Element.Name == "contained" ? owner : null);
        }
        else
        {
            CheckObject(value, slot, slot.Type, owner);
        }
    }

    void CheckObject(Element value, ElementSlot slot, TypeDefinition type, Element owner)
    {
        if (value.Kind != ElementKind.Complex)
        {
            Add(value, "structure", $"{slot.JsonName} is of type {type.Name}, so it must be an object.");
            return;
        }
        CheckMembers(value, type, owner);
        if (slot.Element.Binding is { } set)
        {
            CheckBinding(value, slot, set);
        }
        if (type == _reference)
        {
            References.Check(this, value, slot.Element.Targets, owner, definitions);
        }
    }

    void CheckPrimitive(Element value, ElementSlot slot)
    {
        if (value.Kind is ElementKind.Complex or ElementKind.Array)
        {
            Add(value, "structure", $"{slot.JsonName} is of type {slot.Type.Name}, so it must be a single JSON value.");
            return;
        }
        if (Primitives.Mend(slot.Type.Primitive, value) is { } mend)
        {
            Add(value, "value", $"'{Short(value)}' is not a valid {slot.Type.Name}: expected {mend}.");
        }
        else if (slot.Element.Binding is { } set && slot.Type.Primitive == PrimitiveKind.Code && !set.Contains(value.IsEscaped ? Encoding.UTF8.GetBytes(value.Text!) : value.Raw))
        {
            Add(value, "code-invalid", $"'{Short(value)}' is not in the required value set {set.Url}{Some(set)}.");
        }
    }

    void CheckBinding(Element value, ElementSlot slot, ValueSetDefinition set)
    {
        switch (slot.Type.Name)
        {
            case "Coding" when !Holds(set, value):
                Add(value, "code-invalid", $"The coding is not in the required value set {set.Url}{Some(set)}.");
                break;
            case "CodeableConcept" when !value["coding"u8].IsMissing:
                foreach (var coding in value["coding"u8].Items)
                {
                    if (Holds(set, coding))
                    {
                        return;
                    }
                }
                Add(value, "code-invalid", $"None of the codings is in the required value set {set.Url}{Some(set)}.");
                break;
        }
    }

    static bool Holds(ValueSetDefinition set, Element coding) =>
        coding["system"u8].Text is { } system && coding["code"u8].Text is { } code && set.Contains(system, code);

    /// <remarks>Rule ext-1.</remarks>
    void CheckExtension(Element extension)
    {
        var values = 0;
        var nested = false;
        foreach (var member in extension.Children)
        {
            if (member.NameUtf8.StartsWith("value"u8) || member.NameUtf8.StartsWith("_value"u8))
            {
                values = 1;
            }
            nested |= member.NameUtf8.SequenceEqual("extension"u8);
        }
        if (values == 1 == nested)
        {
            Add(extension, "invariant", "An extension has either a value or extensions, and not both.");
        }
    }

    void AddUnknown(Element member, TypeDefinition type)
    {
        var name = member.Name.TrimStart('_');
        var near = type.Elements.Select(element => element.Name).OrderBy(known => NearNames.Distance(name, known)).FirstOrDefault();
        var hint = near is not null && NearNames.Distance(name, near) <= 2 ? $" Is '{near}' meant?" : "";
        Add(member, "structure", $"{type.Name} has no element '{member.Name}'.{hint}");
    }

    internal void Add(Element at, string code, string message)
    {
        _issues ??= [];
        if (_issues.Count < issuesMax)
        {
            var (line, column) = at.Place;
            _issues.Add(new(IssueSeverity.Error, code, at.ExpressionFrom(root), message, line, column));
        }
    }

    static string Some(ValueSetDefinition set) => set.Codes.Count <= 12 ? $" ({string.Join(", ", set.Codes)})" : "";

    static string Short(Element value) => value.Text is { Length: > 60 } text ? text[..60] + "…" : value.Text ?? "null";

    static int IndexOf(IReadOnlyList<string> types, string name)
    {
        for (var index = 0; index < types.Count; index++)
        {
            if (types[index] == name)
            {
                return index;
            }
        }
        return -1;
    }
}
