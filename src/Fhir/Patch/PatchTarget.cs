using System.Text.Json.Nodes;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.FhirPath;

namespace Salus.Fhir.Patch;

/// <summary>A resource while one operation changes it: paths are evaluated on its elements, changes made on the same JSON.</summary>
sealed class PatchTarget
{
    readonly Resource _resource;
    readonly PatchLimits _limits;
    readonly JsonObject _json;

    public PatchTarget(Resource resource, PatchLimits limits)
    {
        (_resource, _limits) = (resource, limits);
        _json = PatchTree.Parse(resource.Utf8, limits, "resource")!.AsObject();
    }

    public Place Single(string path) => SingleOrNone(path) ?? throw new PatchRefusal("not-found", $"The path '{path}' finds nothing.");

    public Place? SingleOrNone(string path)
    {
        var items = FhirPathExpression.Compile(path).Evaluate(_resource);
        return items.Count switch
        {
            0 => null,
            1 when items[0] is ElementItem item => Locate(item),
            1 => throw new PatchRefusal("value", $"The path '{path}' gives a value that is no element."),
            var count => throw new PatchRefusal("multiple-matches", $"The path '{path}' finds {count} elements; an operation is for one."),
        };
    }

    /// <summary>The list that a path ends with, which may be empty.</summary>
    public Repetition List(string path)
    {
        var (before, name) = FhirPathExpression.Compile(path).SplitLast()
            ?? throw new PatchRefusal("value", $"The path '{path}' ends with the name of a list.");
        var owners = before.Evaluate(_resource);
        if (owners.Count != 1 || owners[0] is not ElementItem owner)
        {
            throw new PatchRefusal(owners.IsEmpty ? "not-found" : "multiple-matches", $"The path '{path}' is a list in one element; here are {owners.Count}.");
        }
        var member = Member(owner.Type, name);
        if (!member.IsRepeating)
        {
            throw new PatchRefusal("value", $"'{name}' is no list.");
        }
        return new(Json(Locate(owner)), name, TypeModel.Type(member.Types[0])!);
    }

    public static TypeDefinition? MemberType(Place owner, string name) => TypeModel.Type(Member(owner.Type, name).Types[0]);

    public void Add(Place owner, string name, PatchValue value) => PatchEdits.AddTo(Json(owner), Member(owner.Type, name), name, value);

    /// <summary>The resource after the change, read again.</summary>
    public Resource Result()
    {
        if (PatchTree.Measure(_json) is var (count, depth) && (count > _limits.NodesMax || depth > _limits.DepthMax))
        {
            throw new PatchRefusal("too-costly", $"The result has more than {_limits.NodesMax} values or {_limits.DepthMax} levels.");
        }
        return FhirJson.Read(PatchTree.Write(_json)) switch
        {
            FhirReadOutcome.Ok ok when ok.Resource.ResourceType == _resource.ResourceType => ok.Resource,
            FhirReadOutcome.Refused refused => throw new PatchRefusal(refused.Issues[0].Code, refused.Issues[0].Message),
            _ => throw new PatchRefusal("value", "A patch does not change the type of a resource."),
        };
    }

    static ElementDefinition Member(TypeDefinition type, string name) =>
        TypeModel.MemberOf(type, name) ?? throw new PatchRefusal("structure", $"{TypeModel.NameOf(type)} has no '{name}'.");

    JsonObject Json(Place place)
    {
        if (place.Owner is not { } owner)
        {
            return _json;
        }
        var isPrimitive = place.Type.Kind == TypeKind.Primitive;
        var name = isPrimitive ? "_" + place.Name : place.Name;
        var node = place.Position is { } position ? (owner[name] as JsonArray)?.ElementAtOrDefault(position) : owner[name];
        if (node is null && isPrimitive)
        {
            node = new JsonObject();
            if (place.Position is { } at)
            {
                PatchEdits.SetAt(owner, name, at, node);
            }
            else
            {
                owner[name] = node;
            }
        }
        return node as JsonObject ?? throw new PatchRefusal("structure", $"'{place.Name}' is no structure.");
    }

    /// <summary>Walks down to an element in both trees at once.</summary>
    Place Locate(ElementItem item)
    {
        var target = item.Element.IsMissing ? item.Shadow : item.Element;
        if (!ReferenceEquals(target.Tree, _resource.Root.Tree) || target.Index < _resource.Root.Index)
        {
            throw new PatchRefusal("value", "The path leaves the resource.");
        }
        var (at, json, type) = (_resource.Root, (JsonNode)_json, TypeModel.ResourceItem(_resource.Root).Type);
        var place = new Place(null, null, "", null, type);
        while (at != target)
        {
            var (child, position) = Step(at, target);
            if (at.Kind == ElementKind.Array)
            {
                place = place with { Position = position };
                json = json.AsArray()[position]!;
            }
            else
            {
                var owner = json.AsObject();
                var slot = place.Type.Slot(child.NameUtf8) ?? throw new PatchRefusal("structure", $"{place.Type.Name} has no '{child.Name}'.");
                place = new(owner, place.Type, slot.JsonName, null, slot.Type);
                json = owner[child.Name]!;
            }
            at = child;
            if (place.Type.Kind == TypeKind.Resource && at.Kind == ElementKind.Complex)
            {
                place = place with { Type = TypeModel.ResourceItem(at).Type };
            }
        }
        return place;
    }

    static (Element Child, int Position) Step(Element at, Element target)
    {
        var position = 0;
        foreach (var child in at.Children)
        {
            if (target.Index < child.Tree[child.Index].Next)
            {
                return (child, position);
            }
            position++;
        }
        throw new PatchRefusal("value", "The path leaves the resource.");
    }
}
