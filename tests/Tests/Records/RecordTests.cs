using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class RecordTests
{
    [Fact]
    public async Task A_row_changed_before_it_has_its_place_in_the_log_is_seen()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        await node.Get<Sequencer>().StopAsync(TestContext.Current.CancellationToken);
        var (patient, records) = await node.RecordAsync(doctor);
        var changed = records.First(record => record.Type == "Condition");
        Assert.Equal(1, await node.Database.ExecuteAsync("UPDATE entry SET written = written + interval '1 day' WHERE id = $1", changed.Id));
        await node.Get<Sequencer>().StartAsync(TestContext.Current.CancellationToken);
        await node.WaitUntilAnchoredAsync();

        var account = await node.AddAsync(Role.Patient, patient);
        var found = Assert.IsType<RetrievalOutcome.Found>(await node.Records.RetrieveAsync(account, patient, Purpose.PatientRequest, null, TestContext.Current.CancellationToken));
        Assert.Equal([changed.Id], found.Records.Where(record => record.Proof is ProofState.Broken).Select(record => record.Record.Id));
    }

    [Theory]
    [InlineData("""{"resourceType":"Observation","status":"done","code":{"text":"x"},"subject":{"reference":"Patient/PAT"}}""", "Observation.status")]
    [InlineData("""{"resourceType":"Observation","status":"final","subject":{"reference":"Patient/PAT"}}""", "Observation")]
    [InlineData("""{"resourceType":"Observation","status":"final","code":{"text":"x"},"colour":"red","subject":{"reference":"Patient/PAT"}}""", "Observation.colour")]
    [InlineData("""{"resourceType":"Observation","status":"final","code":{"text":7},"subject":{"reference":"Patient/PAT"}}""", "Observation.code.text")]
    public async Task What_is_not_fhir_is_refused_with_its_place_and_nothing_is_kept(string json, string place)
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, _) = await node.RecordAsync(doctor);
        using var client = await node.ClientAsync(doctor);
        var before = await RowsAsync(node);
        var (status, answer) = await PostAsync(client, "/fhir/Observation", json.Replace("PAT", patient));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Equal("OperationOutcome", answer.GetProperty("resourceType").GetString());
        Assert.Contains(answer.GetProperty("issue").EnumerateArray(), issue =>
            issue.TryGetProperty("expression", out var expression) && expression[0].GetString()!.StartsWith(place, StringComparison.Ordinal));
        Assert.Equal(before, await RowsAsync(node));
    }

    [Theory]
    [InlineData("{\"resourceType\":\"Observation\",\n  \"status\": final}", "line 2")]
    [InlineData("{\"resourceType\":\"Observation\",\"status\":\"final\"", "line 1")]
    public async Task What_is_not_json_is_refused_with_its_line(string json, string place)
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        var (status, answer) = await PostAsync(client, "/fhir/Observation", json);
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(place, answer.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_record_of_an_unknown_patient_is_refused()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        // Keys that a node makes at first use are there before the rows are counted
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/fhir/Organization", TestContext.Current.CancellationToken)).StatusCode);
        var before = await RowsAsync(node);
        var (status, answer) = await PostAsync(client, "/fhir/Observation", Observation(Guid.NewGuid().ToString()));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Equal("not-found", answer.GetProperty("issue")[0].GetProperty("code").GetString());
        Assert.Equal(before, await RowsAsync(node));
    }

    [Fact]
    public async Task A_bundle_is_stored_with_its_references_resolved()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        using var client = await node.ClientAsync(doctor);
        var (status, answer) = await PostAsync(client, "/fhir/", Bundle("final"));
        Assert.Equal(HttpStatusCode.OK, status);
        var locations = answer.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("response").GetProperty("location").GetString()!).ToList();
        Assert.Equal(["Patient", "Condition", "Observation"], locations.Select(location => location.Split('/')[0]));
        var patient = locations[0].Split('/')[1];
        var account = await node.AddAsync(Role.Patient, patient);
        var found = Assert.IsType<RetrievalOutcome.Found>(await node.Records.RetrieveAsync(account, patient, Purpose.PatientRequest, null, default));
        Assert.Equal(3, found.Records.Count);
        Assert.Equal(0, await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE patient IS NULL AND type <> 'AuditEvent'"));
        var search = Assert.IsType<SearchResult.Page>(await node.Records.SearchAsync(account, "Condition", [new("patient", patient)], Purpose.PatientRequest, default));
        Assert.Single(search.Records);
        foreach (var record in found.Records.Where(record => record.Record.Type != "Patient"))
        {
            var json = JsonElement.Parse(record.Record.Bytes);
            Assert.Equal($"Patient/{patient}", json.GetProperty("subject").GetProperty("reference").GetString());
            Assert.DoesNotContain("urn:uuid", json.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_bundle_with_one_bad_resource_keeps_none_and_names_the_entry()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        // Keys that a node makes at first use are there before the rows are counted
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/fhir/Organization", TestContext.Current.CancellationToken)).StatusCode);
        var before = await RowsAsync(node);
        var (status, answer) = await PostAsync(client, "/fhir/", Bundle("done"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("Bundle.entry[2].resource", answer.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, await RowsAsync(node));
        (status, answer) = await PostAsync(client, "/fhir/", Bundle("final")
            .Replace("urn:uuid:00000000-0000-4000-8000-000000000001\"}}", "urn:uuid:00000000-0000-4000-8000-00000000dead\"}}"));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, status);
        Assert.Contains("leads to nothing", answer.ToString(), StringComparison.Ordinal);
        Assert.Equal(before, await RowsAsync(node));
    }

    [Fact]
    public async Task An_update_on_top_of_an_older_version_is_refused_and_the_newest_stands()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        using var client = await node.ClientAsync(doctor);
        var created = await PostAsync(client, "/fhir/Organization", """{"resourceType":"Organization","name":"First"}""");
        var id = created.Json.GetProperty("id").GetString()!;
        Assert.Equal(HttpStatusCode.OK, await PutAsync(client, id, "Second", 1));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await PutAsync(client, id, "Lost", 1));
        Assert.Equal(HttpStatusCode.OK, await PutAsync(client, id, "Third", 2));
        Assert.Equal(HttpStatusCode.BadRequest, (await client.SendAsync(Put(id, "x", "W/\"three\""), TestContext.Current.CancellationToken)).StatusCode);
        var newest = Assert.IsType<ReadOutcome.Found>(await node.Records.ReadAsync(doctor, "Organization", id, null, Purpose.Treatment, default));
        Assert.Equal((3, "Third"), (newest.Record.Version, JsonElement.Parse(newest.Record.Bytes).GetProperty("name").GetString()));
        var second = Assert.IsType<ReadOutcome.Found>(await node.Records.ReadAsync(doctor, "Organization", id, 2, Purpose.Treatment, default));
        Assert.Equal("Second", JsonElement.Parse(second.Record.Bytes).GetProperty("name").GetString());
    }

    [Fact]
    public async Task Of_many_updates_at_once_exactly_one_wins_each_version()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var created = Assert.IsType<WriteOutcome.Written>(await node.Records.CreateAsync(doctor, """{"resourceType":"Organization","name":"Zero"}"""u8.ToArray(), default));
        var id = created.Records[0].Id;
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => node.Records.UpdateAsync(
            doctor, "Organization", id, Encoding.UTF8.GetBytes($$"""{"resourceType":"Organization","id":"{{id}}","name":"Writer {{i}}"}"""), 1, default)));
        var winner = Assert.Single(outcomes.OfType<WriteOutcome.Written>());
        Assert.Equal(5, outcomes.OfType<WriteOutcome.Conflict>().Count());
        Assert.Equal(2, await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE id = $1", id));
        var newest = Assert.IsType<ReadOutcome.Found>(await node.Records.ReadAsync(doctor, "Organization", id, null, Purpose.Treatment, default));
        Assert.Equal(winner.Records[0].Bytes, newest.Record.Bytes);
    }

    [Fact]
    public async Task A_record_cannot_be_moved_to_another_patient()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (mine, records) = await node.RecordAsync(doctor);
        var (theirs, _) = await node.RecordAsync(doctor);
        await node.GrantAsync(await node.AddAsync(Role.Patient, mine), doctor);
        var observation = records.First(record => record.Type == "Observation");
        var moved = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(observation.Bytes).Replace(mine, theirs));
        Assert.IsType<WriteOutcome.Invalid>(await node.Records.UpdateAsync(doctor, "Observation", observation.Id, moved, 1, default));
        Assert.IsType<WriteOutcome.Written>(await node.Records.UpdateAsync(doctor, "Observation", observation.Id, observation.Bytes, 1, default));
    }

    static string Observation(string patient) =>
        $$"""{"resourceType":"Observation","status":"final","code":{"text":"Haemoglobin"},"subject":{"reference":"Patient/{{patient}}"} }""";

    /// <summary>A transaction of a patient, a condition and an observation that point to the patient by urn.</summary>
    static string Bundle(string observationStatus) =>
        """
        {"resourceType":"Bundle","type":"transaction","entry":[
          {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","request":{"method":"POST","url":"Patient"},
           "resource":{"resourceType":"Patient","name":[{"family":"Bundled"}]}},
          {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000002","request":{"method":"POST","url":"Condition"},
           "resource":{"resourceType":"Condition","code":{"text":"Asthma"},"subject":{"reference":"urn:uuid:00000000-0000-4000-8000-000000000001"}}},
          {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000003","request":{"method":"POST","url":"Observation"},
           "resource":{"resourceType":"Observation","status":"STATUS","code":{"text":"Peak flow"},"subject":{"reference":"urn:uuid:00000000-0000-4000-8000-000000000001"}}}]}
        """.Replace("STATUS", observationStatus);

    static async Task<string> RowsAsync(TestNode node) => string.Join(", ", await node.Database.RowsAsync(row => row.GetInt64(0),
        """
        SELECT count(*) FROM entry UNION ALL SELECT count(*) FROM patient UNION ALL SELECT count(*) FROM search_value
        UNION ALL SELECT count(*) FROM vault_owner UNION ALL SELECT count(*) FROM consent_subject UNION ALL SELECT count(*) FROM chain_transaction
        """));

    static async Task<(HttpStatusCode Status, JsonElement Json)> PostAsync(HttpClient client, string path, string json)
    {
        using var content = new StringContent(json, new MediaTypeHeaderValue("application/fhir+json"));
        using var response = await client.PostAsync(path, content, TestContext.Current.CancellationToken);
        return (response.StatusCode, JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
    }

    static HttpRequestMessage Put(string id, string name, string tag)
    {
        var request = new HttpRequestMessage(HttpMethod.Put, $"/fhir/Organization/{id}")
        {
            Content = new StringContent($$"""{"resourceType":"Organization","id":"{{id}}","name":"{{name}}"}""", new MediaTypeHeaderValue("application/fhir+json")),
        };
        request.Headers.TryAddWithoutValidation("If-Match", tag);
        return request;
    }

    static async Task<HttpStatusCode> PutAsync(HttpClient client, string id, string name, int seen)
    {
        using var request = Put(id, name, $"W/\"{seen}\"");
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return response.StatusCode;
    }
}
