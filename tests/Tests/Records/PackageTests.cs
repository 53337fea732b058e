using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Platform.Schema;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class PackageTests
{
    const string Profile = """
        {"resourceType":"StructureDefinition","url":"urn:test:reachable","name":"Reachable","status":"active","fhirVersion":"4.0.1","kind":"resource","abstract":false,"type":"Organization",
         "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Organization","derivation":"constraint","differential":{"element":[{"id":"Organization.telecom","path":"Organization.telecom","min":1}]},
         "snapshot":{"element":[{"id":"Organization","path":"Organization","min":0,"max":"*"},{"id":"Organization.telecom","path":"Organization.telecom","min":1,"max":"*","type":[{"code":"ContactPoint"}]}]}}
        """;

    const string Reachable = "urn:test:reachable";

    static readonly (string Name, string Text)[] Files =
    [
        ("package.json", """{"name":"test.package","version":"1.0.0"}"""),
        ("profile.json", Profile),
        ("codes.json", """{"resourceType":"CodeSystem","url":"urn:test:animals","status":"active","content":"complete","concept":[{"code":"bird","concept":[{"code":"owl"}]},{"code":"fish"}]}"""),
        ("set.json", """{"resourceType":"ValueSet","url":"urn:test:birds","status":"active","compose":{"include":[{"system":"urn:test:animals","filter":[{"property":"concept","op":"is-a","value":"bird"}]}]}}"""),
        ("motto.json", """{"resourceType":"SearchParameter","url":"urn:test:motto","code":"motto","name":"Motto","status":"active","description":"x","base":["Organization"],"type":"string","expression":"Organization.extension('urn:motto').value"}"""),
        ("name.json", """{"resourceType":"SearchParameter","url":"urn:test:name","code":"name","name":"Name","status":"active","description":"x","base":["Organization"],"type":"token","expression":"Organization.type"}"""),
        ("odd.json", """{"resourceType":"SearchParameter","url":"urn:test:odd","code":"odd","name":"Odd","status":"active","description":"x","base":["Organization"],"type":"string","expression":"Organization.name.wiggle()"}"""),
    ];

    static string Organization(string members) => $$"""{"resourceType":"Organization","name":"One"{{members}}}""";

    const string Claiming = ",\"meta\":{\"profile\":[\"urn:test:reachable\"]}";

    static DirectoryInfo Folder(IEnumerable<(string Name, string Text)> files)
    {
        var folder = Directory.CreateTempSubdirectory("salus-packages-");
        using var archive = new GZipStream(File.Create(Path.Combine(folder.FullName, "test.tgz")), CompressionLevel.Fastest);
        using var tar = new TarWriter(archive);
        foreach (var (name, text) in files)
        {
            tar.WriteEntry(new PaxTarEntry(TarEntryType.RegularFile, $"package/{name}") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)) });
        }
        return folder;
    }

    static async Task<TestNode> StartAsync(DirectoryInfo folder, ProfileFailure failure)
    {
        var ground = await TestGround.NewAsync();
        ground.Settings["Salus:Records:Packages"] = folder.FullName;
        ground.Settings["Salus:Records:ProfileFailure"] = failure.ToString();
        return await TestNode.StartAsync(ground, ownsGround: true);
    }

    static string Severities(FhirAnswer answer) => string.Join(",", answer.Json.GetProperty("issue").EnumerateArray().Select(issue => issue.GetProperty("severity").GetString()));

    [Fact]
    public async Task What_a_package_defines_counts_beside_R4()
    {
        var folder = Folder(Files);
        await using var node = await StartAsync(folder, ProfileFailure.Refuse);
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        var refused = await client.PostAsync("Organization", Organization(Claiming));
        Assert.Equal((422, true), (refused.Code, refused.Body.Contains("Organization.telecom", StringComparison.Ordinal)));
        var kept = await client.PostAsync("Organization", Organization(Claiming + ",\"telecom\":[{\"system\":\"phone\",\"value\":\"1\"}],\"extension\":[{\"url\":\"urn:motto\",\"valueString\":\"Primum non nocere\"}],\"type\":[{\"coding\":[{\"system\":\"urn:test:animals\",\"code\":\"owl\"}]}]"));
        Assert.Equal(201, kept.Code);

        Assert.Equal([kept.Id], (await client.FetchAsync("Organization?motto=primum")).Ids());
        Assert.Empty((await client.FetchAsync("Organization?motto=nocere")).Ids());
        Assert.Equal([kept.Id], (await client.FetchAsync("Organization?motto:contains=nocere&_sort=motto")).Ids());
        Assert.Equal([kept.Id], (await client.FetchAsync("Organization?name=one")).Ids());
        Assert.Equal([kept.Id], (await client.FetchAsync("Organization?type:in=urn:test:birds")).Ids());
        Assert.Equal(400, (await client.FetchAsync("Organization?odd=x")).Code);
        Assert.Equal(2, (await client.FetchAsync("ValueSet/$expand?url=urn:test:birds")).Json.GetProperty("expansion").GetProperty("total").GetInt32());
        var names = (await client.FetchAsync("metadata")).Json.GetProperty("rest")[0].GetProperty("resource").EnumerateArray()
            .Single(type => type.GetProperty("type").GetString() == "Organization").GetProperty("searchParam").EnumerateArray().Select(parameter => parameter.GetProperty("definition").GetString());
        Assert.Contains("urn:test:motto", names);
        Assert.DoesNotContain("urn:test:name", names);
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_resource_is_validated_by_itself_against_profiles_and_for_a_deed_and_nothing_is_stored()
    {
        var folder = Folder(Files);
        await using var node = await StartAsync(folder, ProfileFailure.Warn);
        var doctor = await node.AddAsync(Role.Practitioner);
        using var client = await node.ClientAsync(doctor);

        // A profile that is not kept is no reason to refuse here, and is told
        var told = await client.PostAsync("Organization", Organization(Claiming), ("Prefer", "return=OperationOutcome"));
        Assert.Equal((201, true, true), (told.Code, told.Body.Contains("Organization.telecom", StringComparison.Ordinal), Severities(told).Contains("warning", StringComparison.Ordinal)));
        var at = $"Organization/{told.Headers.Location!.ToString().Split('/')[3]}";

        const string validate = "Organization/$validate";
        Assert.DoesNotContain("error", Severities(await client.PostAsync(validate, Organization(""))));
        foreach (var asked in new[]
        {
            await client.PostAsync(validate, Organization(Claiming)), await client.PostAsync($"{validate}?profile={Reachable}", Organization("")), await client.FetchAsync($"{at}/$validate"),
            await client.PostAsync(validate, $$"""{"resourceType":"Parameters","parameter":[{"name":"resource","resource":{{Organization("")}} },{"name":"profile","valueUri":"{{Reachable}}"}]}"""),
            await client.FetchAsync($"{at}/$validate?mode=profile&profile={Reachable}"),
            await client.PostAsync($"{at}/$validate", $$"""{"resourceType":"Parameters","parameter":[{"name":"mode","valueCode":"profile"},{"name":"profile","valueUri":"{{Reachable}}"}]}"""),
        })
        {
            Assert.Equal((200, true), (asked.Code, asked.Body.Contains("Organization.telecom", StringComparison.Ordinal) && Severities(asked).Contains("error", StringComparison.Ordinal)));
        }
        Assert.Contains("urn:none", (await client.PostAsync($"{validate}?profile=urn:none", Organization(""))).Body, StringComparison.Ordinal);
        Assert.Contains("names Organization", (await client.PostAsync(validate, """{"resourceType":"Location"}""")).Body, StringComparison.Ordinal);

        Assert.Contains("error", Severities(await client.PostAsync($"{at}/$validate?mode=update", Organization(",\"id\":\"other\""))), StringComparison.Ordinal);
        Assert.DoesNotContain("error", Severities(await client.PostAsync($"{at}/$validate?mode=update", Organization($",\"id\":\"{at.Split('/')[1]}\""))), StringComparison.Ordinal);
        Assert.DoesNotContain("error", Severities(await client.FetchAsync($"{at}/$validate?mode=delete")), StringComparison.Ordinal);
        Assert.Contains("may not write", (await client.PostAsync("Consent/$validate?mode=create", """{"resourceType":"Consent"}""")).Body, StringComparison.Ordinal);
        (string Path, string? Body)[] questions =
        [
            ($"{validate}?mode=shake", Organization("")), ($"{validate}?mode=update", Organization("")), ($"{validate}?mode=delete", ""), ($"{at}/$validate?mode=create", Organization("")),
            ($"{at}/$validate?mode=update", ""), ($"{at}/$validate?mode=delete", Organization("")), ($"{at}/$validate?mode=profile", ""), (validate, ""), (validate, "{"),
        ];
        foreach (var (path, body) in questions)
        {
            Assert.Equal((path, body, 400), (path, body, (await client.PostAsync(path, body!)).Code));
        }
        Assert.Single((await client.FetchAsync("Organization?name=one")).Ids());
        Assert.Equal("1", (await client.FetchAsync(at)).Json.GetProperty("meta").GetProperty("versionId").GetString());

        var (patient, _) = await node.RecordAsync(doctor);
        Assert.Equal(403, (await client.FetchAsync($"Patient/{patient}/$validate")).Code);
        await node.GrantAsync(await node.AddAsync(Role.Patient, patient), doctor);
        Assert.Contains("records about this patient", (await client.FetchAsync($"Patient/{patient}/$validate?mode=delete")).Body, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void A_package_that_cannot_be_used_is_named_in_one_line_with_the_mend()
    {
        static string Refusal(string folder) =>
            Assert.Throws<SetupException>(() => RecordDefinitions.Open(new RecordsOptions { Packages = folder }, NullLogger<RecordDefinitions>.Instance)).Message;
        var unnamed = Folder(Files.Skip(1));
        var broken = Folder([.. Files, ("broken.json", """{"resourceType":"ValueSet" """)]);
        var bent = Folder(Files);
        File.WriteAllText(Path.Combine(bent.FullName, "other.tgz"), "no archive");
        Assert.All([Refusal(unnamed.FullName), Refusal(broken.FullName), Refusal(bent.FullName), Refusal("/nowhere/at/all")], line => Assert.DoesNotContain('\n', line));
        Assert.Contains("manifest", Refusal(unnamed.FullName), StringComparison.Ordinal);
        Assert.Contains("broken.json", Refusal(broken.FullName), StringComparison.Ordinal);
        Assert.Contains("other.tgz", Refusal(bent.FullName), StringComparison.Ordinal);
        Assert.Contains("/nowhere/at/all", Refusal("/nowhere/at/all"), StringComparison.Ordinal);
        foreach (var folder in (DirectoryInfo[])[unnamed, broken, bent])
        {
            folder.Delete(recursive: true);
        }
    }
}
