using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.FhirPath;
using Salus.Fhir.Search;

namespace Salus.Tests.Fhir;

/// <summary>What search parameters find by the compiler of their own is what FHIRPath finds by the same expressions.</summary>
public sealed class SearchPathTests
{
    static readonly EvaluationContext Context = new() { Resolve = Resolve };

    static readonly Dictionary<string, IReadOnlyList<(SearchParameterDefinition Parameter, FhirPathExpression Path)>> Paths = [];

    /// <summary>Nothing is fetched: a reference is resolved to nothing but its type.</summary>
    static FhirPathItem? Resolve(string reference) =>
        LiteralReference.Parse(reference).Type is { } name && FhirDefinitions.R4.Type(name) is { } type ? FhirPathItem.Of(default, type) : null;

    [Fact]
    public void In_every_official_example_both_find_the_same() => Compare(ExamplesTests.Files().Select(file => FhirText.Read(File.ReadAllBytes(file))), 14_000);

    [Fact, Trait("Data", "field")]
    public void In_every_Synthea_resource_both_find_the_same() =>
        Compare(FieldData.Files("synthea-r4", "*.json", 40).Take(10).Select(file => FhirText.Read(File.ReadAllBytes(file))).SelectMany(Inner), 5_000);

    static List<Resource> Inner(Resource bundle)
    {
        List<Resource> inner = [];
        foreach (var entry in bundle["entry"].Items)
        {
            inner.Add(Resource.From(entry["resource"u8])!);
        }
        return inner;
    }

    static void Compare(IEnumerable<Resource> resources, int leastFound)
    {
        var found = 0;
        List<string> wrong = [];
        foreach (var resource in resources)
        {
            var values = SearchIndexer.R4.Extract(resource, wanted: parameter => parameter.Type != SearchType.Composite).ToLookup(value => value.Parameter);
            foreach (var (parameter, path) in PathsOf(resource.ResourceType))
            {
                var items = path.Evaluate(resource, Context).ToList();
                // What is contained is no record of its own: it is found through what contains it
                items.RemoveAll(item => parameter.Expression.Contains("resolve()", StringComparison.Ordinal) && item.Element["reference"u8].Text?.StartsWith('#') == true);
                var (own, other) = (Texts(values[parameter.Code]), Texts(parameter, items));
                found += own.Count;
                if (!own.SetEquals(other) || (values[parameter.Code].Any() && items.Count == 0) || (parameter.Type is SearchType.Token or SearchType.Text && items.Exists(item => item.Text is { Length: > 0 }) && !values[parameter.Code].Any()))
                {
                    wrong.Add($"{resource.ResourceType}/{resource.Id} {parameter.Code}: {string.Join(", ", own)}, by FHIRPath {string.Join(", ", other)}");
                }
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Take(20)));
        Assert.InRange(found, leastFound, int.MaxValue);
    }

    static IReadOnlyList<(SearchParameterDefinition Parameter, FhirPathExpression Path)> PathsOf(string type)
    {
        if (!Paths.TryGetValue(type, out var paths))
        {
            Paths[type] = paths =
            [
                .. FhirDefinitions.R4.SearchParametersOf(type)
                    .Where(parameter => parameter.Type is not (SearchType.Special or SearchType.Composite) && parameter.Expression.Length > 0)
                    .GroupBy(parameter => parameter.Code).Where(group => group.Count() == 1).Select(group => (group.First(), FhirPathExpression.Compile(group.First().Expression))),
            ];
        }
        return paths;
    }

    /// <summary>The values that are found as they are written: references, URIs, codes and words of one element each.</summary>
    static HashSet<string> Texts(IEnumerable<IndexValue> values) => [.. values.Select(value => value switch
    {
        IndexValue.Reference reference => reference.Target.Text,
        IndexValue.Uri uri => uri.Value,
        _ => null,
    }).OfType<string>()];

    static HashSet<string> Texts(SearchParameterDefinition parameter, IReadOnlyList<FhirPathItem> items) =>
        [.. items.Select(item => parameter.Type is SearchType.Reference or SearchType.Uri ? item.Element["reference"u8].Text ?? item.Text : null).OfType<string>()];
}
