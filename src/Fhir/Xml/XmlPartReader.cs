using System.Runtime.InteropServices;
using System.Text;
using System.Xml;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Xml;

/// <summary>Reads an XML text into parts, within limits: no document type, no entities but XML's own, nothing but FHIR's and XHTML's namespaces.</summary>
sealed class XmlPartReader
{
    public const string Fhir = "http://hl7.org/fhir";
    public const string Xhtml = "http://www.w3.org/1999/xhtml";
    const string Instance = "http://www.w3.org/2001/XMLSchema-instance";

    readonly XmlReader _reader;
    readonly ReadLimits _limits;
    int _count;

    XmlPartReader(XmlReader reader, ReadLimits limits) => (_reader, _limits) = (reader, limits);

    /// <exception cref="XmlException">The XML is not well formed.</exception>
    /// <exception cref="XmlRefusal">It holds what FHIR's XML does not.</exception>
    public static XmlPart Read(ReadOnlyMemory<byte> text, ReadLimits limits)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = limits.BytesMax,
            IgnoreProcessingInstructions = true,
        };
        using var stream = MemoryMarshal.TryGetArray(text, out var bytes)
            ? new MemoryStream(bytes.Array!, bytes.Offset, bytes.Count, false)
            : new MemoryStream(text.ToArray(), false);
        using var reader = XmlReader.Create(stream, settings);
        reader.MoveToContent();
        var root = new XmlPartReader(reader, limits).Part("", 0);
        while (reader.Read())
        {
            // What follows the root is read for its errors.
        }
        return root;
    }

    int Line => ((IXmlLineInfo)_reader).LineNumber;

    int Column => ((IXmlLineInfo)_reader).LinePosition;

    /// <summary>The element that the reader stands on; afterwards it stands behind it.</summary>
    XmlPart Part(string parent, int depth)
    {
        var path = parent.Length == 0 ? _reader.LocalName : $"{parent}.{_reader.LocalName}";
        var part = new XmlPart(_reader.LocalName, path, Line, Column);
        if (depth >= _limits.DepthMax)
        {
            throw new XmlRefusal("too-costly", $"The text nests deeper than {_limits.DepthMax} levels.", part);
        }
        if (++_count > _limits.NodesMax)
        {
            throw new XmlRefusal("too-costly", $"The text holds more than {_limits.NodesMax} elements.", part);
        }
        if (_reader.NamespaceURI == Xhtml)
        {
            part.Xhtml = Bounded(Whole(part), part);
            return part;
        }
        if (_reader.NamespaceURI != Fhir)
        {
            throw new XmlRefusal("structure", $"The element '{part.Name}' is in the namespace '{_reader.NamespaceURI}'; FHIR's is {Fhir}.", part);
        }
        Attributes(part);
        if (_reader.IsEmptyElement)
        {
            _reader.Read();
            return part;
        }
        _reader.Read();
        Content(part, depth);
        return part;
    }

    void Content(XmlPart part, int depth)
    {
        while (_reader.NodeType != XmlNodeType.EndElement)
        {
            switch (_reader.NodeType)
            {
                case XmlNodeType.Element:
                    part.Children.Add(Part(part.Path, depth + 1));
                    continue;
                case XmlNodeType.Text or XmlNodeType.CDATA:
                    throw new XmlRefusal("structure", "There is text here; a value in FHIR's XML is in the attribute 'value'.", part.Path, Line, Column);
                case XmlNodeType.None:
                    return;
            }
            _reader.Read();
        }
        _reader.Read();
    }

    void Attributes(XmlPart part)
    {
        while (_reader.MoveToNextAttribute())
        {
            if (_reader.Prefix == "xmlns" || _reader.Name == "xmlns" || _reader.NamespaceURI == Instance)
            {
                continue;
            }
            var value = Bounded(_reader.Value, part);
            switch (_reader.Name)
            {
                case "id":
                    part.Id = value;
                    break;
                case "value":
                    part.Value = value;
                    break;
                case "url":
                    part.Url = value;
                    break;
                default:
                    throw new XmlRefusal("structure", $"FHIR's XML has no attribute '{_reader.Name}'.", part.Path, Line, Column);
            }
        }
        _reader.MoveToElement();
    }

    /// <summary>A narrative as it stands; one under a prefix gets XHTML as its default namespace, as JSON needs it.</summary>
    string Whole(XmlPart part)
    {
        var text = _reader.Prefix.Length == 0 ? _reader.ReadOuterXml() : XhtmlCopy.Text(_reader);
        return text.Length > 0 ? text : throw new XmlRefusal("structure", "The narrative is empty.", part);
    }

    string Bounded(string text, XmlPart part) => Encoding.UTF8.GetByteCount(text) <= _limits.StringBytesMax
        ? text
        : throw new XmlRefusal("too-long", $"The value has more than {_limits.StringBytesMax} bytes.", part);
}
