using System.Text.Json;

namespace Salus.Tests.Fhir;

public sealed class PrimitiveTests
{
    static string Extension(string type, string value) => $$$"""{"resourceType":"Patient","extension":[{"url":"urn:x","value{{{type}}}":{{{value}}}}]}""";

    static string Div(string text) => $$$"""{"resourceType":"Patient","text":{"status":"generated","div":{{{JsonSerializer.Serialize(text)}}}}}""";

    [Theory]
    [InlineData("Boolean", "true")]
    [InlineData("Boolean", "false")]
    [InlineData("Decimal", "1.10")]
    [InlineData("Decimal", "-0.000000000000000001e-7")]
    [InlineData("Integer", "-2147483648")]
    [InlineData("Integer", "2147483647")]
    [InlineData("PositiveInt", "1")]
    [InlineData("UnsignedInt", "0")]
    [InlineData("String", "\"a\\u00e9\\n\"")]
    [InlineData("Markdown", "\"# a\"")]
    [InlineData("Code", "\"a b\"")]
    [InlineData("Code", "\"\\u0061\"")]
    [InlineData("Id", "\"A-z.0\"")]
    [InlineData("Id", "\"1234567890123456789012345678901234567890123456789012345678901234\"")]
    [InlineData("Uri", "\"http://a.example/b?c=d#e\"")]
    [InlineData("Url", "\"mailto:a@b.example\"")]
    [InlineData("Canonical", "\"http://a.example/b|1.0\"")]
    [InlineData("Oid", "\"urn:oid:2.16.840\"")]
    [InlineData("Uuid", "\"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\"")]
    [InlineData("Date", "\"2024\"")]
    [InlineData("Date", "\"2024-02-29\"")]
    [InlineData("DateTime", "\"2024-02\"")]
    [InlineData("DateTime", "\"2024-02-29T12:30:05+02:00\"")]
    [InlineData("Instant", "\"2024-02-29T12:30:05.123Z\"")]
    [InlineData("Time", "\"12:30:05\"")]
    [InlineData("Base64Binary", "\"QUJD\"")]
    [InlineData("Base64Binary", "\"QUI=\"")]
    [InlineData("Base64Binary", "\"QU\\nJD\"")]
    public void A_value_in_its_format_is_taken(string type, string value) => Assert.Empty(FhirText.Validate(Extension(type, value)));

    [Theory]
    [InlineData("Boolean", "\"true\"")]
    [InlineData("Boolean", "1")]
    [InlineData("Decimal", "\"1.10\"")]
    [InlineData("Integer", "1.0")]
    [InlineData("Integer", "1e3")]
    [InlineData("Integer", "2147483648")]
    [InlineData("PositiveInt", "0")]
    [InlineData("UnsignedInt", "-1")]
    [InlineData("String", "\"\"")]
    [InlineData("String", "\" \\t\"")]
    [InlineData("String", "7")]
    [InlineData("Markdown", "\"\\n\"")]
    [InlineData("Code", "\" a\"")]
    [InlineData("Code", "\"a  b\"")]
    [InlineData("Code", "\"a \"")]
    [InlineData("Id", "\"a_b\"")]
    [InlineData("Id", "\"12345678901234567890123456789012345678901234567890123456789012345\"")]
    [InlineData("Uri", "\"http://a b\"")]
    [InlineData("Oid", "\"2.16.840\"")]
    [InlineData("Oid", "\"urn:oid:3.1\"")]
    [InlineData("Oid", "\"urn:oid:1..2\"")]
    [InlineData("Uuid", "\"c757873d-ec9a-4326-a141-556f43239520\"")]
    [InlineData("Uuid", "\"urn:uuid:c757873d\"")]
    [InlineData("Date", "\"2024-02-30\"")]
    [InlineData("Date", "\"2024-02-29T12:30:05Z\"")]
    [InlineData("DateTime", "\"2024-02-29T12:30:05\"")]
    [InlineData("DateTime", "\"2024-02-29T12:30Z\"")]
    [InlineData("Instant", "\"2024-02-29\"")]
    [InlineData("Instant", "\"2024-02-29T12:30:05\"")]
    [InlineData("Time", "\"12:30\"")]
    [InlineData("Base64Binary", "\"QUJ\"")]
    [InlineData("Base64Binary", "\"QU!D\"")]
    [InlineData("String", "{\"a\":1}")]
    public void A_bent_value_is_refused_at_its_place(string type, string value)
    {
        var issue = Assert.Single(FhirText.Validate(Extension(type, value)));
        Assert.Equal($"Patient.extension[0].value{type}", issue.Expression);
        Assert.Equal((1, 63 + type.Length), (issue.Line, issue.Column));
    }

    [Theory]
    [InlineData("<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>")]
    [InlineData("\n  <div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a</p></div>")]
    [InlineData("<div\nclass=\"a\" xmlns='http://www.w3.org/1999/xhtml'>a</div>")]
    public void A_narrative_starts_with_a_div(string div) => Assert.Empty(FhirText.Validate(Div(div)));

    [Theory]
    [InlineData("a")]
    [InlineData("<p>a</p>")]
    [InlineData("<script>a</script>")]
    [InlineData("<divide>a</divide>")]
    [InlineData("<div")]
    [InlineData("")]
    public void A_narrative_that_starts_otherwise_is_refused(string div) => Assert.Equal(["Patient.text.div value"], FhirText.Places(Div(div)));
}
