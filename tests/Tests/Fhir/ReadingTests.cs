using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Salus.Fhir.Elements;
using Salus.Fhir.Search;
using Salus.Fhir.Validation;

namespace Salus.Tests.Fhir;

public sealed class ReadingTests
{
    static readonly DateTimeOffset Moment = new(2024, 2, 29, 12, 30, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("""{"resourceType":"Patient","id":"a","id":"b"}""", "twice")]
    [InlineData("""{"resourceType":"Patient","id":"\ud800"}""", "surrogate")]
    [InlineData("""{"resourceType":"Patient","name":[{"family":"A""", "well formed")]
    [InlineData("""{"id":"a"}""", "resourceType")]
    [InlineData("[1]", "JSON object")]
    public void Hostile_text_is_refused_with_a_place(string json, string reason)
    {
        var issue = Assert.Single(Assert.IsType<FhirReadOutcome.Refused>(FhirJson.Read(Encoding.UTF8.GetBytes(json))).Issues);
        Assert.Contains(reason, issue.Message);
        Assert.True(issue.Line >= 1 && issue.Column >= 1);
    }

    [Fact]
    public void Deep_nesting_huge_numbers_and_broken_UTF8_are_refused()
    {
        Assert.IsType<FhirReadOutcome.Refused>(FhirJson.Read(Encoding.UTF8.GetBytes("{\"a\":" + new string('[', 100_000))));
        Assert.IsType<FhirReadOutcome.Refused>(FhirJson.Read(Encoding.UTF8.GetBytes("{\"resourceType\":\"Patient\",\"a\":" + new string('9', 500) + "}")));
        var broken = Assert.IsType<FhirReadOutcome.Refused>(FhirJson.Read(new byte[] { (byte)'{', (byte)'\n', 0xC3, 0x28 }));
        Assert.Equal((2, 1), (broken.Issues[0].Line, broken.Issues[0].Column));
    }

    [Theory]
    [InlineData("{\n  \"active\": tru,\n}", 2, 13, "'tru'")]
    [InlineData("{\n  \"active\": None\n}", 2, 13, "'N'")]
    [InlineData("{\n  \"active\": nulL, \"id\": \"a\"\n}", 2, 13, "'nulL'")]
    [InlineData("{\"entry\": [ fals", 1, 13, "'fals'")]
    [InlineData("{\"entry\": [ ! ]", 1, 13, "'!'")]
    public void A_literal_that_is_none_is_named_where_it_begins(string json, int line, int column, string named)
    {
        var issue = Assert.Single(Assert.IsType<FhirReadOutcome.Refused>(FhirJson.Read(Encoding.UTF8.GetBytes(json))).Issues);
        Assert.Equal((line, column), (issue.Line, issue.Column));
        Assert.Contains(named, issue.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Reading_never_throws() => Prop.ForAll<byte[]>(bytes => FhirJson.Read(bytes ?? []) is not null).QuickCheckThrowOnFailure();

    [Fact]
    public void Rewriting_keeps_decimals_as_written_and_maps_references()
    {
        var observation = FhirText.Read("""{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"},"valueQuantity":{"value":1.10}}""");
        var bytes = ResourceRewriter.Rewrite(observation, "7", "1", Moment, reference => reference == "urn:uuid:1" ? "Patient/p" : null);
        Assert.Equal(
            """{"resourceType":"Observation","id":"7","meta":{"versionId":"1","lastUpdated":"2024-02-29T12:30:00.000Z"},"subject":{"reference":"Patient/p"},"valueQuantity":{"value":1.10}}""",
            Encoding.UTF8.GetString(bytes));
        Assert.Equal("p", PatientCompartment.PatientOf(FhirText.Read(bytes)));
    }

    [Theory]
    [InlineData("""{ "resourceType" : "Basic" , "id" : "1" }""", """{"resourceType":"Basic","id":"7",META}""")]
    [InlineData("{\r\n\t\"resourceType\": \"Basic\",\r\n\t\"code\": {\r\n\t\t\"text\": \" a  \\\" b \\\\\" } }\n", """{"resourceType":"Basic","id":"7",META,"code":{"text":" a  \" b \\"}}""")]
    [InlineData("""{"id": "a", "resourceType": "Basic", "meta" : { "tag": [ { "code": "x" } , {"code" :"y z"}] } }""", """{"id":"7","resourceType":"Basic","meta":{META,"tag":[{"code":"x"},{"code":"y z"}]}}""")]
    [InlineData("""{"resourceType":"Basic", "extension": [ { "url": "urn:uuid:1", "valueDecimal": 1.10 }, { "url": "\u0020 ", "valueBoolean": true } ]}""", """{"resourceType":"Basic","id":"7",META,"extension":[{"url":"Basic/1","valueDecimal":1.10},{"url":"\u0020 ","valueBoolean":true}]}""")]
    public void Rewriting_drops_the_white_space_between_elements_and_none_within_a_text(string json, string dense)
    {
        const string own = "\"versionId\":\"1\",\"lastUpdated\":\"2024-02-29T12:30:00.000Z\"";
        var written = Encoding.UTF8.GetString(ResourceRewriter.Rewrite(FhirText.Read(json), "7", "1", Moment, reference => reference == "urn:uuid:1" ? "Basic/1" : null));
        Assert.Equal(dense.Replace("{META", "{" + own, StringComparison.Ordinal).Replace("META", $"\"meta\":{{{own}}}", StringComparison.Ordinal), written);
    }

    [Fact]
    public void A_misspelt_element_is_named_with_its_neighbour_and_place()
    {
        var issue = Assert.Single(Validator.R4.Validate(FhirText.Read("""{"resourceType":"Patient","birthdate":"2024-02-30"}""")));
        Assert.Equal("Patient.birthdate", issue.Expression);
        Assert.Contains("'birthDate'", issue.Message);
    }
}
