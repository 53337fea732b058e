using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Elements;
using Salus.Fhir.Validation;

namespace Salus.Tests.Fhir;

/// <summary>Profiles: R4's own vital signs, and a package made here for what those do not use.</summary>
public sealed class ValidationProfileTests
{
    static readonly FhirDefinitions WithPackage = FhirDefinitions.R4.With([Assert.IsType<PackageOutcome.Ok>(DefinitionPackage.Read(
    [
        ("package/package.json", """{"name":"test.profiles","version":"1.0.0"}"""u8.ToArray()),
        ("package/StructureDefinition-sliced.json", Encoding.UTF8.GetBytes(Profile("sliced", "Patient", """
            {"id":"Patient","path":"Patient","min":0,"max":"*","constraint":[{"key":"t-1","severity":"error","human":"Someone inactive is not deceased","expression":"active.exists() implies (active or deceased.empty())"}]},
            {"id":"Patient.identifier","path":"Patient.identifier","min":1,"max":"3","slicing":{"discriminator":[{"type":"value","path":"system"}],"ordered":true,"rules":"closed"}},
            {"id":"Patient.identifier:mrn","path":"Patient.identifier","sliceName":"mrn","min":1,"max":"1"},
            {"id":"Patient.identifier:mrn.system","path":"Patient.identifier.system","min":1,"max":"1","fixedUri":"urn:mrn"},
            {"id":"Patient.identifier:mrn.value","path":"Patient.identifier.value","min":1,"max":"1","maxLength":4},
            {"id":"Patient.identifier:other","path":"Patient.identifier","sliceName":"other","min":0,"max":"1"},
            {"id":"Patient.identifier:other.system","path":"Patient.identifier.system","min":1,"max":"1","patternUri":"urn:other"},
            {"id":"Patient.telecom","path":"Patient.telecom","min":0,"max":"*","slicing":{"discriminator":[{"type":"exists","path":"period"}],"rules":"openAtEnd"}},
            {"id":"Patient.telecom:dated","path":"Patient.telecom","sliceName":"dated","min":0,"max":"1"},
            {"id":"Patient.telecom:dated.period","path":"Patient.telecom.period","min":1,"max":"1"},
            {"id":"Patient.deceased[x]","path":"Patient.deceased[x]","min":0,"max":"1","type":[{"code":"boolean"}]},
            {"id":"Patient.maritalStatus","path":"Patient.maritalStatus","min":0,"max":"1","patternCodeableConcept":{"coding":[{"system":"urn:m","code":"M"}]}},
            {"id":"Patient.generalPractitioner","path":"Patient.generalPractitioner","min":0,"max":"*","type":[{"code":"Reference","targetProfile":["http://hl7.org/fhir/StructureDefinition/Organization"]}],"slicing":{"discriminator":[{"type":"type","path":"resolve()"}],"rules":"open"}}
            """))),
        ("package/ValueSet-colours.json", """{"resourceType":"ValueSet","url":"urn:colours","status":"active","compose":{"include":[{"system":"urn:colour","concept":[{"code":"red"}]}]}}"""u8.ToArray()),
        ("package/StructureDefinition-coloured.json", Encoding.UTF8.GetBytes(Profile("coloured", "Basic", """
            {"id":"Basic","path":"Basic","min":0,"max":"*"},
            {"id":"Basic.code","path":"Basic.code","min":1,"max":"1","type":[{"code":"CodeableConcept"}],"binding":{"strength":"required","valueSet":"urn:colours"}}
            """))),
    ])).Package]);

    static readonly Validator Packaged = new(WithPackage);

    static string Profile(string name, string type, string elements) =>
        $$"""{"resourceType":"StructureDefinition","url":"urn:p:{{name}}","name":"{{name}}","status":"active","kind":"resource","abstract":false,"type":"{{type}}","derivation":"constraint","baseDefinition":"http://hl7.org/fhir/StructureDefinition/{{type}}","snapshot":{"element":[{{elements}}]} }""";

    static IEnumerable<string> Places(string json, string profile) =>
        Packaged.Validate(FhirText.Read(json), [profile]).Select(issue => $"{issue.Expression} {issue.Code}").Distinct();

    const string Mrn = """{"system":"urn:mrn","value":"1"}""";

    [Theory]
    [InlineData("""{"resourceType":"Patient","identifier":[$mrn]}""")]
    [InlineData("""{"resourceType":"Patient","identifier":[$mrn,{"system":"urn:other"}],"deceasedBoolean":false}""")]
    [InlineData("""{"resourceType":"Patient","identifier":[$mrn],"maritalStatus":{"text":"married","coding":[{"system":"urn:x","code":"y"},{"code":"M","system":"urn:m","display":"m"}]}}""")]
    [InlineData("""{"resourceType":"Patient","identifier":[$mrn],"generalPractitioner":[{"reference":"Organization/1"}]}""")]
    public void What_a_profile_allows_is_valid(string json) => Assert.Empty(Places(json.Replace("$mrn", Mrn, StringComparison.Ordinal), "urn:p:sliced"));

    [Theory]
    [InlineData("""{"resourceType":"Patient","active":true}""", "Patient required")]
    [InlineData("""{"resourceType":"Patient","identifier":[{"system":"urn:other"}]}""", "Patient required")]
    [InlineData("""{"resourceType":"Patient","identifier":[$mrn,$mrn]}""", "Patient structure")]
    [InlineData("""{"resourceType":"Patient","identifier":[$mrn,{"system":"urn:third"}]}""", "Patient.identifier[1] structure")]
    [InlineData("""{"resourceType":"Patient","identifier":[{"system":"urn:other"},$mrn]}""", "Patient.identifier[1] structure")]
    [InlineData("""{"resourceType":"Patient","identifier":[{"system":"urn:mrn"}]}""", "Patient.identifier[0] required")]
    [InlineData("""{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"12345"}]}""", "Patient.identifier[0].value value")]
    [InlineData("""{"resourceType":"Patient","identifier":[$mrn],"deceasedDateTime":"2024"}""", "Patient.deceasedDateTime structure")]
    [InlineData("""{"resourceType":"Patient","identifier":[$mrn],"maritalStatus":{"coding":[{"system":"urn:x","code":"M"}]}}""", "Patient.maritalStatus value")]
    [InlineData("""{"resourceType":"Patient","identifier":[$mrn],"active":false,"deceasedBoolean":true}""", "Patient invariant")]
    [InlineData("""{"resourceType":"Patient","identifier":[$mrn],"generalPractitioner":[{"reference":"Practitioner/1"}]}""", "Patient.generalPractitioner[0] invalid")]
    [InlineData("""{"resourceType":"Patient","identifier":[$mrn],"telecom":[{"use":"home"},{"use":"work","period":{"start":"2024"}}]}""", "Patient.telecom[1] structure")]
    [InlineData("""{"resourceType":"Observation","status":"final","code":{"text":"x"}}""", "Observation structure")]
    public void What_a_profile_forbids_is_an_error_with_its_place(string json, string place) =>
        Assert.Equal([place], Places(json.Replace("$mrn", Mrn, StringComparison.Ordinal), "urn:p:sliced"));

    [Theory]
    [InlineData("""{"coding":[{"system":"urn:colour","code":"red"}]}""", true)]
    [InlineData("""{"coding":[{"system":"urn:colour","code":"blue"}]}""", false)]
    [InlineData("""{"text":"red"}""", false)]
    public void A_required_binding_is_held_to_the_packages_value_set(string code, bool isValid) =>
        Assert.Equal(isValid, !Places($$"""{"resourceType":"Basic","code":{{code}}}""", "urn:p:coloured").Any());

    const string Pressure = """
        {"resourceType":"Observation","meta":{"profile":["http://hl7.org/fhir/StructureDefinition/bp"]},"status":"final",
        "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}],
        "code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]},"subject":{"reference":"Patient/1"},"effectiveDateTime":"2024-02-29",
        "component":[$components]}
        """;

    static string Component(string code, string unit) =>
        $$"""{"code":{"coding":[{"system":"http://loinc.org","code":"{{code}}"}]},"valueQuantity":{"value":120,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"{{unit}}"} }""";

    [Fact]
    public void R4s_blood_pressure_profile_is_held_by_the_name_in_meta()
    {
        var both = $"{Component("8480-6", "mm[Hg]")},{Component("8462-4", "mm[Hg]")}";
        Assert.Empty(FhirText.Validate(Pressure.Replace("$components", both, StringComparison.Ordinal)));
        Assert.Contains("Observation required", FhirText.Places(Pressure.Replace("$components", Component("8480-6", "mm[Hg]"), StringComparison.Ordinal)));
        var wrongUnit = $"{Component("8480-6", "kPa")},{Component("8462-4", "mm[Hg]")}";
        Assert.Contains(FhirText.Validate(Pressure.Replace("$components", wrongUnit, StringComparison.Ordinal)), issue => issue.Expression.StartsWith("Observation.component[0].valueQuantity", StringComparison.Ordinal));
    }

    [Fact]
    public void A_setting_says_whether_profile_failures_refuse_or_warn()
    {
        var resource = FhirText.Read(Pressure.Replace("$components", Component("8480-6", "mm[Hg]"), StringComparison.Ordinal));
        var lenient = new Validator(FhirDefinitions.R4, new() { ProfileFailure = IssueSeverity.Warning, Least = IssueSeverity.Warning }).Validate(resource);
        Assert.DoesNotContain(lenient, issue => issue.Severity <= IssueSeverity.Error);
        Assert.Contains(lenient, issue => issue is { Severity: IssueSeverity.Warning, Code: "required" });
        Assert.Empty(new Validator(FhirDefinitions.R4, new() { ChecksProfiles = false }).Validate(resource));
    }

    [Fact]
    public void A_profile_that_is_not_known_is_a_warning()
    {
        var resource = FhirText.Read("""{"resourceType":"Patient","meta":{"profile":["urn:unknown|1"]},"active":true}""");
        Assert.Empty(Validator.R4.Validate(resource));
        Assert.Contains(new Validator(FhirDefinitions.R4, ValidationOptions.Everything).Validate(resource), issue => issue is { Severity: IssueSeverity.Warning, Code: "not-found" });
    }
}
