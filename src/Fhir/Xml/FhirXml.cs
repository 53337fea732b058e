using System.Xml;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Xml;

/// <summary>What writing a resource as XML led to.</summary>
public abstract record XmlWriteOutcome
{
    XmlWriteOutcome() { }

    /// <summary>The XML, in UTF-8.</summary>
    public sealed record Ok(byte[] Utf8) : XmlWriteOutcome;

    /// <summary>The resource holds what FHIR's XML cannot say, and here is what and where.</summary>
    public sealed record Refused(IReadOnlyList<FhirIssue> Issues) : XmlWriteOutcome;
}

/// <summary>FHIR's XML (R4 section 2.6.1), read into the same elements as JSON and written from them.</summary>
public static class FhirXml
{
    /// <summary>
    /// Reads one resource: its elements are those of the JSON that means the same, so that their places are in that, not in the XML.
    /// A document type, a foreign namespace, an unknown element or one that repeats though it may not is refused with its place in the XML.
    /// </summary>
    /// <param name="text">The XML.</param>
    /// <param name="limits">What it may demand.</param>
    /// <param name="isOrdered">Whether elements must stand in the order of their definitions, as the specification has it; otherwise they are read wherever they stand.</param>
    public static FhirReadOutcome Read(ReadOnlyMemory<byte> text, ReadLimits? limits = null, bool isOrdered = false)
    {
        limits ??= ReadLimits.Default;
        if (text.Length > limits.BytesMax)
        {
            return Refuse("too-long", "", $"The text has {text.Length} bytes; at most {limits.BytesMax} are read.", 1, 1);
        }
        try
        {
            var json = XmlToJson.Convert(XmlPartReader.Read(text, limits), FhirDefinitions.R4, isOrdered);
            // An element of XML is up to two levels of JSON: its array and its object.
            return FhirJson.Read(json, limits with { BytesMax = int.MaxValue, DepthMax = (limits.DepthMax * 2) + 1, NodesMax = limits.NodesMax * 2 });
        }
        catch (XmlRefusal refusal)
        {
            return Refuse(refusal.Code, refusal.Expression, refusal.Message, refusal.Line, refusal.Column);
        }
        catch (XmlException broken)
        {
            return Refuse("structure", "", $"The XML is not well formed, or has a document type, which is never read: {broken.Message}", broken.LineNumber, broken.LinePosition);
        }
    }

    /// <summary>Writes a resource.</summary>
    public static XmlWriteOutcome Write(Resource resource) => JsonToXml.Write(resource);

    static FhirReadOutcome.Refused Refuse(string code, string expression, string message, int line, int column) =>
        new([new FhirIssue(IssueSeverity.Fatal, code, expression, message, Math.Max(line, 1), Math.Max(column, 1))]);
}
