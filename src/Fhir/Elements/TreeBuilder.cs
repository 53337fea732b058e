using System.Text.Json;

namespace Salus.Fhir.Elements;

/// <summary>One pass over a text: appends a node per value and closes containers as they end.</summary>
sealed class TreeBuilder(ReadOnlyMemory<byte> utf8, ReadLimits limits)
{
    readonly int[] _open = new int[limits.DepthMax + 1];
    readonly int[] _members = new int[limits.DepthMax + 1];
    Node[] _nodes = new Node[Math.Clamp(utf8.Length / 24, 16, limits.NodesMax)];
    int _count;
    int _depth;
    int _nameStart;
    int _nameLength;

    /// <summary>The tree, once <see cref="Build"/> refused nothing.</summary>
    public ElementTree Tree() => new(utf8, _nodes, _count);

    /// <summary>How far the text was read, as FHIRPath.</summary>
    public string Expression()
    {
        if (_count == 0)
        {
            return "";
        }
        for (var depth = 0; depth < _depth; depth++)
        {
            _nodes[_open[depth]].Next = _count;
        }
        return new ElementTree(utf8, _nodes, _count).Expression(0, _depth > 0 ? _open[_depth - 1] : 0);
    }

    /// <summary>Reads the whole text; null when nothing had to be refused.</summary>
    /// <exception cref="JsonException">The JSON is not well formed.</exception>
    public FhirReadOutcome.Refused? Build()
    {
        var reader = new Utf8JsonReader(utf8.Span, new JsonReaderOptions { MaxDepth = limits.DepthMax + 1 });
        while (reader.Read())
        {
            if (Take(ref reader) is { } refused)
            {
                return refused;
            }
        }
        return null;
    }

    FhirReadOutcome.Refused? Take(ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.PropertyName:
                return TakeName(ref reader);
            case JsonTokenType.StartObject:
                return Open(ElementKind.Complex, ref reader);
            case JsonTokenType.StartArray:
                return Open(ElementKind.Array, ref reader);
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                ref var closed = ref _nodes[_open[--_depth]];
                closed.Length = (int)reader.BytesConsumed - closed.Start;
                closed.Next = _count;
                return null;
            case JsonTokenType.String:
                return TakeString(ref reader);
            case JsonTokenType.Number when reader.ValueSpan.Length > limits.NumberCharactersMax:
                return Refuse("too-long", $"The number has {reader.ValueSpan.Length} characters; at most {limits.NumberCharactersMax} are read.", reader.TokenStartIndex);
            case JsonTokenType.Number:
                return Append(ElementKind.Number, (int)reader.TokenStartIndex, reader.ValueSpan.Length, false);
            case JsonTokenType.True:
                return Append(ElementKind.True, (int)reader.TokenStartIndex, 4, false);
            case JsonTokenType.False:
                return Append(ElementKind.False, (int)reader.TokenStartIndex, 5, false);
            default:
                return Append(ElementKind.Null, (int)reader.TokenStartIndex, 4, false);
        }
    }

    FhirReadOutcome.Refused? TakeName(ref Utf8JsonReader reader)
    {
        var name = reader.ValueSpan;
        if (reader.ValueIsEscaped || name.Length is 0 or > 128)
        {
            return Refuse("structure", "A member's name must have 1 to 128 bytes and no escapes.", reader.TokenStartIndex);
        }
        var parent = _open[_depth - 1];
        for (var child = parent + 1; child < _count; child = _nodes[child].Next)
        {
            if (_nodes[child].NameLength == name.Length && utf8.Span.Slice(_nodes[child].NameStart, name.Length).SequenceEqual(name))
            {
                return Refuse("structure", $"The object has the member \"{System.Text.Encoding.UTF8.GetString(name)}\" twice.", reader.TokenStartIndex);
            }
        }
        if (++_members[_depth - 1] > limits.MembersMax)
        {
            return Refuse("too-costly", $"The object has more than {limits.MembersMax} members.", reader.TokenStartIndex);
        }
        _nameStart = (int)reader.TokenStartIndex + 1;
        _nameLength = name.Length;
        return null;
    }

    FhirReadOutcome.Refused? TakeString(ref Utf8JsonReader reader)
    {
        if (reader.ValueSpan.Length > limits.StringBytesMax)
        {
            return Refuse("too-long", $"The string has {reader.ValueSpan.Length} bytes; at most {limits.StringBytesMax} are read.", reader.TokenStartIndex);
        }
        if (reader.ValueIsEscaped && JsonEscapes.FirstUnusable(reader.ValueSpan) is var bad and >= 0)
        {
            return Refuse("value", "The string holds a lone surrogate or a NUL, which is not a character.", reader.TokenStartIndex + 1 + bad);
        }
        return Append(ElementKind.Text, (int)reader.TokenStartIndex + 1, reader.ValueSpan.Length, reader.ValueIsEscaped);
    }

    FhirReadOutcome.Refused? Open(ElementKind kind, ref Utf8JsonReader reader)
    {
        if (_depth >= limits.DepthMax)
        {
            return Refuse("too-costly", $"The text nests deeper than {limits.DepthMax} levels.", reader.TokenStartIndex);
        }
        var refused = Append(kind, (int)reader.TokenStartIndex, 1, false);
        _members[_depth] = 0;
        _open[_depth++] = _count - 1;
        return refused;
    }

    FhirReadOutcome.Refused? Append(ElementKind kind, int start, int length, bool escaped)
    {
        if (_count >= limits.NodesMax)
        {
            return Refuse("too-costly", $"The text holds more than {limits.NodesMax} values.", start);
        }
        if (_count == _nodes.Length)
        {
            Array.Resize(ref _nodes, (int)Math.Min((long)_nodes.Length * 2, limits.NodesMax));
        }
        _nodes[_count] = new Node
        {
            Kind = kind,
            NameStart = _nameStart,
            NameLength = (ushort)_nameLength,
            Escaped = escaped,
            Start = start,
            Length = length,
            Next = ++_count,
        };
        _nameLength = 0;
        return null;
    }

    FhirReadOutcome.Refused Refuse(string code, string message, long offset) =>
        FhirJson.Refuse(code, Expression(), message, ElementTree.Place(utf8.Span, (int)offset));
}
