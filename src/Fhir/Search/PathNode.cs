using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Search;

/// <summary>An element and the type it has there; a constant has no element.</summary>
readonly record struct PathItem(Element Element, TypeDefinition Type, bool? Constant = null);

/// <summary>The results of an evaluation, and what the references met on the way are written as.</summary>
/// <param name="resolve">Given a literal reference, what stands for it; null for itself.</param>
sealed class PathResults(Func<string, string?>? resolve) : List<PathItem>
{
    public LiteralReference? ReferenceOf(Element reference) => LiteralReference.Of(reference, resolve);
}

/// <summary>
/// A compiled part of a search parameter's expression. Each appends its results to one shared list, and takes its source's results
/// out of it again, so that indexing a resource allocates no list per step.
/// </summary>
abstract class PathNode
{
    public abstract void Evaluate(PathItem focus, PathResults into);

    /// <summary>Replaces the source's results by what a function makes of each.</summary>
    protected static void Replace(PathNode source, PathItem focus, PathResults into, Action<PathItem, PathResults> each)
    {
        var mark = into.Count;
        source.Evaluate(focus, into);
        var end = into.Count;
        for (var index = mark; index < end; index++)
        {
            each(into[index], into);
        }
        if (end > mark)
        {
            into.RemoveRange(mark, end - mark);
        }
    }

    protected static bool Any(PathNode node, PathItem focus, PathResults into, Func<PathItem, PathResults, bool> test)
    {
        var mark = into.Count;
        node.Evaluate(focus, into);
        var found = false;
        for (var index = mark; index < into.Count && !found; index++)
        {
            found = test(into[index], into);
        }
        into.RemoveRange(mark, into.Count - mark);
        return found;
    }
}

sealed class FocusNode : PathNode
{
    public override void Evaluate(PathItem focus, PathResults into) => into.Add(focus);
}

sealed class MemberNode : PathNode
{
    readonly PathNode source;
    readonly string name;
    readonly FhirDefinitions definitions;
    readonly Action<PathItem, PathResults> step;
    Variants last;

    public MemberNode(PathNode source, string name, FhirDefinitions definitions)
    {
        (this.source, this.name, this.definitions) = (source, name, definitions);
        (step, last) = (Step, new Variants(null, []));
    }

    /// <summary>The JSON names that the member can have in a type.</summary>
    sealed record Variants(TypeDefinition? Of, (byte[] JsonName, TypeDefinition Type)[] Names);

    public override void Evaluate(PathItem focus, PathResults into)
    {
        if (source is FocusNode)
        {
            Step(focus, into);
            return;
        }
        Replace(source, focus, into, step);
    }

    void Step(PathItem item, PathResults into)
    {
        // A step almost always meets the type that it met before.
        var variants = last;
        if (variants.Of != item.Type)
        {
            last = variants = new Variants(item.Type, NamesIn(item.Type));
        }
        foreach (var (jsonName, type) in variants.Names)
        {
            foreach (var value in item.Element[jsonName].Items)
            {
                if (value.Kind != ElementKind.Null)
                {
                    into.Add(new(value, type.Kind == TypeKind.Resource ? definitions.Resource(value["resourceType"u8].Raw) ?? type : type));
                }
            }
        }
    }

    (byte[] JsonName, TypeDefinition Type)[] NamesIn(TypeDefinition type)
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
    public override void Evaluate(PathItem focus, PathResults into) => Replace(source, focus, into, Keep);

    void Keep(PathItem item, PathResults into)
    {
        if (string.Equals(item.Type.Name, typeName, StringComparison.OrdinalIgnoreCase))
        {
            into.Add(item);
        }
    }
}

sealed class WhereNode(PathNode source, PathNode condition) : PathNode
{
    public override void Evaluate(PathItem focus, PathResults into) => Replace(source, focus, into, Keep);

    void Keep(PathItem item, PathResults into)
    {
        if (Any(condition, item, into, static (result, _) => result.Constant == true))
        {
            into.Add(item);
        }
    }
}

sealed class PositionNode(PathNode source, int position) : PathNode
{
    public override void Evaluate(PathItem focus, PathResults into)
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
    public override void Evaluate(PathItem focus, PathResults into)
    {
        foreach (var part in parts)
        {
            part.Evaluate(focus, into);
        }
    }
}

sealed class ExistsNode(PathNode source, TypeDefinition boolean) : PathNode
{
    public override void Evaluate(PathItem focus, PathResults into) =>
        into.Add(new(default, boolean, Any(source, focus, into, static (_, _) => true)));
}

/// <summary>Equality with a literal; as in FHIRPath, nothing comes of nothing.</summary>
sealed class EqualsNode(PathNode source, string literal, bool negated, TypeDefinition boolean) : PathNode
{
    public override void Evaluate(PathItem focus, PathResults into)
    {
        bool? result = null;
        Any(source, focus, into, (item, _) =>
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
    public override void Evaluate(PathItem focus, PathResults into)
    {
        var both = Any(left, focus, into, static (item, _) => item.Constant == true) && Any(right, focus, into, static (item, _) => item.Constant == true);
        into.Add(new(default, boolean, both));
    }
}

/// <summary>
/// <c>resolve() is X</c>, decided from what stands for the reference: nothing is fetched. One that names no type, such as a urn that nobody
/// resolved, is of the type that its element tells, or of none.
/// </summary>
sealed class RefersToNode(PathNode source, string typeName, TypeDefinition boolean) : PathNode
{
    readonly Func<PathItem, PathResults, bool> refers = (item, into) =>
        (into.ReferenceOf(item.Element)?.Type ?? item.Element["type"u8].Text) == typeName;

    public override void Evaluate(PathItem focus, PathResults into) =>
        into.Add(new(default, boolean, Any(source, focus, into, refers)));
}

/// <summary><c>extension('url')</c>.</summary>
sealed class ExtensionNode(PathNode source, string url, TypeDefinition extension) : PathNode
{
    readonly byte[] _url = Encoding.UTF8.GetBytes(url);

    public override void Evaluate(PathItem focus, PathResults into) => Replace(source, focus, into, (item, list) =>
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
