using System.Text.Json;
using Npgsql;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Consent.Emergencies;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class ExportTests
{
    static readonly (string, string) Async = ("Prefer", "respond-async");

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_patient_exports_their_own_record_as_stored_and_finds_each_file_in_the_trail()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, records) = await node.RecordAsync(doctor);
        await node.RecordAsync(doctor);
        var self = await node.AddAsync(Role.Patient, patient);
        using var client = await node.ClientAsync(self);

        var asked = await client.FetchAsync("Patient/$export", Async);
        Assert.Equal(202, asked.Code);
        var manifest = await ManifestAsync(client, asked);
        Assert.True(manifest.GetProperty("requiresAccessToken").GetBoolean());
        Assert.EndsWith("/fhir/Patient/$export", manifest.GetProperty("request").GetString());
        Assert.Equal(0, manifest.GetProperty("error").GetArrayLength());
        var files = await FilesAsync(client, manifest);
        Assert.Equal(records.Select(record => $"{record.Type}/{record.Id}").Order(), files.Values.SelectMany(lines => lines).Select(NameOf).Order());
        foreach (var record in records)
        {
            Assert.True(JsonElement.DeepEquals(JsonElement.Parse(record.Bytes), files[record.Type].Single(line => NameOf(line) == $"{record.Type}/{record.Id}")));
        }
        var lines = (await node.Records.AccessesAsync(self, patient, 100, Cancellation))!;
        Assert.Equal(files.Count, lines.Count(line => line.Fact.Action == AuditAction.Export && line.Fact.Account == self.Account));

        // Of types and of what is new alone; a moment past is not undone by what follows it
        var since = Uri.EscapeDataString(manifest.GetProperty("transactionTime").GetString()!);
        await client.PostAsync("Observation", $$"""{"resourceType":"Observation","status":"final","code":{"text":"Pulse"},"subject":{"reference":"Patient/{{patient}}"} }""");
        var news = await FilesAsync(client, await ManifestAsync(client, await client.FetchAsync($"$export?_since={since}&_type=Observation,Condition", Async)));
        Assert.Equal(["Observation"], news.Keys);
        Assert.Equal("Pulse", Assert.Single(news["Observation"]).GetProperty("code").GetProperty("text").GetString());
        Assert.Equal(files["Observation"].Count, (await FilesAsync(client, manifest))["Observation"].Count);
    }

    [Fact]
    public async Task An_export_of_some_elements_holds_those_and_what_must_be_there_marked_as_parts()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, _) = await node.RecordAsync(doctor);
        using var client = await node.ClientAsync(await node.AddAsync(Role.Patient, patient));
        var files = await FilesAsync(client, await ManifestAsync(client, await client.FetchAsync("Patient/$export?_elements=Patient.birthDate,subject", Async)));
        var person = Assert.Single(files["Patient"]);
        Assert.Equal(["resourceType", "id", "meta", "birthDate"], person.EnumerateObject().Select(property => property.Name));
        Assert.Equal("SUBSETTED", person.GetProperty("meta").GetProperty("tag")[0].GetProperty("code").GetString());
        Assert.All(files["Observation"], line => Assert.Equal(
            ["code", "id", "meta", "resourceType", "status", "subject"], line.EnumerateObject().Select(property => property.Name).Order(StringComparer.Ordinal)));

        foreach (var (asked, named) in new[] { ("Patient.shoe", "Patient.shoe"), ("Shoe.size", "Shoe.size"), ("shoe", "shoe"), ("birthDate&_type=Observation", "birthDate"), ("Patient.name.family", "Patient.name.family") })
        {
            var refused = await client.FetchAsync($"Patient/$export?_elements={asked}", Async);
            Assert.Equal(400, refused.Code);
            Assert.Contains($"_elements: {named} is no element", refused.Body, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_was_deleted_or_altered_since_leaves_with_no_file()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, records) = await node.RecordAsync(doctor);
        var self = await node.AddAsync(Role.Patient, patient);
        await node.GrantAsync(self, doctor);
        using var client = await node.ClientAsync(self);
        var observations = records.Where(record => record.Type == "Observation").Select(record => record.Id).ToList();
        await node.Database.ExecuteAsync("UPDATE entry SET ciphertext = substring(ciphertext FROM 2) WHERE type = 'Observation' AND id = $1", observations[0]);

        var manifest = await ManifestAsync(client, await client.FetchAsync("$export?_type=Observation", Async));
        var error = Assert.Single(manifest.GetProperty("error").EnumerateArray());
        Assert.Contains(observations[0], (await client.FetchAsync(error.GetProperty("url").GetString()!)).Body);
        Assert.Equal(observations.Count - 1, Assert.Single(manifest.GetProperty("output").EnumerateArray()).GetProperty("count").GetInt32());
        Assert.IsType<WriteOutcome.Written>(await node.Records.DeleteAsync(doctor, "Observation", observations[1], null, Cancellation));
        Assert.Equal(observations.Skip(2).Order(), (await FilesAsync(client, manifest))["Observation"].Select(line => line.GetProperty("id").GetString()).Order());
    }

    [Fact]
    public async Task A_professional_exports_what_consents_cover_when_each_file_is_fetched()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (one, first) = await node.RecordAsync(doctor);
        var (two, second) = await node.RecordAsync(doctor);
        var (three, _) = await node.RecordAsync(doctor);
        var (firstSelf, secondSelf) = (await node.AddAsync(Role.Patient, one), await node.AddAsync(Role.Patient, two));
        await node.GrantAsync(firstSelf, doctor, [RecordCategory.Results]);
        var consent = await node.GrantAsync(secondSelf, doctor, [RecordCategory.Results, RecordCategory.Conditions]);
        // An emergency lets in who treats, and lets nothing out
        Assert.IsType<EmergencyOutcome.Opened>(await node.Get<EmergencyDesk>().OpenAsync(doctor, three, "Unconscious after an accident, nobody to ask", 60, Cancellation));
        Assert.IsType<RetrievalOutcome.Found>(await node.Records.RetrieveAsync(doctor, three, Purpose.Treatment, null, Cancellation));
        using var client = await node.ClientAsync(doctor);
        await client.PostAsync("Organization", """{"resourceType":"Organization","name":"Ward 7"}""");

        var manifest = await ManifestAsync(client, await client.FetchAsync("$export", Async));
        var files = await FilesAsync(client, manifest);
        string[] Of(IReadOnlyList<StoredRecord> records, string type) => [.. records.Where(record => record.Type == type).Select(record => record.Id)];
        Assert.Equal(Of(first, "Observation").Concat(Of(second, "Observation")).Order(), files["Observation"].Select(line => line.GetProperty("id").GetString()).Order());
        Assert.Equal(Of(second, "Condition"), files["Condition"].Select(line => line.GetProperty("id").GetString()));
        Assert.Single(files["Organization"]);
        Assert.False((await FilesAsync(client, await ManifestAsync(client, await client.FetchAsync("Patient/$export", Async)))).ContainsKey("Organization"));

        Assert.IsType<RevokeOutcome.Revoked>(await node.Consents.RevokeAsync(secondSelf, consent, Cancellation));
        var after = await FilesAsync(client, manifest);
        Assert.Equal(Of(first, "Observation").Order(), after["Observation"].Select(line => line.GetProperty("id").GetString()).Order());
        Assert.Empty(after["Condition"]);
    }

    [Fact]
    public async Task An_export_of_a_group_holds_its_members_alone()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var patients = await ThreeAsync(node, doctor);
        using var client = await node.ClientAsync(doctor);
        var group = await client.PostAsync("Group", $$"""
            {"resourceType":"Group","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/{{patients[0]}}"} },
             {"entity":{"reference":"Patient/{{patients[1]}}"},"inactive":true},{"entity":{"reference":"Patient/{{patients[2]}}"} }]}
            """);
        Assert.Equal(201, group.Code);
        var files = await FilesAsync(client, await ManifestAsync(client, await client.FetchAsync($"Group/{group.Id}/$export?_type=Patient", Async)));
        Assert.Equal(new[] { patients[0], patients[2] }.Order(), files["Patient"].Select(line => line.GetProperty("id").GetString()).Order());
        using var stranger = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        Assert.Equal(403, (await stranger.FetchAsync($"Group/{group.Id}/$export", Async)).Code);
    }

    [Fact]
    public async Task Filters_pick_the_records_of_their_types_and_leave_the_others_whole()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var patients = await ThreeAsync(node, doctor);
        using var client = await node.ClientAsync(doctor);
        var filters = $"_typeFilter={Uri.EscapeDataString("Observation?code=8867-4,8310-5&value-quantity=gt70")}&_typeFilter={Uri.EscapeDataString("Patient?gender=male,Patient?birthdate=lt1900")}";
        var files = await FilesAsync(client, await ManifestAsync(client, await client.FetchAsync($"Patient/$export?{filters}", Async)));
        Assert.Equal(3, files["Observation"].Count);
        Assert.All(files["Observation"], line => Assert.Equal("8867-4", line.GetProperty("code").GetProperty("coding")[0].GetProperty("code").GetString()));
        Assert.Equal(3, files["Condition"].Count);
        Assert.False(files.ContainsKey("Patient"));

        // By text, which the index does not hold
        files = await FilesAsync(client, await ManifestAsync(client, await client.FetchAsync($"Patient/$export?_type=Observation&_typeFilter={Uri.EscapeDataString("Observation?_content=8867-4 NOT 8310-5")}", Async)));
        Assert.Equal(3, files["Observation"].Count);

        // By POST, of some patients alone
        var asked = await client.PostAsync("Patient/$export", $$"""
            {"resourceType":"Parameters","parameter":[{"name":"_type","valueString":"Patient,Observation"},{"name":"_typeFilter","valueString":"Observation?status=final&code=8867-4"},
             {"name":"patient","valueReference":{"reference":"Patient/{{patients[0]}}"} },{"name":"patient","valueReference":{"reference":"Patient/{{patients[2]}}"} }]}
            """, Async);
        files = await FilesAsync(client, await ManifestAsync(client, asked));
        Assert.Equal(["Observation", "Patient"], files.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(new[] { patients[0], patients[2] }.Order(), files["Patient"].Select(line => line.GetProperty("id").GetString()).Order());
        Assert.Equal(2, files["Observation"].Count);
        Assert.Equal(400, (await client.PostAsync("$export", """{"resourceType":"Patient"}""", Async)).Code);
        Assert.Equal(400, (await client.PostAsync("$export", """{"resourceType":"Parameters","parameter":[{"name":"_since","valueInstant":"soon"}]}""", Async)).Code);
    }

    [Fact]
    public async Task What_was_deleted_since_is_told_of_to_who_might_have_read_it()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (one, records) = await node.RecordAsync(doctor);
        var (two, others) = await node.RecordAsync(doctor);
        var (self, other) = (await node.AddAsync(Role.Patient, one), await node.AddAsync(Role.Patient, two));
        await node.GrantAsync(self, doctor);
        await node.GrantAsync(other, doctor);
        string Observation(IReadOnlyList<StoredRecord> of, int at) => of.Where(record => record.Type == "Observation").ElementAt(at).Id;
        Assert.IsType<WriteOutcome.Written>(await node.Records.DeleteAsync(doctor, "Observation", Observation(records, 0), null, Cancellation));
        using var client = await node.ClientAsync(self);
        var first = await ManifestAsync(client, await client.FetchAsync("Patient/$export", Async));
        Assert.Equal(0, first.GetProperty("deleted").GetArrayLength());
        var since = Uri.EscapeDataString(first.GetProperty("transactionTime").GetString()!);

        Assert.IsType<WriteOutcome.Written>(await node.Records.DeleteAsync(doctor, "Observation", Observation(records, 1), null, Cancellation));
        Assert.IsType<WriteOutcome.Written>(await node.Records.DeleteAsync(doctor, "Observation", Observation(others, 1), null, Cancellation));
        var next = await ManifestAsync(client, await client.FetchAsync($"Patient/$export?_since={since}", Async));
        var deleted = Assert.Single(next.GetProperty("deleted").EnumerateArray());
        Assert.Equal("Bundle", deleted.GetProperty("type").GetString());
        var bundle = JsonElement.Parse((await client.FetchAsync(deleted.GetProperty("url").GetString()!)).Body.TrimEnd());
        Assert.Equal("transaction", bundle.GetProperty("type").GetString());
        var request = Assert.Single(bundle.GetProperty("entry").EnumerateArray()).GetProperty("request");
        Assert.Equal(("DELETE", $"Observation/{Observation(records, 1)}"), (request.GetProperty("method").GetString(), request.GetProperty("url").GetString()));
        Assert.Contains((await node.Records.AccessesAsync(self, one, 100, Cancellation))!, line => line.Fact.Action == AuditAction.Export && line.Fact.Entity == "1 deletions");
        var neither = await ManifestAsync(client, await client.FetchAsync($"Patient/$export?_since={since}&_type=Condition", Async));
        Assert.Equal(0, neither.GetProperty("deleted").GetArrayLength());
    }

    [Fact]
    public async Task An_export_is_its_accounts_alone_and_who_reads_nothing_has_none()
    {
        await using var ground = await TestGround.NewAsync();
        ground.Settings["Salus:Export:JobsPerAccount"] = "2";
        ground.Settings["Salus:Export:KeptHours"] = "1";
        await using var node = await TestNode.StartAsync(ground);
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, _) = await node.RecordAsync(doctor);
        using var client = await node.ClientAsync(await node.AddAsync(Role.Patient, patient));
        using var other = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        var job = (await client.FetchAsync("Patient/$export", Async)).ContentHeaders.ContentLocation!.ToString();
        var manifest = await ManifestAsync(client, job);
        var file = manifest.GetProperty("output")[0].GetProperty("url").GetString()!;

        foreach (var path in new[] { job, file, job + "/deleted", $"$export/{Guid.NewGuid()}", $"$export/{Guid.NewGuid()}/1" })
        {
            Assert.Equal(404, (await other.FetchAsync(path)).Code);
        }
        Assert.Equal(404, (await other.RemoveAsync(job)).Code);
        Assert.Equal(200, (await client.FetchAsync(file)).Code);
        foreach (var role in new[] { Role.Administrator, Role.Auditor, Role.Researcher })
        {
            using var reader = await node.ClientAsync(await node.AddAsync(role));
            Assert.Equal(403, (await reader.FetchAsync("$export", Async)).Code);
        }
        // A row that is given to another account opens nothing for it
        await node.Database.ExecuteAsync("UPDATE export_job SET account = $1", (await node.AddAsync(Role.Practitioner)).Account);
        Assert.Equal(404, (await client.FetchAsync(file)).Code);

        foreach (var (path, header, code) in new[]
        {
            ("$export", ("Accept", "application/fhir+json"), 400), ("$export?_type=AuditEvent", Async, 400), ("$export?_type=Nothing", Async, 400), ("$export?_since=soon", Async, 400),
            ("$export?_outputFormat=text/csv", Async, 400), ("$export?organizeOutputBy=Patient", Async, 400),
            ("$export?patient=Patient/1", Async, 400), ("Patient/$export?patient=Group/1", Async, 400), ("$export?_typeFilter=Patient", Async, 400),
            ("$export?_typeFilter=Patient%3Fcolour%3Dred", Async, 400), ("$export?_typeFilter=Patient%3Factive%3Dtrue%26_sort%3Dname", Async, 400),
            ("$export?_typeFilter=Observation%3Fsubject%3APatient.name%3DX", Async, 400), ("$export?_typeFilter=Observation%3F_has%3AProvenance%3Atarget%3Aagent%3DX", Async, 400),
            ("$export?_type=Patient&_typeFilter=Observation%3Fstatus%3Dfinal", Async, 400), ("$export?_typeFilter=Observation%3Fcode%3Ain%3Dhttp://example.org/none", Async, 400),
            ("$export?_outputFormat=application/fhir%2Bndjson&organizeOutputBy=Patient", ("Prefer", "respond-async, handling=lenient"), 202), ("$export", Async, 202), ("$export", Async, 429),
        })
        {
            Assert.Equal((path, code), (path, (await client.FetchAsync(path, header)).Code));
        }
        Assert.Equal(202, (await client.RemoveAsync(await FirstJobAsync(node))).Code);
        var last = (await client.FetchAsync("$export", Async)).ContentHeaders.ContentLocation!.ToString();
        await ManifestAsync(client, last);
        ground.Clock.By += TimeSpan.FromMinutes(61);
        Assert.Equal(404, (await client.FetchAsync(last)).Code);
    }

    [Fact]
    public async Task An_export_that_was_cut_off_goes_on_where_it_was()
    {
        await using var ground = await TestGround.NewAsync();
        ground.Settings["Salus:Export:RecordsPerFile"] = "1";
        string job;
        Caller self;
        IReadOnlyList<StoredRecord> records;
        await using (var node = await TestNode.StartAsync(ground))
        {
            (var patient, records) = await node.RecordAsync(await node.AddAsync(Role.Practitioner));
            self = await node.AddAsync(Role.Patient, patient);
            using var client = await node.ClientAsync(self);
            await node.Database.ExecuteAsync("CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.number > 3 THEN RAISE EXCEPTION ''cut off''; END IF; RETURN NEW; END'");
            await node.Database.ExecuteAsync("CREATE TRIGGER cut BEFORE INSERT ON export_file FOR EACH ROW EXECUTE FUNCTION cut()");
            job = new Uri((await client.FetchAsync("Patient/$export", Async)).ContentHeaders.ContentLocation!.ToString()).AbsolutePath;
            await TestNode.UntilAsync(async () => await node.Database.ValueAsync<long>("SELECT count(*) FROM export_file") == 3, "the export is on its way");
            Assert.Equal(202, (await client.FetchAsync(node.Address + job.TrimStart('/'))).Code);
            await node.Database.ExecuteAsync("DROP TRIGGER cut ON export_file");
        }
        await using var next = await TestNode.StartAsync(ground);
        using var again = await next.ClientAsync(self);
        var manifest = await ManifestAsync(again, next.Address + job.TrimStart('/'));
        Assert.Equal(records.Count, manifest.GetProperty("output").GetArrayLength());
        Assert.Equal(records.Select(record => $"{record.Type}/{record.Id}").Order(), (await FilesAsync(again, manifest)).Values.SelectMany(lines => lines).Select(NameOf).Order());
    }

    /// <summary>Three patients with a record each, which they let the doctor read.</summary>
    static async Task<List<string>> ThreeAsync(TestNode node, Caller doctor)
    {
        List<string> patients = [];
        for (var i = 0; i < 3; i++)
        {
            var (patient, _) = await node.RecordAsync(doctor);
            patients.Add(patient);
            await node.GrantAsync(await node.AddAsync(Role.Patient, patient), doctor);
        }
        return patients;
    }

    static async Task<string> FirstJobAsync(TestNode node) => $"$export/{await node.Database.ValueAsync<Guid>("SELECT id FROM export_job ORDER BY asked DESC LIMIT 1")}";

    static Task<JsonElement> ManifestAsync(HttpClient client, FhirAnswer asked)
    {
        Assert.True(asked.Code == 202, asked.Body);
        return ManifestAsync(client, asked.ContentHeaders.ContentLocation!.ToString());
    }

    static async Task<JsonElement> ManifestAsync(HttpClient client, string job)
    {
        FhirAnswer? status = null;
        await TestNode.UntilAsync(async () => (status = await client.FetchAsync(job)).Code != 202, "the export is done");
        Assert.True(status!.Code == 200, status.Body);
        return status.Json;
    }

    static async Task<Dictionary<string, List<JsonElement>>> FilesAsync(HttpClient client, JsonElement manifest)
    {
        Dictionary<string, List<JsonElement>> files = [];
        foreach (var output in manifest.GetProperty("output").EnumerateArray())
        {
            var answer = await client.FetchAsync(output.GetProperty("url").GetString()!, ("Accept", "application/fhir+ndjson"));
            Assert.Equal((200, "application/fhir+ndjson"), (answer.Code, answer.ContentHeaders.ContentType!.ToString()));
            var type = output.GetProperty("type").GetString()!;
            files.TryAdd(type, []);
            files[type].AddRange(answer.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line)));
            Assert.All(files[type], line => Assert.Equal(type, line.GetProperty("resourceType").GetString()));
        }
        return files;
    }

    static string NameOf(JsonElement line) => $"{line.GetProperty("resourceType").GetString()}/{line.GetProperty("id").GetString()}";
}
