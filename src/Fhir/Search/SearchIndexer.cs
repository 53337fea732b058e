using System.Collections.Frozen;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;

namespace Salus.Fhir.Search;

/// <summary>A search parameter whose values are not extracted, and why.</summary>
/// <param name="ResourceType">The resource type it was compiled for.</param>
/// <param name="Parameter">The parameter.</param>
/// <param name="Reason">What is missing.</param>
public sealed record UncompiledParameter(string ResourceType, SearchParameterDefinition Parameter, string Reason);

/// <summary>Extracts the values by which resources are searched, as their search parameters' expressions say.</summary>
public sealed class SearchIndexer
{
    static readonly Lazy<SearchIndexer> LazyR4 = new(() => new SearchIndexer(FhirDefinitions.R4));

    readonly FhirDefinitions _definitions;
    readonly FrozenDictionary<string, Lazy<CompiledType>> _types;

    /// <summary>An indexer; each resource type's expressions are compiled on first use.</summary>
    public SearchIndexer(FhirDefinitions definitions)
    {
        _definitions = definitions;
        _types = definitions.ResourceTypes.ToFrozenDictionary(type => type, type => new Lazy<CompiledType>(() => Compile(type)));
    }

    /// <summary>An indexer over R4's own search parameters.</summary>
    public static SearchIndexer R4 => LazyR4.Value;

    /// <summary>Every value under which the resource can be found, duplicates included; nothing for an unknown type.</summary>
    public IReadOnlyList<IndexValue> Extract(Resource resource)
    {
        var values = new List<IndexValue>();
        if (_types.TryGetValue(resource.ResourceType, out var compiled))
        {
            var focus = new PathItem(resource.Root, _definitions.Type(resource.ResourceType)!);
            var items = new List<PathItem>();
            foreach (var (parameter, path) in compiled.Value.Paths)
            {
                items.Clear();
                path.Evaluate(focus, items);
                foreach (var item in items)
                {
                    IndexValues.Add(values, parameter, item);
                }
            }
        }
        return values;
    }

    /// <summary>The parameters that are not indexed, over all resource types.</summary>
    public IReadOnlyList<UncompiledParameter> Uncompiled() => [.. _types.Values.SelectMany(type => type.Value.Failures)];

    /// <summary>Evaluates one parameter; null when it has no compiled expression.</summary>
    internal List<PathItem>? Evaluate(Resource resource, string code)
    {
        if (!_types.TryGetValue(resource.ResourceType, out var compiled) || !compiled.Value.ByCode.TryGetValue(code, out var path))
        {
            return null;
        }
        var items = new List<PathItem>();
        path.Evaluate(new PathItem(resource.Root, _definitions.Type(resource.ResourceType)!), items);
        return items;
    }

    sealed record CompiledType(
        IReadOnlyList<(SearchParameterDefinition Parameter, PathNode Path)> Paths,
        FrozenDictionary<string, PathNode> ByCode,
        IReadOnlyList<UncompiledParameter> Failures);

    CompiledType Compile(string resourceType)
    {
        var paths = new List<(SearchParameterDefinition Parameter, PathNode Path)>();
        var failures = new List<UncompiledParameter>();
        foreach (var parameter in _definitions.SearchParametersOf(resourceType))
        {
            if (parameter.Type is SearchType.Composite or SearchType.Special)
            {
                failures.Add(new(resourceType, parameter, "its type has no index values"));
            }
            else if (parameter.Expression.Length == 0)
            {
                failures.Add(new(resourceType, parameter, "it has no expression"));
            }
            else if (PathCompiler.TryCompile(_definitions, resourceType, parameter.Expression, out var path, out var reason))
            {
                paths.Add((parameter, path));
            }
            else
            {
                failures.Add(new(resourceType, parameter, reason));
            }
        }
        return new(paths, paths.DistinctBy(pair => pair.Parameter.Code).ToFrozenDictionary(pair => pair.Parameter.Code, pair => pair.Path), failures);
    }
}
