using System.Text;
using Salus.Fhir.Patch;

namespace Salus.Tests.Fhir;

public sealed class PatchTests
{
    const string Patient = """
        {"resourceType":"Patient","id":"p","active":true,"name":[{"family":"A","given":["x","y",null],"_given":[null,null,{"id":"z"}]}],"_birthDate":{"id":"b"},"multipleBirthInteger":2}
        """;

    static PatchOutcome Json(string document, string patch, PatchLimits? limits = null) =>
        JsonPatch.Apply(Encoding.UTF8.GetBytes(document), Encoding.UTF8.GetBytes(patch), limits);

    static PatchOutcome Fhir(params string[] operations) => FhirPathPatch.Apply(
        FhirText.Read(Patient), FhirText.Read($$"""{"resourceType":"Parameters","parameter":[{{string.Join(',', operations)}}]}"""));

    static string Operation(string type, string path, params string[] parts) => $$"""
        {"name":"operation","part":[{"name":"type","valueCode":"{{type}}"},{"name":"path","valueString":"{{path}}"}{{string.Concat(parts.Select(part => "," + part))}}]}
        """;

    static string Done(PatchOutcome outcome) => Encoding.UTF8.GetString(Assert.IsType<PatchOutcome.Ok>(outcome).Utf8.Span);

    static string Refused(PatchOutcome outcome) => Assert.IsType<PatchOutcome.Refused>(outcome).Issue.Code;

    [Theory]
    [InlineData("""{"a":1.10,"b":[1]}""", """[{"op":"add","path":"/b/-","value":2.50}]""", """{"a":1.10,"b":[1,2.50]}""")]
    [InlineData("""{"a":1.10}""", """[{"op":"copy","from":"/a","path":"/b"}]""", """{"a":1.10,"b":1.10}""")]
    [InlineData("""{"a":1.10}""", """[{"op":"test","path":"/a","value":1.1},{"op":"remove","path":"/a"}]""", "{}")]
    [InlineData("""{"a":1e400}""", """[{"op":"test","path":"/a","value":10E399}]""", """{"a":1e400}""")]
    [InlineData("""{"a/b":{"~":null}}""", """[{"op":"replace","path":"/a~1b/~0","value":"é\u0001"}]""", """{"a/b":{"~":"é\u0001"}}""")]
    [InlineData("""{"a":{"b":1}}""", """[{"op":"move","from":"/a/b","path":"/c"}]""", """{"a":{},"c":1}""")]
    [InlineData("""[1,2,3]""", """[{"op":"move","from":"/0","path":"/2"}]""", "[2,3,1]")]
    [InlineData("\"foo\"", """[{"op":"replace","path":"","value":null}]""", "null")]
    public void A_JSON_Patch_changes_what_it_names_and_nothing_else(string document, string patch, string expected) => Assert.Equal(expected, Done(Json(document, patch)));

    [Theory]
    [InlineData("""{"a":0.1}""", """[{"op":"test","path":"/a","value":0.1000000000000000055511151231257827}]""", "conflict")]
    [InlineData("""{"a":9007199254740993}""", """[{"op":"test","path":"/a","value":9007199254740992}]""", "conflict")]
    [InlineData("""{"a":"1"}""", """[{"op":"test","path":"/a","value":1}]""", "conflict")]
    [InlineData("""{"a":1}""", """[{"op":"remove","path":"/b"}]""", "not-found")]
    [InlineData("""{"a":1}""", """[{"op":"replace","path":"/b","value":1}]""", "not-found")]
    [InlineData("""{"a":1}""", """[{"op":"add","path":"/a/b","value":1}]""", "not-found")]
    [InlineData("""[1]""", """[{"op":"add","path":"/2","value":1}]""", "not-found")]
    [InlineData("""[1]""", """[{"op":"replace","path":"/00","value":1}]""", "not-found")]
    [InlineData("""{"a":1}""", """[{"op":"add","path":"a","value":1}]""", "value")]
    [InlineData("""{"a":1}""", """[{"op":"add","path":"/~2","value":1}]""", "value")]
    [InlineData("""{"a":{"b":1}}""", """[{"op":"move","from":"/a","path":"/a/b"}]""", "value")]
    [InlineData("""{"a":1}""", """[{"op":"remove","path":""}]""", "value")]
    [InlineData("""{"a":1}""", """[{"op":"add","path":"/b"}]""", "required")]
    [InlineData("""{"a":1}""", """[{"path":"/b","value":1}]""", "required")]
    [InlineData("""{"a":1}""", """[{"op":"spam","path":"/b","value":1}]""", "not-supported")]
    [InlineData("""{"a":1}""", """[{"op":"add","op":"remove","path":"/a","value":1}]""", "structure")]
    [InlineData("""{"a":1}""", """{"op":"remove","path":"/a"}""", "structure")]
    [InlineData("""{"a":1}""", """[1]""", "structure")]
    public void A_JSON_Patch_that_cannot_be_done_is_refused(string document, string patch, string code) => Assert.Equal(code, Refused(Json(document, patch)));

    [Fact]
    public void Copies_of_copies_are_limited()
    {
        var into = string.Join(',', Enumerable.Range(0, 30).Select(number => $$"""{"op":"copy","from":"","path":"/n{{number}}"}"""));
        Assert.Equal("too-costly", Refused(Json("{}", $"[{into}]", new PatchLimits(NodesMax: 10_000))));
        Assert.Equal("too-costly", Refused(Json("{}", $"[{into}]", new PatchLimits(DepthMax: 8))));
        var beside = string.Join(',', Enumerable.Range(0, 40).Select(number => $$"""{"op":"copy","from":"/0","path":"/0/-"}"""));
        Assert.Equal("too-costly", Refused(Json("[[1,2,3]]", $"[{beside}]", new PatchLimits(NodesMax: 10_000))));
        var many = string.Join(',', Enumerable.Repeat("""{"op":"test","path":"","value":{}}""", 1_001));
        Assert.Equal("too-costly", Refused(Json("{}", $"[{many}]")));
    }

    [Theory]
    [InlineData("add", "Patient", """{"name":"name","valueString":"gender"},{"name":"value","valueCode":"male"}""", "\"gender\":\"male\"")]
    [InlineData("add", "Patient.name", """{"name":"name","valueString":"given"},{"name":"value","valueString":"w"}""", "\"given\":[\"x\",\"y\",null,\"w\"],\"_given\":[null,null,{\"id\":\"z\"},null]")]
    [InlineData("add", "Patient.birthDate", """{"name":"name","valueString":"extension"},{"name":"value","valueExtension":{"url":"http://x","valueCode":"u"}}""", "\"_birthDate\":{\"id\":\"b\",\"extension\":[{\"url\":\"http://x\",\"valueCode\":\"u\"}]}")]
    [InlineData("insert", "Patient.telecom", """{"name":"index","valueInteger":0},{"name":"value","valueContactPoint":{"value":"1"}}""", "\"telecom\":[{\"value\":\"1\"}]")]
    [InlineData("insert", "Patient.name.given", """{"name":"index","valueInteger":1},{"name":"value","_valueString":{"id":"q"}}""", "\"given\":[\"x\",null,\"y\",null],\"_given\":[null,{\"id\":\"q\"},null,{\"id\":\"z\"}]")]
    [InlineData("delete", "Patient.name.given[2]", "", "\"given\":[\"x\",\"y\"]}")]
    [InlineData("delete", "Patient.name.given[0]", "", "\"given\":[\"y\",null],\"_given\":[null,{\"id\":\"z\"}]")]
    [InlineData("delete", "Patient.gender", "", "\"active\":true")]
    [InlineData("replace", "Patient.birthDate", """{"name":"value","valueDate":"2020"}""", "\"birthDate\":\"2020\",\"multipleBirthInteger\":2")]
    [InlineData("replace", "Patient.multipleBirth", """{"name":"value","valueBoolean":true}""", "\"multipleBirthBoolean\":true}")]
    [InlineData("replace", "Patient.name.where(family='A').given.first()", """{"name":"value","valueString":"w"}""", "\"given\":[\"w\",\"y\",null]")]
    [InlineData("move", "Patient.name.given", """{"name":"source","valueInteger":2},{"name":"destination","valueInteger":0}""", "\"given\":[null,\"x\",\"y\"],\"_given\":[{\"id\":\"z\"},null,null]")]
    public void A_FHIRPath_Patch_changes_both_halves_of_an_element(string type, string path, string parts, string expected) =>
        Assert.Contains(expected, Done(Fhir(Operation(type, path, parts.Length == 0 ? [] : [parts]))), StringComparison.Ordinal);

    [Theory]
    [InlineData("add", "Patient", """{"name":"name","valueString":"active"},{"name":"value","valueBoolean":false}""", "conflict")]
    [InlineData("add", "Patient", """{"name":"name","valueString":"wings"},{"name":"value","valueBoolean":false}""", "structure")]
    [InlineData("add", "Patient.contact", """{"name":"name","valueString":"gender"},{"name":"value","valueCode":"male"}""", "not-found")]
    [InlineData("add", "Patient", """{"name":"name","valueString":"gender"}""", "required")]
    [InlineData("delete", "Patient.name.given", "", "multiple-matches")]
    [InlineData("delete", "Patient", "", "value")]
    [InlineData("delete", "Patient.name.count()", "", "value")]
    [InlineData("delete", "Patient.name.(", "", "value")]
    [InlineData("delete", "1.repeatAll($this)", "", "too-costly")]
    [InlineData("insert", "Patient.name", """{"name":"index","valueInteger":2},{"name":"value","valueHumanName":{"text":"a"}}""", "value")]
    [InlineData("insert", "Patient.gender", """{"name":"index","valueInteger":0},{"name":"value","valueCode":"male"}""", "value")]
    [InlineData("replace", "Patient.gender", """{"name":"value","valueCode":"male"}""", "not-found")]
    [InlineData("replace", "Patient.multipleBirth", """{"name":"value","valueString":"two"}""", "value")]
    [InlineData("move", "Patient.name.given", """{"name":"source","valueInteger":3},{"name":"destination","valueInteger":0}""", "value")]
    [InlineData("move", "Patient.name.given", """{"name":"source","valueInteger":-1},{"name":"destination","valueInteger":0}""", "value")]
    [InlineData("invent", "Patient.name", "", "not-supported")]
    public void A_FHIRPath_Patch_that_cannot_be_done_is_refused(string type, string path, string parts, string code) =>
        Assert.Equal(code, Refused(Fhir(Operation(type, path, parts.Length == 0 ? [] : [parts]))));

    [Fact]
    public void A_patch_is_done_whole_or_not_at_all_and_tells_which_operation_failed()
    {
        var issue = Assert.IsType<PatchOutcome.Refused>(Fhir(Operation("delete", "Patient.active"), Operation("invent", "Patient"))).Issue;
        Assert.Equal("Parameters.parameter[1]", issue.Expression);
        Assert.Equal("operation[1]", Assert.IsType<PatchOutcome.Refused>(Json("{}", """[{"op":"add","path":"/a","value":1},{"op":"remove","path":"/b"}]""")).Issue.Expression);
        Assert.Equal(Patient.Trim(), Done(Fhir()));
    }
}
