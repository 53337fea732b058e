namespace Salus.Tests.Fhir;

public sealed class ValidationTests
{
    const string Code = "\"code\":{\"text\":\"x\"}";

    [Theory]
    [InlineData("""{"resourceType":"Observation","status":"final"}""", "Observation required")]
    [InlineData("""{"resourceType":"Condition"}""", "Condition required")]
    [InlineData("""{"resourceType":"Patient","contact":[{"name":{"family":["A"]}}]}""", "Patient.contact[0].name.family structure")]
    [InlineData("""{"resourceType":"Patient","name":{"family":"A"}}""", "Patient.name structure")]
    [InlineData("""{"resourceType":"Patient","name":[]}""", "Patient.name structure")]
    [InlineData("""{"resourceType":"Patient","name":[{}]}""", "Patient.name[0] structure")]
    [InlineData("""{"resourceType":"Patient","name":["A"]}""", "Patient.name[0] structure")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":["A",null]}]}""", "Patient.name[0].given[1] structure")]
    [InlineData("""{"resourceType":"Patient","link":[{"type":"seealso"}]}""", "Patient.link[0] required")]
    public void Cardinality_is_held_with_the_place_that_breaks_it(string json, string place) => Assert.Equal([place], FhirText.Places(json));

    [Theory]
    [InlineData("""{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2024"}""", "Patient.deceasedDateTime structure")]
    [InlineData("""{"resourceType":"Patient","deceasedString":"yes"}""", "Patient.deceasedString structure")]
    [InlineData("""{"resourceType":"Patient","deceased":true}""", "Patient.deceased structure")]
    public void A_choice_has_one_of_its_types(string json, string place) => Assert.Equal([place], FhirText.Places(json));

    [Theory]
    [InlineData("""{"resourceType":"Patient","shoeSize":42}""", "Patient.shoeSize structure")]
    [InlineData("""{"resourceType":"Patient","name":[{"use":"official"},{"last":"A"}]}""", "Patient.name[1].last structure")]
    [InlineData("""{"resourceType":"Patient","_name":[{"id":"a"}]}""", "Patient.name structure")]
    [InlineData("""{"resourceType":"Patient","name":[{"resourceType":"HumanName"}]}""", "Patient.name[0].resourceType structure")]
    [InlineData("""{"resourceType":"Patiant"}""", "Patiant.resourceType structure")]
    [InlineData("""{"resourceType":"DomainResource"}""", "DomainResource.resourceType structure")]
    public void What_the_type_does_not_know_is_refused(string json, string place) => Assert.Equal([place], FhirText.Places(json));

    [Theory]
    [InlineData("""{"resourceType":"Patient","gender":"Female"}""", "Patient.gender code-invalid")]
    [InlineData("""{"resourceType":"Observation","status":"done",$code}""", "Observation.status code-invalid")]
    [InlineData("""{"resourceType":"Patient","telecom":[{"system":"phone"},{"system":"pigeon"}]}""", "Patient.telecom[1].system code-invalid")]
    [InlineData("""{"resourceType":"Condition","subject":{"reference":"Patient/1"},"clinicalStatus":{"coding":[{"system":"urn:x","code":"active"}]}}""", "Condition.clinicalStatus code-invalid")]
    public void A_code_outside_its_required_value_set_is_refused(string json, string place) =>
        Assert.Equal([place], FhirText.Places(json.Replace("$code", Code, StringComparison.Ordinal)));

    [Fact]
    public void A_short_value_set_is_listed_in_the_message() =>
        Assert.Contains("male, female, other, unknown", Assert.Single(FhirText.Validate("""{"resourceType":"Patient","gender":"w"}""")).Message);

    [Theory]
    [InlineData("""{"resourceType":"Patient","_birthDate":{"extension":[{"url":"urn:x","valueString":"unknown"}]}}""")]
    [InlineData("""{"resourceType":"Patient","name":[{"given":["A",null],"_given":[null,{"extension":[{"url":"urn:x","valueCode":"c"}]}]}]}""")]
    [InlineData("""{"resourceType":"Patient","deceasedDateTime":"2024","_deceasedDateTime":{"id":"a"}}""")]
    [InlineData("""{"resourceType":"Condition","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}],"text":"free"},"subject":{"display":"someone"}}""")]
    [InlineData("""{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"A"}],"managingOrganization":{"reference":"#o"}}""")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"https://a.example/fhir/Organization/1/_history/2"}}""")]
    [InlineData("""{"resourceType":"Parameters","parameter":[{"name":"p","resource":{"resourceType":"Patient"}}]}""")]
    public void What_R4_allows_is_valid(string json) => Assert.Empty(FhirText.Validate(json));

    [Theory]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"Patient/1"}}""", "Patient.managingOrganization.reference invalid")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"somewhere"}}""", "Patient.managingOrganization.reference value")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"Organization/a_b"}}""", "Patient.managingOrganization.reference value")]
    [InlineData("""{"resourceType":"Patient","managingOrganization":{"reference":"#o"}}""", "Patient.managingOrganization.reference not-found")]
    public void A_reference_leads_to_a_type_that_the_element_may_have(string json, string place) => Assert.Equal([place], FhirText.Places(json));

    [Theory]
    [InlineData("""{"resourceType":"Patient","contained":[{"resourceType":"Organization","name":"A"}]}""", "Patient.contained[0] required")]
    [InlineData("""{"resourceType":"Patient","extension":[{"url":"urn:x"}]}""", "Patient.extension[0] invariant")]
    [InlineData("""{"resourceType":"Patient","extension":[{"valueCode":"a"}]}""", "Patient.extension[0] required")]
    [InlineData("""{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","gender":"x"}}]}""", "Bundle.entry[0].resource.gender code-invalid")]
    public void Resources_and_extensions_inside_are_checked_too(string json, string place) => Assert.Equal([place], FhirText.Places(json));

    [Fact]
    public void Every_issue_is_listed_with_its_line_up_to_the_limit()
    {
        const string json = "{\"resourceType\":\"Patient\",\n \"gender\":\"x\",\n \"birthDate\":\"y\",\n \"z\":1}";
        Assert.Equal([(2, 11), (3, 14), (4, 6)], FhirText.Validate(json).Select(issue => (issue.Line!.Value, issue.Column!.Value)));
        Assert.Equal(2, Salus.Fhir.Validation.Validator.R4.Validate(FhirText.Read(json), issuesMax: 2).Count);
    }
}
