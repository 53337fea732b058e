using Salus.Platform.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class RestTests
{
    static string Organization(string name, string? id = null, string? identifier = null) =>
        $$"""
        {"resourceType":"Organization"{{(id is null ? "" : $",\"id\":\"{id}\"")}},"name":"{{name}}"{{(identifier is null ? "" : $$""","identifier":[{"system":"urn:org","value":"{{identifier}}"}]""")}}}
        """;

    [Fact]
    public async Task A_resource_is_written_read_deleted_and_brought_back_with_its_whole_history()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        var created = await client.PostAsync("Organization", Organization("One"));
        var at = $"Organization/{created.Id}";
        Assert.Equal((201, "W/\"1\"", $"/fhir/{at}/_history/1"), (created.Code, created.Headers.ETag!.ToString(), created.Headers.Location!.ToString()));
        Assert.Equal(304, (await client.FetchAsync(at, ("If-None-Match", "W/\"1\""))).Code);
        Assert.Equal(200, (await client.FetchAsync(at, ("If-None-Match", "W/\"7\""))).Code);
        Assert.Equal(304, (await client.FetchAsync(at, ("If-Modified-Since", created.ContentHeaders.LastModified!.Value.ToString("R")))).Code);

        var minimal = await client.PutAsync(at, Organization("Two", created.Id), ("Prefer", "return=minimal"));
        Assert.Equal((200, ""), (minimal.Code, minimal.Body));
        var outcome = await client.PutAsync(at, Organization("Three", created.Id), ("Prefer", "return=OperationOutcome"), ("If-Match", "W/\"2\""));
        Assert.Equal("OperationOutcome", outcome.Json.GetProperty("resourceType").GetString());
        Assert.Equal(412, (await client.RemoveAsync(at, ("If-Match", "W/\"1\""))).Code);
        Assert.Equal(204, (await client.RemoveAsync(at)).Code);
        Assert.Equal(204, (await client.RemoveAsync(at)).Code);
        Assert.Equal(410, (await client.FetchAsync(at)).Code);
        Assert.Equal(410, (await client.FetchAsync($"{at}/_history/4")).Code);
        Assert.Equal("Two", (await client.FetchAsync($"{at}/_history/2")).Json.GetProperty("name").GetString());
        Assert.Empty((await client.FetchAsync("Organization?name=three")).Ids());
        Assert.Equal(201, (await client.PutAsync(at, Organization("Back", created.Id))).Code);
        Assert.Equal([created.Id], (await client.FetchAsync("Organization?name=back")).Ids());

        var first = await client.FetchAsync($"{at}/_history?_count=2");
        Assert.Equal(5, first.Json.GetProperty("total").GetInt32());
        Assert.Equal(["PUT", "DELETE"], first.Json.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("request").GetProperty("method").GetString()));
        Assert.False(first.Json.GetProperty("entry")[1].TryGetProperty("resource", out _));
        var second = await client.FetchAsync(first.Link("next")!);
        var third = await client.FetchAsync(second.Link("next")!);
        Assert.Equal(["W/\"1\""], third.Json.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("response").GetProperty("etag").GetString()));
        Assert.Null(third.Link("next"));
        Assert.Equal(5, (await client.FetchAsync("Organization/_history")).Json.GetProperty("entry").GetArrayLength());
        Assert.Equal(5, (await client.FetchAsync("_history?_since=2001-01-01T00:00:00Z")).Json.GetProperty("entry").GetArrayLength());
        Assert.Equal(400, (await client.FetchAsync($"{at}/_history?_at=2001")).Code);
        Assert.Equal("5", (await client.FetchAsync($"{at}/$meta")).Json.GetProperty("parameter")[0].GetProperty("valueMeta").GetProperty("versionId").GetString());
        Assert.Equal(405, (await client.PutAsync("Organization/not-given-here", Organization("Own", "not-given-here"))).Code);
    }

    [Fact]
    public async Task What_is_asked_for_in_another_form_is_refused_and_a_part_is_marked_as_one()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        var created = await client.PostAsync("Organization", """{"resourceType":"Organization","text":{"status":"empty","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},"name":"Part","alias":["P"],"active":true}""");
        var at = $"Organization/{created.Id}";
        Assert.Equal(406, (await client.FetchAsync(at, ("Accept", "text/turtle"))).Code);
        Assert.Equal(406, (await client.FetchAsync($"{at}?_format=ttl")).Code);
        Assert.Equal(200, (await client.FetchAsync($"{at}?_format=json", ("Accept", "text/turtle"))).Code);
        Assert.Equal(200, (await client.FetchAsync($"{at}?_format=application/fhir+json")).Code);
        Assert.Equal(415, (await client.SendAsync(HttpMethod.Post, "Organization", "name: One", [], "application/yaml")).Code);
        var part = (await client.FetchAsync($"{at}?_elements=name")).Json;
        Assert.Equal(["resourceType", "id", "meta", "name"], part.EnumerateObject().Select(property => property.Name));
        Assert.Equal("SUBSETTED", part.GetProperty("meta").GetProperty("tag")[0].GetProperty("code").GetString());
        Assert.False((await client.FetchAsync($"{at}?_summary=data")).Json.TryGetProperty("text", out _));
        Assert.Equal(["resourceType", "id", "meta", "text"], (await client.FetchAsync($"{at}?_summary=text")).Json.EnumerateObject().Select(property => property.Name));
        Assert.Equal(400, (await client.FetchAsync($"{at}?_elements=shoe")).Code);
        var valid = await client.PostAsync("Organization/$validate", """{"resourceType":"Organization","nam":"x"}""");
        Assert.Equal(200, valid.Code);
        Assert.Contains("nam", valid.Body, StringComparison.Ordinal);
        Assert.Equal(["resourceType", "id", "meta", "name", "active"], (await client.FetchAsync($"{at}?_summary=true")).Json.EnumerateObject().Select(property => property.Name));

        var xml = await client.FetchAsync(at, ("Accept", "application/fhir+xml"));
        Assert.Equal("application/fhir+xml", xml.ContentHeaders.ContentType!.MediaType);
        Assert.StartsWith("<Organization xmlns=\"http://hl7.org/fhir\"", xml.Body[xml.Body.IndexOf("<Org", StringComparison.Ordinal)..], StringComparison.Ordinal);
        var sent = await client.SendAsync(HttpMethod.Post, "Organization", "<Organization xmlns=\"http://hl7.org/fhir\"><name value=\"From XML\"/></Organization>", [("Accept", "application/fhir+json")], "application/fhir+xml");
        Assert.Equal((201, "From XML"), (sent.Code, sent.Json.GetProperty("name").GetString()));
        Assert.Equal(400, (await client.SendAsync(HttpMethod.Post, "Organization", "<!DOCTYPE x [<!ENTITY a \"b\">]><Organization/>", [], "application/fhir+xml")).Code);
        Assert.Contains("<total value=\"1\"", (await client.FetchAsync("Organization?name=from&_format=xml")).Body, StringComparison.Ordinal);

        Assert.Equal(4, (await client.FetchAsync("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender")).Json.GetProperty("expansion").GetProperty("total").GetInt32());
        Assert.Equal("Female", (await client.FetchAsync("CodeSystem/$lookup?system=http://hl7.org/fhir/administrative-gender&code=female")).Json.GetProperty("parameter").EnumerateArray().Last().GetProperty("valueString").GetString());
        Assert.True((await client.FetchAsync("ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/administrative-gender&system=http://hl7.org/fhir/administrative-gender&code=male")).Json.GetProperty("parameter")[0].GetProperty("valueBoolean").GetBoolean());
        Assert.False((await client.FetchAsync("CodeSystem/$validate-code?url=http://hl7.org/fhir/administrative-gender&code=green")).Json.GetProperty("parameter")[0].GetProperty("valueBoolean").GetBoolean());
        Assert.Equal(404, (await client.FetchAsync("ValueSet/$expand?url=http://a.example/none")).Code);
        Assert.Equal(400, (await client.FetchAsync("CodeSystem/$lookup?code=x")).Code);
        var capabilities = (await client.FetchAsync("metadata")).Json.GetProperty("rest")[0];
        var patient = capabilities.GetProperty("resource").EnumerateArray().Single(type => type.GetProperty("type").GetString() == "Patient");
        Assert.Contains(patient.GetProperty("searchParam").EnumerateArray(), parameter => parameter.GetProperty("name").GetString() == "birthdate");
        Assert.DoesNotContain(patient.GetProperty("searchParam").EnumerateArray(), parameter => parameter.GetProperty("name").GetString() == "phonetic");
    }

    [Fact]
    public async Task A_condition_means_one_resource_none_or_is_refused()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        var created = await client.PostAsync("Organization", Organization("One", identifier: "1"), ("If-None-Exist", "identifier=urn:org|1"));
        Assert.Equal(201, created.Code);
        var again = await client.PostAsync("Organization", Organization("Other", identifier: "1"), ("If-None-Exist", "identifier=urn:org|1"));
        Assert.Equal((200, created.Id), (again.Code, again.Id));
        var updated = await client.PutAsync("Organization?identifier=urn:org|1", Organization("Two", identifier: "1"));
        Assert.Equal((200, created.Id, "Two"), (updated.Code, updated.Id, updated.Json.GetProperty("name").GetString()));
        Assert.Equal(201, (await client.PutAsync("Organization?identifier=urn:org|2", Organization("Second", identifier: "2"))).Code);
        await client.PostAsync("Organization", Organization("Twin", identifier: "2"));
        Assert.Equal(412, (await client.PutAsync("Organization?identifier=urn:org|2", Organization("Which", identifier: "2"))).Code);
        Assert.Equal(412, (await client.PostAsync("Organization", Organization("Which"), ("If-None-Exist", "identifier=urn:org|2"))).Code);
        Assert.Equal(412, (await client.RemoveAsync("Organization?identifier=urn:org|2")).Code);
        Assert.Equal(204, (await client.RemoveAsync("Organization?identifier=urn:org|1")).Code);
        Assert.Equal(204, (await client.RemoveAsync("Organization?identifier=urn:org|1")).Code);
        Assert.Equal(410, (await client.FetchAsync($"Organization/{created.Id}")).Code);
        Assert.Contains("shoe", (await client.PostAsync("Organization", Organization("x"), ("If-None-Exist", "shoe=1"))).Body, StringComparison.Ordinal);
        Assert.Equal(422, (await client.RemoveAsync("Organization")).Code);
    }

    [Fact]
    public async Task Of_a_hundred_conditional_creates_of_one_identity_at_once_one_is_made()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        using var client = await node.ClientAsync(doctor);
        const string patient = """{"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"P-100"}],"name":[{"family":"Once"}]}""";
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => client.PostAsync("Patient", patient, ("If-None-Exist", i % 2 == 0 ? "identifier=urn:mrn|P-100" : "identifier=P-100"))));
        Assert.Equal(99, answers.Count(answer => answer.Code == 200));
        Assert.Single(answers, answer => answer.Code == 201);
        Assert.Single(answers.Select(answer => answer.Headers.Location!.ToString()).Distinct());
        // Who has no consent is told that the identity is there and nothing of it.
        Assert.All(answers.Where(answer => answer.Code == 200), answer => Assert.DoesNotContain("Once", answer.Body, StringComparison.Ordinal));
        Assert.Equal(1, await node.Database.ValueAsync<long>("SELECT count(*) FROM patient"));
        var updates = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => client.PutAsync("Organization?identifier=urn:org|x", Organization($"Writer {i}", identifier: "x"))));
        Assert.Single(updates, answer => answer.Code == 201);
        Assert.Equal(19, updates.Count(answer => answer.Code == 200));
        Assert.Equal((1L, 20L), (await node.Database.ValueAsync<long>("SELECT count(DISTINCT id) FROM entry WHERE type = 'Organization'"),
            await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE type = 'Organization'")));
    }

    [Fact]
    public async Task A_transaction_writes_all_or_nothing_and_a_batch_entry_by_entry()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        var practitioner = await client.PostAsync("Practitioner", """{"resourceType":"Practitioner","identifier":[{"system":"urn:npi","value":"9"}]}""");
        var first = await client.PostAsync("Organization", Organization("First", identifier: "1"));
        string Bundle(string type, params string[] entries) => $$"""{"resourceType":"Bundle","type":"{{type}}","entry":[{{string.Join(',', entries)}}]}""";
        string Put(string url, string resource) => $$"""{"fullUrl":"urn:uuid:{{Guid.NewGuid()}}","request":{"method":"PUT","url":"{{url}}"},"resource":{{resource}}}""";
        const string role = """
            {"fullUrl":"urn:uuid:00000000-0000-4000-8000-0000000000aa","request":{"method":"POST","url":"PractitionerRole"},"resource":{"resourceType":"PractitionerRole",
             "practitioner":{"reference":"Practitioner?identifier=urn:npi|9"},"organization":{"reference":"urn:uuid:00000000-0000-4000-8000-0000000000bb"}}}
            """;
        const string organization = """
            {"fullUrl":"urn:uuid:00000000-0000-4000-8000-0000000000bb","request":{"method":"POST","url":"Organization","ifNoneExist":"identifier=urn:org|1"},
             "resource":{"resourceType":"Organization","name":"Never made","identifier":[{"system":"urn:org","value":"1"}]}}
            """;
        var done = await client.PostAsync("", Bundle("transaction",
            """{"request":{"method":"GET","url":"Organization?name=changed"}}""", role, organization, Put("Organization?identifier=urn:org|3", Organization("Changed", identifier: "3"))));
        Assert.Equal(200, done.Code);
        var responses = done.Json.GetProperty("entry").EnumerateArray().ToList();
        Assert.Equal(["200 OK", "201 Created", "200 OK", "201 Created"], responses.Select(entry => entry.GetProperty("response").GetProperty("status").GetString()));
        Assert.Equal(1, responses[0].GetProperty("resource").GetProperty("total").GetInt32());
        var stored = (await client.FetchAsync(responses[1].GetProperty("response").GetProperty("location").GetString()!)).Json;
        Assert.Equal($"Practitioner/{practitioner.Id}", stored.GetProperty("practitioner").GetProperty("reference").GetString());
        Assert.Equal($"Organization/{first.Id}", stored.GetProperty("organization").GetProperty("reference").GetString());

        var rows = await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE type <> 'AuditEvent'");
        var twice = await client.PostAsync("", Bundle("transaction",
            Put("Organization?identifier=urn:org|7", Organization("A", identifier: "7")), Put("Organization?identifier=urn:org|7", Organization("B", identifier: "7"))));
        Assert.Equal(422, twice.Code);
        Assert.Contains("same condition", twice.Body, StringComparison.Ordinal);
        Assert.Equal(422, (await client.PostAsync("", Bundle("transaction",
            Put($"Organization/{first.Id}", Organization("A", first.Id)), Put("Organization?identifier=urn:org|1", Organization("B", identifier: "1"))))).Code);
        Assert.Equal(422, (await client.PostAsync("", Bundle("transaction", Put($"Organization/{first.Id}", Organization("A", first.Id)), role.Replace("urn:npi|9", "urn:npi|10")))).Code);
        Assert.Equal(412, (await client.PostAsync("", Bundle("transaction",
            $$$"""{"request":{"method":"DELETE","url":"Practitioner/{{{practitioner.Id}}}"}}""",
            Put($"Organization/{first.Id}", Organization("A", first.Id)).Replace("\"method\"", "\"ifMatch\":\"W/\\\"9\\\"\",\"method\"")))).Code);
        Assert.Equal(rows, await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE type <> 'AuditEvent'"));

        var batch = await client.PostAsync("", Bundle("batch", Put("Organization/nowhere", Organization("x", "nowhere")), Put($"Organization/{first.Id}", Organization("Kept", first.Id)),
            $$$"""{"request":{"method":"DELETE","url":"Practitioner/{{{practitioner.Id}}}"}}""", $$$"""{"request":{"method":"GET","url":"Organization/{{{first.Id}}}"}}"""));
        Assert.Equal(["405", "200 OK", "204 No Content", "200 OK"], batch.Json.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("response").GetProperty("status").GetString()));
        Assert.Equal("Kept", batch.Json.GetProperty("entry")[3].GetProperty("resource").GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_patient_is_not_deleted_from_under_their_record_and_deletes_nothing()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, records) = await node.RecordAsync(doctor);
        var (other, theirs) = await node.RecordAsync(doctor);
        var own = await node.AddAsync(Role.Patient, patient);
        await node.GrantAsync(own, doctor);
        using var client = await node.ClientAsync(doctor);
        using var patients = await node.ClientAsync(own);
        var observation = records.First(record => record.Type == "Observation").Id;
        Assert.Equal(409, (await client.RemoveAsync($"Patient/{patient}")).Code);
        Assert.Equal(403, (await patients.RemoveAsync($"Observation/{observation}")).Code);
        Assert.Equal(204, (await client.RemoveAsync($"Observation/{observation}")).Code);
        var foreign = theirs.First(record => record.Type == "Observation").Id;
        var refused = await client.RemoveAsync($"Observation/{foreign}");
        var nothing = await client.RemoveAsync($"Observation/{Guid.NewGuid()}");
        Assert.Equal((403, refused.Body), (refused.Code, nothing.Body));
        Assert.Equal(204, (await client.RemoveAsync($"Observation?subject=Patient/{other}")).Code);
        Assert.Equal(0L, await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE id = $1 AND deleted", foreign));

        var everything = await patients.FetchAsync($"Patient/{patient}/$everything?_count=4");
        List<string> seen = everything.Ids();
        for (var next = everything.Link("next"); next is not null;)
        {
            var page = await patients.FetchAsync(next);
            seen.AddRange(page.Ids());
            next = page.Link("next");
        }
        // One observation is gone; the consent is there besides what the doctor wrote.
        Assert.Equal(records.Count, seen.Distinct().Count());
        Assert.Equal(seen.Count, seen.Distinct().Count());
        Assert.Equal(403, (await client.FetchAsync($"Patient/{other}/$everything")).Code);
        Assert.Equal(400, (await client.FetchAsync(everything.Link("next")!)).Code);
        Assert.DoesNotContain((await client.FetchAsync("Observation/_history")).Json.GetProperty("entry").EnumerateArray(),
            entry => entry.GetProperty("fullUrl").GetString()!.EndsWith(foreign, StringComparison.Ordinal));
        Assert.Equal(403, (await client.FetchAsync($"Observation/{foreign}/_history")).Code);
    }
}
