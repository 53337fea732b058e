using System.Globalization;
using System.Text.Json.Nodes;

namespace Salus.Fhir.Patch;

/// <summary>A place in JSON (RFC 6901).</summary>
sealed class JsonPointer
{
    readonly string _text;
    readonly string[] _tokens;

    JsonPointer(string text, string[] tokens) => (_text, _tokens) = (text, tokens);

    public bool IsRoot => _tokens.Length == 0;

    public int Depth => _tokens.Length;

    public string Last => _tokens[^1];

    /// <exception cref="PatchRefusal">The text is no pointer.</exception>
    public static JsonPointer Parse(string text)
    {
        if (text.Length == 0)
        {
            return new(text, []);
        }
        if (text[0] != '/')
        {
            throw new PatchRefusal("value", $"'{text}' is no JSON Pointer: it begins with '/'.", isMalformed: true);
        }
        return new(text, [.. text[1..].Split('/').Select(token => Unescaped(token, text))]);
    }

    static string Unescaped(string token, string text)
    {
        for (var at = token.IndexOf('~', StringComparison.Ordinal); at >= 0; at = token.IndexOf('~', at + 1))
        {
            if (at + 1 >= token.Length || token[at + 1] is not ('0' or '1'))
            {
                throw new PatchRefusal("value", $"'{text}' is no JSON Pointer: '~' is followed by 0 or 1.", isMalformed: true);
            }
        }
        return token.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
    }

    /// <summary>Whether this is the place of something that stands within the other's.</summary>
    public bool IsWithin(JsonPointer other) => _tokens.Length > other._tokens.Length && _tokens.AsSpan(0, other._tokens.Length).SequenceEqual(other._tokens);

    /// <summary>What stands here.</summary>
    /// <exception cref="PatchRefusal">Nothing does.</exception>
    public JsonNode? Find(JsonNode? root) => Find(root, _tokens.Length);

    /// <summary>The object or array that what stands here is in.</summary>
    /// <exception cref="PatchRefusal">There is none.</exception>
    public JsonNode Parent(JsonNode? root) =>
        Find(root, _tokens.Length - 1) is { } parent and (JsonObject or JsonArray) ? parent : throw Missing();

    JsonNode? Find(JsonNode? root, int count)
    {
        var at = root;
        foreach (var token in _tokens.AsSpan(0, count))
        {
            at = at switch
            {
                JsonObject members => members.TryGetPropertyValue(token, out var value) ? value : throw Missing(),
                JsonArray items => items[Index(token, items.Count - 1)],
                _ => throw Missing(),
            };
        }
        return at;
    }

    /// <summary>An array's position, from 0 to the last that is allowed.</summary>
    /// <exception cref="PatchRefusal">It is none.</exception>
    public int Index(string token, int last)
    {
        var isNumber = token.Length > 0 && !token.AsSpan().ContainsAnyExceptInRange('0', '9') && (token.Length == 1 || token[0] != '0');
        return isNumber && int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= last
            ? index
            : throw new PatchRefusal("not-found", $"'{_text}': '{token}' is no position in an array of {last + 1}.");
    }

    public PatchRefusal Missing() => new("not-found", $"There is nothing at '{_text}'.");

    public override string ToString() => _text;
}
