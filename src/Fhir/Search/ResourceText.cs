using System.Buffers;
using System.Net;
using System.Text;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Search;

/// <summary>The text of a resource as <c>_text</c> and <c>_content</c> search it. An element ends what a phrase may span.</summary>
public sealed class ResourceText
{
    /// <summary>What stands in base64 says nothing to who reads it.</summary>
    static readonly string[] Encoded = ["data", "hash", "query", "carrierAIDC"];

    readonly Lazy<string> _words;
    readonly Lazy<string> _normalised;

    ResourceText(List<string> passages)
    {
        IsEmpty = passages.Count == 0;
        _words = new(() => string.Concat(passages.Select(passage => TextWords.Of(passage) + "\n")));
        _normalised = new(() => string.Join('\n', passages.Select(NormalisedText.Of)));
    }

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty { get; }

    /// <summary>Its words, a space around each, and a line for each element.</summary>
    public string Words => _words.Value;

    /// <summary>Its normalised characters, and a line for each element.</summary>
    public string Normalised => _normalised.Value;

    /// <summary>The text of the narrative.</summary>
    public static ResourceText OfNarrative(Resource resource) => new(resource["text"]["div"u8].Text is { } div ? [.. NarrativeText.Of(div)] : []);

    /// <summary>The narrative, and every value but what is encoded.</summary>
    public static ResourceText OfContent(Resource resource)
    {
        List<string> passages = [];
        Add(passages, resource.Root, "");
        return new(passages);
    }

    static void Add(List<string> passages, Element element, string name)
    {
        if (element.Kind is ElementKind.Complex or ElementKind.Array)
        {
            foreach (var child in element.Children)
            {
                Add(passages, child, element.Kind == ElementKind.Array ? name : child.Name);
            }
        }
        else if (name == "div")
        {
            passages.AddRange(NarrativeText.Of(element.Text!));
        }
        else if (name != "resourceType" && !Encoded.Contains(name) && !name.EndsWith("Base64Binary", StringComparison.Ordinal) && element.Text is { } text)
        {
            passages.Add(text);
        }
    }
}

/// <summary>What a reader sees of a narrative's XHTML.</summary>
static class NarrativeText
{
    /// <summary>Elements within a line; the others begin a new one.</summary>
    static readonly string[] Inline = ["a", "abbr", "acronym", "b", "big", "cite", "code", "dfn", "em", "font", "i", "kbd", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var"];

    static readonly SearchValues<char> NameEnds = SearchValues.Create(" \t\r\n/>");

    /// <summary>The lines, without markup.</summary>
    public static IEnumerable<string> Of(string div)
    {
        var line = new StringBuilder();
        var at = 0;
        while (at < div.Length)
        {
            var open = div.IndexOf('<', at);
            line.Append(WebUtility.HtmlDecode(div[at..(open < 0 ? div.Length : open)]));
            if (open < 0)
            {
                break;
            }
            if (div.AsSpan(open).StartsWith("<![CDATA[", StringComparison.Ordinal))
            {
                var start = open + "<![CDATA[".Length;
                var end = div.IndexOf("]]>", start, StringComparison.Ordinal);
                line.Append(div.AsSpan(start, (end < 0 ? div.Length : end) - start));
                at = end < 0 ? div.Length : end + 3;
                continue;
            }
            var isComment = div.AsSpan(open).StartsWith("<!--", StringComparison.Ordinal);
            at = isComment ? Behind(div, "-->", open + 4) : BehindTag(div, open + 1);
            if (!isComment && !Inline.Contains(NameOf(div.AsSpan(open + 1, at - open - 1))) && line.Length > 0)
            {
                yield return line.ToString();
                line.Clear();
            }
        }
        if (line.Length > 0)
        {
            yield return line.ToString();
        }
    }

    static int Behind(string text, string end, int from)
    {
        var at = from <= text.Length ? text.IndexOf(end, from, StringComparison.Ordinal) : -1;
        return at < 0 ? text.Length : at + end.Length;
    }

    /// <remarks>An attribute's value may hold what otherwise ends a tag.</remarks>
    static int BehindTag(string text, int from)
    {
        var quote = '\0';
        for (var at = from; at < text.Length; at++)
        {
            var character = text[at];
            if (quote == '\0' && character == '>')
            {
                return at + 1;
            }
            quote = quote == '\0' && character is '"' or '\'' ? character : character == quote ? '\0' : quote;
        }
        return text.Length;
    }

    static string NameOf(ReadOnlySpan<char> tag)
    {
        var name = tag.TrimStart('/');
        var end = name.IndexOfAny(NameEnds);
        return (end < 0 ? name : name[..end]).ToString().ToLowerInvariant();
    }
}

/// <summary>Words as they are compared: runs of letters and digits without case and accents; of scripts that put no spaces between words, each character.</summary>
static class TextWords
{
    /// <summary>The words, a space before and after each.</summary>
    public static string Of(string text)
    {
        var words = new StringBuilder(" ", text.Length + 2);
        foreach (var character in NormalisedText.Of(text))
        {
            var isAlone = IsAlone(character);
            if (words[^1] != ' ' && (isAlone || !IsWordPart(character)))
            {
                words.Append(' ');
            }
            if (IsWordPart(character))
            {
                words.Append(character);
            }
            if (isAlone)
            {
                words.Append(' ');
            }
        }
        if (words[^1] != ' ')
        {
            words.Append(' ');
        }
        return words.ToString();
    }

    static bool IsWordPart(char character) => char.IsLetterOrDigit(character) || char.IsSurrogate(character);

    static bool IsAlone(char character) => character is (>= '\u3040' and <= '\u30ff') or (>= '\u3400' and <= '\u9fff') or (>= '\uf900' and <= '\ufaff');
}
