using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Validation;

/// <summary>A value as a profile sees it, with its type.</summary>
/// <param name="Value">The value; the extensions of a primitive that has no value.</param>
/// <param name="Type">Its type.</param>
readonly record struct ProfileItem(Element Value, TypeDefinition Type)
{
    /// <summary>The values of the element of that name, each of a choice's types included.</summary>
    public List<ProfileItem> Collect(string name, FhirDefinitions definitions)
    {
        var items = new List<ProfileItem>();
        foreach (var member in Value.Children)
        {
            if (Type.Slot(member.NameUtf8) is not { } slot || (slot.Element.Name != name && slot.JsonName != name))
            {
                continue;
            }
            if (slot.IsShadow && !Value[slot.Twin].IsMissing)
            {
                continue;
            }
            foreach (var item in member.Items)
            {
                items.Add(new(item, TypeOf(item, slot.Type, definitions)));
            }
        }
        return items;
    }

    static TypeDefinition TypeOf(Element item, TypeDefinition declared, FhirDefinitions definitions) =>
        declared.Kind == TypeKind.Resource && item["resourceType"u8] is { Kind: ElementKind.Text } named && definitions.Resource(named.Raw) is { } type ? type : declared;

    /// <summary>The resource type that a reference's text names, or null.</summary>
    public static string? NamedType(string reference, FhirDefinitions definitions)
    {
        var history = reference.IndexOf("/_history/", StringComparison.Ordinal);
        var plain = history < 0 ? reference : reference[..history];
        var slash = plain.LastIndexOf('/');
        if (slash <= 0)
        {
            return null;
        }
        var name = plain[(plain.LastIndexOf('/', slash - 1) + 1)..slash];
        return definitions.Resource(Encoding.UTF8.GetBytes(name))?.Name;
    }
}
