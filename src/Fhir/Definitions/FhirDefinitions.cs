using System.Collections.Concurrent;
using System.IO.Compression;
using System.Text;
using System.Text.Json;

namespace Salus.Fhir.Definitions;

/// <summary>The definitions of a FHIR version: types, value sets, search parameters, compartments.</summary>
public sealed class FhirDefinitions
{
    static readonly Lazy<FhirDefinitions> LazyR4 = new(LoadR4);

    readonly Dictionary<string, TypeDefinition> _types;
    readonly Utf8Map<TypeDefinition> _resources;
    readonly ConcurrentDictionary<string, IReadOnlyList<SearchParameterDefinition>> _searchParameters = new();
    readonly Dictionary<string, Dictionary<string, string[]>> _compartments;

    FhirDefinitions(JsonElement source)
    {
        var valueSets = source.GetProperty("valueSets").EnumerateObject().ToDictionary(set => set.Name, ReadValueSet);
        var types = source.GetProperty("types").EnumerateArray().Select(type => ReadType(type, valueSets)).ToList();
        _types = types.ToDictionary(type => type.Name);
        _resources = new([.. types.Where(type => type.Kind == TypeKind.Resource && !type.IsAbstract)
            .Select(type => KeyValuePair.Create(Encoding.UTF8.GetBytes(type.Name), type))]);
        ResourceTypes = [.. types.Where(type => type.Kind == TypeKind.Resource && !type.IsAbstract).Select(type => type.Name)];
        SearchParameters = [.. source.GetProperty("parameters").EnumerateArray().Select(ReadParameter)];
        _compartments = source.GetProperty("compartments").EnumerateObject().ToDictionary(
            compartment => compartment.Name,
            compartment => compartment.Value.EnumerateObject().ToDictionary(type => type.Name, type => Texts(type.Value)));
    }

    /// <summary>FHIR 4.0.1, compiled from HL7's packages; read on first use.</summary>
    public static FhirDefinitions R4 => LazyR4.Value;

    /// <summary>The names of the resource types that can be instantiated.</summary>
    public IReadOnlyList<string> ResourceTypes { get; }

    /// <summary>All search parameters.</summary>
    public IReadOnlyList<SearchParameterDefinition> SearchParameters { get; }

    /// <summary>The type of that name, or null.</summary>
    public TypeDefinition? Type(string name) => _types.GetValueOrDefault(name);

    /// <summary>The search parameters of a resource type, those of Resource and DomainResource included.</summary>
    public IReadOnlyList<SearchParameterDefinition> SearchParametersOf(string resourceType) =>
        Type(resourceType) is { Kind: TypeKind.Resource, IsAbstract: false } ? _searchParameters.GetOrAdd(resourceType, ParametersOf) : [];

    /// <summary>The search parameters that put a resource of a type into a compartment (<c>Patient</c>, <c>Encounter</c>, …).</summary>
    public IReadOnlyList<string> CompartmentParameters(string compartment, string resourceType) =>
        _compartments.GetValueOrDefault(compartment)?.GetValueOrDefault(resourceType) ?? [];

    internal TypeDefinition? Resource(ReadOnlySpan<byte> nameUtf8) => _resources.Find(nameUtf8);

    IReadOnlyList<SearchParameterDefinition> ParametersOf(string type)
    {
        var bases = new HashSet<string>();
        for (var name = type; name is not null && bases.Add(name); name = Type(name)?.Parent)
        {
        }
        return [.. SearchParameters.Where(parameter => parameter.Bases.Any(bases.Contains))];
    }

    static FhirDefinitions LoadR4()
    {
        using var packed = typeof(FhirDefinitions).Assembly.GetManifestResourceStream("r4.bin")
            ?? throw new InvalidOperationException("The assembly lacks its embedded definitions.");
        using var plain = new BrotliStream(packed, CompressionMode.Decompress);
        using var document = JsonDocument.Parse(plain);
        return new FhirDefinitions(document.RootElement);
    }

    static ValueSetDefinition ReadValueSet(JsonProperty set) => new(
        set.Name,
        [.. set.Value.EnumerateObject().SelectMany(system => Texts(system.Value).Select(code => (system.Name, code)))]);

    TypeDefinition ReadType(JsonElement source, Dictionary<string, ValueSetDefinition> valueSets)
    {
        var kind = source.GetProperty("k").GetString() switch
        {
            "r" => TypeKind.Resource,
            "d" => TypeKind.DataType,
            "p" => TypeKind.Primitive,
            _ => TypeKind.Backbone,
        };
        return new TypeDefinition(source.GetProperty("n").GetString()!, kind, source.TryGetProperty("a", out _), Text(source, "p"), named => _types[named])
        {
            Elements = [.. source.GetProperty("e").EnumerateArray().Select(element => ReadElement(element, valueSets))],
        };
    }

    static ElementDefinition ReadElement(JsonElement source, Dictionary<string, ValueSetDefinition> valueSets) => new(
        source.GetProperty("n").GetString()!,
        source.GetProperty("min").GetInt32(),
        source.GetProperty("max").GetInt32(),
        source.TryGetProperty("x", out _),
        Text(source, "c") is { } content ? [content] : Texts(source.GetProperty("t")),
        source.TryGetProperty("r", out var targets) ? Texts(targets) : [],
        Text(source, "b") is { } url ? valueSets[url] : null);

    static SearchParameterDefinition ReadParameter(JsonElement source) => new(
        source.GetProperty("c").GetString()!,
        source.GetProperty("u").GetString()!,
        Texts(source.GetProperty("b")),
        source.GetProperty("t").GetString() is var type and not "string" ? Enum.Parse<SearchType>(type!, ignoreCase: true) : SearchType.Text,
        Text(source, "e") ?? "",
        source.TryGetProperty("r", out var targets) ? Texts(targets) : [])
    {
        Components = source.TryGetProperty("k", out var parts)
            ? [.. parts.EnumerateArray().Select(part => new SearchComponent(part.GetProperty("d").GetString()!, part.GetProperty("e").GetString()!))]
            : [],
    };

    static string? Text(JsonElement source, string name) => source.TryGetProperty(name, out var value) ? value.GetString() : null;

    static string[] Texts(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetString()!)];
}
