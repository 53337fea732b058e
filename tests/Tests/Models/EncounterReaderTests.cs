using System.Text;
using Salus.Platform.Models;
using Salus.Platform.Records;

namespace Salus.Tests.Models;

public sealed class EncounterReaderTests
{
    static readonly DateTimeOffset Written = new(2024, 6, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Vital_signs_are_read_by_their_codes_in_the_units_of_the_model()
    {
        var encounter = Assert.Single(EncounterReader.Read(
        [
            Patient, Encounter("e1", "2024-05-31T10:00:00Z"),
            Observation("o1", "8867-4", 72, "/min"), Observation("o2", "8310-5", 98.6, "[degF]"), Observation("o3", "9279-1", 14, "/min"),
            Observation("o4", "59408-5", 97, "%"), Observation("o5", "39156-5", 24.5, "kg/m2"), Observation("o6", "2339-0", 180.16, "mg/dL"),
            Record("Observation", "o7", """
                {"resourceType":"Observation","status":"final","encounter":{"reference":"Encounter/e1"},"code":{"coding":[{"system":"http://loinc.org","code":"55284-4"}]},
                 "component":[{"code":{"coding":[{"system":"http://loinc.org","code":"8480-6"}]},"valueQuantity":{"value":120}},
                              {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4"}]},"valueQuantity":{"value":80}}]}
                """),
        ]));

        var features = encounter.Features;
        Assert.Equal((72, 120, 80, 14, 97, 24.5), (features.HeartRate, features.SystolicPressure, features.DiastolicPressure, features.RespiratoryRate, features.OxygenSaturation, features.BodyMassIndex));
        Assert.Equal(37, features.Temperature!.Value, 10);
        Assert.Equal(10, features.Glucose!.Value, 10);
        Assert.Equal((44d, "female"), (features.AgeYears, features.Sex));
        Assert.Null(encounter.IsAbnormal);
        Assert.Equal(["Encounter/e1", "Observation/o1", "Observation/o2", "Observation/o3", "Observation/o4", "Observation/o5", "Observation/o6", "Observation/o7"], encounter.Basis);
    }

    [Fact]
    public void A_note_is_read_in_the_order_of_its_parts_and_the_condition_counts_once()
    {
        var encounter = Assert.Single(EncounterReader.Read(
        [
            Encounter("e1", "2024-05-31T10:00:00Z"), Note("d1", "findings", "Crackles."), Note("d2", "symptoms", "Cough and fever."), Note("d3", "history", "Asthma."),
            Condition("c1", "Cough and fever."), Condition("c2", "Viral sinusitis"),
        ]));

        Assert.Equal("Cough and fever. Asthma. Crackles. Viral sinusitis", encounter.Features.Notes);
        Assert.True(encounter.HasContent);
    }

    [Theory]
    [InlineData("abnormal", true)]
    [InlineData("normal", false)]
    [InlineData("unknown", null)]
    public void The_label_is_the_recorded_assessment_and_never_part_of_the_basis(string code, bool? expected)
    {
        var encounter = Assert.Single(EncounterReader.Read([Encounter("e1", "2024-05-31"), Impression("i1", code, "completed")]));

        Assert.Equal(expected, encounter.IsAbnormal);
        Assert.Equal(expected is null ? null : Written, encounter.Assessed);
        Assert.False(encounter.HasContent);
        Assert.DoesNotContain("ClinicalImpression/i1", encounter.Basis);
    }

    [Fact]
    public void What_was_entered_in_error_or_belongs_to_another_encounter_is_not_read()
    {
        var encounters = EncounterReader.Read(
        [
            Encounter("e1", "2024-05-31T10:00:00Z"), Encounter("e0", "2020-05-31T10:00:00Z"),
            Observation("o1", "8867-4", 150, "/min", status: "entered-in-error"), Observation("o2", "9279-1", 20, "/min", encounter: "e0"),
            Observation("o3", "8310-5", 39, "Cel", encounter: "elsewhere"), Impression("i1", "abnormal", "entered-in-error"),
        ]);

        Assert.Equal(["e0", "e1"], encounters.Select(encounter => encounter.Id));
        Assert.Equal(20, encounters[0].Features.RespiratoryRate);
        Assert.False(encounters[1].HasContent);
        Assert.Null(encounters[1].IsAbnormal);
    }

    [Fact]
    public void The_later_of_two_measurements_counts()
    {
        var encounter = Assert.Single(EncounterReader.Read(
        [
            Encounter("e1", "2024-05-31T10:00:00Z"),
            Observation("o2", "8867-4", 90, "/min", effective: "2024-05-31T11:00:00Z"), Observation("o1", "8867-4", 120, "/min", effective: "2024-05-31T10:05:00Z"),
        ]));

        Assert.Equal(90, encounter.Features.HeartRate);
    }

    static StoredRecord Patient => Record("Patient", "p", """{"resourceType":"Patient","gender":"female","birthDate":"1979-06-01"}""");

    static StoredRecord Encounter(string id, string start) =>
        Record("Encounter", id, $$$"""{"resourceType":"Encounter","status":"finished","period":{"start":"{{{start}}}"}}""");

    static StoredRecord Observation(string id, string code, double value, string unit, string encounter = "e1", string status = "final", string effective = "2024-05-31T10:00:00Z") =>
        Record("Observation", id, FormattableString.Invariant($$$"""
            {"resourceType":"Observation","status":"{{{status}}}","encounter":{"reference":"Encounter/{{{encounter}}}"},"effectiveDateTime":"{{{effective}}}",
             "code":{"coding":[{"system":"http://loinc.org","code":"{{{code}}}"}]},"valueQuantity":{"value":{{{value}}},"code":"{{{unit}}}"}}
            """));

    static StoredRecord Note(string id, string part, string text) =>
        Record("DocumentReference", id, $$$"""
            {"resourceType":"DocumentReference","status":"current","type":{"coding":[{"system":"{{{RecordsDesk.NoteSystem}}}","code":"{{{part}}}"}]},
             "content":[{"attachment":{"contentType":"text/plain; charset=utf-8","data":"{{{Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}}}"}}],
             "context":{"encounter":[{"reference":"Encounter/e1"}]}}
            """);

    static StoredRecord Condition(string id, string text) =>
        Record("Condition", id, $$$"""{"resourceType":"Condition","encounter":{"reference":"Encounter/e1"},"code":{"text":"{{{text}}}"}}""");

    static StoredRecord Impression(string id, string code, string status) =>
        Record("ClinicalImpression", id, $$$"""
            {"resourceType":"ClinicalImpression","status":"{{{status}}}","encounter":{"reference":"Encounter/e1"},
             "finding":[{"itemCodeableConcept":{"coding":[{"system":"{{{RecordsDesk.AssessmentSystem}}}","code":"{{{code}}}"}]}}]}
            """);

    static StoredRecord Record(string type, string id, string json) => new(type, id, 1, Written, "p", Encoding.UTF8.GetBytes(json));
}
