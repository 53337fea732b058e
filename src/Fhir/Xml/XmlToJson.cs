using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Salus.Fhir.Definitions;

namespace Salus.Fhir.Xml;

/// <summary>Writes the parts of an XML text as FHIR's JSON, by the definitions of their types.</summary>
sealed class XmlToJson
{
    const int DepthMax = 512;

    readonly FhirDefinitions _definitions;
    readonly Utf8JsonWriter _json;

    readonly bool _isOrdered;

    XmlToJson(FhirDefinitions definitions, Utf8JsonWriter json, bool isOrdered) => (_definitions, _json, _isOrdered) = (definitions, json, isOrdered);

    /// <exception cref="XmlRefusal">The text holds what the definitions do not know.</exception>
    public static ReadOnlyMemory<byte> Convert(XmlPart root, FhirDefinitions definitions, bool isOrdered)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = DepthMax }))
        {
            new XmlToJson(definitions, json, isOrdered).Resource(root);
        }
        return output.WrittenMemory;
    }

    void Resource(XmlPart part)
    {
        if (part.Xhtml is not null || _definitions.Resource(Encoding.UTF8.GetBytes(part.Name)) is not { } type)
        {
            throw new XmlRefusal("structure", $"'{part.Name}' is no type of resource.", part);
        }
        if (part.Id is not null || part.Value is not null || part.Url is not null)
        {
            throw new XmlRefusal("structure", "A resource has no attributes: its id is an element.", part);
        }
        _json.WriteStartObject();
        _json.WriteString("resourceType", part.Name);
        Members(part, type);
        _json.WriteEndObject();
    }

    void Structure(XmlPart part, TypeDefinition type)
    {
        if (part.Value is not null)
        {
            throw new XmlRefusal("structure", $"{type.Name} is a structure and has no attribute 'value'.", part);
        }
        _json.WriteStartObject();
        Attributes(part, type);
        Members(part, type);
        _json.WriteEndObject();
    }

    void Attributes(XmlPart part, TypeDefinition type)
    {
        if (part.Id is not null)
        {
            _json.WriteString("id", part.Id);
        }
        if (part.Url is not null)
        {
            if (type.Name != "Extension")
            {
                throw new XmlRefusal("structure", $"{type.Name} has no attribute 'url'.", part);
            }
            _json.WriteString("url", part.Url);
        }
    }

    static void CheckOrder(XmlPart part, TypeDefinition type)
    {
        var last = -1;
        foreach (var child in part.Children)
        {
            var position = type.Slot(Encoding.UTF8.GetBytes(child.Name))?.Position ?? last;
            if (position < last)
            {
                throw new XmlRefusal("structure", $"'{child.Name}' is out of its order: in XML it stands before what precedes it here.", child);
            }
            last = position;
        }
    }

    /// <summary>Repetitions belong together wherever they stand.</summary>
    void Members(XmlPart part, TypeDefinition type)
    {
        if (_isOrdered)
        {
            CheckOrder(part, type);
        }
        foreach (var repetitions in part.Children.GroupBy(child => child.Name))
        {
            var slot = type.Slot(Encoding.UTF8.GetBytes(repetitions.Key));
            if (slot is null || slot.IsShadow || IsAttribute(slot, type))
            {
                throw new XmlRefusal("structure", $"{type.Name} has no element '{repetitions.Key}'.", repetitions.First());
            }
            Member([.. repetitions], slot);
        }
    }

    /// <summary>The id of what is no resource, and the url of an extension, are attributes in XML.</summary>
    static bool IsAttribute(ElementSlot slot, TypeDefinition type) =>
        (slot.JsonName == "id" && type.Kind != TypeKind.Resource) || (slot.JsonName == "url" && type.Name == "Extension");

    void Member(List<XmlPart> parts, ElementSlot slot)
    {
        if (!slot.Element.IsRepeating && parts.Count > 1)
        {
            throw new XmlRefusal("structure", $"'{slot.JsonName}' appears {parts.Count} times; it may appear once.", parts[1]);
        }
        if (slot.Type.Kind == TypeKind.Primitive)
        {
            Primitives(parts, slot);
            return;
        }
        _json.WritePropertyName(slot.JsonName);
        if (slot.Element.IsRepeating)
        {
            _json.WriteStartArray();
        }
        foreach (var part in parts)
        {
            if (part.Xhtml is not null)
            {
                throw new XmlRefusal("structure", $"'{part.Name}' is not XHTML.", part);
            }
            if (slot.Type.Kind != TypeKind.Resource)
            {
                Structure(part, slot.Type);
            }
            else if (part.Children.Count == 1 && part.Id is null && part.Value is null)
            {
                Resource(part.Children[0]);
            }
            else
            {
                throw new XmlRefusal("structure", $"'{part.Name}' holds one resource.", part);
            }
        }
        if (slot.Element.IsRepeating)
        {
            _json.WriteEndArray();
        }
    }

    void Primitives(List<XmlPart> parts, ElementSlot slot)
    {
        foreach (var part in parts)
        {
            if (part.Value is null && part.Xhtml is null && part.Id is null && part.Children.Count == 0)
            {
                throw new XmlRefusal("required", $"'{part.Name}' has neither a value nor extensions.", part);
            }
            if (part.Xhtml is not null != (slot.Type.Primitive == PrimitiveKind.Xhtml) || part.Url is not null)
            {
                throw new XmlRefusal("structure", $"'{part.Name}' is of type {slot.Type.Name}.", part);
            }
        }
        var isRepeating = slot.Element.IsRepeating;
        if (parts.Any(part => part.Value is not null || part.Xhtml is not null))
        {
            _json.WritePropertyName(slot.JsonName);
            All(parts, isRepeating, part => Value(part, slot.Type.Primitive));
        }
        if (parts.Any(HasShadow))
        {
            _json.WritePropertyName("_" + slot.JsonName);
            All(parts, isRepeating, part => Shadow(part, slot.Type));
        }
    }

    void All(List<XmlPart> parts, bool isRepeating, Action<XmlPart> write)
    {
        if (!isRepeating)
        {
            write(parts[0]);
            return;
        }
        _json.WriteStartArray();
        parts.ForEach(write);
        _json.WriteEndArray();
    }

    static bool HasShadow(XmlPart part) => part.Xhtml is null && (part.Id is not null || part.Children.Count > 0);

    void Shadow(XmlPart part, TypeDefinition type)
    {
        if (!HasShadow(part))
        {
            _json.WriteNullValue();
            return;
        }
        _json.WriteStartObject();
        Attributes(part, type);
        Members(part, type);
        _json.WriteEndObject();
    }

    /// <summary>A number or truth value keeps its digits; one that is none stays a string, for the validator to refuse.</summary>
    void Value(XmlPart part, PrimitiveKind kind)
    {
        var text = part.Xhtml ?? part.Value;
        switch (kind)
        {
            case var _ when text is null:
                _json.WriteNullValue();
                break;
            case PrimitiveKind.Boolean when text is "true" or "false":
                _json.WriteBooleanValue(text == "true");
                break;
            case PrimitiveKind.Integer or PrimitiveKind.PositiveInt or PrimitiveKind.UnsignedInt or PrimitiveKind.Decimal when JsonNumber.IsOne(text):
                _json.WriteRawValue(text, skipInputValidation: true);
                break;
            default:
                _json.WriteStringValue(text);
                break;
        }
    }
}

/// <summary>The grammar of JSON's numbers.</summary>
static class JsonNumber
{
    public static bool IsOne(string text)
    {
        var at = text.StartsWith('-') ? 1 : 0;
        var whole = Digits(text, at);
        if (whole == 0 || (whole > 1 && text[at] == '0'))
        {
            return false;
        }
        at += whole;
        if (at < text.Length && text[at] == '.')
        {
            var fraction = Digits(text, at + 1);
            if (fraction == 0)
            {
                return false;
            }
            at += 1 + fraction;
        }
        if (at < text.Length && text[at] is 'e' or 'E')
        {
            at += at + 1 < text.Length && text[at + 1] is '+' or '-' ? 2 : 1;
            var exponent = Digits(text, at);
            if (exponent == 0)
            {
                return false;
            }
            at += exponent;
        }
        return at == text.Length;
    }

    static int Digits(string text, int start)
    {
        var at = start;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }
        return at - start;
    }
}
