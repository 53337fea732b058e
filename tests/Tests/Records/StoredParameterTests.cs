using System.Text.Json;
using Salus.Platform.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class StoredParameterTests
{
    const string Status = "/api/search-index";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_added_parameter_finds_what_is_new_and_what_was_there_once_it_is_ready()
    {
        await using var ground = await TestGround.NewAsync();
        Caller doctor, runs;
        FhirAnswer old, made, added;
        await using (var node = await TestNode.StartAsync(ground))
        {
            (doctor, runs) = (await node.AddAsync(Role.Practitioner), await node.AddAsync(Role.Administrator));
            using var client = await node.ClientAsync(doctor);
            using var administrator = await node.ClientAsync(runs);
            old = await client.PostAsync("Organization", Organization("Bergen"));
            Assert.Equal(400, (await client.FetchAsync("Organization?alias=bergen")).Code);
            added = await administrator.PostAsync("SearchParameter", Parameter());
            Assert.True(added.Code == 201, added.Body);
            made = await client.PostAsync("Organization", Organization("Bergenhus"));
            foreach (var query in new[] { "alias=bergen", "alias:exact=Bergen", "_sort=-alias", "partof.alias=bergen" })
            {
                var unready = await client.FetchAsync($"Organization?{query}");
                Assert.Equal(400, unready.Code);
                Assert.Contains("still being indexed", unready.Body, StringComparison.Ordinal);
            }
            var shown = JsonElement.Parse(await administrator.GetStringAsync(Status, Cancellation));
            Assert.False(shown.GetProperty("parameters")[0].GetProperty("ready").GetBoolean());
        }
        // The next start goes on with what the last one left
        ground.Clock.By += TimeSpan.FromSeconds(6);
        await using var next = await TestNode.StartAsync(ground);
        using var searcher = await next.ClientAsync(doctor);
        using var runner = await next.ClientAsync(runs);
        await TestNode.UntilAsync(async () => JsonElement.Parse(await runner.GetStringAsync(Status, Cancellation)).GetProperty("parameters")[0].GetProperty("ready").GetBoolean(), "the parameter is ready");
        Assert.Equal(new[] { old.Id, made.Id }.Order(), (await searcher.FetchAsync("Organization?alias=bergen")).Ids().Order());
        Assert.Equal([old.Id], (await searcher.FetchAsync("Organization?alias:exact=Bergen")).Ids());
        Assert.Equal([made.Id], (await searcher.FetchAsync("Organization?alias:contains=hus")).Ids());
        Assert.Equal([made.Id, old.Id], (await searcher.FetchAsync("Organization?_sort=-alias")).Ids());
        Assert.Contains("\"alias\"", (await searcher.FetchAsync("metadata")).Body, StringComparison.Ordinal);
        // Nothing of it stands in the clear
        Assert.Equal(0L, await next.Database.ValueAsync<long>("SELECT count(*) FROM search_value s WHERE s::text ILIKE '%bergen%'"));

        Assert.Equal(204, (await runner.RemoveAsync($"SearchParameter/{added.Id}")).Code);
        Assert.Equal(400, (await searcher.FetchAsync("Organization?alias=bergen")).Code);
    }

    [Fact]
    public async Task A_parameter_is_taken_from_administrators_alone_and_only_where_it_can_count()
    {
        await using var node = await TestNode.StartAsync();
        using var administrator = await node.ClientAsync(await node.AddAsync(Role.Administrator));
        using var doctor = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        Assert.Equal(403, (await doctor.PostAsync("SearchParameter", Parameter())).Code);
        Assert.Equal(403, (await administrator.PostAsync("Organization", Organization("Bergen"))).Code);
        foreach (var (parameter, told) in new[]
        {
            (Parameter(code: "name"), "Organization has a parameter 'name'"), (Parameter(code: "_mine"), "no name for a parameter"), (Parameter(url: "http://hl7.org/fhir/SearchParameter/Organization-name"), "is taken"),
            (Parameter(expression: "Organization.alias.frobnicate("), "cannot be used for Organization"), (Parameter(type: "special"), "Composite and special"), (Parameter(on: "Consent"), "other than Resource"),
            (Parameter(on: "DomainResource"), "other than Resource"), (Parameter(status: "draft"), "must be active"), (Parameter(on: "Patient", type: "date", expression: "Patient.birthDate"), "Dates of Patient identify"),
        })
        {
            var refused = await administrator.PostAsync("SearchParameter", parameter);
            Assert.True(refused.Code == 422 && refused.Body.Contains(told, StringComparison.Ordinal), $"{told}: {refused.Code} {refused.Body}");
        }
        Assert.Equal(201, (await administrator.PostAsync("SearchParameter", Parameter())).Code);
        Assert.Contains("is taken", (await administrator.PostAsync("SearchParameter", Parameter(code: "other"))).Body, StringComparison.Ordinal);
        Assert.Contains("has a parameter 'alias'", (await administrator.PostAsync("SearchParameter", Parameter(url: "http://a.example/other"))).Body, StringComparison.Ordinal);
    }

    static string Organization(string alias) => $$"""{"resourceType":"Organization","name":"A house","alias":["{{alias}}"]}""";

    static string Parameter(
        string code = "alias", string url = "http://a.example/alias", string on = "Organization", string type = "string", string expression = "Organization.alias", string status = "active") =>
        $$"""{"resourceType":"SearchParameter","url":"{{url}}","name":"Alias","status":"{{status}}","description":"Another name","code":"{{code}}","base":["{{on}}"],"type":"{{type}}","expression":"{{expression}}"}""";
}
