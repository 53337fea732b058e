using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Salus.Fhir.Elements;

/// <summary>Reads FHIR JSON (R4 section 2.6.2) into elements, within limits, and refuses what is not well formed with its place.</summary>
public static class FhirJson
{
    const int LiteralShownMax = 32;

    /// <summary>Reads one resource. The bytes are kept, not copied: the caller must not change them afterwards.</summary>
    public static FhirReadOutcome Read(ReadOnlyMemory<byte> utf8, ReadLimits? limits = null)
    {
        limits ??= ReadLimits.Default;
        if (utf8.Span.StartsWith("\uFEFF"u8))
        {
            utf8 = utf8[3..];
        }
        if (utf8.Length > limits.BytesMax)
        {
            return Refuse("too-long", "", $"The text has {utf8.Length} bytes; at most {limits.BytesMax} are read.", (1, 1));
        }
        if (!Utf8.IsValid(utf8.Span))
        {
            return Refuse("structure", "", "The text is not valid UTF-8 here.", ElementTree.Place(utf8.Span, FirstInvalid(utf8.Span)));
        }
        var builder = new TreeBuilder(utf8, limits);
        try
        {
            return builder.Build() is { } refusal ? refusal : Root(builder.Tree());
        }
        catch (JsonException broken)
        {
            var place = ((int)(broken.LineNumber ?? 0) + 1, (int)(broken.BytePositionInLine ?? 0) + 1);
            var message = Plain(broken.Message);
            if (message.Contains("JSON literal", StringComparison.Ordinal))
            {
                (var word, place) = Literal(utf8.Span, place);
                message = $"'{word}' is none of its words: true, false and null.";
            }
            return Refuse("structure", builder.Expression(), $"The JSON is not well formed: {message}", place);
        }
    }

    static FhirReadOutcome Root(ElementTree tree)
    {
        var root = new Element(tree, 0);
        if (root.Kind != ElementKind.Complex)
        {
            return Refuse("structure", "", "A resource is a JSON object; this text holds something else.", root.Place);
        }
        return Resource.From(root) is { } resource
            ? new FhirReadOutcome.Ok(resource)
            : Refuse("structure", "", "A resource needs its type: \"resourceType\" with a name such as \"Patient\".", root.Place);
    }

    internal static FhirReadOutcome.Refused Refuse(string code, string expression, string message, (int Line, int Column) place) =>
        new([new FhirIssue(IssueSeverity.Fatal, code, expression, message, place.Line, place.Column)]);

    /// <summary>The parser's sentence without its own account of the place.</summary>
    static string Plain(string message)
    {
        var end = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return end < 0 ? message : message[..end];
    }

    /// <summary>The word that stands where a literal should, and where it begins: the parser names the byte at which it stops being one.</summary>
    static (string Word, (int Line, int Column) Place) Literal(ReadOnlySpan<byte> utf8, (int Line, int Column) place)
    {
        var line = 0;
        for (var i = 1; i < place.Line; i++)
        {
            line += utf8[line..].IndexOf((byte)'\n') + 1;
        }
        var (start, end) = (line + place.Column - 1, line + place.Column - 1);
        while (start > line && char.IsAsciiLetter((char)utf8[start - 1]))
        {
            start--;
        }
        while (end < utf8.Length && end - start < LiteralShownMax && char.IsAsciiLetterOrDigit((char)utf8[end]))
        {
            end++;
        }
        return (Encoding.ASCII.GetString(utf8[start..end]), (place.Line, start - line + 1));
    }

    static int FirstInvalid(ReadOnlySpan<byte> utf8)
    {
        var at = 0;
        while (at < utf8.Length && Rune.DecodeFromUtf8(utf8[at..], out _, out var length) == System.Buffers.OperationStatus.Done)
        {
            at += length;
        }
        return at;
    }
}
