using System.Globalization;
using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;

namespace Salus.Tests.Fhir;

/// <summary>Texts made to exhaust or to mislead their reader: each is refused with its place, or worked on within limits.</summary>
public sealed class HostileTests
{
    static FhirIssue Refused(byte[] utf8)
    {
        var issue = Assert.Single(Assert.IsType<FhirReadOutcome.Refused>(FhirJson.Read(utf8)).Issues);
        Assert.True(issue.Line >= 1 && issue.Column >= 1);
        return issue;
    }

    static FhirIssue Refused(string json) => Refused(Encoding.UTF8.GetBytes(json));

    [Theory]
    [InlineData("[", "]")]
    [InlineData("{\"extension\":[", "]}")]
    public void Deep_nesting_is_refused_where_it_becomes_too_deep(string open, string close)
    {
        var nest = string.Concat(Enumerable.Repeat(open, 200_000)) + "1" + string.Concat(Enumerable.Repeat(close, 200_000));
        var issue = Refused($"{{\"resourceType\":\"Patient\",\"extension\":{nest}}}");
        Assert.Equal("too-costly", issue.Code);
        Assert.StartsWith("Patient.extension", issue.Expression, StringComparison.Ordinal);
    }

    [Fact]
    public void A_contained_chain_as_deep_as_may_be_read_is_validated()
    {
        var open = string.Concat(Enumerable.Repeat("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{\"resource\":", 20));
        var json = open + "{\"resourceType\":\"Patient\",\"gender\":\"x\"}" + string.Concat(Enumerable.Repeat("}]}", 20));
        Assert.Contains(FhirText.Validate(json), issue => issue.Code == "code-invalid" && issue.Expression.EndsWith("resource.gender", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("1e999999999")]
    [InlineData("-1e-999999999")]
    [InlineData("123456789012345678901234567890123456789012345678901234567890")]
    public void A_huge_number_is_kept_as_written_and_no_quantity_breaks_on_it(string number)
    {
        var resource = FhirText.Read($$"""{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":{{number}} } }""");
        Assert.Equal(number, resource["valueQuantity"]["value"].Text);
        _ = Validator.R4.Validate(resource);
    }

    [Fact]
    public void A_number_of_a_million_digits_is_refused() =>
        Assert.Equal("too-long", Refused($$"""{"resourceType":"Observation","valueInteger":{{new string('9', 1_000_000)}}}""").Code);

    [Fact]
    public void A_name_twice_in_one_object_is_refused_at_the_second()
    {
        var issue = Refused("""{"resourceType":"Patient","name":[{"family":"A","family":"B"}]}""");
        Assert.Equal(("Patient.name[0]", 1, 49), (issue.Expression, issue.Line, issue.Column));
    }

    [Theory]
    [InlineData(new byte[] { 0xC0, 0x80 })]
    [InlineData(new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData(new byte[] { 0xF5, 0x80, 0x80, 0x80 })]
    [InlineData(new byte[] { 0xFF })]
    public void Invalid_UTF8_is_refused_at_its_byte(byte[] bytes)
    {
        var before = "{\"resourceType\":\"Patient\",\n\"id\":\""u8.ToArray();
        var issue = Refused([.. before, .. bytes, .. "\"}"u8]);
        Assert.Equal((2, 7), (issue.Line, issue.Column));
    }

    [Fact]
    public void A_string_beyond_the_limit_is_refused_and_one_within_it_is_read()
    {
        const int max = 16 << 20;
        var text = new string('a', max);
        Assert.Equal(max, FhirText.Read($"{{\"resourceType\":\"Patient\",\"language\":\"{text}\"}}")["language"].Raw.Length);
        Assert.Equal("too-long", Refused($"{{\"resourceType\":\"Patient\",\"language\":\"{text}a\"}}").Code);
    }

    [Fact]
    public void An_array_of_millions_is_bounded_in_memory()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var issue = Refused($"{{\"resourceType\":\"Patient\",\"name\":[{string.Join(',', Enumerable.Repeat("1", 4_100_000))}]}}");
        Assert.Equal("too-costly", issue.Code);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 512L << 20);
    }

    [Fact]
    public void An_array_of_wrong_items_yields_as_many_issues_as_asked_for()
    {
        var resource = FhirText.Read($"{{\"resourceType\":\"Patient\",\"name\":[{string.Join(',', Enumerable.Repeat("1", 200_000))}]}}");
        Assert.Equal(50, Validator.R4.Validate(resource, issuesMax: 50).Count);
    }

    [Theory]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'><!DOCTYPE x [<!ENTITY a 'aaaa'>]>&a;</div>")]
    [InlineData("<!DOCTYPE div [<!ENTITY a 'b'>]><div xmlns='http://www.w3.org/1999/xhtml'>&a;</div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml' onclick='x()'>a</div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'><a href='javascript:alert(1)'>a</a></div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'><a href=' JAVASCRIPT:alert(1)'>a</a></div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'><img src='data:text/html,a'/></div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'><iframe/>a</div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'><object data='x'/>a</div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'>&nbsp;</div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'>a & b</div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'>a")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'><p>a</div></p>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'>a</div><div>b</div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'>a</div>b")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'> \n </div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'><b a</b></div>")]
    public void A_narrative_that_a_page_could_not_show_safely_is_refused(string div)
    {
        var json = $$"""{"resourceType":"Patient","text":{"status":"generated","div":"{{div.Replace("\n", "\\n", StringComparison.Ordinal)}}"} }""";
        Assert.Contains(FhirText.Validate(json), issue => issue.Expression == "Patient.text.div");
    }

    [Theory]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'>a</div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml' lang='en'><p style='color:red'>a &amp; b &#169; <br/><a href='https://a.example/x?y=1'>c</a></p><!-- d --></div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'><img src='data:image/png;base64,AAAA' alt='x'/></div>")]
    [InlineData("<div xmlns='http://www.w3.org/1999/xhtml'><table><tr><td colspan='2'>a</td></tr></table></div>")]
    public void A_plain_narrative_is_valid(string div) =>
        Assert.Empty(FhirText.Validate($$"""{"resourceType":"Patient","text":{"status":"generated","div":"{{div}}"} }"""));

    [Fact]
    public void Whatever_is_changed_in_valid_texts_is_refused_or_validated_with_places()
    {
        const int rounds = 4_000;
        var random = new Random(20_240_229);
        var validator = new Validator(FhirDefinitions.R4, ValidationOptions.Everything);
        var texts = Seeds.Select(Encoding.UTF8.GetBytes).ToList();
        for (var round = 0; round < rounds; round++)
        {
            var text = Mutated(texts[round % texts.Count], random);
            var issues = FhirJson.Read(text) switch
            {
                FhirReadOutcome.Ok ok => validator.Validate(ok.Resource),
                FhirReadOutcome.Refused refused => refused.Issues,
                _ => throw new InvalidOperationException("A reading is accepted or refused."),
            };
            Assert.All(issues, issue => Assert.True(issue.Line >= 1 && issue.Column >= 1 && issue.Message.Length > 0, string.Create(CultureInfo.InvariantCulture, $"round {round}: {issue}")));
        }
    }

    static readonly string[] Seeds =
    [
        """{"resourceType":"Patient","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/Patient"]},"contained":[{"resourceType":"Organization","id":"o","name":"A"}],"managingOrganization":{"reference":"#o"},"birthDate":"1970-01-01","_birthDate":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthTime","valueDateTime":"1970-01-01T10:00:00Z"}]},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a &amp; b</p></div>"}}""",
        """{"resourceType":"Observation","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/bodyweight"]},"status":"final","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],"code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"subject":{"reference":"Patient/1"},"effectiveDateTime":"2024-02-29T12:30:05Z","valueQuantity":{"value":71.0,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}""",
        """{"resourceType":"Bundle","type":"document","identifier":{"system":"urn:x","value":"1"},"timestamp":"2024-02-29T12:30:05Z","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Composition","status":"final","type":{"text":"t"},"date":"2024","author":[{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239521"}],"title":"t"}},{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239521","resource":{"resourceType":"Practitioner"}}]}""",
        """{"resourceType":"Questionnaire","status":"active","item":[{"linkId":"1","type":"choice","answerOption":[{"valueCoding":{"code":"a"}}],"enableWhen":[{"question":"2","operator":"=","answerInteger":1}]},{"linkId":"2","type":"integer"}]}""",
        """{"resourceType":"StructureDefinition","url":"urn:s","name":"S","status":"active","kind":"resource","abstract":false,"type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint","differential":{"element":[{"id":"Patient","path":"Patient","slicing":{"rules":"open","discriminator":[{"type":"value","path":"url"}]}}]}}""",
    ];

    /// <summary>A text with some bytes changed, removed, doubled or swapped for what means something in JSON or FHIR.</summary>
    static byte[] Mutated(byte[] seed, Random random)
    {
        string[] words = ["\"", "{", "}", "[", "]", ",", ":", "null", "true", "1e400", "\\u0000", "\\ud800", "<", "&", "#", "/", "|", "\u00e9", "\"id\":\"1\",", "extension", "0"];
        var text = seed.ToList();
        for (var change = random.Next(1, 5); change > 0; change--)
        {
            var at = random.Next(text.Count);
            switch (random.Next(5))
            {
                case 0:
                    text[at] = (byte)random.Next(256);
                    break;
                case 1:
                    text.RemoveRange(at, Math.Min(random.Next(1, 20), text.Count - at));
                    break;
                case 2:
                    text.InsertRange(at, text.GetRange(at, Math.Min(random.Next(1, 60), text.Count - at)));
                    break;
                case 3:
                    text.InsertRange(at, Encoding.UTF8.GetBytes(words[random.Next(words.Length)]));
                    break;
                default:
                    var other = random.Next(text.Count);
                    (text[at], text[other]) = (text[other], text[at]);
                    break;
            }
            if (text.Count == 0)
            {
                return [];
            }
        }
        return [.. text];
    }
}
