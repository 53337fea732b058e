using Salus.Fhir.Elements;

namespace Salus.Fhir.Search;

/// <summary>What a literal reference says: a type and an id where it names them, and itself.</summary>
/// <param name="Type">The resource type, or null for a urn or a fragment.</param>
/// <param name="Id">The logical id, or null.</param>
/// <param name="Text">The reference as written.</param>
/// <param name="IsAbsolute">Whether it names a server.</param>
public sealed record LiteralReference(string? Type, string? Id, string Text, bool IsAbsolute)
{
    /// <summary>The literal reference of a Reference element, or null when it has none.</summary>
    /// <param name="reference">The element.</param>
    /// <param name="resolve">Given the text, what stands for it; null leaves it.</param>
    public static LiteralReference? Of(Element reference, Func<string, string?>? resolve = null) =>
        reference["reference"u8].Text is { Length: > 0 } text ? Parse(resolve?.Invoke(text) ?? text) : null;

    /// <summary>Reads <c>Type/id</c>, <c>https://…/Type/id</c> (either with <c>/_history/v</c>), or anything else as it is.</summary>
    public static LiteralReference Parse(string text)
    {
        var isAbsolute = text.Contains("://", StringComparison.Ordinal);
        var history = text.IndexOf("/_history/", StringComparison.Ordinal);
        var path = history < 0 ? text : text[..history];
        var slash = path.LastIndexOf('/');
        if (slash <= 0 || slash == path.Length - 1 || path.Contains('?') || path.StartsWith("urn:", StringComparison.Ordinal))
        {
            return new(null, null, text, isAbsolute);
        }
        var type = path[(path.LastIndexOf('/', slash - 1) + 1)..slash];
        return new(type, path[(slash + 1)..], text, isAbsolute);
    }
}
