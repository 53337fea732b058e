using System.Text.Json;
using Salus.Platform.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class SearchServerTests
{
    const string Locations = """
        {"resourceType":"Bundle","type":"transaction","entry":[
         {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000001","request":{"method":"POST","url":"Organization"},
          "resource":{"resourceType":"Organization","id":"a","active":true,"identifier":[{"system":"urn:org","value":"1","type":{"coding":[{"system":"urn:t","code":"XX"}],"text":"House number"}}],
           "name":"Saint Mary's Hospital of the Northern Highlands","meta":{"tag":[{"system":"urn:tag","code":"red"}],"profile":["http://a.example/profiles/house"]},
           "type":[{"coding":[{"system":"urn:kind","code":"prov","display":"Healthcare Provider"}]}],"address":[{"city":"Bergen"}]}},
         {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000002","request":{"method":"POST","url":"Organization"},
          "resource":{"resourceType":"Organization","id":"b","name":"Ward 7","active":false,"partOf":{"reference":"urn:uuid:00000000-0000-4000-8000-000000000001"}}},
         {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000003","request":{"method":"POST","url":"Organization"},
          "resource":{"resourceType":"Organization","id":"c","name":"Ward 9","partOf":{"identifier":{"system":"urn:org","value":"1"}}}},
         {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000004","request":{"method":"POST","url":"Location"},
          "resource":{"resourceType":"Location","id":"d","name":"Room 12","managingOrganization":{"reference":"urn:uuid:00000000-0000-4000-8000-000000000002"}}},
         {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000005","request":{"method":"POST","url":"PlanDefinition"},
          "resource":{"resourceType":"PlanDefinition","id":"e","status":"draft","url":"http://a.example/plans/one","effectivePeriod":{"start":"2020-01-01","end":"2020-06-30"},
           "useContext":[{"code":{"code":"age"},"valueQuantity":{"value":40,"system":"http://unitsofmeasure.org","code":"a"}},{"code":{"code":"weight"},"valueQuantity":{"value":90,"unit":"kg"}}]}},
         {"fullUrl":"urn:uuid:00000000-0000-4000-8000-000000000006","request":{"method":"POST","url":"PlanDefinition"},
          "resource":{"resourceType":"PlanDefinition","id":"f","status":"active","url":"http://a.example/plans/two","effectivePeriod":{"start":"2021-03-01"}}}]}
        """;

    [Fact]
    public async Task Every_kind_of_parameter_modifier_chain_and_include_finds_what_it_says()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        var made = await client.PostAsync("", Locations);
        var ids = made.Json.GetProperty("entry").EnumerateArray().Select(entry => entry.GetProperty("response").GetProperty("location").GetString()!.Split('/')[1]).ToList();
        string Names(IEnumerable<string> found) => string.Concat(found.Select(id => (char)('a' + ids.IndexOf(id))).Order());
        List<string> wrong = [];
        foreach (var (query, expected) in new (string, string)[]
        {
            // Tokens
            ("Organization?active=true", "a"), ("Organization?active:not=true", "bc"), ("Organization?active:missing=true", "c"), ("Organization?identifier=1", "a"),
            ("Organization?identifier=urn:org|", "a"), ("Organization?identifier=|1", ""), ("Organization?identifier:of-type=urn:t|XX|1", "a"), ("Organization?identifier:of-type=urn:t|YY|1", ""),
            ("Organization?type:text=health", "a"), ("Organization?type:text=provider", ""), ("Organization?_tag=urn:tag|red", "a"), ("Organization?type=urn:kind|prov,other", "a"),
            // Texts and URIs
            ("Organization?name=saint", "a"), ("Organization?name:exact=Ward 7", "b"), ("Organization?name:exact=ward 7", ""), ("Organization?name:contains=HIGHL", "a"),
            ("Organization?name:contains=rd", "bc"), ("Organization?name:contains=highlown", ""), ("Organization?name=Saint Mary's Hospital of the Northern", "a"),
            ("Organization?name=Saint Mary's Hospital of the Southern", ""), ("Organization?address=berg", "a"), ("Organization?_profile=http://a.example/profiles/house", "a"),
            ("Organization?_profile:below=http://a.example/profiles", "a"), ("PlanDefinition?url=http://a.example/plans/one", "e"), ("PlanDefinition?url:below=http://a.example/plans", "ef"),
            ("PlanDefinition?url:above=http://a.example/plans/one/x", "e"),
            // References, chains, what refers
            ($"Organization?partof={ids[0]}", "b"), ($"Organization?partof=Organization/{ids[0]}", "b"), ("Organization?partof:identifier=urn:org|1", "c"), ("Organization?partof:missing=true", "a"),
            ("Organization?partof.name=saint", "b"), ("Location?organization.partof.identifier=1", "d"), ("Location?organization:Organization.name:contains=ward", "d"),
            ("Location?organization.partof.name=ward", ""), ("Organization?_has:Location:organization:name=room", "b"), ("Organization?_has:Organization:partof:_has:Location:organization:name=room", "a"),
            ("Organization?_has:Location:organization:name=hall", ""), ("Organization?_has:Location:organization:name=room&active=true", ""),
            // Dates, numbers, quantities, composites
            ("PlanDefinition?effective=2020", "e"), ("PlanDefinition?effective=2020-03", ""), ("PlanDefinition?effective=ge2020-06-15", "ef"), ("PlanDefinition?effective=sa2020-07", "f"),
            ("PlanDefinition?effective=eb2021", "e"), ("PlanDefinition?effective=lt2020-02", "e"), ("PlanDefinition?effective=ap2020-06-30", "e"), ("PlanDefinition?effective=ne2020", "f"),
            ("PlanDefinition?effective=ge2020&effective=le2020-12", "e"), ("PlanDefinition?context-quantity=40", "e"), ("PlanDefinition?context-quantity=gt40", "e"),
            ("PlanDefinition?context-quantity=40|http://unitsofmeasure.org|a", "e"), ("PlanDefinition?context-quantity=gt40|http://unitsofmeasure.org|a", ""), ("PlanDefinition?context-quantity=90||kg", "e"),
            ("PlanDefinition?context-type-quantity=age$40", "e"), ("PlanDefinition?context-type-quantity=age$90", ""), ("PlanDefinition?context-type-quantity=age$90,weight$90", "e"),
            ("PlanDefinition?status:in=http://hl7.org/fhir/ValueSet/publication-status", "ef"), ("PlanDefinition?status:not-in=http://hl7.org/fhir/ValueSet/publication-status", ""),
            // About the whole
            ($"Organization?_id={ids[0]},{ids[2]}", "ac"), ("Organization?_lastUpdated=gt2001", "abc"), ("Organization?_lastUpdated=lt2001", ""), ("Organization?_lastUpdated=ge2001&name=ward", "bc"),
        })
        {
            var path = $"{query[..query.IndexOf('?')]}?{string.Join('&', query[(query.IndexOf('?') + 1)..].Split('&').Select(pair => $"{pair[..pair.IndexOf('=')]}={Uri.EscapeDataString(pair[(pair.IndexOf('=') + 1)..])}"))}";
            var answer = await client.FetchAsync(path);
            if (answer.Code != 200 || Names(answer.Ids()) != expected || answer.Json.GetProperty("total").GetInt32() != expected.Length)
            {
                wrong.Add($"{query}: expected '{expected}', not '{(answer.Code == 200 ? Names(answer.Ids()) : answer.Body)}'");
            }
        }
        Assert.True(wrong.Count == 0, string.Join(Environment.NewLine, wrong));

        async Task<string> InOrderAsync(string query) => string.Concat((await client.FetchAsync(query)).Ids().Select(id => (char)('a' + ids.IndexOf(id))));
        Assert.Equal("abc", await InOrderAsync("Organization?_sort=name"));
        Assert.Equal("cba", await InOrderAsync("Organization?_sort=-name"));
        Assert.Equal("bac", await InOrderAsync("Organization?_sort=active,name"));
        Assert.Equal("ef", await InOrderAsync("PlanDefinition?_sort=effective"));
        Assert.Equal("fe", await InOrderAsync("PlanDefinition?_sort=-effective"));
        Assert.Equal(string.CompareOrdinal(ids[4], ids[5]) < 0 ? "ef" : "fe", await InOrderAsync("PlanDefinition?_sort=_id"));

        var included = await client.FetchAsync("Location?_include=Location:organization&_include:iterate=Organization:partof&_revinclude=Organization:partof");
        Assert.Equal(("d", "ab"), (Names(included.Ids()), Names(included.Ids("include"))));
        Assert.Equal("b", Names((await client.FetchAsync($"Organization?_id={ids[0]}&_revinclude=Organization:partof")).Ids("include")));
        Assert.Equal("", Names((await client.FetchAsync("Location?_include=Location:organization:Patient")).Ids("include")));

        var summary = await client.FetchAsync("Organization?_summary=count");
        Assert.Equal((3, 0), (summary.Json.GetProperty("total").GetInt32(), summary.Ids().Count));
        Assert.False((await client.FetchAsync("Organization?_total=none")).Json.TryGetProperty("total", out _));
        var part = (await client.FetchAsync("Organization?name=ward 7&_elements=name")).Json.GetProperty("entry")[0].GetProperty("resource");
        Assert.False(part.TryGetProperty("active", out _));
        var form = await client.SendAsync(HttpMethod.Post, "Organization/_search", "name=ward&_count=1", [], "application/x-www-form-urlencoded");
        Assert.Single(form.Ids());
        Assert.DoesNotContain("ward", form.Link("self")! + form.Link("next"), StringComparison.OrdinalIgnoreCase);
        Assert.Single((await client.FetchAsync(form.Link("next")!)).Ids());

        var strict = await client.FetchAsync("Organization?shoe=1");
        Assert.Equal(400, strict.Code);
        Assert.Contains("shoe", strict.Body, StringComparison.Ordinal);
        var lenient = await client.FetchAsync("Organization?shoe=1&name=ward", ("Prefer", "handling=lenient"));
        Assert.Equal(2, lenient.Ids().Count);
        Assert.Contains("shoe", lenient.Json.GetProperty("entry").EnumerateArray().Last().GetProperty("resource").ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("shoe", lenient.Link("self"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_of_any_order_show_each_match_once_whatever_is_written_between_them()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        using var client = await node.ClientAsync(doctor);
        using var other = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        List<string> ids = [];
        for (var i = 0; i < 9; i++)
        {
            ids.Add((await client.PostAsync("Organization", $$"""{"resourceType":"Organization","name":"Clinic {{i}}"}""")).Id);
        }
        foreach (var order in new[] { "", "&_sort=name", "&_sort=_lastUpdated", "&_sort=_id" })
        {
            List<string> seen = [];
            var page = await client.FetchAsync($"Organization?name=clinic&_count=2{order}");
            for (var number = 0; ; number++)
            {
                seen.AddRange(page.Ids());
                if (page.Link("next") is not { } next)
                {
                    break;
                }
                Assert.DoesNotContain("clinic", next, StringComparison.OrdinalIgnoreCase);
                Assert.Equal(400, (await other.FetchAsync(next)).Code);
                Assert.Equal(400, (await client.FetchAsync(next[..^1] + (next[^1] == 'A' ? 'B' : 'A'))).Code);
                // One that was seen changes, and a new one comes that sorts first
                await client.PutAsync($"Organization/{seen[0]}", JsonSerializer.Serialize(new { resourceType = "Organization", id = seen[0], name = $"Clinic {ids.IndexOf(seen[0])}" }));
                if (order != "&_sort=_lastUpdated")
                {
                    await client.PostAsync("Organization", """{"resourceType":"Organization","name":"Aclinic"}""");
                }
                page = await client.FetchAsync(next);
            }
            Assert.Equal(ids.Order(), seen.Distinct().Order());
            if (order != "&_sort=_lastUpdated")
            {
                Assert.Equal(ids.Count, seen.Count);
            }
        }
    }

    [Fact]
    public async Task Nothing_that_a_caller_may_not_see_shows_in_a_total_an_include_a_chain_or_an_order()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (shared, _) = await node.RecordAsync(doctor, TestNode.EncounterOf("P-open", family: "Winterbourne"));
        var (closed, theirs) = await node.RecordAsync(doctor, TestNode.EncounterOf("P-shut", family: "Summerfield"));
        await node.GrantAsync(await node.AddAsync(Role.Patient, shared), doctor, [Salus.Platform.Consent.RecordCategory.Results]);
        using var client = await node.ClientAsync(doctor);
        async Task<int> TotalAsync(string query) => (await client.FetchAsync(query)).Json.GetProperty("total").GetInt32();

        Assert.Equal(3, await TotalAsync("Observation?code:missing=false"));
        Assert.Equal(3, await TotalAsync("Observation?subject:Patient.family=winter"));
        Assert.Equal(0, await TotalAsync("Observation?subject:Patient.family=summer"));
        Assert.Equal(0, await TotalAsync($"Observation?subject=Patient/{closed}"));
        Assert.Equal(1, await TotalAsync("Patient?_has:Observation:patient:code=8867-4"));
        // The patient shares results, not conditions: a condition says nothing of the patient, nor does the encounter of an observation.
        Assert.Equal(0, await TotalAsync("Patient?_has:Condition:patient:code:missing=false"));
        Assert.Equal(0, await TotalAsync("Observation?encounter.status=finished"));
        Assert.Equal(0, await TotalAsync("Patient?identifier=P-shut"));
        Assert.Equal(1, await TotalAsync("Patient?birthdate=1971-04-09"));
        var included = await client.FetchAsync($"Observation?patient={shared}&_include=Observation:encounter&_include=Observation:patient&_revinclude=Condition:subject");
        Assert.Equal([shared], included.Ids("include"));
        Assert.Empty((await client.FetchAsync($"Patient?_id={shared}&_revinclude=Condition:patient")).Ids("include"));
        Assert.Equal(3, (await client.FetchAsync("Observation?_sort=code,-date")).Ids().Count);
        // An index row that was moved to another patient shows nothing of the one it is about.
        await node.Database.ExecuteAsync("UPDATE search_value SET patient = $1 WHERE patient = $2", shared, closed);
        Assert.DoesNotContain(theirs.First(record => record.Type == "Observation").Id, (await client.FetchAsync("Observation?code=8867-4")).Ids());
    }

    [Theory]
    [InlineData("1971", "ac")]
    [InlineData("1971-04", "a")]
    [InlineData("1971-04-09", "a")]
    [InlineData("1971-04-08", "")]
    [InlineData("gt1971-04-09", "bc")]
    [InlineData("ge1971-04-09", "abc")]
    [InlineData("lt1971-04-10", "ac")]
    [InlineData("le1971-04-08", "c")]
    [InlineData("sa1971-12-31", "b")]
    [InlineData("eb1971-04-10", "a")]
    [InlineData("ne1971", "b")]
    [InlineData("ap1971-06-01", "c")]
    [InlineData("ge1980-02-29", "")]
    [InlineData("1980-02", "b")]
    public void A_blind_date_is_found_like_a_clear_one(string value, string expected)
    {
        var query = Assert.IsType<Salus.Fhir.Search.SearchOutcome.Ok>(Salus.Fhir.Search.SearchQuery.Parse("Patient", [new("birthdate", value)])).Query;
        var date = Assert.Single(Assert.IsType<Salus.Fhir.Search.SearchCriterion.Date>(Assert.Single(query.Criteria)).Values);
        var found = "";
        foreach (var (name, text) in new[] { ('a', "1971-04-09"), ('b', "1980-02"), ('c', "1971") })
        {
            Assert.True(Salus.Fhir.Elements.FhirTime.TryParse(System.Text.Encoding.UTF8.GetBytes(text), out var time));
            var words = Salus.Platform.Records.BlindDates.Of(new Salus.Fhir.Search.IndexValue.Date("birthdate", time.Low, time.High));
            var isMet = Salus.Platform.Records.BlindDates.Search(date).Intersect(words).Any() != (date.Prefix == Salus.Fhir.Search.SearchPrefix.Ne);
            Assert.Equal(date.Matches(time.Low, time.High), isMet);
            found += isMet ? name : "";
        }
        Assert.Equal(expected, found);
    }
}
