using System.Collections.Concurrent;
using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Search;

/// <summary>An element and the type it has there; a constant has no element.</summary>
readonly record struct PathItem(Element Element, TypeDefinition Type, bool? Constant = null);

/// <summary>
/// A compiled part of a search parameter's expression. Each appends its results to one shared list, and takes its source's results
/// out of it again, so that indexing a resource allocates no list per step.
/// </summary>
abstract class PathNode
{
    public abstract void Evaluate(PathItem focus, List<PathItem> into);

    /// <summary>Replaces the source's results by what a function makes of each.</summary>
    protected static void Replace(PathNode source, PathItem focus, List<PathItem> into, Action<PathItem, List<PathItem>> each)
    {
        var mark = into.Count;
        source.Evaluate(focus, into);
        var end = into.Count;
        for (var index = mark; index < end; index++)
        {
            each(into[index], into);
        }
        into.RemoveRange(mark, end - mark);
    }

    protected static bool Any(PathNode node, PathItem focus, List<PathItem> into, Func<PathItem, bool> test)
    {
        var mark = into.Count;
        node.Evaluate(focus, into);
        var found = false;
        for (var index = mark; index < into.Count && !found; index++)
        {
            found = test(into[index]);
        }
        into.RemoveRange(mark, into.Count - mark);
        return found;
    }
}

sealed class FocusNode : PathNode
{
    public override void Evaluate(PathItem focus, List<PathItem> into) => into.Add(focus);
}

sealed class MemberNode(PathNode source, string name, FhirDefinitions definitions) : PathNode
{
    readonly ConcurrentDictionary<TypeDefinition, (byte[] Name, TypeDefinition Type)[]> _variants = new();

    public override void Evaluate(PathItem focus, List<PathItem> into) => Replace(source, focus, into, Step);

    void Step(PathItem item, List<PathItem> into)
    {
        foreach (var (jsonName, type) in _variants.GetOrAdd(item.Type, Variants))
        {
            var member = item.Element[jsonName];
            foreach (var value in member.Items)
            {
                if (value.Kind != ElementKind.Null)
                {
                    into.Add(new(value, type.Kind == TypeKind.Resource ? definitions.Resource(value["resourceType"u8].Raw) ?? type : type));
                }
            }
        }
    }

    (byte[] Name, TypeDefinition Type)[] Variants(TypeDefinition type)
    {
        var element = type.Elements.FirstOrDefault(element => element.Name == name);
        return element is null
            ? []
            : [.. element.Types.Select(typeName => (
                Encoding.UTF8.GetBytes(element.IsChoice ? name + char.ToUpperInvariant(typeName[0]) + typeName[1..] : name),
                definitions.Type(typeName)!))];
    }
}

sealed class AsNode(PathNode source, string typeName) : PathNode
{
    public override void Evaluate(PathItem focus, List<PathItem> into) => Replace(source, focus, into, Keep);

    void Keep(PathItem item, List<PathItem> into)
    {
        if (string.Equals(item.Type.Name, typeName, StringComparison.OrdinalIgnoreCase))
        {
            into.Add(item);
        }
    }
}

sealed class WhereNode(PathNode source, PathNode condition) : PathNode
{
    public override void Evaluate(PathItem focus, List<PathItem> into) => Replace(source, focus, into, Keep);

    void Keep(PathItem item, List<PathItem> into)
    {
        if (Any(condition, item, into, result => result.Constant == true))
        {
            into.Add(item);
        }
    }
}

sealed class PositionNode(PathNode source, int position) : PathNode
{
    public override void Evaluate(PathItem focus, List<PathItem> into)
    {
        var at = 0;
        Replace(source, focus, into, (item, list) =>
        {
            if (at++ == position)
            {
                list.Add(item);
            }
        });
    }
}

sealed class UnionNode(IReadOnlyList<PathNode> parts) : PathNode
{
    public override void Evaluate(PathItem focus, List<PathItem> into)
    {
        foreach (var part in parts)
        {
            part.Evaluate(focus, into);
        }
    }
}

sealed class ExistsNode(PathNode source, TypeDefinition boolean) : PathNode
{
    public override void Evaluate(PathItem focus, List<PathItem> into) =>
        into.Add(new(default, boolean, Any(source, focus, into, _ => true)));
}

/// <summary>Equality with a literal; as in FHIRPath, nothing comes of nothing.</summary>
sealed class EqualsNode(PathNode source, string literal, bool negated, TypeDefinition boolean) : PathNode
{
    public override void Evaluate(PathItem focus, List<PathItem> into)
    {
        bool? result = null;
        Any(source, focus, into, item =>
        {
            result = (item.Element.Text == literal) != negated;
            return true;
        });
        if (result is not null)
        {
            into.Add(new(default, boolean, result));
        }
    }
}

sealed class AndNode(PathNode left, PathNode right, TypeDefinition boolean) : PathNode
{
    public override void Evaluate(PathItem focus, List<PathItem> into)
    {
        var both = Any(left, focus, into, item => item.Constant == true) && Any(right, focus, into, item => item.Constant == true);
        into.Add(new(default, boolean, both));
    }
}

/// <summary>
/// <c>resolve() is X</c>, decided from the reference's own text: nothing is fetched. A urn of a transaction names no type and may be of any;
/// whoever maps it to what it stands for decides.
/// </summary>
sealed class RefersToNode(PathNode source, string typeName, TypeDefinition boolean) : PathNode
{
    public override void Evaluate(PathItem focus, List<PathItem> into) =>
        into.Add(new(default, boolean, Any(source, focus, into, Refers)));

    bool Refers(PathItem item) => LiteralReference.Of(item.Element) switch
    {
        { Type: { } type } => type == typeName,
        { Text: var text } when item.Element["type"u8].Text is null && text.StartsWith("urn:uuid:", StringComparison.Ordinal) => true,
        _ => item.Element["type"u8].Text == typeName,
    };
}

/// <summary><c>extension('url')</c>.</summary>
sealed class ExtensionNode(PathNode source, string url, TypeDefinition extension) : PathNode
{
    readonly byte[] _url = Encoding.UTF8.GetBytes(url);

    public override void Evaluate(PathItem focus, List<PathItem> into) => Replace(source, focus, into, (item, list) =>
    {
        foreach (var candidate in item.Element["extension"u8].Items)
        {
            if (candidate["url"u8].Is(_url))
            {
                list.Add(new(candidate, extension));
            }
        }
    });
}
