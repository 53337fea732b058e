using System.Buffers;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>Rules on the contents of strings and URIs that their formats leave open.</summary>
static class TextRules
{
    static readonly string[] ExampleHosts = ["example.org", "example.com", "example.net", "acme.com", "acme.org"];
    const int CharactersMax = 1024 * 1024;
    static readonly SearchValues<char> Controls = SearchValues.Create([.. Enumerable.Range(0, 32).Select(code => (char)code).Where(control => control is not ('\t' or '\r' or '\n'))]);
    static readonly SearchValues<byte> TagStart = SearchValues.Create("<"u8);

    /// <summary>Checks one primitive whose format is right.</summary>
    public static void Check(ValidationRun run, Element value, PrimitiveKind kind, TypeDefinition around)
    {
        if (kind is PrimitiveKind.String or PrimitiveKind.Markdown && (value.IsEscaped || value.Raw.Length > CharactersMax))
        {
            CheckCharacters(run, value, kind);
        }
        switch (kind)
        {
            case PrimitiveKind.Uri or PrimitiveKind.Url or PrimitiveKind.Canonical:
                CheckUri(run, value, kind, around);
                break;
            case PrimitiveKind.Date or PrimitiveKind.DateTime or PrimitiveKind.Instant when run.WantsWarnings:
                CheckRange(run, value);
                break;
            case PrimitiveKind.String or PrimitiveKind.Markdown when run.Options.RefusesMarkupInStrings && HasTag(value):
                run.Add(value, "invalid", "The text holds what looks like an HTML tag, which is not taken here.");
                break;
        }
    }

    /// <remarks>R4 section 2.24.0.1. What JSON does not escape is no control character.</remarks>
    static void CheckCharacters(ValidationRun run, Element value, PrimitiveKind kind)
    {
        var text = value.Text!;
        if (text.AsSpan().ContainsAny(Controls))
        {
            run.Add(value, "value", "The text holds a control character; of those below U+0020 only tab, carriage return and line feed may stand in a string.");
        }
        if (kind == PrimitiveKind.String && text.Length > CharactersMax)
        {
            run.Add(value, "value", $"The string has {text.Length} characters; it may have {CharactersMax}.");
        }
    }

    static void CheckRange(ValidationRun run, Element value)
    {
        const int least = 1850, most = 2150;
        if (FhirTime.TryParse(value.Raw, out var time) && time.Low.Year is < least or > most)
        {
            run.Add(value, IssueSeverity.Warning, "value", $"'{ValidationRun.Short(value)}' is hardly meant: a year from {least} to {most} is expected.");
        }
    }

    static void CheckUri(ValidationRun run, Element value, PrimitiveKind kind, TypeDefinition around)
    {
        var text = value.Raw;
        text = text.IndexOfAny((byte)'#', (byte)'|') is var hash and >= 0 ? text[..hash] : text;
        if (kind != PrimitiveKind.Canonical && text.StartsWith("urn:oid:"u8) && !Primitives.IsOid(text[8..]))
        {
            run.Add(value, "value", $"'{ValidationRun.Short(value)}' is not a valid OID: expected a URI such as urn:oid:1.2.3.");
        }
        else if (text.StartsWith("urn:uuid:"u8) && !(text.Length == 45 && Guid.TryParse(text[9..], out _)))
        {
            run.Add(value, "value", $"'{ValidationRun.Short(value)}' is not a valid UUID: expected a URI such as urn:uuid:c757873d-ec9a-4326-a141-556f43239520.");
        }
        if (run.Options.RefusesExampleUrls && kind != PrimitiveKind.Canonical && around.Role != TypeRole.Extension && IsExample(value.Text!))
        {
            run.Add(value, "invalid", $"'{ValidationRun.Short(value)}' is a URL for examples, which is not taken here.");
        }
    }

    static bool IsExample(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && Array.Exists(ExampleHosts, host => uri.Host == host || uri.Host.EndsWith("." + host, StringComparison.OrdinalIgnoreCase));

    static bool HasTag(Element value)
    {
        var text = value.Raw;
        for (var at = text.IndexOfAny(TagStart); at >= 0 && at + 1 < text.Length; at = Next(text, at))
        {
            if ((char.IsAsciiLetter((char)text[at + 1]) || text[at + 1] is (byte)'/' or (byte)'!') && text[at..].IndexOf((byte)'>') > 0)
            {
                return true;
            }
        }
        return false;
    }

    static int Next(ReadOnlySpan<byte> text, int at) => text[(at + 1)..].IndexOfAny(TagStart) is var next and >= 0 ? at + 1 + next : -1;
}
