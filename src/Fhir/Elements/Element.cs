using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Salus.Fhir.Elements;

/// <summary>A place in a resource: an object, an array of repetitions or a primitive. Cheap to copy; immutable.</summary>
public readonly struct Element : IEquatable<Element>
{
    readonly ElementTree? _tree;
    readonly int _index;

    internal Element(ElementTree tree, int index)
    {
        _tree = tree;
        _index = index;
    }

    internal ElementTree Tree => _tree ?? throw new InvalidOperationException("A missing element has no tree.");

    internal int Index => _index;

    /// <summary>The JSON form; <see cref="ElementKind.Missing"/> when there is no such element.</summary>
    public ElementKind Kind => _tree is null ? ElementKind.Missing : _tree[_index].Kind;

    /// <summary>Whether there is nothing here.</summary>
    public bool IsMissing => _tree is null;

    /// <summary>The member name in UTF-8; empty for array items and the root.</summary>
    public ReadOnlySpan<byte> NameUtf8 => _tree is null ? default : _tree.Name(_index);

    /// <summary>The member name; empty for array items and the root.</summary>
    public string Name => Encoding.UTF8.GetString(NameUtf8);

    /// <summary>The bytes as written; a string without its quotes and with its escapes.</summary>
    public ReadOnlySpan<byte> Raw => _tree is null ? default : _tree.Raw(_index);

    /// <summary>Whether a string holds escapes, so that <see cref="Raw"/> is not its value.</summary>
    public bool IsEscaped => _tree is not null && _tree[_index].Escaped;

    /// <summary>The byte offset of <see cref="Raw"/> in the text.</summary>
    public int Offset => _tree is null ? 0 : _tree[_index].Start;

    /// <summary>A primitive's value as text: a string unescaped, a number or literal as written; null for anything else.</summary>
    public string? Text => Kind switch
    {
        ElementKind.Text when IsEscaped => Unescape(),
        ElementKind.Text or ElementKind.Number => Encoding.UTF8.GetString(Raw),
        ElementKind.True => "true",
        ElementKind.False => "false",
        _ => null,
    };

    /// <summary>The member of that name, or a missing element.</summary>
    public Element this[ReadOnlySpan<byte> nameUtf8]
    {
        get
        {
            if (Kind != ElementKind.Complex)
            {
                return default;
            }
            var end = Tree[_index].Next;
            for (var child = _index + 1; child < end; child = Tree[child].Next)
            {
                if (Tree[child].NameLength == nameUtf8.Length && Tree.Name(child).SequenceEqual(nameUtf8))
                {
                    return new Element(Tree, child);
                }
            }
            return default;
        }
    }

    /// <summary>The member of that name, or a missing element.</summary>
    public Element this[string name]
    {
        get
        {
            Span<byte> utf8 = stackalloc byte[128];
            return Encoding.UTF8.TryGetBytes(name, utf8, out var length) ? this[utf8[..length]] : default;
        }
    }

    /// <summary>The members of an object or the items of an array, in their order; nothing for a primitive.</summary>
    public ElementList Children => Kind is ElementKind.Complex or ElementKind.Array ? new(Tree, _index + 1, Tree[_index].Next) : default;

    /// <summary>The repetitions: the items of an array, the element itself when it is single, nothing when it is missing.</summary>
    public ElementList Items => Kind switch
    {
        ElementKind.Missing => default,
        ElementKind.Array => Children,
        _ => new(Tree, _index, Tree[_index].Next),
    };

    /// <summary>Line and column of this element in the text as received, from 1.</summary>
    public (int Line, int Column) Place => ElementTree.Place(Tree.Utf8.Span, Kind == ElementKind.Text ? Offset - 1 : Offset);

    /// <summary>The decimal value, when this is a number that a decimal holds.</summary>
    public decimal? Number =>
        Kind == ElementKind.Number && decimal.TryParse(Raw, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>The path from a resource's root to here, as FHIRPath.</summary>
    public string ExpressionFrom(Element root) => Tree.Expression(root.Index, _index);

    /// <summary>Whether this is a string with exactly that value and no escapes.</summary>
    public bool Is(ReadOnlySpan<byte> utf8) => Kind == ElementKind.Text && !IsEscaped && Raw.SequenceEqual(utf8);

    string Unescape()
    {
        var reader = new Utf8JsonReader(Tree.Utf8.Span.Slice(Offset - 1, Tree[_index].Length + 2));
        reader.Read();
        return reader.GetString()!;
    }

    /// <inheritdoc/>
    public bool Equals(Element other) => ReferenceEquals(_tree, other._tree) && _index == other._index;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Element other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _index;

    /// <summary>Whether both are the same place of the same text.</summary>
    public static bool operator ==(Element left, Element right) => left.Equals(right);

    /// <summary>Whether they are different places.</summary>
    public static bool operator !=(Element left, Element right) => !left.Equals(right);

    /// <inheritdoc/>
    public override string ToString() => Encoding.UTF8.GetString(Raw);
}

/// <summary>Siblings in their order, enumerated without allocation.</summary>
public readonly struct ElementList
{
    readonly ElementTree? _tree;
    readonly int _first;
    readonly int _end;

    internal ElementList(ElementTree tree, int first, int end)
    {
        _tree = tree;
        _first = first;
        _end = end;
    }

    /// <summary>The first, or a missing element.</summary>
    public Element FirstOrMissing => _tree is null || _first >= _end ? default : new(_tree, _first);

    /// <summary>How many there are, counted by walking.</summary>
    public int Count
    {
        get
        {
            var count = 0;
            foreach (var _ in this)
            {
                count++;
            }
            return count;
        }
    }

    /// <summary>Starts before the first.</summary>
    public Enumerator GetEnumerator() => new(_tree, _first, _end);

    /// <summary>Walks siblings.</summary>
    public struct Enumerator
    {
        readonly ElementTree? _tree;
        readonly int _end;
        int _next;
        int _at;

        internal Enumerator(ElementTree? tree, int first, int end)
        {
            _tree = tree;
            _next = first;
            _end = end;
            _at = -1;
        }

        /// <summary>The sibling reached.</summary>
        public readonly Element Current => new(_tree!, _at);

        /// <summary>Goes on to the next, if there is one.</summary>
        public bool MoveNext()
        {
            if (_tree is null || _next >= _end)
            {
                return false;
            }
            _at = _next;
            _next = _tree[_at].Next;
            return true;
        }
    }
}
