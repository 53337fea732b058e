using Salus.Fhir.Definitions;
using Salus.Platform.Consent;

namespace Salus.Tests.Consent;

public sealed class RecordCategoryTests
{
    /// <summary>What the node writes; what is about other people, studies or quality: no consent names these.</summary>
    static readonly string[] InNone =
        ["AuditEvent", "Consent", "Provenance", "Person", "RelatedPerson", "ResearchSubject", "MeasureReport", "Schedule"];

    static readonly RecordCategory[] All = Enum.GetValues<RecordCategory>();

    [Fact]
    public void A_patient_can_let_others_read_every_type_that_a_record_holds() =>
        Assert.Equal(InNone.Order(StringComparer.Ordinal),
            FhirDefinitions.R4.ResourceTypes.Where(type => FhirDefinitions.R4.CompartmentParameters("Patient", type).Count > 0 && !RecordCategories.Cover(All, type)).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("Observation", RecordCategory.Results)]
    [InlineData("AdverseEvent", RecordCategory.Conditions)]
    [InlineData("Invoice", RecordCategory.Billing)]
    public void A_type_goes_with_its_category_alone(string type, RecordCategory category)
    {
        Assert.True(RecordCategories.Cover([category], type));
        Assert.False(RecordCategories.Cover([.. All.Where(other => other != category)], type));
    }

    [Theory]
    [InlineData("List")]
    [InlineData("QuestionnaireResponse")]
    [InlineData("Communication")]
    public void What_may_hold_anything_takes_a_consent_to_everything(string type)
    {
        Assert.True(RecordCategories.Cover(All, type));
        Assert.All(All, missing => Assert.False(RecordCategories.Cover([.. All.Where(category => category != missing)], type)));
    }
}
