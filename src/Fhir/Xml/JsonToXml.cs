using System.Text;
using System.Xml;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Xml;

/// <summary>Writes a resource's elements as XML, in the order of their definitions.</summary>
sealed class JsonToXml
{
    readonly XmlWriter _xml;
    readonly Element _root;

    JsonToXml(XmlWriter xml, Element root) => (_xml, _root) = (xml, root);

    public static XmlWriteOutcome Write(Resource resource)
    {
        using var output = new MemoryStream();
        var settings = new XmlWriterSettings { Encoding = new UTF8Encoding(false), NewLineHandling = NewLineHandling.Entitize, CheckCharacters = true };
        try
        {
            using (var xml = XmlWriter.Create(output, settings))
            {
                new JsonToXml(xml, resource.Root).Resource(resource.Root);
            }
            return new XmlWriteOutcome.Ok(output.ToArray());
        }
        catch (XmlRefusal refusal)
        {
            return new XmlWriteOutcome.Refused([new(IssueSeverity.Error, refusal.Code, refusal.Expression, refusal.Message, refusal.Line, refusal.Column)]);
        }
    }

    void Resource(Element element)
    {
        var name = element["resourceType"u8];
        if (FhirDefinitions.R4.Resource(name.Raw) is not { } type)
        {
            throw Refuse("structure", "This is no resource of a known type.", element);
        }
        _xml.WriteStartElement(type.Name, XmlPartReader.Fhir);
        Members(element, type);
        _xml.WriteEndElement();
    }

    /// <summary>A member and what stands beside it.</summary>
    readonly record struct Member(ElementSlot Slot, Element Value, Element Shadow);

    void Members(Element element, TypeDefinition type)
    {
        var members = new List<Member>();
        foreach (var child in element.Children)
        {
            if (type.Slot(child.NameUtf8) is not { } slot)
            {
                if (type.Kind == TypeKind.Resource && child.NameUtf8.SequenceEqual("resourceType"u8))
                {
                    continue;
                }
                throw Refuse("structure", $"{type.Name} has no element '{child.Name}'.", child);
            }
            if (!slot.IsShadow)
            {
                members.Add(new(slot, child, slot.Type.Kind == TypeKind.Primitive ? element[slot.Twin] : default));
            }
            else if (element[slot.Twin].IsMissing)
            {
                members.Add(new(slot, default, child));
            }
        }
        foreach (var member in members.OrderBy(member => member.Slot.Position))
        {
            if (!IsAttribute(member.Slot, type))
            {
                Repetitions(member);
            }
        }
    }

    static bool IsAttribute(ElementSlot slot, TypeDefinition type) =>
        (slot.JsonName == "id" && type.Kind != TypeKind.Resource) || (slot.JsonName == "url" && type.Name == "Extension");

    void Repetitions(Member member)
    {
        if (member.Value.Kind != ElementKind.Array && member.Shadow.Kind != ElementKind.Array)
        {
            One(member.Slot, member.Value, member.Shadow);
            return;
        }
        var value = member.Value.Items.GetEnumerator();
        var shadow = member.Shadow.Items.GetEnumerator();
        while (true)
        {
            var (hasValue, hasShadow) = (value.MoveNext(), shadow.MoveNext());
            if (!hasValue && !hasShadow)
            {
                return;
            }
            One(member.Slot, hasValue ? value.Current : default, hasShadow ? shadow.Current : default);
        }
    }

    void One(ElementSlot slot, Element value, Element shadow)
    {
        if (slot.Type.Primitive == PrimitiveKind.Xhtml)
        {
            Narrative(value);
            return;
        }
        _xml.WriteStartElement(slot.JsonName, XmlPartReader.Fhir);
        if (slot.Type.Kind == TypeKind.Primitive)
        {
            Primitive(slot.Type, value, shadow);
        }
        else if (value.Kind != ElementKind.Complex)
        {
            throw Refuse("structure", $"'{slot.JsonName}' is a structure: an object is needed.", value);
        }
        else if (slot.Type.Kind == TypeKind.Resource)
        {
            Resource(value);
        }
        else
        {
            Attribute("id", value["id"u8]);
            if (slot.Type.Name == "Extension")
            {
                Attribute("url", value["url"u8]);
            }
            Members(value, slot.Type);
        }
        _xml.WriteEndElement();
    }

    void Primitive(TypeDefinition type, Element value, Element shadow)
    {
        Attribute("id", shadow["id"u8]);
        if (value.Text is not null)
        {
            Attribute("value", value);
        }
        else if (value.Kind is ElementKind.Complex or ElementKind.Array)
        {
            throw Refuse("structure", $"A value of type {type.Name} is no structure.", value);
        }
        if (shadow.Kind == ElementKind.Complex)
        {
            Members(shadow, type);
        }
    }

    void Attribute(string name, Element value)
    {
        if (value.Text is not { } text)
        {
            return;
        }
        try
        {
            _xml.WriteAttributeString(name, XmlConvert.VerifyXmlChars(text));
        }
        catch (XmlException)
        {
            throw Refuse("value", "The value holds a character that XML cannot write.", value);
        }
    }

    /// <summary>The narrative is XML already, and is written as it stands once it has been read and found whole.</summary>
    void Narrative(Element value)
    {
        try
        {
            var settings = new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, XmlResolver = null };
            using var reader = XmlReader.Create(new StringReader(value.Text ?? ""), settings);
            reader.MoveToContent();
            if (reader.LocalName != "div" || reader.NamespaceURI is not ("" or XmlPartReader.Xhtml))
            {
                throw Refuse("structure", "A narrative is a <div> of XHTML.", value);
            }
            XhtmlCopy.Copy(reader, _xml);
            reader.MoveToContent();
        }
        catch (XmlException broken)
        {
            throw Refuse("structure", $"The narrative is not well formed: {broken.Message}", value);
        }
    }

    XmlRefusal Refuse(string code, string message, Element at)
    {
        var element = at.IsMissing ? _root : at;
        var (line, column) = element.Place;
        return new(code, message, element.ExpressionFrom(_root), line, column);
    }
}
