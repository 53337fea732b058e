using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>An object under validation, what it is, and where it stands.</summary>
/// <param name="Value">The object.</param>
/// <param name="Type">Its type; Element for the extensions of a primitive.</param>
/// <param name="Slot">The member it is the value of; null for a resource.</param>
/// <param name="ParentType">The type of the object it is in; null for a resource.</param>
/// <param name="Owner">The resource whose contained resources it may refer to.</param>
/// <param name="Resource">The innermost resource that it is in: the owner, or one contained in that.</param>
readonly record struct Place(Element Value, TypeDefinition Type, ElementSlot? Slot, TypeDefinition? ParentType, Element Owner, Element Resource);

/// <summary>Walks a resource by the base definitions: types, elements, cardinality, formats, codes; and calls the rules that go beyond.</summary>
sealed class StructureWalk
{
    readonly ValidationRun _run;
    readonly TypeDefinition _shadow;
    readonly ExtensionRules _extensions;
    readonly InvariantRules _invariants;
    HashSet<(int Resource, string Id)>? _ids;

    public StructureWalk(ValidationRun run)
    {
        _run = run;
        _shadow = run.Definitions.Type("Element")!;
        _invariants = new(run);
        Profiles = new(run, _invariants);
        _extensions = new(run, Profiles);
    }

    public ProfileWalk Profiles { get; }

    /// <summary>Checks the resource that the text is.</summary>
    public void CheckRoot(Element resource) => CheckResource(resource, null);

    /// <summary>Checks a resource, at the root or inside another; <paramref name="container"/> is the one whose contained list it is in.</summary>
    void CheckResource(Element resource, Element? container)
    {
        if (resource.Kind != ElementKind.Complex)
        {
            _run.Add(resource, "structure", "A resource is an object; this is not.");
            return;
        }
        var typeName = resource["resourceType"u8];
        if (typeName.Kind != ElementKind.Text)
        {
            _run.Add(resource, "structure", "A resource needs its \"resourceType\".");
            return;
        }
        if (_run.Definitions.Resource(typeName.Raw) is not { } type)
        {
            _run.Add(typeName, "structure", $"R4 has no resource type '{typeName.Text}'.");
            return;
        }
        if (container is not null)
        {
            CheckContained(resource);
        }
        CheckMembers(new(resource, type, null, null, container ?? resource, resource));
        ResourceRules.Check(_run, resource, type);
        if (_run.Options.ChecksProfiles)
        {
            Profiles.CheckMeta(resource, container ?? resource);
        }
    }

    void CheckContained(Element resource)
    {
        if (resource["id"u8].IsMissing)
        {
            _run.Add(resource, "required", "A contained resource needs an id, so that it can be referred to.");
        }
        if (!resource["contained"u8].IsMissing)
        {
            _run.Add(resource["contained"u8], "structure", "A contained resource must not contain resources.");
        }
    }

    void CheckMembers(in Place place)
    {
        var (parent, type) = (place.Value, place.Type);
        Span<ushort> seen = stackalloc ushort[type.Elements.Count];
        seen.Clear();
        var says = false;
        foreach (var member in parent.Children)
        {
            var slot = type.Slot(member.NameUtf8);
            if (slot is null)
            {
                says = true;
                if (type.Kind != TypeKind.Resource || !member.NameUtf8.SequenceEqual("resourceType"u8))
                {
                    AddUnknown(member, type);
                }
                continue;
            }
            if (slot.Element.Name == "id")
            {
                CheckElementId(member, type, place.Resource);
            }
            else
            {
                says = true;
            }
            // A choice remembers which of its types it met; anything else that it was met
            var mark = (ushort)(slot.Element.IsChoice ? 1 + IndexOf(slot.Element.Types, slot.Type.Name) : 1);
            if (seen[slot.Position] != 0 && seen[slot.Position] != mark)
            {
                _run.Add(member, "structure", $"{slot.Element.Name}[x] may have only one type; it has another already.");
            }
            seen[slot.Position] = mark;
            CheckMember(place, member, slot);
        }
        if (parent.Children.FirstOrMissing.IsMissing)
        {
            _run.Add(parent, "structure", "An object must not be empty.");
        }
        else if (!says && type != _shadow)
        {
            _run.Add(parent, "invariant", $"Rule ele-1: a {type.Name} has something beside its id.");
        }
        foreach (var position in type.Required)
        {
            if (seen[position] == 0)
            {
                var element = type.Elements[position];
                _run.Add(parent, "required", $"{type.Name} needs '{element.Name}{(element.IsChoice ? "[x]" : "")}' (at least {element.Min}).");
            }
        }
        TypeRules.Check(_run, place);
        _invariants.Check(place);
    }

    /// <summary>What is referred to inside a resource by its id must be one thing; but a snapshot and a differential define the same elements.</summary>
    void CheckElementId(Element id, TypeDefinition type, Element resource)
    {
        if (type.Kind != TypeKind.Resource && type.Role != TypeRole.ElementDefinition && id.Text is { } text && !(_ids ??= []).Add((resource.Index, text)))
        {
            _run.Add(id, "duplicate", $"Another element of this resource has the id '{ValidationRun.Short(id)}'.");
        }
    }

    void CheckMember(in Place place, Element member, ElementSlot slot)
    {
        if (!slot.Element.IsRepeating)
        {
            if (member.Kind == ElementKind.Array)
            {
                _run.Add(member, "structure", $"{slot.JsonName} is a single value here, not an array.");
                return;
            }
            CheckValue(place, member, slot);
            return;
        }
        if (member.Kind != ElementKind.Array)
        {
            _run.Add(member, "structure", $"{slot.JsonName} may repeat, so it must be an array.");
            return;
        }
        var count = 0;
        foreach (var item in member.Children)
        {
            if (item.Kind != ElementKind.Null)
            {
                CheckValue(place, item, slot);
            }
            else if (!HasTwin(place.Value, slot, count))
            {
                _run.Add(item, "structure", "null stands only where a primitive has extensions instead of a value.");
            }
            count++;
        }
        if (count == 0)
        {
            _run.Add(member, "structure", "An array must not be empty.");
        }
        else if (!slot.IsShadow && (count < slot.Element.Min || (slot.Element.Max > 0 && count > slot.Element.Max)))
        {
            _run.Add(member, "structure", $"{slot.JsonName} has {count} items; it must have {slot.Element.Min} to {(slot.Element.Max == 0 ? "*" : slot.Element.Max)}.");
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

    void CheckValue(in Place place, Element value, ElementSlot slot)
    {
        if (slot.IsShadow)
        {
            CheckObject(place, value, slot, _shadow);
            if (!slot.Element.IsRepeating && value["extension"u8].IsMissing && place.Value[slot.Twin].IsMissing)
            {
                _run.Add(value, "invariant", $"Rule ele-1: {slot.JsonName} has neither a value nor extensions.");
            }
        }
        else if (slot.Type.Kind == TypeKind.Primitive)
        {
            CheckPrimitive(place, value, slot);
        }
        else if (slot.Type.Kind == TypeKind.Resource)
        {
            CheckResource(value, slot.Element.Name == "contained" ? place.Owner : null);
        }
        else
        {
            CheckObject(place, value, slot, slot.Type);
        }
    }

    void CheckObject(in Place around, Element value, ElementSlot slot, TypeDefinition type)
    {
        if (value.Kind != ElementKind.Complex)
        {
            _run.Add(value, "structure", $"{slot.JsonName} is of type {type.Name}, so it must be an object.");
            return;
        }
        var place = new Place(value, type, slot, around.Type, around.Owner, around.Resource);
        CheckMembers(place);
        if (type.Role == TypeRole.Extension)
        {
            _extensions.Check(around, place);
        }
        else if (slot.Element.Binding is not null || slot.Element.BindingRule is not null)
        {
            Bindings.CheckConcept(_run, value, slot);
        }
        if (slot.Element.Profiles.Count > 0)
        {
            CheckDeclared(value, type, slot.Element, around.Owner);
        }
        if (type.Role == TypeRole.Reference)
        {
            References.Check(_run, value, slot.Element.Targets, around.Owner);
        }
    }

    /// <summary>Holds a value to the profiles that the base definitions give its element, as far as they are of its type.</summary>
    void CheckDeclared(Element value, TypeDefinition type, ElementDefinition element, Element owner)
    {
        foreach (var url in element.Profiles)
        {
            if (_run.Definitions.Profile(url) is { } profile && profile.Type == type.Name)
            {
                Profiles.Check(value, type, profile, owner);
            }
        }
    }

    void CheckPrimitive(in Place around, Element value, ElementSlot slot)
    {
        if (value.Kind is ElementKind.Complex or ElementKind.Array)
        {
            _run.Add(value, "structure", $"{slot.JsonName} is of type {slot.Type.Name}, so it must be a single JSON value.");
            return;
        }
        var kind = slot.Type.Primitive;
        if (Primitives.Mend(kind, value) is { } mend)
        {
            _run.Add(value, "value", $"'{ValidationRun.Short(value)}' is not a valid {slot.Type.Name}: expected {mend}.");
            return;
        }
        if (kind is PrimitiveKind.Code or PrimitiveKind.String or PrimitiveKind.Uri && (slot.Element.Binding ?? (object?)slot.Element.BindingRule) is not null)
        {
            Bindings.CheckCode(_run, value, slot);
        }
        if (kind == PrimitiveKind.Code)
        {
            CodeForms.Check(_run, value, slot);
        }
        if (kind == PrimitiveKind.Xhtml)
        {
            Narratives.Check(_run, value);
        }
        else
        {
            TextRules.Check(_run, value, kind, around.Type);
        }
        _invariants.CheckPrimitive(around, value, slot);
    }

    void AddUnknown(Element member, TypeDefinition type)
    {
        var name = member.Name.TrimStart('_');
        var near = type.Elements.Select(element => element.Name).OrderBy(known => NearNames.Distance(name, known)).FirstOrDefault();
        var hint = near is not null && NearNames.Distance(name, near) <= 2 ? $" Is '{near}' meant?" : "";
        _run.Add(member, "structure", $"{type.Name} has no element '{member.Name}'.{hint}");
    }

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
