using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class SearchTermsTests
{
    const string Animals = """
        {"resourceType":"CodeSystem","url":"urn:zoo:animals","name":"Animals","status":"active","content":"complete",
         "concept":[{"code":"bird","display":"Bird","concept":[{"code":"owl"},{"code":"crow"}]},{"code":"fish"}]}
        """;

    static string ValueSet(string url, string compose) => $$"""{"resourceType":"ValueSet","url":"{{url}}","status":"active","compose":{{compose}} }""";

    static string Organization(string name, string code) =>
        $$"""{"resourceType":"Organization","name":"{{name}}","type":[{"coding":[{"system":"urn:zoo:animals","code":"{{code}}"}]}]}""";

    [Fact]
    public async Task What_defines_is_read_by_all_who_read_fhir_and_used_by_its_url_wherever_a_url_is_taken()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        Assert.Equal(201, (await client.PostAsync("CodeSystem", Animals)).Code);
        var set = await client.PostAsync("ValueSet", ValueSet("urn:zoo:birds", """{"include":[{"system":"urn:zoo:animals","filter":[{"property":"concept","op":"is-a","value":"bird"}]}]}"""));
        Assert.Equal(201, set.Code);
        Assert.Equal(201, (await client.PostAsync("ValueSet", ValueSet("http://hl7.org/fhir/ValueSet/administrative-gender", """{"include":[{"system":"urn:zoo:animals"}]}"""))).Code);
        List<string> ids = [];
        foreach (var (name, code) in new[] { ("Birds", "bird"), ("Owls", "owl"), ("Fishes", "fish") })
        {
            ids.Add((await client.PostAsync("Organization", Organization(name, code))).Id);
        }

        using var patient = await node.ClientAsync(await node.AddAsync(Role.Patient));
        foreach (var reader in (HttpClient[])[client, patient])
        {
            Assert.Equal(200, (await reader.FetchAsync($"ValueSet/{set.Id}")).Code);
            Assert.Equal([set.Id], (await reader.FetchAsync("ValueSet?url=urn:zoo:birds")).Ids());
            Assert.Equal(3, (await reader.FetchAsync("ValueSet/$expand?url=urn:zoo:birds")).Json.GetProperty("expansion").GetProperty("total").GetInt32());
            Assert.True((await reader.FetchAsync("ValueSet/$validate-code?url=urn:zoo:birds&system=urn:zoo:animals&code=crow")).Json.GetProperty("parameter")[0].GetProperty("valueBoolean").GetBoolean());
            Assert.Equal(3, (await reader.FetchAsync($"ValueSet/{set.Id}/$expand")).Json.GetProperty("expansion").GetProperty("total").GetInt32());
            Assert.Equal("crow", Assert.Single((await reader.FetchAsync($"ValueSet/{set.Id}/$expand?filter=crow")).Json.GetProperty("expansion").GetProperty("contains").EnumerateArray()).GetProperty("code").GetString());
            foreach (var (code, isIn) in new[] { ("crow", true), ("fish", false) })
            {
                Assert.Equal(isIn, (await reader.FetchAsync($"ValueSet/{set.Id}/$validate-code?system=urn:zoo:animals&code={code}")).Json.GetProperty("parameter")[0].GetProperty("valueBoolean").GetBoolean());
                Assert.Equal(isIn, (await reader.PostAsync("ValueSet/$validate-code", $$"""
                    {"resourceType":"Parameters","parameter":[{"name":"coding","valueCoding":{"system":"urn:zoo:animals","code":"{{code}}"} },{"name":"valueSet","resource":
                     {"resourceType":"ValueSet","status":"active","compose":{"include":[{"valueSet":["urn:zoo:birds"]}]} } }]}
                    """)).Json.GetProperty("parameter")[0].GetProperty("valueBoolean").GetBoolean());
            }
            Assert.Equal(404, (await reader.FetchAsync("ValueSet/none/$expand")).Code);
            Assert.Contains("Bird", (await reader.FetchAsync("CodeSystem/$lookup?system=urn:zoo:animals&code=bird")).Body, StringComparison.Ordinal);
        }
        using var auditor = await node.ClientAsync(await node.AddAsync(Role.Auditor));
        Assert.Equal(403, (await auditor.FetchAsync($"ValueSet/{set.Id}")).Code);
        Assert.Equal(404, (await auditor.FetchAsync("ValueSet/$expand?url=urn:zoo:birds")).Code);
        // What comes with the node is not for a stored resource to change
        Assert.Equal(4, (await client.FetchAsync("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender")).Json.GetProperty("expansion").GetProperty("total").GetInt32());

        async Task FindsAsync(string query, params int[] expected) =>
            Assert.Equal((query, string.Join(',', expected.Select(i => ids[i]).Order(StringComparer.Ordinal))), (query, string.Join(',', (await client.FetchAsync($"Organization?{query}")).Ids().Order(StringComparer.Ordinal))));
        await FindsAsync("type:in=urn:zoo:birds", 0, 1);
        await FindsAsync("type:not-in=urn:zoo:birds", 2);
        await FindsAsync("type:below=urn:zoo:animals|bird", 0, 1);
        await FindsAsync("type:below=urn:zoo:animals|owl,urn:zoo:animals|fish", 1, 2);
        await FindsAsync("type:above=urn:zoo:animals|crow", 0);
        await FindsAsync("type:below=urn:zoo:animals|bird&name:contains=owl", 1);
        await FindsAsync("_has:Organization:partof:type:below=urn:zoo:animals|bird");
        Assert.Equal(400, (await client.FetchAsync("Organization?type:below=bird")).Code);
        Assert.Equal(400, (await client.FetchAsync("Organization?type:below=urn:zoo:animals|unicorn")).Code);
        Assert.Equal(400, (await client.FetchAsync("Organization?type:above=http://loinc.org|1-8")).Code);
    }

    [Fact]
    public async Task A_list_finds_what_it_names_for_whom_it_may_be_seen()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        using var client = await node.ClientAsync(doctor);
        var (patient, records) = await node.RecordAsync(doctor);
        var observations = records.Where(record => record.Type == "Observation").Select(record => record.Id).Take(3).ToList();
        var list = await client.PostAsync("List", $$"""
            {"resourceType":"List","status":"current","mode":"changes","subject":{"reference":"Patient/{{patient}}"},"entry":[
              {"item":{"reference":"Observation/{{observations[0]}}"} },{"deleted":true,"item":{"reference":"Observation/{{observations[1]}}"} },
              {"item":{"reference":"Patient/{{patient}}"} },{"item":{"reference":"Observation/{{Guid.NewGuid()}}"} }]}
            """);
        Assert.Equal(201, list.Code);
        Assert.Empty((await client.FetchAsync($"Observation?_list={list.Id}")).Ids());
        // A List may hold what any category does, so that a consent to some of them does not cover it
        var holder = await node.AddAsync(Role.Patient, patient);
        var some = await node.GrantAsync(holder, doctor, [RecordCategory.Results, RecordCategory.Conditions]);
        Assert.Empty((await client.FetchAsync($"Observation?_list={list.Id}")).Ids());
        Assert.IsType<RevokeOutcome.Revoked>(await node.Consents.RevokeAsync(holder, some, TestContext.Current.CancellationToken));
        await node.GrantAsync(holder, doctor);
        Assert.Equal([observations[0]], (await client.FetchAsync($"Observation?_list={list.Id}")).Ids());
        using var own = await node.ClientAsync(holder);
        Assert.Equal([observations[0]], (await own.FetchAsync($"Observation?_list={list.Id}")).Ids());
        Assert.Equal([patient], (await own.FetchAsync($"Patient?_list={list.Id}")).Ids());
        Assert.Empty((await own.FetchAsync($"Encounter?_list={list.Id}")).Ids());
        Assert.Empty((await own.FetchAsync($"Observation?_list={Guid.NewGuid()}")).Ids());
        Assert.Equal(400, (await client.FetchAsync("Observation?_list=$current-problems")).Code);
        using var other = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        Assert.Equal(0, (await other.FetchAsync($"Observation?_list={list.Id}")).Json.GetProperty("total").GetInt32());
    }

    [Fact]
    public async Task Locations_are_found_near_a_place()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        List<string> ids = [];
        // Vienna, Bratislava (55 km east), one on the other side of the date line from the next, one nowhere
        foreach (var position in (string[])[""","position":{"latitude":48.2082,"longitude":16.3738}""", ""","position":{"latitude":48.1486,"longitude":17.1077}""", ""","position":{"latitude":-17.0,"longitude":-179.9}""", ""])
        {
            ids.Add((await client.PostAsync("Location", $$"""{"resourceType":"Location","name":"Place"{{position}}}""")).Id);
        }
        async Task FindsAsync(string near, params int[] expected) =>
            Assert.Equal((near, string.Join(',', expected.Select(i => ids[i]).Order(StringComparer.Ordinal))), (near, string.Join(',', (await client.FetchAsync($"Location?near={near}")).Ids().Order(StringComparer.Ordinal))));
        await FindsAsync("48.2|16.37", 0);
        await FindsAsync("48.2|16.37|54|km", 0);
        await FindsAsync("48.2|16.37|56|km", 0, 1);
        await FindsAsync("48.2|16.37|34|[mi_i]", 0);
        await FindsAsync("48.2|16.37|35|[mi_i]", 0, 1);
        await FindsAsync("-17.0|179.9|25", 2);
        await FindsAsync("48.2|16.37|5,-17|-179.9|5", 0, 2);
        await FindsAsync("0|0|20100", 0, 1, 2);
        Assert.Equal(1, (await client.FetchAsync("Location?near=48.2|16.37&_summary=count")).Json.GetProperty("total").GetInt32());
        foreach (var wrong in (string[])["near=48.2", "near=91|0", "near=48|16|x", "near=48|16|5|furlong", "near:missing=true", "near=48|16|-5"])
        {
            Assert.Equal((wrong, 400), (wrong, (await client.FetchAsync($"Location?{wrong}")).Code));
        }
    }
}
