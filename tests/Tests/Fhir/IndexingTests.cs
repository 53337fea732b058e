using Salus.Fhir.Search;

namespace Salus.Tests.Fhir;

public sealed class IndexingTests
{
    static IEnumerable<IndexValue> Values(string json, string parameter) =>
        SearchIndexer.R4.Extract(FhirText.Read(json)).Where(value => value.Parameter == parameter);

    static DateTimeOffset At(string text) => DateTimeOffset.Parse(text);

    [Fact]
    public void Tokens_come_from_codes_concepts_identifiers_and_flags()
    {
        const string observation = """
            {"resourceType":"Observation","status":"final","identifier":[{"system":"urn:ids","value":"7"},{"use":"old"}],
            "code":{"coding":[{"system":"http://loinc.org","code":"8867-4"},{"code":"own"}],"text":"pulse"}}
            """;
        Assert.Equal([new IndexValue.Token("code", "http://loinc.org", "8867-4"), new IndexValue.Token("code", null, "own")], Values(observation, "code"));
        Assert.Equal([new IndexValue.Token("identifier", "urn:ids", "7")], Values(observation, "identifier"));
        Assert.Equal([new IndexValue.Token("status", null, "final")], Values(observation, "status"));
        Assert.Equal([new IndexValue.Token("active", null, "false")], Values("""{"resourceType":"Patient","active":false}""", "active"));
    }

    [Theory]
    [InlineData("""{"resourceType":"Patient","deceasedBoolean":false}""", "false")]
    [InlineData("""{"resourceType":"Patient","deceasedDateTime":"2024"}""", "true")]
    [InlineData("""{"resourceType":"Patient"}""", "false")]
    public void A_patient_is_found_by_having_died_however_it_is_written(string json, string expected) =>
        Assert.Equal([new IndexValue.Token("deceased", null, expected)], Values(json, "deceased"));

    [Fact]
    public void Contact_points_are_told_apart_by_their_system()
    {
        const string patient = """{"resourceType":"Patient","telecom":[{"system":"phone","value":"1"},{"system":"email","value":"a@b.example"}]}""";
        Assert.Equal([new IndexValue.Token("email", null, "a@b.example")], Values(patient, "email"));
        Assert.Equal([new IndexValue.Token("phone", null, "1")], Values(patient, "phone"));
        Assert.Equal(2, Values(patient, "telecom").Count());
    }

    [Fact]
    public void Text_is_kept_as_written_and_normalised()
    {
        const string patient = """{"resourceType":"Patient","name":[{"family":"Ćosić  Núñez","given":["Eva","ÉLODIE"]}],"address":[{"city":"Zürich","line":["Weg 1"]}]}""";
        Assert.Equal([new IndexValue.Text("family", "Ćosić  Núñez", "cosic nunez")], Values(patient, "family"));
        Assert.Equal(["eva", "elodie"], Values(patient, "given").Cast<IndexValue.Text>().Select(text => text.Normalised));
        Assert.Equal(3, Values(patient, "name").Count());
        Assert.Equal([new IndexValue.Text("address-city", "Zürich", "zurich")], Values(patient, "address-city"));
        Assert.Equal(["weg 1", "zurich"], Values(patient, "address").Cast<IndexValue.Text>().Select(text => text.Normalised));
    }

    [Fact]
    public void A_urn_is_of_no_type_until_it_is_resolved()
    {
        var observation = FhirText.Read("""{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"},"encounter":{"reference":"urn:uuid:2"}}""");
        static string? Resolve(string reference) => reference switch
        {
            "urn:uuid:1" => "Patient/p",
            "urn:uuid:2" => "Encounter/e",
            _ => null,
        };
        static IEnumerable<string> Found(IEnumerable<IndexValue> values, string parameter) =>
            values.OfType<IndexValue.Reference>().Where(value => value.Parameter == parameter).Select(value => value.Target.Text);
        var asWritten = SearchIndexer.R4.Extract(observation);
        Assert.Empty(Found(asWritten, "patient"));
        Assert.Equal(["urn:uuid:1"], Found(asWritten, "subject"));
        var resolved = SearchIndexer.R4.Extract(observation, Resolve);
        Assert.Equal(["Patient/p"], Found(resolved, "patient"));
        Assert.Equal(["Patient/p"], Found(resolved, "subject"));
        Assert.Equal(["Encounter/e"], Found(resolved, "encounter"));
        Assert.Empty(Found(SearchIndexer.R4.Extract(observation, _ => "Group/g"), "patient"));
        Assert.Contains("Patient/p", PatientCompartment.References(observation, Resolve).Select(reference => reference.Text));
        Assert.DoesNotContain(PatientCompartment.References(observation), reference => reference.Type is not null);
    }

    [Fact]
    public void Only_the_parameters_that_are_wanted_are_extracted()
    {
        var patient = FhirText.Read("""{"resourceType":"Patient","active":true,"gender":"female","birthDate":"1980"}""");
        Assert.Equal([new IndexValue.Token("gender", null, "female")], SearchIndexer.R4.Extract(patient, wanted: parameter => parameter.Code == "gender"));
    }

    [Fact]
    public void References_name_type_and_id_where_they_can()
    {
        const string condition = """
            {"resourceType":"Condition","subject":{"reference":"Patient/p"},"encounter":{"reference":"https://a.example/fhir/Encounter/e/_history/3"},
            "asserter":{"reference":"urn:uuid:1"},"recorder":{"display":"someone"}}
            """;
        Assert.Equal([new IndexValue.Reference("subject", new("Patient", "p", "Patient/p", false))], Values(condition, "subject"));
        Assert.Equal(("Encounter", "e", true), Values(condition, "encounter").Cast<IndexValue.Reference>().Select(value => (value.Target.Type!, value.Target.Id!, value.Target.IsAbsolute)).Single());
        Assert.Equal([new IndexValue.Reference("asserter", new(null, null, "urn:uuid:1", false))], Values(condition, "asserter"));
    }

    [Fact]
    public void A_parameter_for_patients_alone_leaves_other_subjects_out()
    {
        Assert.Single(Values("""{"resourceType":"Observation","subject":{"reference":"Patient/1"}}""", "patient"));
        Assert.Empty(Values("""{"resourceType":"Observation","subject":{"reference":"Device/1"}}""", "patient"));
        Assert.Single(Values("""{"resourceType":"Observation","subject":{"reference":"Device/1"}}""", "subject"));
    }

    [Fact]
    public void Dates_become_the_range_they_stand_for()
    {
        Assert.Equal(
            [new IndexValue.Date("birthdate", At("1980-02-01T00:00:00Z"), At("1980-02-29T23:59:59.9999999Z"))],
            Values("""{"resourceType":"Patient","birthDate":"1980-02"}""", "birthdate"));
        Assert.Equal(
            [new IndexValue.Date("date", At("2024-01-01T00:00:00Z"), At("2024-01-02T23:59:59.9999999Z"))],
            Values("""{"resourceType":"Encounter","period":{"start":"2024-01-01","end":"2024-01-02"}}""", "date"));
        Assert.Equal(
            [new IndexValue.Date("date", At("2024-01-01T00:00:00Z"), DateTimeOffset.MaxValue)],
            Values("""{"resourceType":"Encounter","period":{"start":"2024-01-01"}}""", "date"));
        Assert.Equal(
            [new IndexValue.Date("date", At("2024-01-01T10:00:00Z"), At("2024-01-03T10:00:00.9999999Z"))],
            Values("""{"resourceType":"Observation","effectiveTiming":{"event":["2024-01-03T10:00:00Z","2024-01-01T10:00:00Z"]}}""", "date"));
        Assert.Empty(Values("""{"resourceType":"Patient","birthDate":"yesterday"}""", "birthdate"));
    }

    [Fact]
    public void Quantities_and_numbers_keep_value_and_unit()
    {
        Assert.Equal(
            [new IndexValue.Quantity("value-quantity", "http://unitsofmeasure.org", "/min", 71.5m, 71.5m)],
            Values("""{"resourceType":"Observation","valueQuantity":{"value":71.5,"unit":"beats","system":"http://unitsofmeasure.org","code":"/min"}}""", "value-quantity"));
        Assert.Equal(
            [new IndexValue.Number("probability", 12.5m, 12.5m)],
            Values("""{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":12.5}]}""", "probability"));
        Assert.Empty(Values("""{"resourceType":"Observation","valueQuantity":{"unit":"beats"}}""", "value-quantity"));
    }

    [Fact]
    public void URIs_are_kept_as_written() =>
        Assert.Equal([new IndexValue.Uri("url", "http://a.example/V")], Values("""{"resourceType":"ValueSet","url":"http://a.example/V"}""", "url"));

    [Fact]
    public void An_unknown_type_has_no_values() => Assert.Empty(SearchIndexer.R4.Extract(FhirText.Read("""{"resourceType":"Starship","id":"1"}""")));

    [Theory]
    [InlineData("""{"resourceType":"Patient","id":"p"}""", "p")]
    [InlineData("""{"resourceType":"Condition","subject":{"reference":"Patient/p"}}""", "p")]
    [InlineData("""{"resourceType":"Condition","subject":{"reference":"Group/g"},"asserter":{"reference":"Patient/q"}}""", "q")]
    [InlineData("""{"resourceType":"Claim","patient":{"reference":"https://a.example/Patient/p"}}""", "p")]
    [InlineData("""{"resourceType":"Group","member":[{"entity":{"reference":"Patient/a"}},{"entity":{"reference":"Patient/b"}}]}""", "a,b")]
    [InlineData("""{"resourceType":"Organization","id":"o"}""", "")]
    public void The_patients_of_a_resource_are_those_of_R4s_compartment(string json, string expected) =>
        Assert.Equal(expected, string.Join(',', PatientCompartment.PatientsOf(FhirText.Read(json))));
}
