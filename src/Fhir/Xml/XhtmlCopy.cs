using System.Text;
using System.Xml;

namespace Salus.Fhir.Xml;

/// <summary>Copies a narrative, with XHTML as the default namespace whatever prefix it was written with.</summary>
static class XhtmlCopy
{
    /// <summary>The element that the reader stands on, as text; afterwards the reader stands behind it.</summary>
    public static string Text(XmlReader reader)
    {
        var text = new StringBuilder();
        using (var writer = XmlWriter.Create(text, new XmlWriterSettings { OmitXmlDeclaration = true, ConformanceLevel = ConformanceLevel.Fragment }))
        {
            Copy(reader, writer);
        }
        return text.ToString();
    }

    /// <summary>The element that the reader stands on; afterwards the reader stands behind it.</summary>
    public static void Copy(XmlReader reader, XmlWriter writer)
    {
        var depth = 0;
        do
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    depth += Start(reader, writer);
                    break;
                case XmlNodeType.EndElement:
                    depth--;
                    writer.WriteFullEndElement();
                    break;
                case XmlNodeType.Text or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                    writer.WriteString(reader.Value);
                    break;
                case XmlNodeType.CDATA:
                    writer.WriteCData(reader.Value);
                    break;
                case XmlNodeType.Comment:
                    writer.WriteComment(reader.Value);
                    break;
            }
        }
        while (reader.Read() && depth > 0);
    }

    static int Start(XmlReader reader, XmlWriter writer)
    {
        var isEmpty = reader.IsEmptyElement;
        writer.WriteStartElement(reader.LocalName, reader.NamespaceURI.Length == 0 ? XmlPartReader.Xhtml : reader.NamespaceURI);
        while (reader.MoveToNextAttribute())
        {
            if (reader.Prefix != "xmlns" && reader.Name != "xmlns")
            {
                writer.WriteAttributeString(reader.Prefix, reader.LocalName, reader.NamespaceURI, reader.Value);
            }
        }
        reader.MoveToElement();
        if (isEmpty)
        {
            writer.WriteEndElement();
        }
        return isEmpty ? 0 : 1;
    }
}
