using System.Text;
using System.Text.Json.Nodes;
using Salus.Fhir.Elements;
using Salus.Fhir.Xml;

namespace Salus.Tests.Fhir;

public sealed class XmlTests
{
    const string Space = "xmlns=\"http://hl7.org/fhir\"";

    static FhirReadOutcome Read(string xml) => FhirXml.Read(Encoding.UTF8.GetBytes(xml));

    static string Json(string xml) => Encoding.UTF8.GetString(Assert.IsType<FhirReadOutcome.Ok>(Read(xml)).Resource.Utf8.Span);

    static string Xml(string json) => Encoding.UTF8.GetString(Assert.IsType<XmlWriteOutcome.Ok>(FhirXml.Write(FhirText.Read(json))).Utf8);

    static FhirIssue Refused(string xml) => Assert.Single(Assert.IsType<FhirReadOutcome.Refused>(Read(xml)).Issues);

    [Theory]
    [InlineData("""<active value="true"/>""", """{"resourceType":"Patient","active":true}""")]
    [InlineData("""<name id="n"><given value="A"/><given value="B" id="b"/></name>""", """{"resourceType":"Patient","name":[{"id":"n","given":["A","B"],"_given":[null,{"id":"b"}]}]}""")]
    [InlineData("""<birthDate><extension url="http://x"><valueCode value="u"/></extension></birthDate>""", """{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://x","valueCode":"u"}]}}""")]
    [InlineData("""<telecom id="a"/><gender value="male"/><telecom id="b"/>""", """{"resourceType":"Patient","telecom":[{"id":"a"},{"id":"b"}],"gender":"male"}""")]
    [InlineData("""<multipleBirthInteger value="2"/>""", """{"resourceType":"Patient","multipleBirthInteger":2}""")]
    [InlineData("""<contained><Organization><id value="o"/></Organization></contained>""", """{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o"}]}""")]
    [InlineData("""<extension url="http://x"><valueDecimal value="1.10"/></extension>""", """{"resourceType":"Patient","extension":[{"url":"http://x","valueDecimal":1.10}]}""")]
    [InlineData("""<name><text value="a&#10;&lt;b&gt; &quot;é"/></name>""", """{"resourceType":"Patient","name":[{"text":"a\n<b> \"é"}]}""")]
    public void An_element_is_the_same_in_XML_and_in_JSON(string xml, string json)
    {
        var whole = $"<Patient {Space}>{xml}</Patient>";
        Assert.Equal(json.Replace("1.10", "@", StringComparison.Ordinal), Json(whole).Replace("1.10", "@", StringComparison.Ordinal));
        Assert.Equal(json, Json(Xml(json)));
    }

    [Fact]
    public void A_narrative_is_kept_whole()
    {
        var xml = $"""<Patient {Space}><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>a <b>c</b> d &lt; e</p><!-- kept --><br/></div></text></Patient>""";
        var json = Json(xml);
        Assert.Equal("""<div xmlns="http://www.w3.org/1999/xhtml"><p>a <b>c</b> d &lt; e</p><!-- kept --><br /></div>""", JsonNode.Parse(json)!["text"]!["div"]!.GetValue<string>());
        Assert.Equal(json, Json(Xml(json)));
    }

    [Fact]
    public void Elements_are_written_in_the_order_of_their_definitions() =>
        Assert.EndsWith("""<id value="p" /><active value="true" /><gender value="male" /></Patient>""", Xml("""{"gender":"male","active":true,"resourceType":"Patient","id":"p"}"""), StringComparison.Ordinal);

    [Theory]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\">\n <activ value=\"true\"/></Patient>", "Patient.activ", 2, 3)]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\"><gender value=\"male\"/>\n<gender value=\"male\"/></Patient>", "Patient.gender", 2, 2)]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\">text</Patient>", "Patient", 1, 38)]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\"><active valu=\"true\"/></Patient>", "Patient.active", 1, 46)]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\"><active/></Patient>", "Patient.active", 1, 39)]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\" id=\"p\"/>", "Patient", 1, 2)]
    [InlineData("<Patient/>", "Patient", 1, 2)]
    [InlineData("<Person2 xmlns=\"http://hl7.org/fhir\"/>", "Person2", 1, 2)]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\"><text><div>a</div></text></Patient>", "Patient.text.div", 1, 49)]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\"><name url=\"http://x\"/></Patient>", "Patient.name", 1, 39)]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\">\n<active", "", 2, 8)]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\"/><Patient/>", "", 1, 40)]
    public void What_is_no_FHIR_is_refused_with_its_place(string xml, string expression, int line, int column)
    {
        var issue = Refused(xml);
        Assert.Equal((expression, line, column), (issue.Expression, issue.Line, issue.Column));
    }

    [Theory]
    [InlineData("<!DOCTYPE p [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]><Patient xmlns=\"http://hl7.org/fhir\"><language value=\"&b;\"/></Patient>")]
    [InlineData("<!DOCTYPE p SYSTEM \"file:///etc/passwd\"><Patient xmlns=\"http://hl7.org/fhir\"/>")]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\"><language value=\"&unknown;\"/></Patient>")]
    [InlineData("<Patient xmlns=\"http://hl7.org/fhir\"><language value=\"&#0;\"/></Patient>")]
    [InlineData("")]
    public void Entities_and_document_types_are_refused(string xml) => Assert.Equal("structure", Refused(xml).Code);

    [Fact]
    public void Depth_and_size_are_limited()
    {
        var deep = string.Concat(Enumerable.Repeat("<extension url=\"u\">", 5_000)) + string.Concat(Enumerable.Repeat("</extension>", 5_000));
        Assert.Equal("too-costly", Refused($"<Patient {Space}>{deep}</Patient>").Code);
        var limits = new ReadLimits(NodesMax: 3);
        var wide = Encoding.UTF8.GetBytes($"<Patient {Space}><name><given value=\"a\"/><given value=\"b\"/></name></Patient>");
        Assert.Equal("too-costly", Assert.Single(Assert.IsType<FhirReadOutcome.Refused>(FhirXml.Read(wide, limits)).Issues).Code);
        Assert.Equal("too-long", Assert.Single(Assert.IsType<FhirReadOutcome.Refused>(FhirXml.Read(wide, new ReadLimits(BytesMax: 20))).Issues).Code);
    }

    [Theory]
    [InlineData("""{"resourceType":"Patient","nam":1}""", "Patient.nam")]
    [InlineData("""{"resourceType":"Patient","name":[{"text":"a\u0001"}]}""", "Patient.name[0].text")]
    [InlineData("""{"resourceType":"Patient","name":["a"]}""", "Patient.name[0]")]
    [InlineData("""{"resourceType":"Patient","active":{"a":1}}""", "Patient.active")]
    [InlineData("""{"resourceType":"Patient","text":{"div":"<div>a"}}""", "Patient.text.div")]
    [InlineData("""{"resourceType":"Patient","text":{"div":"<!DOCTYPE div [<!ENTITY a 'b'>]><div>&a;</div>"}}""", "Patient.text.div")]
    public void What_XML_cannot_say_is_refused_with_its_place(string json, string expression) =>
        Assert.Equal(expression, Assert.Single(Assert.IsType<XmlWriteOutcome.Refused>(FhirXml.Write(FhirText.Read(json))).Issues).Expression);

    [Fact]
    public void Any_cut_or_bent_text_is_read_or_refused()
    {
        var whole = Encoding.UTF8.GetBytes($"""<Patient {Space}><id value="p"/><text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p>a</p></div></text><name id="n"><given value="A"/></name></Patient>""");
        var random = new Random(11);
        for (var round = 0; round < 5_000; round++)
        {
            var text = whole[..random.Next(whole.Length / 2, whole.Length)];
            for (var change = random.Next(4); change > 0; change--)
            {
                text[random.Next(text.Length)] = (byte)random.Next(256);
            }
            if (FhirXml.Read(text) is FhirReadOutcome.Refused refused)
            {
                Assert.All(refused.Issues, issue => Assert.True(issue.Line > 0 && issue.Column > 0));
            }
        }
    }
}
