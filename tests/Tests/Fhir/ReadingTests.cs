using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Salus.Fhir.Elements;
using Salus.Fhir.Resources;
using Salus.Fhir.Search;
using Salus.Fhir.Validation;
using Xunit;

namespace Salus.Tests.Fhir;

public sealed class ReadingTests
{
    static readonly DateTimeOffset Moment = new(2024, 2, 29, 12, 30, 0, TimeSpan.Zero);

    static Resource Read(byte[] utf8) => Assert.IsType<FhirReadOutcome.Ok>(FhirJson.Read(utf8)).Resource;

    static Resource Read(string json) => Read(Encoding.UTF8.GetBytes(json));

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

    [Fact]
    public void Reading_never_throws() => Prop.ForAll<byte[]>(bytes => FhirJson.Read(bytes ?? []) is not null).QuickCheckThrowOnFailure();

    [Fact]
    public void Rewriting_keeps_decimals_as_written_and_maps_references()
    {
        var observation = Read("""{"resourceType":"Observation","subject":{"reference":"urn:uuid:1"},"valueQuantity":{"value":1.10}}""");
        var bytes = ResourceRewriter.Rewrite(observation, "7", "1", Moment, reference => reference == "urn:uuid:1" ? "Patient/p" : null);
        Assert.Equal(
            """{"resourceType":"Observation","id":"7","meta":{"versionId":"1","lastUpdated":"2024-02-29T12:30:00.000Z"},"subject":{"reference":"Patient/p"},"valueQuantity":{"value":1.10}}""",
            Encoding.UTF8.GetString(bytes));
        Assert.Equal("p", PatientCompartment.PatientOf(Read(bytes)));
    }

    [Fact]
    public void A_misspelt_element_is_named_with_its_neighbour_and_place()
    {
        var issue = Assert.Single(Validator.R4.Validate(Read("""{"resourceType":"Patient","birthdate":"2024-02-30"}""")));
        Assert.Equal("Patient.birthdate", issue.Expression);
        Assert.Contains("'birthDate'", issue.Message);
    }

    [Fact]
    public void What_the_product_writes_is_valid()
    {
        var code = new Coding("http://snomed.info/sct", "38341003", "Hypertension");
        byte[][] written =
        [
            new PatientRecord("1", "Muster", ["Eva"], "female", new(1980, 2, 3), [new("urn:x", "1")], "1", "a@b").ToUtf8(),
            new PractitionerRecord("1", "Arzt", [], []).ToUtf8(),
            new OrganizationRecord("1", "Clinic", []).ToUtf8(),
            new EncounterRecord("1", "finished", "AMB", "Patient/1", Moment, Moment, "Practitioner/1", "Organization/1").ToUtf8(),
            new ConditionRecord("1", code, "Patient/1", "active", Moment, Note: "n").ToUtf8(),
            new VitalSignRecord("1", VitalSign.HeartRate, 71.0m, "Patient/1", Moment, "Encounter/1", "Practitioner/1").ToUtf8(),
            new BloodPressureRecord("1", 120, 80, "Patient/1", Moment).ToUtf8(),
            new AssessmentRecord("1", Assessment.Abnormal, "Patient/1", Moment, "Practitioner/1", Summary: "s").ToUtf8(),
            new PredictionRecord("1", "Patient/1", code, 0.25m, "ckd", "1", Moment, "because", ["Observation/1"]).ToUtf8(),
            new DocumentRecord("1", new("http://loinc.org", "34109-9", "Note"), "Patient/1", Moment, "text", Author: "Practitioner/1", Encounter: "Encounter/1").ToUtf8(),
            new ConsentRecord("1", "active", "Patient/1", Moment, true, "Practitioner/1", ["Observation"], ["TREAT"], Moment).ToUtf8(),
            new AuditRecord("1", "read", "R", Moment, "0", "Practitioner/1", "dr", "TREAT", ["Patient/1"], "node").ToUtf8(),
        ];
        Assert.All(written, bytes => Assert.Empty(Validator.R4.Validate(Read(bytes))));
    }

    [Fact]
    public void An_unknown_search_parameter_is_refused_with_near_names()
    {
        var refused = Assert.IsType<SearchOutcome.Refused>(SearchQuery.Parse("Patient", [new("famly", "x")]));
        Assert.Contains("family", refused.Issues[0].Message);
    }
}
