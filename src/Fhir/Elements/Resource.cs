namespace Salus.Fhir.Elements;

/// <summary>A resource as it was written: a whole text, a Bundle's entry, or a contained resource.</summary>
public sealed class Resource
{
    internal Resource(Element root, string resourceType)
    {
        Root = root;
        ResourceType = resourceType;
        Id = root["id"u8].Text;
    }

    /// <summary>The resource's object.</summary>
    public Element Root { get; }

    /// <summary>The type's name, as written.</summary>
    public string ResourceType { get; }

    /// <summary>The logical id, if it has one.</summary>
    public string? Id { get; }

    /// <summary>meta.versionId, if it has one.</summary>
    public string? VersionId => Root["meta"u8]["versionId"u8].Text;

    /// <summary>meta.lastUpdated as written, if it has one.</summary>
    public string? LastUpdated => Root["meta"u8]["lastUpdated"u8].Text;

    /// <summary>The bytes as written, from <c>{</c> to <c>}</c>.</summary>
    public ReadOnlyMemory<byte> Utf8 => Root.Tree.Utf8.Slice(Root.Offset, Root.Raw.Length);

    /// <summary>The member of that name, or a missing element.</summary>
    public Element this[string name] => Root[name];

    /// <summary>The resource that an object inside this text is, or null when it is none.</summary>
    public static Resource? From(Element element)
    {
        var type = element["resourceType"u8];
        return type.Kind == ElementKind.Text && type.Text is { Length: > 0 } name ? new Resource(element, name) : null;
    }
}
