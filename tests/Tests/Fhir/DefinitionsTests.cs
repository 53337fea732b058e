using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Salus.Fhir.Definitions;
using Salus.Fhir.Terminology;

namespace Salus.Tests.Fhir;

/// <summary>What is embedded of R4, and what packages add to it.</summary>
public sealed class DefinitionsTests
{
    static readonly FhirDefinitions R4 = FhirDefinitions.R4;

    [Fact]
    public void R4_is_there_whole()
    {
        Assert.Equal(146, R4.ResourceTypes.Count);
        Assert.True(R4.ProfileUrls.Count() > 430);
        Assert.All(R4.ProfileUrls, url => Assert.NotNull(R4.Profile(url)));
    }

    [Fact]
    public void Elements_tell_their_bindings_modifiers_summaries_and_invariants()
    {
        var observation = R4.Type("Observation")!;
        var status = observation.Elements.Single(element => element.Name == "status");
        Assert.True(status is { IsModifier: true, IsSummary: true, Min: 1, BindingRule: { IsRequired: true, ValueSet: "http://hl7.org/fhir/ValueSet/observation-status" } });
        Assert.Contains(observation.Constraints, constraint => constraint is { Key: "obs-6", IsWarning: false });
        Assert.Contains(observation.Constraints, constraint => constraint is { Key: "dom-6", IsWarning: true });
        Assert.Equal(["http://hl7.org/fhir/StructureDefinition/SimpleQuantity"], R4.Type("Observation.referenceRange")!.Elements.Single(element => element.Name == "low").Profiles);
    }

    [Fact]
    public void A_profile_says_only_what_its_type_does_not()
    {
        var pressure = R4.Profile("http://hl7.org/fhir/StructureDefinition/bp|4.0.1")!;
        Assert.Equal("Observation", pressure.Type);
        Assert.DoesNotContain(pressure.Root.Children, child => child.Name is "id" or "language" or "specimen");
        var component = pressure.Root.Children.Single(child => child.Name == "component");
        Assert.Equal(["SystolicBP", "DiastolicBP"], component.Slices.Select(slice => slice.Slice));
        Assert.Equal(["code.coding.code", "code.coding.system"], component.Slicing!.Discriminators.Select(one => one.Path));
    }

    [Theory]
    [InlineData("http://hl7.org/fhir/ValueSet/administrative-gender", "http://hl7.org/fhir/administrative-gender", "male", Membership.In)]
    [InlineData("http://hl7.org/fhir/ValueSet/administrative-gender", null, "male", Membership.In)]
    [InlineData("http://hl7.org/fhir/ValueSet/administrative-gender", "urn:other", "male", Membership.Out)]
    [InlineData("http://hl7.org/fhir/ValueSet/administrative-gender", null, "m", Membership.Out)]
    [InlineData("http://hl7.org/fhir/ValueSet/condition-clinical|4.0.1", "http://terminology.hl7.org/CodeSystem/condition-clinical", "relapse", Membership.In)]
    [InlineData("http://hl7.org/fhir/ValueSet/conformance-expectation", "http://terminology.hl7.org/CodeSystem/conformance-expectation", "SHALL", Membership.In)]
    [InlineData("http://hl7.org/fhir/ValueSet/ucum-bodyweight", "http://unitsofmeasure.org", "kg", Membership.In)]
    [InlineData("http://hl7.org/fhir/ValueSet/ucum-bodyweight", "http://unitsofmeasure.org", "m", Membership.Out)]
    [InlineData("http://hl7.org/fhir/ValueSet/ucum-units", "http://unitsofmeasure.org", "kg", Membership.Unknown)]
    [InlineData("urn:no-such-set", null, "x", Membership.Unknown)]
    public void Membership_is_told_or_said_to_be_unknown(string set, string? system, string code, Membership expected) =>
        Assert.Equal(expected, R4.Terminology.Contains(set, system, code));

    [Fact]
    public void A_value_set_is_expanded_with_displays()
    {
        var gender = Assert.IsType<ExpansionOutcome.Ok>(R4.Terminology.Expand("http://hl7.org/fhir/ValueSet/administrative-gender"));
        Assert.Equal(["male", "female", "other", "unknown"], gender.Codes.Select(code => code.Code));
        Assert.Equal("Male", gender.Codes[0].Display);
        Assert.IsType<ExpansionOutcome.TooMany>(R4.Terminology.Expand("http://hl7.org/fhir/ValueSet/administrative-gender", codesMax: 3));
        Assert.IsType<ExpansionOutcome.Impossible>(R4.Terminology.Expand("http://hl7.org/fhir/ValueSet/ucum-units"));
        Assert.IsType<ExpansionOutcome.Impossible>(R4.Terminology.Expand("urn:no-such-set"));
    }

    [Fact]
    public void A_concept_is_found_with_its_ancestors()
    {
        var system = R4.Terminology.CodeSystem("http://terminology.hl7.org/CodeSystem/condition-clinical")!;
        Assert.Equal("Relapse", system.Find("relapse")!.Display);
        Assert.True(system.IsA("relapse", "active"));
        Assert.False(system.IsA("resolved", "active"));
        Assert.Null(system.Find("nothing"));
    }

    const string Manifest = """{"name":"test.package","version":"2.0.0"}""";

    const string Parts = """
        {"resourceType":"CodeSystem","url":"urn:animals","status":"active","content":"complete","concept":[{"code":"bird","concept":[{"code":"owl"},{"code":"crow"}]},{"code":"fish"}]}
        """;

    static string ValueSet(string url, string compose) => $$"""{"resourceType":"ValueSet","url":"{{url}}","status":"active","compose":{{compose}} }""";

    static FhirDefinitions Packaged(params string[] resources) => R4.With([Assert.IsType<PackageOutcome.Ok>(Read(resources)).Package]);

    static PackageOutcome Read(IEnumerable<string> resources) => DefinitionPackage.Read(
    [
        ("package/package.json", Encoding.UTF8.GetBytes(Manifest)),
        .. resources.Select((text, position) => ($"package/{position}.json", (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(text))),
    ]);

    [Theory]
    [InlineData("""{"include":[{"system":"urn:animals"}]}""", "bird,owl,crow,fish")]
    [InlineData("""{"include":[{"system":"urn:animals","filter":[{"property":"concept","op":"is-a","value":"bird"}]}]}""", "bird,owl,crow")]
    [InlineData("""{"include":[{"system":"urn:animals","filter":[{"property":"concept","op":"descendent-of","value":"bird"}]}]}""", "owl,crow")]
    [InlineData("""{"include":[{"system":"urn:animals","filter":[{"property":"concept","op":"is-not-a","value":"bird"}]}]}""", "fish")]
    [InlineData("""{"include":[{"system":"urn:animals","concept":[{"code":"owl"}]},{"system":"urn:x","concept":[{"code":"y"}]}]}""", "owl,y")]
    [InlineData("""{"include":[{"system":"urn:animals"}],"exclude":[{"system":"urn:animals","concept":[{"code":"fish"}]}]}""", "bird,owl,crow")]
    [InlineData("""{"include":[{"valueSet":["urn:birds"]}]}""", "bird,owl,crow")]
    [InlineData("""{"include":[{"valueSet":["urn:birds","urn:owls"]}]}""", "owl")]
    [InlineData("""{"include":[{"system":"urn:animals","valueSet":["urn:owls"]}]}""", "owl")]
    public void A_composed_value_set_is_expanded_and_holds_what_it_expands_to(string compose, string codes)
    {
        var terminology = Packaged(
            Parts,
            ValueSet("urn:birds", """{"include":[{"system":"urn:animals","filter":[{"property":"concept","op":"is-a","value":"bird"}]}]}"""),
            ValueSet("urn:owls", """{"include":[{"system":"urn:animals","concept":[{"code":"owl"}]}]}"""),
            ValueSet("urn:test", compose)).Terminology;
        var expanded = Assert.IsType<ExpansionOutcome.Ok>(terminology.Expand("urn:test")).Codes;
        Assert.Equal(codes.Split(','), expanded.Select(code => code.Code));
        foreach (var code in (string[])["bird", "owl", "crow", "fish"])
        {
            Assert.Equal(expanded.Any(one => one.Code == code) ? Membership.In : Membership.Out, terminology.Contains("urn:test", "urn:animals", code));
        }
    }

    [Fact]
    public void Value_sets_that_include_each_other_end()
    {
        var terminology = Packaged(
            ValueSet("urn:a", """{"include":[{"valueSet":["urn:b"]}]}"""), ValueSet("urn:b", """{"include":[{"valueSet":["urn:a"]}]}""")).Terminology;
        Assert.Equal(Membership.Unknown, terminology.Contains("urn:a", null, "x"));
        Assert.IsType<ExpansionOutcome.Impossible>(terminology.Expand("urn:a"));
    }

    [Fact]
    public void A_package_brings_search_parameters_and_goes_before_R4()
    {
        var definitions = Packaged(
            """{"resourceType":"SearchParameter","url":"urn:sp","code":"shoe","name":"shoe","status":"active","description":"d","base":["Patient"],"type":"number","expression":"Patient.extension('urn:shoe').value"}""",
            ValueSet("http://hl7.org/fhir/ValueSet/administrative-gender", """{"include":[{"system":"urn:animals","concept":[{"code":"owl"}]}]}"""));
        Assert.Contains(definitions.SearchParametersOf("Patient"), parameter => parameter is { Code: "shoe", Type: SearchType.Number });
        Assert.DoesNotContain(R4.SearchParametersOf("Patient"), parameter => parameter.Code == "shoe");
        Assert.Equal(Membership.In, definitions.Terminology.Contains("http://hl7.org/fhir/ValueSet/administrative-gender", null, "owl"));
        Assert.NotNull(definitions.Profile("http://hl7.org/fhir/StructureDefinition/bp"));
    }

    [Fact]
    public void A_package_is_read_from_its_archive()
    {
        using var archive = new MemoryStream();
        using (var packed = new GZipStream(archive, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(packed))
        {
            foreach (var (name, text) in (ReadOnlySpan<(string, string)>)[("package/package.json", Manifest), ("package/CodeSystem-a.json", Parts), ("package/example/bad.json", "{"), ("package/readme.md", "x")])
            {
                tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
            }
        }
        archive.Position = 0;
        var package = Assert.IsType<PackageOutcome.Ok>(DefinitionPackage.ReadArchive(archive)).Package;
        Assert.Equal(("test.package", "2.0.0", 1), (package.Name, package.Version, package.Resources.Count));
    }

    [Fact]
    public void What_is_no_package_is_refused_with_the_file_and_the_reason()
    {
        Assert.IsType<PackageOutcome.Refused>(DefinitionPackage.ReadArchive(new MemoryStream("not an archive at all"u8.ToArray())));
        var broken = Assert.IsType<PackageOutcome.Refused>(Read(["""{"resourceType":"ValueSet","""]));
        Assert.Equal("package/0.json", broken.File);
        Assert.Equal("package.json", Assert.IsType<PackageOutcome.Refused>(DefinitionPackage.Read([("package/a.json", Encoding.UTF8.GetBytes(Parts))])).File);
        Assert.IsType<PackageOutcome.Refused>(DefinitionPackage.Read([("package/package.json", Encoding.UTF8.GetBytes(Manifest)), ("package/a.json", Encoding.UTF8.GetBytes(Parts))], new(FileBytesMax: 100)));
    }

    [Fact]
    public void A_profile_without_a_snapshot_is_not_taken_for_one()
    {
        var definitions = Packaged("""{"resourceType":"StructureDefinition","url":"urn:p","name":"P","status":"active","kind":"resource","abstract":false,"type":"Patient","derivation":"constraint"}""");
        Assert.Null(definitions.Profile("urn:p"));
    }
}
