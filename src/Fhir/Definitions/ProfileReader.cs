using System.Globalization;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Definitions;

/// <summary>Makes the rules of a profile out of the snapshot of its StructureDefinition, leaving out what the type itself demands.</summary>
sealed class ProfileReader(FhirDefinitions definitions)
{
    static readonly HashSet<string> HeldEverywhere = ["ele-1", "ext-1"];

    readonly Dictionary<string, ProfileElement> _byId = [];

    /// <summary>The profile, or null with the reason why the resource holds none.</summary>
    public static ProfileDefinition? Read(FhirDefinitions definitions, Resource source, out string? reason)
    {
        var url = source["url"].Text;
        var type = source["type"].Text;
        var elements = source["snapshot"]["element"];
        reason = url is null ? "it has no url"
            : type is null || definitions.Type(type) is null ? $"R4 has no type '{type}'"
            : elements.Kind != ElementKind.Array ? "it has no snapshot"
            : null;
        if (reason is not null)
        {
            return null;
        }
        var root = new ProfileReader(definitions).Tree(elements, definitions.Type(type!)!, out reason);
        return root is null ? null : new ProfileDefinition(
            url!, source["version"].Text, type!, source["baseDefinition"].Text, Contexts(source["context"]), root)
        {
            IsModifier = elements.Items.FirstOrMissing["isModifier"u8].Kind == ElementKind.True,
        };
    }

    static List<ExtensionContext> Contexts(Element list)
    {
        var contexts = new List<ExtensionContext>();
        foreach (var context in list.Items)
        {
            contexts.Add(new(context["type"u8].Text ?? "element", context["expression"u8].Text ?? ""));
        }
        return contexts;
    }

    ProfileElement? Tree(Element elements, TypeDefinition type, out string? reason)
    {
        ProfileElement? root = null;
        foreach (var source in elements.Items)
        {
            var id = source["id"u8].Text;
            if (id is null || source["path"u8].Text is null)
            {
                reason = "an element of its snapshot lacks an id or a path";
                return null;
            }
            var element = One(source, id);
            _byId[id] = element;
            if (root is null)
            {
                root = element;
            }
            else if (!Attach(element))
            {
                reason = $"its element {id} has no parent";
                return null;
            }
        }
        reason = root is null ? "its snapshot is empty" : null;
        if (root is not null)
        {
            Thin(root, type, null);
        }
        return root;
    }

    bool Attach(ProfileElement element)
    {
        // Some of R4's own profiles name slices of what they do not slice; those stand for the element itself
        if (element.Slice is { } slice && _byId.TryGetValue(element.Id[..element.Id.LastIndexOf(slice.Contains('/', StringComparison.Ordinal) ? '/' : ':')], out var sliced))
        {
            sliced.SliceList.Add(element);
            return true;
        }
        var dot = element.Id.LastIndexOf('.');
        if (dot < 0 || !_byId.TryGetValue(element.Id[..dot], out var parent))
        {
            return false;
        }
        parent.ChildList.Add(element);
        return true;
    }

    static ProfileElement One(Element source, string id)
    {
        var segment = id[(id.LastIndexOf('.') + 1)..];
        var colon = segment.IndexOf(':', StringComparison.Ordinal);
        var max = source["max"u8].Text;
        return new ProfileElement
        {
            Id = id,
            Name = (colon < 0 ? segment : segment[..colon]).Replace("[x]", "", StringComparison.Ordinal),
            Slice = colon < 0 ? null : segment[(colon + 1)..],
            Min = (int)(source["min"u8].Number ?? 0),
            Max = max is null or "*" ? int.MaxValue : int.Parse(max, CultureInfo.InvariantCulture),
            Types = Types(source["type"u8]),
            Fixed = Choice(source, "fixed"u8),
            Pattern = Choice(source, "pattern"u8),
            MinValue = Choice(source, "minValue"u8),
            MaxValue = Choice(source, "maxValue"u8),
            LengthMax = (int)(source["maxLength"u8].Number ?? 0),
            Binding = Binding(source["binding"u8]),
            Constraints = Constraints(source["constraint"u8]),
            Slicing = Slicing(source["slicing"u8]),
        };
    }

    static Element Choice(Element source, ReadOnlySpan<byte> prefix)
    {
        foreach (var member in source.Children)
        {
            var name = member.NameUtf8;
            if (name.StartsWith(prefix) && name.Length > prefix.Length && char.IsAsciiLetterUpper((char)name[prefix.Length]))
            {
                return member;
            }
        }
        return default;
    }

    static List<ProfileType> Types(Element list)
    {
        var types = new List<ProfileType>();
        foreach (var type in list.Items)
        {
            types.Add(new(TypeCode(type), Canonicals(type["profile"u8]), Canonicals(type["targetProfile"u8])));
        }
        return types;
    }

    static string TypeCode(Element type)
    {
        var code = type["code"u8].Text ?? "";
        if (!code.StartsWith("http://hl7.org/fhirpath/", StringComparison.Ordinal))
        {
            return code;
        }
        foreach (var extension in type["extension"u8].Items)
        {
            if (extension["valueUrl"u8].Text is { } named)
            {
                return named;
            }
        }
        return "string";
    }

    static List<string> Canonicals(Element list)
    {
        var urls = new List<string>();
        foreach (var item in list.Items)
        {
            if (item.Text is { } canonical)
            {
                urls.Add(FhirDefinitions.WithoutVersion(canonical));
            }
        }
        return urls;
    }

    static BindingDefinition? Binding(Element source) =>
        source["valueSet"u8].Text is { } url && source["strength"u8].Text is ("required" or "extensible") and var strength
            ? new(FhirDefinitions.WithoutVersion(url), strength == "required")
            : null;

    static List<ConstraintDefinition> Constraints(Element list)
    {
        var constraints = new List<ConstraintDefinition>();
        foreach (var source in list.Items)
        {
            if (source["key"u8].Text is { } key && source["expression"u8].Text is { } expression && !HeldEverywhere.Contains(key))
            {
                constraints.Add(new(key, source["severity"u8].Is("warning"u8), source["human"u8].Text ?? "", expression));
            }
        }
        return constraints;
    }

    static SlicingDefinition? Slicing(Element source)
    {
        if (source.IsMissing)
        {
            return null;
        }
        var discriminators = new List<Discriminator>();
        foreach (var one in source["discriminator"u8].Items)
        {
            discriminators.Add(new(one["type"u8].Text ?? "value", one["path"u8].Text ?? "$this"));
        }
        var rules = source["rules"u8].Text switch
        {
            "closed" => SlicingRules.Closed,
            "openAtEnd" => SlicingRules.OpenAtEnd,
            _ => SlicingRules.Open,
        };
        return new(discriminators, source["ordered"u8].Kind == ElementKind.True, rules);
    }

    /// <summary>Takes out what the type demands anyway, so that a walk by the profile meets only what is its own.</summary>
    void Thin(ProfileElement element, TypeDefinition? type, ElementDefinition? inBase)
    {
        var held = new HashSet<string>(type?.Constraints.Select(one => one.Key) ?? []);
        held.UnionWith(inBase?.Constraints.Select(one => one.Key) ?? []);
        held.UnionWith(Ancestors(type));
        element.Constraints = [.. element.Constraints.Where(one => !held.Contains(one.Key))];
        if (element.Binding is { } binding && inBase?.BindingRule is { } same && same == binding)
        {
            element.Binding = null;
        }
        if (inBase is not null)
        {
            element.NarrowsTypes = element.Types.Count > 0 && inBase.IsChoice && element.Types.Select(one => one.Code).Distinct().Count() < inBase.Types.Count;
        }
        foreach (var slice in element.Slices)
        {
            Thin(slice, TypeOf(slice) ?? type, inBase);
        }
        foreach (var child in element.Children)
        {
            var (childBase, isChoice) = BaseOf(type, child.Name);
            var childType = childBase is null ? null : isChoice || childBase.Types.Count > 1 ? TypeOf(child) : definitions.Type(childBase.Types[0]);
            Thin(child, childType, childBase);
        }
        element.ChildList.RemoveAll(child => SaysNothing(child, BaseOf(type, child.Name).Element));
    }

    IEnumerable<string> Ancestors(TypeDefinition? type)
    {
        for (var parent = type?.Parent; parent is not null && definitions.Type(parent) is { } ancestor; parent = ancestor.Parent)
        {
            foreach (var constraint in ancestor.Constraints)
            {
                yield return constraint.Key;
            }
        }
    }

    static (ElementDefinition? Element, bool IsChoice) BaseOf(TypeDefinition? type, string name)
    {
        var element = type?.Elements.FirstOrDefault(one => one.Name == name)
            ?? type?.Elements.FirstOrDefault(one => one.IsChoice && name.StartsWith(one.Name, StringComparison.Ordinal));
        return (element, element?.IsChoice ?? false);
    }

    TypeDefinition? TypeOf(ProfileElement element) => element.Types.Count == 1 ? definitions.Type(element.Types[0].Code) : null;

    static bool SaysNothing(ProfileElement element, ElementDefinition? inBase) =>
        inBase is not null
        && element.Children.Count == 0 && element.Slices.Count == 0
        && element.Slicing is not { Rules: SlicingRules.Closed }
        && element.Fixed.IsMissing && element.Pattern.IsMissing && element.MinValue.IsMissing && element.MaxValue.IsMissing
        && element.LengthMax == 0 && element.Binding is null && element.Constraints.Count == 0
        && element.Min <= inBase.Min && element.Max >= (inBase.Max == 0 ? int.MaxValue : inBase.Max)
        && !element.NarrowsTypes
        && element.Types.All(type => type.Profiles.Count == 0 && !NarrowsTargets(type, inBase));

    static bool NarrowsTargets(ProfileType type, ElementDefinition inBase) =>
        type.TargetProfiles.Count > 0
        && !type.TargetProfiles.All(target => target.StartsWith(FhirDefinitions.BaseUrl, StringComparison.Ordinal) && target.LastIndexOf('/') == FhirDefinitions.BaseUrl.Length - 1
            && inBase.Targets.Contains(target[FhirDefinitions.BaseUrl.Length..]) && type.TargetProfiles.Count >= inBase.Targets.Count);
}
