using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class TextSearchServerTests
{
    static string Organization(string name, string narrative) =>
        $$"""{"resourceType":"Organization","name":"{{name}}","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">{{narrative}}</div>"} }""";

    [Fact]
    public async Task Texts_narrow_page_sort_chain_and_count_like_any_parameter()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        List<string> ids = [];
        foreach (var (name, narrative) in new[] { ("Alpha", "Heart and lung clinic"), ("Beta", "Lung clinic"), ("Gamma", "Bone clinic"), ("Lung fund", "Money") })
        {
            ids.Add((await client.PostAsync("Organization", Organization(name, narrative))).Id);
        }
        await client.PostAsync("Location", $$"""{"resourceType":"Location","managingOrganization":{"reference":"Organization/{{ids[0]}}"} }""");
        async Task<string> NamesAsync(string query) => string.Concat((await client.FetchAsync($"Organization?{query}")).Ids().Select(id => ids.IndexOf(id)).Order());

        Assert.Equal("01", await NamesAsync("_text=lung"));
        Assert.Equal("013", await NamesAsync("_content=lung"));
        Assert.Equal("1", await NamesAsync("_text=lung&name=beta"));
        Assert.Equal("0", await NamesAsync("_text=lung%20NOT%20%22lung%20clinic%22,heart"));
        Assert.Equal("0", await NamesAsync("_has:Location:organization:_content=active&_text=heart") + await NamesAsync("_text=heart"));
        Assert.Equal(1, (await client.FetchAsync("Location?organization.name=alpha")).Json.GetProperty("total").GetInt32());
        Assert.Equal(1, (await client.FetchAsync("Location?organization:Organization._text=heart")).Json.GetProperty("total").GetInt32());
        Assert.Equal(2, (await client.FetchAsync("Organization?_text=lung&_summary=count")).Json.GetProperty("total").GetInt32());
        Assert.Equal([ids[1], ids[0]], (await client.FetchAsync("Organization?_text=lung&_sort=-name")).Ids());

        var page = await client.FetchAsync("Organization?_content=lung&_count=2");
        Assert.Equal(3, page.Json.GetProperty("total").GetInt32());
        Assert.DoesNotContain("lung", page.Link("next"), StringComparison.OrdinalIgnoreCase);
        var rest = await client.FetchAsync(page.Link("next")!);
        Assert.Equal(ids.Where((_, i) => i != 2).Order(), page.Ids().Concat(rest.Ids()).Order());

        var lenient = await client.FetchAsync("Organization?_text=lung&_filter=x&_query=y", ("Prefer", "handling=lenient"));
        Assert.Equal(2, lenient.Ids().Count);
        var told = lenient.Json.GetProperty("entry").EnumerateArray().Last().GetProperty("resource").ToString();
        Assert.Contains("_filter", told, StringComparison.Ordinal);
        Assert.Contains("_query", told, StringComparison.Ordinal);
        Assert.Equal(400, (await client.FetchAsync("Organization?_filter=x")).Code);

        var organization = (await client.FetchAsync("metadata")).Json.GetProperty("rest")[0].GetProperty("resource").EnumerateArray().Single(one => one.GetProperty("type").GetString() == "Organization");
        Assert.Equal(["_content", "_text"], organization.GetProperty("searchParam").EnumerateArray().Where(one => one.GetProperty("name").GetString() is "_text" or "_content" or "_query" or "_filter")
            .Select(one => one.GetProperty("name").GetString()!).Order());
    }

    [Fact]
    public async Task A_text_search_tells_of_nothing_that_the_caller_may_not_read_and_its_bound_counts_only_what_they_may()
    {
        const int tooMany = 1_001;
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (closed, _) = await node.RecordAsync(doctor, TestNode.EncounterOf("P-shut", symptoms: "Unmistakable hiccups"));
        var (shared, _) = await node.RecordAsync(doctor, TestNode.EncounterOf("P-open", symptoms: "Unmistakable sneezing"));
        using var client = await node.ClientAsync(doctor);
        var entries = Enumerable.Range(0, tooMany).Select(i => $$"""
            {"request":{"method":"POST","url":"Observation"},"resource":{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"urn:n","code":"{{i % 7}}"}],"text":"hiccups"},"subject":{"reference":"Patient/{{closed}}"} } }
            """);
        Assert.Equal(200, (await client.PostAsync("", $$"""{"resourceType":"Bundle","type":"transaction","entry":[{{string.Join(',', entries)}}]}""")).Code);
        var self = await node.AddAsync(Role.Patient, closed);
        await node.GrantAsync(await node.AddAsync(Role.Patient, shared), doctor, [RecordCategory.Results]);
        async Task<int> TotalAsync(string query) => (await client.FetchAsync(query)).Json.GetProperty("total").GetInt32();

        Assert.Equal(0, await TotalAsync("Observation?_content=hiccups"));
        Assert.Equal(0, await TotalAsync("Observation?_content=hiccups&_summary=count"));
        Assert.Equal(0, await TotalAsync($"Observation?_content=hiccups&subject=Patient/{closed}"));
        Assert.Equal(await TotalAsync("Observation"), await TotalAsync("Observation?_content=NOT%20hiccups"));
        Assert.Equal(0, await TotalAsync("Condition?_content=unmistakable"));
        Assert.Equal(0, await TotalAsync("Observation?subject:Patient._content=P-shut"));
        Assert.Equal(0, await TotalAsync("Patient?_has:Observation:patient:_content=hiccups"));

        using var own = await node.ClientAsync(self);
        var refused = await own.FetchAsync("Observation?_content=hiccups");
        Assert.Equal(400, refused.Code);
        Assert.Contains("Narrow", refused.Body, StringComparison.Ordinal);
        Assert.Equal(tooMany / 7, (await own.FetchAsync("Observation?_content=hiccups&code=3")).Json.GetProperty("total").GetInt32());

        // From the grant on, what the bound counts is the caller's to see
        await node.GrantAsync(self, doctor, [RecordCategory.Results]);
        Assert.Equal(400, (await client.FetchAsync("Observation?_content=hiccups")).Code);
        Assert.Equal(tooMany / 7, await TotalAsync("Observation?_content=hiccups&code=3"));
    }
}
