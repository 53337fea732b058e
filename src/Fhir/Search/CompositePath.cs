using System.Diagnostics.CodeAnalysis;
using Salus.Fhir.Definitions;

namespace Salus.Fhir.Search;

/// <summary>A compiled composite parameter: its occurrences, and the parts of each.</summary>
sealed class CompositePath
{
    const string FromResource = "%resource.";

    readonly PathNode occurrences;
    readonly (SearchParameterDefinition Definition, PathNode Path, bool FromResource)[] parts;

    CompositePath(SearchParameterDefinition parameter, PathNode occurrences, (SearchParameterDefinition, PathNode, bool)[] parts) =>
        (Parameter, this.occurrences, this.parts) = (parameter, occurrences, parts);

    public SearchParameterDefinition Parameter { get; }

    public static bool TryCompile(
        FhirDefinitions definitions, string resourceType, SearchParameterDefinition parameter, [NotNullWhen(true)] out CompositePath? composite, [NotNullWhen(false)] out string? reason)
    {
        composite = null;
        if (!PathCompiler.TryCompile(definitions, resourceType, parameter.Expression, out var occurrences, out reason))
        {
            return false;
        }
        var parts = new (SearchParameterDefinition, PathNode, bool)[parameter.Components.Count];
        for (var i = 0; i < parts.Length; i++)
        {
            var (url, expression) = parameter.Components[i];
            if (definitions.SearchParameters.FirstOrDefault(known => known.Url == url) is not { } definition)
            {
                reason = $"its part {url} is not known";
                return false;
            }
            var isFromResource = expression.StartsWith(FromResource, StringComparison.Ordinal);
            if (!PathCompiler.TryCompile(definitions, resourceType, isFromResource ? expression[FromResource.Length..] : expression, out var path, out reason))
            {
                return false;
            }
            parts[i] = (definition, path, isFromResource);
        }
        composite = new CompositePath(parameter, occurrences, parts);
        return true;
    }

    public void Extract(List<IndexValue> values, PathItem resource, PathResults results, bool withTexts)
    {
        results.Clear();
        occurrences.Evaluate(resource, results);
        foreach (var occurrence in results.ToArray())
        {
            var found = new List<IReadOnlyList<IndexValue>>(parts.Length);
            foreach (var (definition, path, isFromResource) in parts)
            {
                List<IndexValue> part = [];
                results.Clear();
                path.Evaluate(isFromResource ? resource : occurrence, results);
                foreach (var item in results)
                {
                    IndexValues.Add(part, definition, item, results, withTexts);
                }
                found.Add(part);
            }
            values.Add(new IndexValue.Composite(Parameter.Code, found));
        }
        results.Clear();
    }
}
