using System.Xml;

namespace Salus.Fhir.FhirPath;

/// <summary>What the XHTML of a narrative may hold (R4 section 2.4.0).</summary>
static class Narratives
{
    const string Xhtml = "http://www.w3.org/1999/xhtml";
    const int DepthMax = 100;

    static readonly HashSet<string> Elements =
    [
        "div", "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "span", "pre", "blockquote", "address", "a", "img", "map", "area",
        "b", "i", "u", "s", "em", "strong", "small", "big", "tt", "dfn", "code", "samp", "kbd", "var", "cite", "abbr", "acronym", "q", "sub", "sup", "ins", "del", "bdo", "font",
        "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "col", "colgroup",
    ];

    static readonly HashSet<string> Attributes =
    [
        "id", "class", "style", "title", "lang", "xml:lang", "dir", "xmlns", "accesskey", "tabindex", "name", "href", "rel", "rev", "hreflang", "type", "charset",
        "src", "alt", "longdesc", "height", "width", "usemap", "ismap", "shape", "coords", "cite", "datetime", "summary", "border", "frame", "rules", "cellspacing", "cellpadding",
        "align", "valign", "char", "charoff", "span", "abbr", "axis", "headers", "scope", "rowspan", "colspan", "nowrap", "bgcolor", "size", "color", "face", "start", "value", "compact", "noshade", "clear",
    ];

    /// <summary>Whether a text is one <c>div</c> that is not empty and holds neither active content nor anything else that is not allowed.</summary>
    public static bool IsAllowed(string xhtml)
    {
        var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null, ConformanceLevel = ConformanceLevel.Document };
        var hasContent = false;
        try
        {
            using var reader = XmlReader.Create(new StringReader(xhtml), settings);
            while (reader.Read())
            {
                switch (reader.NodeType)
                {
                    case XmlNodeType.Element when reader.Depth > DepthMax || !IsAllowedElement(reader):
                        return false;
                    case XmlNodeType.Element:
                        hasContent |= reader.LocalName == "img";
                        break;
                    case XmlNodeType.Text or XmlNodeType.CDATA:
                        hasContent |= !string.IsNullOrWhiteSpace(reader.Value);
                        break;
                    case XmlNodeType.ProcessingInstruction:
                        return false;
                }
            }
            return hasContent;
        }
        catch (XmlException)
        {
            return false;
        }
    }

    static bool IsAllowedElement(XmlReader reader)
    {
        if (!Elements.Contains(reader.LocalName) || (reader.Depth == 0 && reader.LocalName != "div") || (reader.NamespaceURI.Length > 0 && reader.NamespaceURI != Xhtml))
        {
            return false;
        }
        while (reader.MoveToNextAttribute())
        {
            var isNamespace = reader.Prefix == "xmlns" || reader.Name == "xmlns";
            if ((!isNamespace && !Attributes.Contains(reader.Name)) || reader.Value.TrimStart().StartsWith("javascript:", StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
        }
        reader.MoveToElement();
        return true;
    }
}
