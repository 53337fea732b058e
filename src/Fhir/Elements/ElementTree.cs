using System.Text;

namespace Salus.Fhir.Elements;

/// <summary>The JSON form of an element.</summary>
public enum ElementKind : byte
{
    /// <summary>There is no such element.</summary>
    Missing,

    /// <summary>A JSON object: a resource or a complex type.</summary>
    Complex,

    /// <summary>A JSON array: the repetitions of an element.</summary>
    Array,

    /// <summary>A JSON string.</summary>
    Text,

    /// <summary>A JSON number, kept as written.</summary>
    Number,

    /// <summary>The JSON literal true.</summary>
    True,

    /// <summary>The JSON literal false.</summary>
    False,

    /// <summary>The JSON literal null: a gap in an array of primitives.</summary>
    Null,
}

struct Node
{
    public int NameStart;
    public ushort NameLength;
    public ElementKind Kind;
    public bool Escaped;
    public int Start;
    public int Length;

    /// <summary>The index after this node's last descendant: its next sibling, or its parent's end.</summary>
    public int Next;
}

/// <summary>A text and the flat, pre-ordered list of the values in it. Nodes point into the text, which nobody changes.</summary>
sealed class ElementTree(ReadOnlyMemory<byte> utf8, Node[] nodes, int count)
{
    public ReadOnlyMemory<byte> Utf8 { get; } = utf8;

    public int Count { get; } = count;

    public ref readonly Node this[int index] => ref nodes[index];

    public ReadOnlySpan<byte> Name(int index) => Utf8.Span.Slice(nodes[index].NameStart, nodes[index].NameLength);

    public ReadOnlySpan<byte> Raw(int index) => Utf8.Span.Slice(nodes[index].Start, nodes[index].Length);

    /// <summary>Line and column, both from 1, of a byte offset.</summary>
    public static (int Line, int Column) Place(ReadOnlySpan<byte> utf8, int offset)
    {
        var before = utf8[..Math.Min(offset, utf8.Length)];
        var line = before.Count((byte)'\n') + 1;
        return (line, before.Length - before.LastIndexOf((byte)'\n'));
    }

    /// <summary>The path of a node as FHIRPath, found by descending from <paramref name="root"/>.</summary>
    public string Expression(int root, int target)
    {
        var path = new StringBuilder(TypeName(root) ?? "");
        var at = root;
        while (at != target)
        {
            var isArray = nodes[at].Kind == ElementKind.Array;
            var child = at + 1;
            var position = 0;
            while (nodes[child].Next <= target)
            {
                child = nodes[child].Next;
                position++;
            }
            Append(path, isArray, child, position);
            at = child;
        }
        return path.ToString();
    }

    void Append(StringBuilder path, bool isArray, int child, int position)
    {
        if (isArray)
        {
            path.Append('[').Append(position).Append(']');
            return;
        }
        var name = Encoding.UTF8.GetString(Name(child));
        path.Append('.').Append(name.StartsWith('_') ? name[1..] : name);
    }

    string? TypeName(int root)
    {
        var type = new Element(this, root)["resourceType"u8];
        return type.Kind == ElementKind.Text ? type.Text : null;
    }
}
