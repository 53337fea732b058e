namespace Salus.Fhir.Xml;

/// <summary>An element of an XML text, before the definitions say what it is in JSON.</summary>
sealed class XmlPart(string name, string path, int line, int column)
{
    public string Name => name;

    /// <summary>Its path as FHIRPath, without positions.</summary>
    public string Path => path;

    public int Line => line;

    public int Column => column;

    public string? Id { get; set; }

    public string? Value { get; set; }

    public string? Url { get; set; }

    /// <summary>For a narrative's div: all of it.</summary>
    public string? Xhtml { get; set; }

    public List<XmlPart> Children { get; } = [];
}

/// <summary>An XML text that is no FHIR, with its place.</summary>
sealed class XmlRefusal(string code, string message, string expression, int line, int column) : Exception(message)
{
    public XmlRefusal(string code, string message, XmlPart part)
        : this(code, message, part.Path, part.Line, part.Column)
    {
    }

    public string Code => code;

    public string Expression => expression;

    public int Line => line;

    public int Column => column;
}
