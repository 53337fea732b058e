using Salus.Fhir.Definitions;
using Salus.Platform.Consent;

namespace Salus.Tests.Consent;

public sealed class RecordCategoryTests
{
    /// <summary>The patient's own data; what the node writes; what is about other people, studies or quality, or could be anything: no consent names these.</summary>
    static readonly string[] InNone =
        ["Patient", "AuditEvent", "Consent", "Provenance", "Person", "RelatedPerson", "ResearchSubject", "MeasureReport", "Schedule", "Basic"];

    [Fact]
    public void A_patient_can_let_others_read_every_type_that_a_record_holds() =>
        Assert.Equal(InNone.Order(StringComparer.Ordinal),
            FhirDefinitions.R4.ResourceTypes.Where(type => FhirDefinitions.R4.CompartmentParameters("Patient", type).Count > 0 && RecordCategories.Of(type) is null).Order(StringComparer.Ordinal));
}
