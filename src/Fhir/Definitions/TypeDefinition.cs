using System.Text;

namespace Salus.Fhir.Definitions;

/// <summary>What a type is.</summary>
public enum TypeKind
{
    /// <summary>Such as Patient.</summary>
    Resource,

    /// <summary>Such as HumanName.</summary>
    DataType,

    /// <summary>Such as date.</summary>
    Primitive,

    /// <summary>A structure inside a resource or type, such as Patient.contact.</summary>
    Backbone,
}

/// <summary>A type of R4 and its elements, the inherited ones included.</summary>
public sealed class TypeDefinition
{
    readonly Lazy<Utf8Map<ElementSlot>> _slots;
    readonly Lazy<int[]> _required;
    readonly Lazy<IReadOnlyList<ElementDefinition>> _elements;

    /// <remarks>Most programs meet few of R4's types, so each is laid out on first use.</remarks>
    internal TypeDefinition(string name, TypeKind kind, bool isAbstract, string? parent, Func<string, TypeDefinition> typeNamed, Func<IReadOnlyList<ElementDefinition>> elements)
    {
        _elements = new(elements);
        _slots = new(() => Slots(typeNamed));
        _required = new(() => [.. Enumerable.Range(0, Elements.Count).Where(position => Elements[position].Min > 0)]);
        Name = name;
        Kind = kind;
        IsAbstract = isAbstract;
        Parent = parent;
        Role = Enum.TryParse<TypeRole>(name, out var role) ? role : TypeRole.Plain;
        Primitive = kind == TypeKind.Primitive ? Enum.Parse<PrimitiveKind>(name, ignoreCase: true) : PrimitiveKind.None;
    }

    /// <summary>The name; a backbone's is its path.</summary>
    public string Name { get; }

    /// <summary>What it is.</summary>
    public TypeKind Kind { get; }

    /// <summary>Whether only its descendants can appear.</summary>
    public bool IsAbstract { get; }

    /// <summary>The type it specialises, if any.</summary>
    public string? Parent { get; }

    /// <summary>The elements in their order.</summary>
    public IReadOnlyList<ElementDefinition> Elements => _elements.Value;

    /// <summary>The invariants of every value of this type, beside those held for any element (ele-1, ext-1).</summary>
    public IReadOnlyList<ConstraintDefinition> Constraints { get; internal init; } = [];

    internal PrimitiveKind Primitive { get; }

    internal TypeRole Role { get; }

    /// <summary>Positions of the elements that must be present.</summary>
    internal int[] Required => _required.Value;

    internal ElementSlot? Slot(ReadOnlySpan<byte> jsonName) => _slots.Value.Find(jsonName);

    Utf8Map<ElementSlot> Slots(Func<string, TypeDefinition> typeNamed)
    {
        var slots = new List<KeyValuePair<byte[], ElementSlot>>();
        for (var position = 0; position < Elements.Count; position++)
        {
            var element = Elements[position];
            foreach (var typeName in element.Types)
            {
                var name = element.IsChoice ? element.Name + char.ToUpperInvariant(typeName[0]) + typeName[1..] : element.Name;
                var type = typeNamed(typeName);
                slots.Add(new(Encoding.UTF8.GetBytes(name), new(element, position, type, name, false)));
                if (type.Kind == TypeKind.Primitive)
                {
                    slots.Add(new(Encoding.UTF8.GetBytes("_" + name), new(element, position, type, name, true)));
                }
            }
        }
        return new(slots);
    }
}

/// <summary>An element of a type.</summary>
/// <param name="Name">The name, without <c>[x]</c>.</param>
/// <param name="Min">How often it must appear.</param>
/// <param name="Max">How often it may appear; 0 for without bound.</param>
/// <param name="IsChoice">Whether its JSON name carries its type, such as valueQuantity.</param>
/// <param name="Types">The types it may have.</param>
/// <param name="Targets">The types a reference may point to; empty for any.</param>
/// <param name="Binding">The value set its codes must be from, if required and expanded by HL7.</param>
public sealed record ElementDefinition(
    string Name,
    int Min,
    int Max,
    bool IsChoice,
    IReadOnlyList<string> Types,
    IReadOnlyList<string> Targets,
    ValueSetDefinition? Binding)
{
    /// <summary>Whether JSON writes it as an array.</summary>
    public bool IsRepeating => Max != 1;

    /// <summary>Which codes it may have, whether the value set is known here or not; null for a free choice.</summary>
    public BindingDefinition? BindingRule { get; internal init; }

    /// <summary>Profiles, one of which its values conform to, such as SimpleQuantity; none for most.</summary>
    public IReadOnlyList<string> Profiles { get; internal init; } = [];

    /// <summary>Whether it can change the meaning of what it stands in.</summary>
    public bool IsModifier { get; internal init; }

    /// <summary>Whether a summary holds it.</summary>
    public bool IsSummary { get; internal init; }

    /// <summary>Its invariants, beside those of its type.</summary>
    public IReadOnlyList<ConstraintDefinition> Constraints { get; internal init; } = [];
}

/// <summary>What a JSON member name stands for in a type.</summary>
sealed record ElementSlot(ElementDefinition Element, int Position, TypeDefinition Type, string JsonName, bool IsShadow)
{
    /// <summary>The name of the other half: the extensions of a primitive, or the primitive of the extensions.</summary>
    public byte[] Twin { get; } = Encoding.UTF8.GetBytes(IsShadow ? JsonName : "_" + JsonName);
}

/// <summary>A value set, expanded.</summary>
public sealed class ValueSetDefinition
{
    readonly Lazy<Utf8Map<string>> _codes;
    readonly Lazy<HashSet<(string System, string Code)>> _pairs;
    readonly Lazy<IReadOnlyList<string>> _list;

    internal ValueSetDefinition(string url, Func<IReadOnlyList<(string System, string Code)>> pairs)
    {
        Url = url;
        _list = new(() => [.. pairs().Select(pair => pair.Code)]);
        _codes = new(() => new([.. Codes.Distinct().Select(code => KeyValuePair.Create(Encoding.UTF8.GetBytes(code), code))]));
        _pairs = new(() => [.. pairs()]);
    }

    /// <summary>Its canonical URL.</summary>
    public string Url { get; }

    /// <summary>Every code in it.</summary>
    public IReadOnlyList<string> Codes => _list.Value;

    /// <summary>Whether a code is in it, whatever its system.</summary>
    public bool Contains(ReadOnlySpan<byte> codeUtf8) => _codes.Value.Find(codeUtf8) is not null;

    /// <summary>Whether a coding is in it.</summary>
    public bool Contains(string system, string code) => _pairs.Value.Contains((system, code));
}

/// <summary>Types that the validator has rules of its own for.</summary>
enum TypeRole
{
    Plain,
    Extension,
    Reference,
    Coding,
    Attachment,
    Period,
    Narrative,
    ElementDefinition,
}

enum PrimitiveKind
{
    None,
    Base64Binary,
    Boolean,
    Canonical,
    Code,
    Date,
    DateTime,
    Decimal,
    Id,
    Instant,
    Integer,
    Markdown,
    Oid,
    PositiveInt,
    String,
    Time,
    UnsignedInt,
    Uri,
    Url,
    Uuid,
    Xhtml,
}
