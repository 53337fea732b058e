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
    /// <param name="resource">A resource that was read.</param>
    /// <param name="resolve">Given a literal reference, what stands for it (a urn of a transaction names no type); null leaves it.</param>
    /// <param name="wanted">The parameters to extract; all but the composites when it is not given.</param>
    /// <param name="withTexts">Whether to give what codes are shown as, too.</param>
    public IReadOnlyList<IndexValue> Extract(
        Resource resource, Func<string, string?>? resolve = null, Predicate<SearchParameterDefinition>? wanted = null, bool withTexts = false)
    {
        var values = new List<IndexValue>();
        if (_types.TryGetValue(resource.ResourceType, out var compiled))
        {
            var focus = new PathItem(resource.Root, _definitions.Type(resource.ResourceType)!);
            var results = new PathResults(resolve);
            foreach (var (parameter, path) in compiled.Value.Paths)
            {
                if (wanted is not null && !wanted(parameter))
                {
                    continue;
                }
                results.Clear();
                path.Evaluate(focus, results);
                foreach (var item in results)
                {
                    IndexValues.Add(values, parameter, item, results, withTexts);
                }
            }
            if (wanted is not null)
            {
                foreach (var composite in compiled.Value.Composites.Where(composite => wanted(composite.Parameter)))
                {
                    composite.Extract(values, focus, results, withTexts);
                }
            }
        }
        return values;
    }

    /// <summary>Why values cannot be extracted from a resource type by an expression; null where they can.</summary>
    public static string? ObjectionTo(FhirDefinitions definitions, string resourceType, string expression) =>
        expression.Length == 0 ? "it is empty" : PathCompiler.TryCompile(definitions, resourceType, expression, out _, out var reason) ? null : reason;

    /// <summary>The parameters that are not indexed, over all resource types.</summary>
    public IReadOnlyList<UncompiledParameter> Uncompiled() => [.. _types.Values.SelectMany(type => type.Value.Failures)];

    /// <summary>Evaluates one parameter; null when it has no compiled expression.</summary>
    internal PathResults? Evaluate(Resource resource, string code, Func<string, string?>? resolve = null)
    {
        if (!_types.TryGetValue(resource.ResourceType, out var compiled) || !compiled.Value.ByCode.TryGetValue(code, out var path))
        {
            return null;
        }
        var results = new PathResults(resolve);
        path.Evaluate(new PathItem(resource.Root, _definitions.Type(resource.ResourceType)!), results);
        return results;
    }

    sealed record CompiledType(
        IReadOnlyList<(SearchParameterDefinition Parameter, PathNode Path)> Paths,
        FrozenDictionary<string, PathNode> ByCode,
        IReadOnlyList<CompositePath> Composites,
        IReadOnlyList<UncompiledParameter> Failures);

    CompiledType Compile(string resourceType)
    {
        var paths = new List<(SearchParameterDefinition Parameter, PathNode Path)>();
        var composites = new List<CompositePath>();
        var failures = new List<UncompiledParameter>();
        foreach (var parameter in _definitions.SearchParametersOf(resourceType))
        {
            if (parameter.Type == SearchType.Special)
            {
                failures.Add(new(resourceType, parameter, "it has rules of its own"));
            }
            else if (parameter.Type == SearchType.Composite)
            {
                if (CompositePath.TryCompile(_definitions, resourceType, parameter, out var composite, out var broken))
                {
                    composites.Add(composite);
                }
                else
                {
                    failures.Add(new(resourceType, parameter, broken));
                }
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
        return new(paths, paths.DistinctBy(pair => pair.Parameter.Code).ToFrozenDictionary(pair => pair.Parameter.Code, pair => pair.Path), composites, failures);
    }
}
