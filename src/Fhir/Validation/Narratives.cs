using System.Buffers;
using System.Text;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>Whether a narrative's XHTML is well formed and holds only what a page may show safely (R4 section 2.4.0, rules txt-1 and txt-2).</summary>
static class Narratives
{
    /// <summary>Checks one div.</summary>
    public static void Check(ValidationRun run, Element div)
    {
        var bytes = div.IsEscaped ? Encoding.UTF8.GetBytes(div.Text!) : div.Raw;
        var scan = new XhtmlScan(bytes);
        if (scan.Fault() is { } fault)
        {
            run.Add(div, fault.StartsWith("Rule", StringComparison.Ordinal) ? "invariant" : "invalid", fault);
        }
    }
}

/// <summary>One pass over a div's text; no tree is made.</summary>
ref struct XhtmlScan(ReadOnlySpan<byte> text)
{
    const int DepthMax = 256;

    static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789"u8);
    static readonly SearchValues<byte> HexDigits = SearchValues.Create("0123456789abcdefABCDEF"u8);

    readonly ReadOnlySpan<byte> _text = text;
    int _at;
    int _depth;
    bool _says;
    bool _isXhtml;
    string? _fault;

    /// <summary>The first thing that is wrong, or null.</summary>
    public string? Fault()
    {
        Span<Range> open = stackalloc Range[DepthMax];
        SkipSpace();
        while (_at < _text.Length && _fault is null)
        {
            if (_text[_at] == '<')
            {
                Markup(open);
            }
            else if (_depth == 0)
            {
                _fault = "The narrative has text outside its <div>.";
            }
            else
            {
                Characters();
            }
            if (_depth == 0)
            {
                SkipSpace();
            }
        }
        return _fault ?? (_depth > 0 ? $"The element <{Name(open[_depth - 1])}> of the narrative is not closed."
            : !_says ? "Rule txt-2: the narrative needs some content that is not white space."
            : null);
    }

    void Characters()
    {
        var end = _text[_at..].IndexOfAny((byte)'<', (byte)'&');
        var run = end < 0 ? _text[_at..] : _text.Slice(_at, end);
        _says |= run.IndexOfAnyExcept(" \t\r\n"u8) >= 0;
        _at += run.Length;
        if (_at < _text.Length && _text[_at] == '&')
        {
            _says = true;
            Entity(_text[_at..]);
        }
    }

    void Entity(ReadOnlySpan<byte> rest)
    {
        var end = rest.IndexOf((byte)';');
        var name = end is > 1 and < 12 ? rest[1..end] : default;
        if (name.IsEmpty || !(IsNumber(name) || name.SequenceEqual("amp"u8) || name.SequenceEqual("lt"u8) || name.SequenceEqual("gt"u8) || name.SequenceEqual("quot"u8) || name.SequenceEqual("apos"u8)))
        {
            _fault = name.IsEmpty ? "The narrative has an '&' that begins no entity; write &amp;." : $"The entity '&{Encoding.UTF8.GetString(name)};' is not known in XHTML without a DTD; write the character itself.";
            return;
        }
        _at += end + 1;
    }

    static bool IsNumber(ReadOnlySpan<byte> name) =>
        name.Length > 1 && name[0] == '#' && (name[1] == 'x'
            ? name.Length > 2 && name[2..].IndexOfAnyExcept(HexDigits) < 0
            : name[1..].IndexOfAnyExcept(Digits) < 0);

    void Markup(scoped Span<Range> open)
    {
        var rest = _text[_at..];
        if (rest.StartsWith("<!--"u8))
        {
            Skip(rest, "-->"u8, "comment");
        }
        else if (rest.StartsWith("<![CDATA["u8))
        {
            _says = true;
            Skip(rest, "]]>"u8, "CDATA section");
        }
        else if (rest.StartsWith("<!"u8) || rest.StartsWith("<?"u8))
        {
            _fault = "The narrative may hold neither a document type nor processing instructions.";
        }
        else if (rest.StartsWith("</"u8))
        {
            Close(open, rest);
        }
        else
        {
            Open(open);
        }
    }

    void Skip(ReadOnlySpan<byte> rest, ReadOnlySpan<byte> until, string what)
    {
        var end = rest.IndexOf(until);
        _fault = end < 0 ? $"A {what} of the narrative is not closed." : null;
        _at += end + until.Length;
    }

    void Close(scoped Span<Range> open, ReadOnlySpan<byte> rest)
    {
        var end = rest.IndexOf((byte)'>');
        var name = end < 0 ? default : rest[2..end].TrimEnd(" \t\r\n"u8);
        if (_depth == 0 || !_text[open[_depth - 1]].SequenceEqual(name))
        {
            _fault = $"The narrative closes </{Encoding.UTF8.GetString(name)}>, which is not what is open.";
            return;
        }
        _depth--;
        _at += end + 1;
    }

    void Open(scoped Span<Range> open)
    {
        var start = ++_at;
        while (_at < _text.Length && IsNameByte(_text[_at]))
        {
            _at++;
        }
        var name = start.._at;
        var element = Name(name);
        if (_at == start)
        {
            _fault = "The narrative has a '<' that begins no element; write &lt;.";
        }
        else if (_depth == 0 && (start != 1 && _says || element != "div"))
        {
            _fault = "A narrative is a single <div> element.";
        }
        else if (!XhtmlNames.Elements.Contains(element))
        {
            _fault = $"Rule txt-1: the element <{element}> is not allowed in a narrative.";
        }
        else if (_depth == DepthMax - 1)
        {
            _fault = $"The narrative nests deeper than {DepthMax} elements.";
        }
        else
        {
            _says |= element == "img";
            Attributes(open, name, element);
        }
    }

    void Attributes(scoped Span<Range> open, Range name, string element)
    {
        while (_fault is null)
        {
            var before = _at;
            SkipSpace();
            if (_at >= _text.Length)
            {
                _fault = $"The tag <{element}> of the narrative is not closed.";
            }
            else if (_depth == 0 && !_isXhtml && (_text[_at] == '>' || _text[_at..].StartsWith("/>"u8)))
            {
                _fault = "The narrative's <div> is not in the namespace of XHTML; write <div xmlns=\"http://www.w3.org/1999/xhtml\">.";
            }
            else if (_text[_at] == '>')
            {
                _at++;
                open[_depth++] = name;
                return;
            }
            else if (_text[_at..].StartsWith("/>"u8))
            {
                _at += 2;
                return;
            }
            else if (_at == before)
            {
                _fault = $"The tag <{element}> of the narrative is not well formed.";
            }
            else
            {
                Attribute(element);
            }
        }
    }

    void Attribute(string element)
    {
        var start = _at;
        while (_at < _text.Length && IsNameByte(_text[_at]))
        {
            _at++;
        }
        var name = Name(start.._at);
        SkipSpace();
        if (_at == start || _at + 1 >= _text.Length || _text[_at] != '=')
        {
            _fault = $"An attribute of <{element}> in the narrative lacks its value.";
            return;
        }
        _at++;
        SkipSpace();
        var quote = _at < _text.Length ? _text[_at] : (byte)0;
        var length = quote is (byte)'"' or (byte)'\'' ? _text[(_at + 1)..].IndexOf(quote) : -1;
        if (length < 0)
        {
            _fault = $"The attribute {name} of <{element}> in the narrative is not quoted.";
            return;
        }
        var value = _text.Slice(_at + 1, length);
        _at += length + 2;
        var isXhtml = name == "xmlns" && value.SequenceEqual("http://www.w3.org/1999/xhtml"u8);
        _isXhtml |= isXhtml && _depth == 0;
        _fault = name == "xmlns" && !isXhtml ? $"The element <{element}> of the narrative is in a namespace that is not that of XHTML." : XhtmlNames.Fault(element, name, value);
    }

    void SkipSpace()
    {
        while (_at < _text.Length && _text[_at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
        {
            _at++;
        }
    }

    readonly string Name(Range range) => Encoding.UTF8.GetString(_text[range]);

    static bool IsNameByte(byte one) => char.IsAsciiLetterOrDigit((char)one) || one is (byte)':' or (byte)'-' or (byte)'_' or (byte)'.';
}

/// <summary>Which elements, attributes and links a narrative may have.</summary>
static class XhtmlNames
{
    static readonly HashSet<string> Everywhere =
    [
        "title", "style", "class", "id", "lang", "xml:lang", "xml:space", "dir", "accesskey", "tabindex", "span", "width", "align", "valign", "char", "charoff", "abbr", "axis",
        "headers", "scope", "rowspan", "colspan", "xmlns",
    ];

    static readonly HashSet<string> OfElement =
    [
        "a.href", "a.name", "a.charset", "a.type", "a.hreflang", "a.rel", "a.rev", "a.shape", "a.coords", "img.src", "img.alt", "img.longdesc", "img.height", "img.usemap",
        "img.ismap", "img.border", "map.name", "area.shape", "area.coords", "area.href", "area.nohref", "area.alt", "table.summary", "table.border", "table.frame", "table.rules",
        "table.cellspacing", "table.cellpadding", "table.bgcolor", "tr.bgcolor", "td.bgcolor", "th.bgcolor", "td.nowrap", "th.nowrap", "td.height", "th.height", "pre.space", "blockquote.cite", "q.cite", "ins.cite",
        "ins.datetime", "del.cite", "del.datetime", "ol.start", "ol.type", "ul.type", "li.value", "li.type", "hr.size", "hr.noshade", "br.clear", "font.color", "font.size", "font.face",
    ];

    static readonly string[] LinkSchemes = ["http", "https", "ftp", "mailto", "tel", "sms"];

    public static HashSet<string> Elements { get; } =
    [
        "p", "br", "div", "h1", "h2", "h3", "h4", "h5", "h6", "a", "span", "b", "em", "i", "strong", "u", "s", "strike", "small", "big", "tt", "dfn", "q", "var", "abbr",
        "acronym", "cite", "blockquote", "hr", "address", "bdo", "kbd", "sub", "sup", "ul", "ol", "li", "dl", "dt", "dd", "pre", "table", "caption", "colgroup", "col", "thead",
        "tr", "tfoot", "tbody", "th", "td", "code", "samp", "img", "map", "area", "ins", "del", "center", "font",
    ];

    /// <summary>What is wrong with an attribute, or null.</summary>
    public static string? Fault(string element, string name, ReadOnlySpan<byte> value)
    {
        if (!Everywhere.Contains(name) && !name.StartsWith("xmlns:", StringComparison.Ordinal) && !OfElement.Contains($"{element}.{name}"))
        {
            return $"Rule txt-1: the attribute {name} of <{element}> is not allowed in a narrative.";
        }
        if (value.IndexOf((byte)'<') >= 0)
        {
            return $"The attribute {name} of <{element}> in the narrative holds a '<'; write &lt;.";
        }
        return name is "href" or "src" or "longdesc" or "cite" ? LinkFault(element, name, Encoding.UTF8.GetString(value).Trim()) : null;
    }

    static string? LinkFault(string element, string name, string link)
    {
        var colon = link.IndexOf(':', StringComparison.Ordinal);
        var scheme = colon > 0 && link.AsSpan(0, colon).IndexOfAny('/', '?', '#') < 0 ? link[..colon] : null;
        var isImage = element == "img" && name == "src";
        return scheme is null || LinkSchemes.Contains(scheme, StringComparer.OrdinalIgnoreCase) || (isImage && scheme.Equals("data", StringComparison.OrdinalIgnoreCase) && link["data:".Length..].TrimStart().StartsWith("image/", StringComparison.OrdinalIgnoreCase))
            ? null
            : $"The link '{(link.Length > 60 ? link[..60] + "…" : link)}' of <{element}> is of a kind that a narrative may not have.";
    }
}
