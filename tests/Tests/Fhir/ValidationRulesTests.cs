using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;

namespace Salus.Tests.Fhir;

/// <summary>The rules beyond structure, one kind at a time.</summary>
public sealed class ValidationRulesTests
{
    static IEnumerable<string> Places(string json, ValidationOptions options) =>
        new Validator(FhirDefinitions.R4, options).Validate(FhirText.Read(json)).Select(issue => $"{issue.Expression} {issue.Code}");

    [Theory]
    [InlineData("""{"resourceType":"Patient","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{"city":"A"}}]}""", "")]
    [InlineData("""{"resourceType":"Patient","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueString":"A"}]}""", "Patient.extension[0].valueString structure")]
    [InlineData("""{"resourceType":"Observation","status":"final","code":{"text":"x"},"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueAddress":{"city":"A"}}]}""", "Observation.extension[0] structure")]
    [InlineData("""{"resourceType":"Patient","extension":[{"url":"relative","valueString":"A"}]}""", "Patient.extension[0].url invalid")]
    [InlineData("""{"resourceType":"Patient","extension":[{"url":"urn:unknown","valueString":"A"}]}""", "")]
    [InlineData("""{"resourceType":"Patient","modifierExtension":[{"url":"urn:unknown","valueString":"A"}]}""", "Patient.modifierExtension[0].url extension")]
    [InlineData("""{"resourceType":"Patient","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-nationality","extension":[{"url":"code","valueCodeableConcept":{"text":"x"}}]}]}""", "")]
    [InlineData("""{"resourceType":"Patient","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-nationality","extension":[{"url":"code","valueString":"x"}]}]}""", "Patient.extension[0].extension[0].valueString structure")]
    [InlineData("""{"resourceType":"Patient","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-animal","extension":[{"url":"breed","valueCodeableConcept":{"text":"x"}}]}]}""", "Patient.extension[0] required")]
    public void An_extension_is_held_to_its_definition(string json, string place) => Assert.Equal(place.Length == 0 ? [] : [place], FhirText.Places(json));

    [Theory]
    [InlineData("""{"resourceType":"Patient","contact":[{"gender":"male"}]}""", "Patient.contact[0] invariant")]
    [InlineData("""{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueString":"a","dataAbsentReason":{"text":"b"}}""", "Observation invariant")]
    [InlineData("""{"resourceType":"Encounter","status":"finished","class":{"code":"AMB","system":"http://terminology.hl7.org/CodeSystem/v3-ActCode"},"period":{"start":"2024-02-02","end":"2024-02-01"}}""", "Encounter.period invariant")]
    [InlineData("""{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"A"}]}""", "Patient invariant")]
    [InlineData("""{"resourceType":"Questionnaire","status":"active","item":[{"linkId":"1","type":"string"},{"linkId":"1","type":"string"}]}""", "Questionnaire invariant")]
    [InlineData("""{"resourceType":"Patient","name":[{"id":"a"}]}""", "Patient.name[0] invariant")]
    [InlineData("""{"resourceType":"Patient","_birthDate":{"id":"a"}}""", "Patient.birthDate invariant")]
    [InlineData("""{"resourceType":"Observation","status":"final","code":{"text":"x"},"referenceRange":[{"low":{"value":1,"comparator":"<"}}]}""", "Observation.referenceRange[0].low structure")]
    public void An_invariant_is_held(string json, string place) => Assert.Contains(place, FhirText.Places(json));

    [Fact]
    public void Good_practice_is_a_warning_for_those_who_ask()
    {
        const string json = """{"resourceType":"Patient","active":true}""";
        Assert.Empty(FhirText.Validate(json));
        Assert.Equal(["Patient invariant"], Places(json, ValidationOptions.Everything));
        Assert.All(new Validator(FhirDefinitions.R4, ValidationOptions.Everything).Validate(FhirText.Read(json)), issue => Assert.Equal(IssueSeverity.Warning, issue.Severity));
    }

    [Theory]
    [InlineData("""{"resourceType":"Patient","name":[{"id":"a","text":"b"}],"telecom":[{"id":"a","use":"home"}]}""", "Patient.telecom[0].id duplicate")]
    [InlineData("""{"resourceType":"Media","status":"completed","content":{"contentType":"text/plain","size":5,"data":"AAAA"}}""", "Media.content.size invalid")]
    [InlineData("""{"resourceType":"Basic","code":{"coding":[{"system":"local","code":"x"}]}}""", "Basic.code.coding[0].system invalid")]
    [InlineData("""{"resourceType":"Basic","code":{"coding":[{"system":"http://hl7.org/fhir/ValueSet/administrative-gender","code":"male"}]}}""", "Basic.code.coding[0].system invalid")]
    [InlineData("""{"resourceType":"Basic","code":{"text":"x"},"identifier":[{"system":"urn:oid:1.2..3","value":"1"}]}""", "Basic.identifier[0].system value")]
    [InlineData("""{"resourceType":"Basic","code":{"text":"x"},"identifier":[{"system":"urn:uuid:123","value":"1"}]}""", "Basic.identifier[0].system value")]
    public void What_the_specification_says_in_words_is_held_too(string json, string place) => Assert.Equal([place], FhirText.Places(json));

    [Fact]
    public void Settings_refuse_what_the_specification_leaves_open()
    {
        Assert.Equal(["Patient.name[0].text invalid"], Places("""{"resourceType":"Patient","name":[{"text":"a <b>c</b>"}]}""", new() { RefusesMarkupInStrings = true }));
        Assert.Empty(Places("""{"resourceType":"Patient","name":[{"text":"a < b > c"}]}""", new() { RefusesMarkupInStrings = true }));
        Assert.Equal(["Patient.photo[0].url invalid"], Places("""{"resourceType":"Patient","photo":[{"url":"https://a.example.org/x"}]}""", new() { RefusesExampleUrls = true }));
        Assert.Equal(["Patient.extension[0].url extension"], Places("""{"resourceType":"Patient","extension":[{"url":"urn:unknown","valueString":"A"}]}""", new() { RefusesUnknownExtensions = true }));
        Assert.Equal(["Patient.managingOrganization.reference not-found"], Places("""{"resourceType":"Patient","managingOrganization":{"reference":"Organization/1"}}""", new() { RequiresTargets = true }));
        const string unknown = """{"resourceType":"Basic","code":{"coding":[{"system":"http://hl7.org/fhir/administrative-gender","code":"x"}]}}""";
        Assert.Equal(["Basic.code.coding[0].code code-invalid"], Places(unknown, new() { RefusesUnknownCodes = true }));
        Assert.Empty(FhirText.Places(unknown));
    }

    [Fact]
    public void An_extensible_binding_warns_and_a_doubtful_year_too()
    {
        const string json = """{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"},"birthDate":"0970-01-01","maritalStatus":{"coding":[{"system":"urn:x","code":"y"}]}}""";
        Assert.Empty(FhirText.Places(json));
        Assert.Equal(["Patient.birthDate value", "Patient.maritalStatus code-invalid"], Places(json, ValidationOptions.Everything));
    }

    static string Bundle(string type, string members) => $$"""{"resourceType":"Bundle","type":"{{type}}",{{members}} }""";

    [Theory]
    [InlineData("collection", "\"link\":[{\"relation\":\"self\",\"url\":\"urn:a\"},{\"relation\":\"self\",\"url\":\"urn:b\"}]", "Bundle.link[1] invalid")]
    [InlineData("collection", "\"entry\":[{\"fullUrl\":\"Patient/1\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"}}]", "Bundle.entry[0].fullUrl invalid")]
    [InlineData("collection", "\"entry\":[{\"fullUrl\":\"https://a.example/Patient/2\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"}}]", "Bundle.entry[0].fullUrl invalid")]
    [InlineData("collection", "\"entry\":[{\"fullUrl\":\"https://a.example/Patient/2\",\"resource\":{\"resourceType\":\"Patient\",\"active\":true}}]", "Bundle.entry[0].fullUrl invalid")]
    [InlineData("collection", "\"entry\":[{\"fullUrl\":\"urn:a\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"}},{\"fullUrl\":\"urn:a\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"2\"}}]", "Bundle.entry[1].fullUrl invariant")]
    [InlineData("collection", "\"entry\":[{\"link\":[{\"relation\":\"x\",\"url\":\"urn:a\"}]}]", "Bundle.entry[0] invariant")]
    [InlineData("transaction", "\"entry\":[{\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"}}]", "Bundle invariant")]
    [InlineData("searchset", "\"entry\":[{\"search\":{\"mode\":\"match\"},\"resource\":{\"resourceType\":\"Patient\",\"active\":true}}]", "Bundle.entry[0].resource required")]
    [InlineData("searchset", "\"entry\":[{\"search\":{\"mode\":\"outcome\"},\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"}}]", "Bundle.entry[0].resource invalid")]
    [InlineData("searchset", "\"link\":[{\"relation\":\"self\",\"url\":\"https://a.example/Observation?x=y\"}],\"entry\":[{\"search\":{\"mode\":\"match\"},\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"}}]", "Bundle.entry[0].resource invalid")]
    [InlineData("document", "\"identifier\":{\"system\":\"urn:x\",\"value\":\"1\"},\"timestamp\":\"2024-02-29T12:30:05Z\",\"entry\":[{\"fullUrl\":\"urn:a\",\"resource\":{\"resourceType\":\"Patient\",\"id\":\"1\"}}]", "Bundle invariant")]
    public void A_Bundle_is_held_to_the_rules_of_its_type(string type, string members, string place) => Assert.Equal([place], FhirText.Places(Bundle(type, members)));

    const string Document = """
        "identifier":{"system":"urn:x","value":"1"},"timestamp":"2024-02-29T12:30:05Z","entry":[
        {"fullUrl":"https://a.example/Composition/1","resource":{"resourceType":"Composition","id":"1","status":"final","type":{"text":"t"},"date":"2024","author":[{"reference":"$author"}],"title":"t"}},
        {"fullUrl":"https://a.example/Practitioner/2","resource":{"resourceType":"Practitioner","id":"2"}}]
        """;

    [Theory]
    [InlineData("Practitioner/2")]
    [InlineData("https://a.example/Practitioner/2")]
    public void A_document_that_holds_what_it_refers_to_is_valid(string author) =>
        Assert.Empty(FhirText.Validate(Bundle("document", Document.Replace("$author", author, StringComparison.Ordinal))));

    [Theory]
    [InlineData("Practitioner/3")]
    [InlineData("https://b.example/Practitioner/2")]
    public void A_document_that_lacks_what_it_refers_to_is_refused(string author) =>
        Assert.Equal(
            ["Bundle.entry[0].resource.author[0].reference not-found", "Bundle.entry[1] informational"],
            FhirText.Places(Bundle("document", Document.Replace("$author", author, StringComparison.Ordinal))));

    [Fact]
    public void A_urn_leads_to_the_type_of_its_entry()
    {
        const string entries = """
            "entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Patient","managingOrganization":{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239521"}}},
            {"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239521","resource":{"resourceType":"Practitioner","active":true}}]
            """;
        Assert.Equal(["Bundle.entry[0].resource.managingOrganization.reference invalid"], FhirText.Places(Bundle("collection", entries)));
    }

    [Fact]
    public void An_answer_is_held_to_the_contained_questionnaire()
    {
        const string response = """
            {"resourceType":"QuestionnaireResponse","status":"completed","questionnaire":"#q","contained":[{"resourceType":"Questionnaire","id":"q","status":"active","item":[{"linkId":"1","type":"group","item":[{"linkId":"2","type":"string"}]}]}],
            "item":[{"linkId":"1","item":[{"linkId":"2","answer":[{"valueString":"a"}]},{"linkId":"3"}]}]}
            """;
        Assert.Equal(["QuestionnaireResponse.item[0].item[1].linkId not-found"], FhirText.Places(response));
    }

    [Fact]
    public void Errors_go_before_warnings_where_not_all_can_be_told()
    {
        var resource = FhirText.Read("""{"resourceType":"Patient","maritalStatus":{"coding":[{"system":"urn:x","code":"y"}]},"birthDate":"0970","gender":"x"}""");
        Assert.Contains(new Validator(FhirDefinitions.R4, ValidationOptions.Everything).Validate(resource, issuesMax: 1), issue => issue is { Severity: IssueSeverity.Error, Expression: "Patient.gender" });
    }
}
