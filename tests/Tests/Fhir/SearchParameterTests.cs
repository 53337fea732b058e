using Salus.Fhir.Definitions;
using Salus.Fhir.Search;

namespace Salus.Tests.Fhir;

public sealed class SearchParameterTests
{
    /// <summary>The parameters that are not compiled, and why.</summary>
    static readonly Dictionary<string, string> Exceptions = new()
    {
        ["_content"] = "it has no expression",
        ["_text"] = "it has no expression",
        ["_query"] = "it has no expression",
        ["near"] = "it has rules of its own",
    };

    [Fact]
    public void Every_expression_of_every_search_parameter_compiles()
    {
        var left = SearchIndexer.R4.Uncompiled().Where(one => Exceptions.GetValueOrDefault(one.Parameter.Code) != one.Reason)
            .Select(one => $"{one.ResourceType}.{one.Parameter.Code}: {one.Reason}: {one.Parameter.Expression}");
        Assert.Equal([], left.Distinct());
    }

    [Fact]
    public void Every_part_of_every_composite_names_a_parameter()
    {
        var composites = FhirDefinitions.R4.SearchParameters.Where(parameter => parameter.Type == SearchType.Composite).ToList();
        Assert.Equal(46, composites.Count);
        Assert.All(composites, composite => Assert.InRange(composite.Components.Count, 2, 3));
        Assert.All(composites.SelectMany(composite => composite.Components), part => Assert.Contains(FhirDefinitions.R4.SearchParameters, known => known.Url == part.Definition));
    }

    [Theory]
    [InlineData("code-value-quantity", "8867-4$71", true)]
    [InlineData("code-value-quantity", "8867-4$80", false)]
    [InlineData("component-code-value-quantity", "8480-6$gt100", true)]
    [InlineData("component-code-value-quantity", "8462-4$gt100", false)]
    [InlineData("combo-code-value-quantity", "8867-4$71", true)]
    [InlineData("combo-code-value-quantity", "8480-6$121", true)]
    [InlineData("combo-code-value-quantity", "8867-4$121", false)]
    [InlineData("code:text", "heart", true)]
    [InlineData("code:text", "rate", false)]
    [InlineData("code:not", "8867-4", false)]
    [InlineData("code:not", "1", true)]
    [InlineData("status", "final,amended", true)]
    [InlineData("value-quantity", "71||/min", true)]
    [InlineData("value-quantity", "71||mg", false)]
    [InlineData("value-quantity:missing", "false", true)]
    [InlineData("date:missing", "true", true)]
    [InlineData("subject:identifier", "urn:mrn|7", true)]
    [InlineData("subject:identifier", "urn:other|7", false)]
    [InlineData("identifier:of-type", "urn:types|MR|12", true)]
    [InlineData("identifier:of-type", "urn:types|MR|13", false)]
    public void A_resource_is_matched_by_what_it_says(string name, string value, bool expected)
    {
        var observation = FhirText.Read("""
            {"resourceType":"Observation","id":"1","status":"final",
             "identifier":[{"type":{"coding":[{"system":"urn:types","code":"MR"}]},"value":"12"}],
             "code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}]},
             "subject":{"identifier":{"system":"urn:mrn","value":"7"}},
             "valueQuantity":{"value":71,"system":"http://unitsofmeasure.org","code":"/min"},
             "component":[
              {"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":121}},
              {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":79}}]}
            """);
        var query = Assert.IsType<SearchOutcome.Ok>(SearchQuery.Parse("Observation", [new(name, value)])).Query;
        Assert.Equal(expected, SearchMatcher.Matches(observation, query.Criteria));
    }

    [Theory]
    [InlineData("url:below", "http://a.example/fhir", true)]
    [InlineData("url:below", "http://a.example/fh", false)]
    [InlineData("url:above", "http://a.example/fhir/ValueSet/one/two", true)]
    [InlineData("url:above", "http://a.example/fhir", false)]
    [InlineData("title:contains", "RES", true)]
    [InlineData("title:exact", "blood pressures", false)]
    public void A_URI_and_a_text_are_matched_in_parts(string name, string value, bool expected)
    {
        var set = FhirText.Read("""{"resourceType":"ValueSet","status":"draft","url":"http://a.example/fhir/ValueSet/one","title":"Blood pressures"}""");
        var query = Assert.IsType<SearchOutcome.Ok>(SearchQuery.Parse("ValueSet", [new(name, value)])).Query;
        Assert.Equal(expected, SearchMatcher.Matches(set, query.Criteria));
    }
}
