using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Salus.Fhir.Terminology;

namespace Salus.Fhir.Definitions;

/// <summary>The definitions of a FHIR version: types, value sets, search parameters, compartments.</summary>
public sealed class FhirDefinitions
{
    /// <summary>What the canonical URLs of R4's own types and profiles begin with.</summary>
    public const string BaseUrl = "http://hl7.org/fhir/StructureDefinition/";

    static readonly Lazy<FhirDefinitions> LazyR4 = new(LoadR4);

    readonly Dictionary<string, TypeDefinition> _types;
    readonly Utf8Map<TypeDefinition> _resources;
    readonly ConcurrentDictionary<string, IReadOnlyList<SearchParameterDefinition>> _searchParameters = new();
    readonly Dictionary<string, Dictionary<string, string[]>> _compartments;

    readonly Lazy<IReadOnlyList<SearchParameterDefinition>> _allParameters;
    readonly CanonicalStore _profileSources;
    readonly ConcurrentDictionary<string, ProfileDefinition?> _profiles = new(StringComparer.Ordinal);

    FhirDefinitions(JsonElement source, DefinitionsFile file)
    {
        var valueSets = source.GetProperty("valueSets").EnumerateObject().ToDictionary(set => set.Name, ReadValueSet);
        var types = source.GetProperty("types").EnumerateArray().Select(type => ReadType(type, valueSets)).ToList();
        _types = types.ToDictionary(type => type.Name);
        _resources = new([.. types.Where(type => type.Kind == TypeKind.Resource && !type.IsAbstract)
            .Select(type => KeyValuePair.Create(Encoding.UTF8.GetBytes(type.Name), type))]);
        ResourceTypes = [.. types.Where(type => type.Kind == TypeKind.Resource && !type.IsAbstract).Select(type => type.Name)];
        _allParameters = new(() => [.. source.GetProperty("parameters").EnumerateArray().Select(ReadParameter)]);
        _compartments = source.GetProperty("compartments").EnumerateObject().ToDictionary(
            compartment => compartment.Name,
            compartment => compartment.Value.EnumerateObject().ToDictionary(type => type.Name, type => Texts(type.Value)));
        _profileSources = CanonicalStore.Packed(source.GetProperty("profiles"), new(() => file.Part(1)));
        Terminology = new TerminologyService(CanonicalStore.Packed(source.GetProperty("terms"), new(() => file.Part(2))));
    }

    FhirDefinitions(FhirDefinitions under, IReadOnlyList<DefinitionPackage> packages, Predicate<SearchParameterDefinition>? takes)
    {
        _types = under._types;
        _resources = under._resources;
        _compartments = under._compartments;
        ResourceTypes = under.ResourceTypes;
        _allParameters = new(() => [.. under.SearchParameters, .. packages.SelectMany(package => package.SearchParameters).Where(parameter => takes?.Invoke(parameter) != false)]);
        var resources = packages.SelectMany(package => package.Resources).ToList();
        _profileSources = under._profileSources.With(resources.Where(resource => resource.ResourceType == "StructureDefinition"));
        Terminology = under.Terminology.With(resources.Where(resource => resource.ResourceType is "ValueSet" or "CodeSystem"));
    }

    /// <summary>FHIR 4.0.1, compiled from HL7's packages; read on first use.</summary>
    public static FhirDefinitions R4 => LazyR4.Value;

    /// <summary>The names of the resource types that can be instantiated.</summary>
    public IReadOnlyList<string> ResourceTypes { get; }

    /// <summary>Code systems and value sets.</summary>
    public TerminologyService Terminology { get; }

    /// <summary>The canonical URLs of the profiles and extensions known.</summary>
    public IEnumerable<string> ProfileUrls => _profileSources.Urls;

    /// <summary>All search parameters.</summary>
    public IReadOnlyList<SearchParameterDefinition> SearchParameters => _allParameters.Value;

    /// <summary>The type of that name, or null.</summary>
    public TypeDefinition? Type(string name) => _types.GetValueOrDefault(name);

    /// <summary>The profile or extension of a canonical URL, its version aside; null when none is known or it cannot be used.</summary>
    public ProfileDefinition? Profile(string canonical) =>
        !_profileSources.Has(WithoutVersion(canonical), "StructureDefinition") ? null : _profiles.GetOrAdd(WithoutVersion(canonical), url => _profileSources.Find(url, "StructureDefinition") is { } source ? ProfileReader.Read(this, source, out _) : null);

    /// <summary>These definitions with more packages on top; what a package defines again counts as the package says.</summary>
    /// <param name="packages">The packages, the last of which counts most.</param>
    /// <param name="takes">Which of their search parameters count; all when it is not given.</param>
    public FhirDefinitions With(IReadOnlyList<DefinitionPackage> packages, Predicate<SearchParameterDefinition>? takes = null) => new(this, packages, takes);

    /// <summary>The URL of a canonical reference: what stands before <c>|</c>.</summary>
    public static string WithoutVersion(string canonical) =>
        canonical.IndexOf('|', StringComparison.Ordinal) is var bar and >= 0 ? canonical[..bar] : canonical;

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
        var file = DefinitionsFile.Embedded();
        // The document lives on: most programs meet few of R4's types and value sets, so each is read from it on first use
        return new FhirDefinitions(JsonDocument.Parse(file.Part(0)).RootElement, file);
    }

    static ValueSetDefinition ReadValueSet(JsonProperty set) => new(
        set.Name,
        () => [.. set.Value.EnumerateObject().SelectMany(system => Texts(system.Value).Select(code => (system.Name, code)))]);

    TypeDefinition ReadType(JsonElement source, Dictionary<string, ValueSetDefinition> valueSets)
    {
        var kind = source.GetProperty("k").GetString() switch
        {
            "r" => TypeKind.Resource,
            "d" => TypeKind.DataType,
            "p" => TypeKind.Primitive,
            _ => TypeKind.Backbone,
        };
        return new TypeDefinition(source.GetProperty("n").GetString()!, kind, source.TryGetProperty("a", out _), Text(source, "p"), named => _types[named],
            () => [.. source.GetProperty("e").EnumerateArray().Select(element => ReadElement(element, valueSets))])
        {
            Constraints = Constraints(source),
        };
    }

    static ElementDefinition ReadElement(JsonElement source, Dictionary<string, ValueSetDefinition> valueSets) => new(
        source.GetProperty("n").GetString()!,
        source.GetProperty("min").GetInt32(),
        source.GetProperty("max").GetInt32(),
        source.TryGetProperty("x", out _),
        Text(source, "c") is { } content ? [content] : Texts(source.GetProperty("t")),
        source.TryGetProperty("r", out var targets) ? Texts(targets) : [],
        Text(source, "b") is { } url ? valueSets[url] : null)
    {
        BindingRule = Text(source, "v") is { } set ? new(WithoutVersion(set), !source.TryGetProperty("o", out _)) : null,
        Profiles = source.TryGetProperty("f", out var profiles) ? Texts(profiles) : [],
        IsModifier = source.TryGetProperty("m", out _),
        IsSummary = source.TryGetProperty("s", out _),
        Constraints = Constraints(source),
    };

    static ConstraintDefinition[] Constraints(JsonElement source) => source.TryGetProperty("i", out var list)
        ? [.. list.EnumerateArray().Select(one => new ConstraintDefinition(
            one.GetProperty("k").GetString()!, one.TryGetProperty("w", out _), one.GetProperty("h").GetString()!, one.GetProperty("x").GetString()!))]
        : [];

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
