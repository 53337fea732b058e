using System.Collections.Frozen;
using Salus.Platform.Identity;

namespace Salus.Platform.Records;

/// <summary>What each role's work needs it to write. Reading is a matter of consent; see <see cref="Consent.ConsentDesk"/>.</summary>
static class AccessRules
{
    static readonly FrozenSet<string> Results = ["Observation", "DiagnosticReport", "Specimen", "DocumentReference", "Binary", "Media", "ImagingStudy"];
    static readonly FrozenSet<string> Dispensings = ["MedicationDispense", "MedicationStatement", "Medication"];
    static readonly FrozenSet<string> Own = ["DocumentReference", "Binary", "Observation", "MedicationStatement", "AllergyIntolerance"];

    /// <summary>Types that the node writes itself; nobody sends them.</summary>
    static readonly FrozenSet<string> NodeOnly = ["AuditEvent", "Consent", "RiskAssessment", "Provenance"];

    /// <summary>Types that tell of the hospital, or define what others name, and not of a patient: every signed-in professional and patient may look them up.</summary>
    public static readonly FrozenSet<string> Directory =
    [
        "Organization", "Practitioner", "PractitionerRole", "Location", "HealthcareService", "Endpoint", "Medication", "Device", "Substance", "Questionnaire", "PlanDefinition",

        // What defines: it has a canonical URL by which others name it (R4 section 2.1.0.2)
        "ActivityDefinition", "CapabilityStatement", "ChargeItemDefinition", "CodeSystem", "CompartmentDefinition", "ConceptMap", "EventDefinition", "ExampleScenario", "GraphDefinition",
        "ImplementationGuide", "Library", "Measure", "MessageDefinition", "NamingSystem", "OperationDefinition", "SearchParameter", "SpecimenDefinition", "StructureDefinition", "StructureMap",
        "TerminologyCapabilities", "TestScript", "ValueSet",
    ];

    /// <summary>Whether a role may send resources of a type.</summary>
    public static bool MayWrite(Role role, string type) => !NodeOnly.Contains(type) && role switch
    {
        Role.Administrator => type == "SearchParameter",
        Role.Practitioner => type != "SearchParameter",
        Role.Laboratory => Results.Contains(type),
        Role.Pharmacy => Dispensings.Contains(type),
        Role.Patient => Own.Contains(type),
        _ => false,
    };

    /// <summary>Whether a role may look into the hospital's directory.</summary>
    public static bool MayReadDirectory(Role role) =>
        role is Role.Patient or Role.Practitioner or Role.Laboratory or Role.Pharmacy or Role.Insurer;
}
