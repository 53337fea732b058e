using Salus.Platform.Audit;
using Salus.Platform.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class PatchServerTests
{
    const string JsonPatch = "application/json-patch+json";
    const string Organization = """{"resourceType":"Organization","identifier":[{"system":"urn:org","value":"p"}],"name":"One","alias":["A","B"]}""";

    static readonly HttpMethod Patch = HttpMethod.Patch;

    static string FhirPath(string type, string path, string rest) =>
        $$"""{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"{{type}}"},{"name":"path","valueString":"{{path}}"}{{rest}}]}]}""";

    static Task<FhirAnswer> PatchAsync(HttpClient client, string path, string body, string type = JsonPatch, params (string Name, string Value)[] headers) =>
        client.SendAsync(Patch, path, body, headers, type);

    [Fact]
    public async Task A_patch_makes_a_new_version_of_what_stands_by_json_by_fhirpath_and_in_xml()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        var at = $"Organization/{(await client.PostAsync("Organization", Organization)).Id}";

        var first = await PatchAsync(client, at, """[{"op":"test","path":"/name","value":"One"},{"op":"replace","path":"/name","value":"Two"},{"op":"remove","path":"/alias/0"}]""", headers: ("If-Match", "W/\"1\""));
        Assert.Equal((200, "W/\"2\"", "Two", "[\"B\"]"), (first.Code, first.Headers.ETag!.ToString(), first.Json.GetProperty("name").GetString(), first.Json.GetProperty("alias").GetRawText()));
        var second = await PatchAsync(client, at, FhirPath("replace", "Organization.name", ",{\"name\":\"value\",\"valueString\":\"Three\"}"), "application/fhir+json", ("Prefer", "return=minimal"));
        Assert.Equal((200, "", "W/\"3\""), (second.Code, second.Body, second.Headers.ETag!.ToString()));
        var third = await PatchAsync(client, at,
            """
            <Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/><part><name value="type"/><valueCode value="add"/></part><part><name value="path"/><valueString value="Organization"/></part>
            <part><name value="name"/><valueString value="alias"/></part><part><name value="value"/><valueString value="C"/></part></parameter></Parameters>
            """, "application/fhir+xml");
        Assert.Equal((200, "[\"B\",\"C\"]"), (third.Code, third.Json.GetProperty("alias").GetRawText()));
        Assert.Equal([], (await client.FetchAsync("Organization?name=one")).Ids());
        Assert.Equal([third.Id], (await client.FetchAsync("Organization?name=three")).Ids());
        Assert.Equal(4, (await client.FetchAsync($"{at}/_history")).Json.GetProperty("total").GetInt32());

        var byCondition = await PatchAsync(client, "Organization?identifier=urn:org|p", """[{"op":"add","path":"/active","value":true}]""");
        Assert.Equal((200, third.Id, true), (byCondition.Code, byCondition.Id, byCondition.Json.GetProperty("active").GetBoolean()));
        Assert.Equal(404, (await PatchAsync(client, "Organization?identifier=urn:org|q", "[]")).Code);
        await client.PostAsync("Organization", Organization);
        Assert.Equal(412, (await PatchAsync(client, "Organization?identifier=urn:org|p", "[]")).Code);
        Assert.Equal(422, (await PatchAsync(client, "Organization", "[]")).Code);
    }

    [Fact]
    public async Task A_patch_that_is_none_does_not_fit_or_spoils_the_resource_changes_nothing_and_says_where()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        var at = $"Organization/{(await client.PostAsync("Organization", Organization)).Id}";
        (int Code, string Says)[] expected =
        [
            (400, "not well formed"), (400, "array of operations"), (400, "operation[1]"), (400, "lacks its 'value'"), (422, "operation[0]"), (422, "test fails"), (422, "Organization.nam"),
            (422, "neither the type nor the id"), (422, "neither the type nor the id"), (422, "JSON object"),
        ];
        string[] patches =
        [
            "no json", "{}", """[{"op":"remove","path":"/alias"},{"op":"shake","path":"/name"}]""", """[{"op":"add","path":"/name"}]""", """[{"op":"remove","path":"/telecom/3"}]""",
            """[{"op":"test","path":"/name","value":"Other"}]""", """[{"op":"add","path":"/nam","value":"x"}]""", """[{"op":"replace","path":"/id","value":"x"}]""",
            """[{"op":"replace","path":"/resourceType","value":"Location"}]""", """[{"op":"replace","path":"","value":[]}]""",
        ];
        foreach (var (patch, (code, says)) in patches.Zip(expected))
        {
            var answer = await PatchAsync(client, at, patch);
            Assert.True((code, true) == (answer.Code, answer.Body.Contains(says, StringComparison.Ordinal)), $"{patch} was answered {answer.Code}: {answer.Body}");
            Assert.Equal("OperationOutcome", answer.Json.GetProperty("resourceType").GetString());
        }
        Assert.Equal(400, (await PatchAsync(client, at, Organization, "application/fhir+json")).Code);
        Assert.Equal(400, (await PatchAsync(client, at, "{", "application/fhir+json")).Code);
        Assert.Equal(400, (await PatchAsync(client, at, FhirPath("shake", "Organization.name", ""), "application/fhir+json")).Code);
        Assert.Equal(422, (await PatchAsync(client, at, FhirPath("replace", "Organization.telecom", ",{\"name\":\"value\",\"valueString\":\"x\"}"), "application/fhir+json")).Code);
        Assert.Equal(412, (await PatchAsync(client, at, "[]", headers: ("If-Match", "W/\"2\""))).Code);
        Assert.Equal(400, (await PatchAsync(client, at, "[]", headers: ("If-Match", "two"))).Code);
        var unknown = await PatchAsync(client, at, "<diff/>", "application/xml-patch+xml");
        Assert.Equal((415, true), (unknown.Code, unknown.Headers.GetValues("Accept-Patch").Single().Contains(JsonPatch, StringComparison.Ordinal)));
        Assert.Equal(404, (await PatchAsync(client, $"Organization/{Guid.NewGuid()}", "[]")).Code);
        Assert.Equal(404, (await PatchAsync(client, "Shoe/1", "[]")).Code);
        Assert.Equal("1", (await client.FetchAsync(at)).Json.GetProperty("meta").GetProperty("versionId").GetString());
        Assert.Equal(204, (await client.RemoveAsync(at)).Code);
        Assert.Equal(410, (await PatchAsync(client, at, "[]")).Code);

        // What is no JSON at all is the request's fault; what is no Organization the content's
        var broken = await client.PostAsync("Organization", "{\"resourceType\":\"Organization\",\n \"name\":");
        Assert.Equal(400, broken.Code);
        Assert.Contains("line 2", broken.Body, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(400, (await client.PutAsync(at, "<Organization/>")).Code);
        Assert.Equal(400, (await client.SendAsync(HttpMethod.Post, "", "Bundle", [])).Code);
        Assert.Equal(422, (await client.PostAsync("Location", Organization)).Code);
    }

    [Fact]
    public async Task Patches_stand_in_a_transaction_beside_other_writes_and_fall_with_them()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        var created = await client.PostAsync("Organization", Organization);
        var data = Convert.ToBase64String("""[{"op":"add","path":"/partOf","value":{"reference":"urn:uuid:6f5d6f8e-0000-4000-8000-000000000001"}}]"""u8);
        string Bundle(string type, string name) =>
            $$"""
            {"resourceType":"Bundle","type":"{{type}}","entry":[
              {"fullUrl":"urn:uuid:6f5d6f8e-0000-4000-8000-000000000001","resource":{"resourceType":"Organization","name":"{{name}}"},"request":{"method":"POST","url":"Organization"} },
              {"resource":{"resourceType":"Binary","contentType":"{{JsonPatch}}","data":"{{data}}"},"request":{"method":"PATCH","url":"Organization/{{created.Id}}","ifMatch":"W/\"1\""} }]}
            """;
        var done = await client.PostAsync("", Bundle("transaction", "Parent"), ("Prefer", "return=representation"));
        Assert.Equal(200, done.Code);
        var (parent, patched) = (done.Json.GetProperty("entry")[0].GetProperty("resource"), done.Json.GetProperty("entry")[1].GetProperty("resource"));
        Assert.Equal($"Organization/{parent.GetProperty("id").GetString()}", patched.GetProperty("partOf").GetProperty("reference").GetString());
        Assert.Equal(412, (await client.PostAsync("", Bundle("transaction", "Orphan"))).Code);
        Assert.Empty((await client.FetchAsync("Organization?name=orphan")).Ids());
        var batch = (await client.PostAsync("", Bundle("batch", "Alone").Replace("urn:uuid:6f5d6f8e-0000-4000-8000-000000000001\",\"resource", "urn:uuid:6f5d6f8e-0000-4000-8000-000000000002\",\"resource", StringComparison.Ordinal))).Json;
        Assert.Equal(["201 Created", "412"], batch.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("response").GetProperty("status").GetString()));
        var refused = await client.PostAsync("", $$"""
            {"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Binary","contentType":"text/plain","data":"AAAA"},"request":{"method":"PATCH","url":"Organization/{{created.Id}}"} }]}
            """);
        Assert.Equal((422, true), (refused.Code, refused.Body.Contains("Bundle.entry[0].resource", StringComparison.Ordinal)));
        var byPath = $$"""
            {"resourceType":"Bundle","type":"transaction","entry":[{"resource":{{FhirPath("delete", "Organization.alias", "")}},"request":{"method":"PATCH","url":"Organization?identifier=urn:org|p"} }]}
            """;
        Assert.Equal(422, (await client.PostAsync("", byPath)).Code);
        Assert.Equal(200, (await client.PostAsync("", byPath.Replace("Organization.alias", "Organization.alias[0]", StringComparison.Ordinal))).Code);
    }

    [Fact]
    public async Task Patches_sent_at_once_without_a_version_are_put_one_upon_another()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        var created = await client.PostAsync("Organization", Organization);
        var answers = await Task.WhenAll(Enumerable.Range(0, 5).Select(i => PatchAsync(client, $"Organization/{created.Id}", $$"""[{"op":"add","path":"/alias/-","value":"{{i}}" }]""")));
        Assert.All(answers, answer => Assert.Equal(200, answer.Code));
        Assert.Equal(["0", "1", "2", "3", "4", "A", "B"],
            (await client.FetchAsync($"Organization/{created.Id}")).Json.GetProperty("alias").EnumerateArray().Select(alias => alias.GetString()!).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Who_may_not_read_a_record_learns_nothing_of_it_by_a_patch_nor_changes_it()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, records) = await node.RecordAsync(doctor);
        var observation = records.First(record => record.Type == "Observation").Id;
        using var client = await node.ClientAsync(doctor);
        const string test = """[{"op":"test","path":"/status","value":"final"}]""";
        var own = await PatchAsync(client, $"Observation/{observation}", test);
        var nobodys = await PatchAsync(client, $"Observation/{Guid.NewGuid()}", test);
        Assert.Equal((403, 403, own.Body), (own.Code, nobodys.Code, nobodys.Body));
        Assert.Equal(404, (await PatchAsync(client, $"Observation?_id={observation}", test)).Code);
        Assert.Equal(404, (await PatchAsync(client, $"Patient?_id={patient}", test)).Code);
        // What is about nobody may be written without being readable
        var basic = await client.PostAsync("Basic", """{"resourceType":"Basic","code":{"text":"a secret of nobody"}}""");
        var asked = await PatchAsync(client, $"Basic/{basic.Id}", "[]");
        Assert.Equal((201, 403), (basic.Code, asked.Code));
        Assert.DoesNotContain("secret", asked.Body, StringComparison.Ordinal);

        var holder = await node.AddAsync(Role.Patient, patient);
        await node.GrantAsync(holder, doctor);
        Assert.Equal(200, (await PatchAsync(client, $"Observation/{observation}", test)).Code);
        var moved = await PatchAsync(client, $"Observation/{observation}", $$"""[{"op":"replace","path":"/subject/reference","value":"Patient/{{Guid.NewGuid()}}" }]""");
        Assert.Equal(422, moved.Code);
        using var patientClient = await node.ClientAsync(holder);
        Assert.Equal(200, (await PatchAsync(patientClient, $"Observation/{observation}", """[{"op":"add","path":"/note","value":[{"text":"mine"}]}]""")).Code);
        using var insurer = await node.ClientAsync(await node.AddAsync(Role.Insurer));
        Assert.Equal(403, (await PatchAsync(insurer, $"Observation/{observation}", test)).Code);
        Assert.Equal(2, (await node.Records.AccessesAsync(holder, patient, 100, TestContext.Current.CancellationToken))!.Count(line => line.Fact is { Action: AuditAction.Update, Succeeded: true }));
    }
}
