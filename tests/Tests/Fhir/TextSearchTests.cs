using Salus.Fhir.Search;

namespace Salus.Tests.Fhir;

public sealed class TextSearchTests
{
    const string Condition = """
        {"resourceType":"Condition","id":"1","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" title=\"hidden\"><p>Métastases in the <b>li</b>ver &amp; bone.<br/>Second line</p><!-- secret --><table><tr><td>left</td><td>knee</td></tr></table><![CDATA[x < y]]></div>"},
         "code":{"coding":[{"system":"http://snomed.info/sct","code":"94381002","display":"Secondary malignant neoplasm"}],"text":"Bone (finding)"},
         "subject":{"reference":"Patient/7"},"onsetString":"about Easter","note":[{"text":"Seen by Dr. O'Hara; 肺炎を疑う"},{"text":"stable"}],
         "extension":[{"url":"urn:x","valueBase64Binary":"c2VjcmV0"}]}
        """;

    [Theory]
    // Words, whatever their case and accents, all of them
    [InlineData("_text", "metastases", true)]
    [InlineData("_text", "METÁSTASES bone", true)]
    [InlineData("_text", "metastases lung", false)]
    [InlineData("_text", "metast", false)]
    [InlineData("_text", "metast*", true)]
    [InlineData("_text", "liver", true)]
    // Phrases, within an element
    [InlineData("_text", "\"in the liver\"", true)]
    [InlineData("_text", "\"the in liver\"", false)]
    [InlineData("_text", "\"liver & bone\"", true)]
    [InlineData("_text", "\"bone second\"", false)]
    [InlineData("_text", "\"left knee\"", false)]
    [InlineData("_text", "\"second li*\"", true)]
    // What is no text of the narrative
    [InlineData("_text", "secret", false)]
    [InlineData("_text", "hidden", false)]
    [InlineData("_text", "xhtml", false)]
    [InlineData("_text", "easter", false)]
    [InlineData("_text", "\"x y\"", true)]
    // Operators, as the specification's own example writes them
    [InlineData("_text", "(bone OR lung) and metastases", true)]
    [InlineData("_text", "(skin OR lung) and metastases", false)]
    [InlineData("_text", "skin OR lung OR knee", true)]
    [InlineData("_text", "skin lung OR knee", true)]
    [InlineData("_text", "knee OR skin lung", true)]
    [InlineData("_text", "knee NOT lung", true)]
    [InlineData("_text", "NOT (knee OR lung)", false)]
    [InlineData("_text", "not not knee", true)]
    [InlineData("_text", "\"not\"", false)]
    [InlineData("_text", "nothing", false)]
    // Alternatives with a comma, escaped ones are none
    [InlineData("_text", "lung,knee", true)]
    [InlineData("_text", "\"liver\\, bone\"", true)]
    [InlineData("_text:contains", "STASES IN", true)]
    [InlineData("_text:contains", "knee left", false)]
    [InlineData("_text:missing", "false", true)]
    [InlineData("_text:missing", "true", false)]
    // All of the resource
    [InlineData("_content", "easter stable", true)]
    [InlineData("_content", "metastases easter", true)]
    [InlineData("_content", "\"about easter stable\"", false)]
    [InlineData("_content", "94381002", true)]
    [InlineData("_content", "\"malignant neoplasm\"", true)]
    [InlineData("_content", "O'Hara", true)]
    [InlineData("_content", "肺炎", true)]
    [InlineData("_content", "炎肺", false)]
    [InlineData("_content", "Patient/7", true)]
    [InlineData("_content", "c2VjcmV0", false)]
    [InlineData("_content", "condition", false)]
    [InlineData("_content:contains", "neopl", true)]
    public void A_resource_is_found_by_what_it_reads(string name, string value, bool expected)
    {
        var query = Assert.IsType<SearchOutcome.Ok>(SearchQuery.Parse("Condition", [new(name, value)])).Query;
        Assert.Equal(expected, SearchMatcher.Matches(FhirText.Read(Condition), query.Criteria));
    }

    [Fact]
    public void A_resource_without_a_narrative_has_no_text_that_any_word_could_stand_in()
    {
        var bare = FhirText.Read("""{"resourceType":"Condition","subject":{"display":"liver"}}""");
        bool Matches(string name, string value) => SearchMatcher.Matches(bare, Assert.IsType<SearchOutcome.Ok>(SearchQuery.Parse("Condition", [new(name, value)])).Query.Criteria);
        Assert.True(Matches("_text:missing", "true"));
        Assert.False(Matches("_text", "liver"));
        Assert.True(Matches("_text", "NOT liver"));
        Assert.True(Matches("_content", "liver"));
    }

    [Theory]
    [InlineData("_text", "\"open", "not closed")]
    [InlineData("_text", "\"one, two\"", "\\,")]
    [InlineData("_text", "(a OR b", "not closed")]
    [InlineData("_text", "a)", "closes")]
    [InlineData("_text", "a OR", "missing")]
    [InlineData("_text", "AND", "missing")]
    [InlineData("_text", "()", "missing")]
    [InlineData("_content", "a --- b", "no letter")]
    [InlineData("_content", "\"\"", "no letter")]
    [InlineData("_content:contains", " ", "nothing")]
    [InlineData("_content:missing", "perhaps", "true or false")]
    [InlineData("_text:not", "a", "NOT")]
    [InlineData("_text:exact", "a", ":exact")]
    [InlineData("_content.x", "a", "no reference")]
    [InlineData("_sort", "_text", "cannot be sorted")]
    [InlineData("_query", "current-high-risk", "no named queries")]
    [InlineData("_filter", "name eq \"x\"", "parameter of its own")]
    [InlineData("_contained", "true", "what contains them")]
    public void What_cannot_be_asked_of_a_text_is_told_with_the_mend(string name, string value, string reason)
    {
        var issue = Assert.Single(Assert.IsType<SearchOutcome.Refused>(SearchQuery.Parse("Condition", [new(name, value)])).Issues);
        Assert.Contains(reason, issue.Message, StringComparison.Ordinal);
        Assert.StartsWith(name.Split('.')[0], issue.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Long_deep_and_many_part_questions_are_refused()
    {
        foreach (var value in (string[])[new string('a', 3_000), string.Concat(Enumerable.Repeat('(', 100)) + "a" + new string(')', 100), string.Join(' ', Enumerable.Repeat("not", 100)) + " a",
            string.Join(' ', Enumerable.Range(0, 33)), string.Join(',', Enumerable.Range(0, 17))])
        {
            Assert.IsType<SearchOutcome.Refused>(SearchQuery.Parse("Condition", [new("_content", value)]));
        }
    }
}
