using System.Text;
using Salus.Fhir.Resources;
using Salus.Fhir.Search;
using Salus.Fhir.Validation;

namespace Salus.Tests.Fhir;

public sealed class WrittenResourceTests
{
    static readonly DateTimeOffset Moment = new(2024, 2, 29, 14, 30, 5, 250, TimeSpan.FromHours(2));
    static readonly MeasureRecord HeartRate = new(null, Measure.HeartRate, 71.0m, "Patient/1", Moment, "Encounter/1");

    [Fact]
    public void What_the_product_writes_is_valid_and_belongs_to_its_patient()
    {
        byte[][] written =
        [
            new PatientRecord("1", "Muster", ["Eva", "Maria"], "female", new(1980, 2, 3), [new("urn:x", "1")]).ToUtf8(),
            new EncounterRecord("1", "finished", "AMB", "Patient/1", Moment, Moment).ToUtf8(),
            new EncounterRecord(null, "in-progress", "EMER", "Patient/1", Moment).ToUtf8(),
            new ConditionRecord("1", "cough", "Patient/1", "active", "provisional", Moment, "Encounter/1").ToUtf8(),
            HeartRate.ToUtf8(),
            new MeasureRecord("1", Measure.Glucose, 92, "Patient/1", Moment).ToUtf8(),
            new BloodPressureRecord("1", 120, 80, "Patient/1", Moment).ToUtf8(),
            new AssessmentRecord("1", new("urn:x", "abnormal"), "Patient/1", Moment, "Encounter/1").ToUtf8(),
            new FileRecord("1", "Patient/1", Moment, "application/pdf", "Binary/1", 3_000_000_000, "Letter").ToUtf8(),
            new NoteRecord("1", new("http://loinc.org", "34109-9", "Note"), "Patient/1", Moment, "text", "Encounter/1", "title").ToUtf8(),
        ];
        Assert.All(written, bytes =>
        {
            var resource = FhirText.Read(bytes);
            Assert.Empty(Validator.R4.Validate(resource));
            Assert.Equal("1", PatientCompartment.PatientOf(resource));
        });
    }

    [Fact]
    public void A_files_content_is_a_valid_Binary_under_its_patients_rules()
    {
        var binary = new BinaryRecord("1", "application/pdf", "Patient/1").ToUtf8();
        Assert.Empty(Validator.R4.Validate(FhirText.Read(binary)));
        Assert.Equal("""{"resourceType":"Binary","id":"1","contentType":"application/pdf","securityContext":{"reference":"Patient/1"}}""", Encoding.UTF8.GetString(binary));
    }

    [Fact]
    public void A_measured_value_has_its_code_unit_category_and_the_digits_given() => Assert.Equal(
        """
        {"resourceType":"Observation","status":"final",
        "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
        "code":{"coding":[{"system":"http://loinc.org","code":"8867-4","display":"Heart rate"}]},
        "subject":{"reference":"Patient/1"},"encounter":{"reference":"Encounter/1"},"effectiveDateTime":"2024-02-29T12:30:05Z",
        "valueQuantity":{"value":71.0,"unit":"beats/minute","system":"http://unitsofmeasure.org","code":"/min"}}
        """.ReplaceLineEndings(""),
        Encoding.UTF8.GetString(HeartRate.ToUtf8()));

    [Fact]
    public void A_blood_pressure_has_a_component_for_each_value_that_was_measured()
    {
        var both = FhirText.Read(new BloodPressureRecord(null, 120, 80, "Patient/1", Moment).ToUtf8());
        Assert.Equal(2, both["component"].Items.Count);
        var one = FhirText.Read(new BloodPressureRecord(null, null, 80, "Patient/1", Moment).ToUtf8());
        var component = Assert.Single(SearchIndexer.R4.Extract(one).OfType<IndexValue.Token>(), token => token.Parameter == "component-code");
        Assert.Equal("8462-4", component.Code);
    }

    [Fact]
    public void A_note_is_told_apart_by_its_type_and_carries_its_text()
    {
        var note = FhirText.Read(new NoteRecord(null, new("urn:parts", "history"), "Patient/1", Moment, "Früher gesund", "Encounter/1", "history").ToUtf8());
        Assert.Contains(new IndexValue.Token("type", "urn:parts", "history"), SearchIndexer.R4.Extract(note));
        var attachment = note["content"].Items.FirstOrMissing["attachment"];
        Assert.Equal("Früher gesund", Encoding.UTF8.GetString(Convert.FromBase64String(attachment["data"].Text!)));
    }
}
