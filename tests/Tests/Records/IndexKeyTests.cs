using System.Text.Json;
using Salus.Platform.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class IndexKeyTests
{
    const int Houses = 250;
    const string Status = "/api/search-index";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Searches of each kind that the index answers, and how many match.</summary>
    static readonly (string Query, int Count)[] Searches =
    [
        ("Organization?identifier=urn:house|7", 1), ("Organization?identifier=7,8,9", 3), ("Organization?identifier=urn:house|none", 0), ("Organization?name=house 24", 11),
        ("Organization?name:contains=use 249", 1), ("Organization?active=true", 125), ("Organization?active:not=true", 126), ("Organization?type:missing=true", 251), ("Organization?type:missing=false", 0),
        ("Organization?partof:missing=false", 1), ("Organization?partof.name=house 0", 1), ("Organization?_has:Organization:partof:name=ward", 1),
        ("Practitioner?family:missing=true", 1), ("Practitioner?family=quill", 1), ("PlanDefinition?effective=2020", 1), ("PlanDefinition?effective=gt2021", 0), ("PlanDefinition?context-quantity=gt39|http://unitsofmeasure.org|a", 1),
    ];

    [Fact]
    public async Task Searches_find_the_same_while_the_key_is_changed_and_the_old_one_is_gone_after_it()
    {
        await using var ground = await TestGround.NewAsync();
        await using var node = await TestNode.StartAsync(ground);
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        using var administrator = await node.ClientAsync(await node.AddAsync(Role.Administrator));
        await FillAsync(client);
        await RequireAllAsync(client, "before");
        var before = await node.Database.ValueAsync<Guid>("SELECT hashes[1] FROM search_value WHERE type = 'Practitioner' AND cardinality(hashes) > 0");

        using var stop = new CancellationTokenSource();
        var rounds = 0;
        var searching = Task.Run(async () =>
        {
            for (; !stop.IsCancellationRequested; rounds++)
            {
                await RequireAllAsync(client, $"in round {rounds}");
            }
        }, Cancellation);
        Assert.Equal(202, (int)(await administrator.PostAsync(Status + "/keys", null, Cancellation)).StatusCode);
        Assert.Equal(409, (int)(await administrator.PostAsync(Status + "/keys", null, Cancellation)).StatusCode);
        await SettleAsync(ground);
        await TestNode.UntilAsync(async () => await node.Database.ValueAsync<bool>("SELECT count(*) = 2 AND bool_and(active IS NOT NULL) FROM index_key"), "the new key is active");
        await SettleAsync(ground);
        await UntilOneKeyAsync(administrator, 2);
        await stop.CancelAsync();
        await searching;
        Assert.True(rounds > 0, "searches were running");

        await RequireAllAsync(client, "after");
        Assert.True(await node.Database.ValueAsync<bool>("SELECT bool_and(key = 2) FROM search_value"));
        Assert.Equal(0L, await node.Database.ValueAsync<long>($"SELECT count(*) FROM search_value WHERE '{before}' = ANY(hashes)"));
        Assert.Equal(1L, await node.Database.ValueAsync<long>("SELECT count(*) FROM vault_owner WHERE kind = 5 AND erased IS NOT NULL AND wrapped IS NULL"));
        await client.PostAsync("Organization", """{"resourceType":"Organization","name":"Later","identifier":[{"system":"urn:house","value":"later"}]}""");
        Assert.Single((await client.FetchAsync("Organization?identifier=urn:house|later")).Ids());
    }

    [Fact]
    public async Task A_change_that_was_cut_off_goes_on_where_it_was()
    {
        await using var ground = await TestGround.NewAsync();
        Caller doctor, runs;
        await using (var node = await TestNode.StartAsync(ground))
        {
            (doctor, runs) = (await node.AddAsync(Role.Practitioner), await node.AddAsync(Role.Administrator));
            using var client = await node.ClientAsync(doctor);
            using var administrator = await node.ClientAsync(runs);
            await FillAsync(client);
            await node.Database.ExecuteAsync("CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''cut off''; END'");
            await node.Database.ExecuteAsync("CREATE TRIGGER cut BEFORE UPDATE ON search_value FOR EACH ROW WHEN (OLD.type = 'Practitioner') EXECUTE FUNCTION cut()");
            await administrator.PostAsync(Status + "/keys", null, Cancellation);
            await SettleAsync(ground);
            await TestNode.UntilAsync(async () => await node.Database.ValueAsync<bool>("SELECT count(*) = 2 AND bool_and(active IS NOT NULL) FROM index_key"), "the new key is active");
            await SettleAsync(ground);
            await TestNode.UntilAsync(async () => await node.Database.ValueAsync<long>("SELECT count(*) FROM search_value WHERE key = 2") == 200, "some rows are rewritten");
            await RequireAllAsync(client, "between two keys");
            await node.Database.ExecuteAsync("DROP TRIGGER cut ON search_value");
        }
        await using var next = await TestNode.StartAsync(ground);
        using var again = await next.ClientAsync(doctor);
        using var status = await next.ClientAsync(runs);
        await UntilOneKeyAsync(status, 2);
        var pass = JsonElement.Parse(await status.GetStringAsync(Status, Cancellation)).GetProperty("passes")[0];
        Assert.Equal((Houses + 4, Houses + 4), (pass.GetProperty("done").GetInt32(), pass.GetProperty("total").GetInt32()));
        await RequireAllAsync(again, "after");
    }

    /// <summary>Until every process has heard of what was begun: a second of the machine's time, and the five that the node waits by its clock.</summary>
    static async Task SettleAsync(TestGround ground)
    {
        await Task.Delay(TimeSpan.FromSeconds(1.2), Cancellation);
        ground.Clock.By += TimeSpan.FromSeconds(6);
    }

    static async Task UntilOneKeyAsync(HttpClient administrator, int number) => await TestNode.UntilAsync(async () =>
        JsonElement.Parse(await administrator.GetStringAsync(Status, Cancellation)).GetProperty("keys") is var keys && keys.GetArrayLength() == 1 && keys[0].GetProperty("number").GetInt32() == number,
        $"key {number} stands alone");

    static async Task FillAsync(HttpClient client)
    {
        object Entry(string type, object resource, string? url = null) => new { fullUrl = url ?? $"urn:uuid:{Guid.NewGuid()}", request = new { method = "POST", url = type }, resource };
        var first = $"urn:uuid:{Guid.NewGuid()}";
        var houses = Enumerable.Range(0, Houses).Select(i => Entry("Organization", new
        {
            resourceType = "Organization", active = i % 2 == 0, name = $"House {i}", identifier = new[] { new { system = "urn:house", value = $"{i}" } },
        }, i == 0 ? first : null));
        object[] others =
        [
            Entry("Organization", new { resourceType = "Organization", name = "Ward 1", partOf = new { reference = first } }),
            Entry("Practitioner", new { resourceType = "Practitioner", name = new[] { new { family = "Quillfeather" } } }), Entry("Practitioner", new { resourceType = "Practitioner", birthDate = "1981" }),
            Entry("PlanDefinition", new
            {
                resourceType = "PlanDefinition", status = "active", effectivePeriod = new { start = "2020-01-01", end = "2020-06-30" },
                useContext = new[] { new { code = new { code = "age" }, valueQuantity = new { value = 40, system = "http://unitsofmeasure.org", code = "a" } } },
            }),
        ];
        var made = await client.PostAsync("", JsonSerializer.Serialize(new { resourceType = "Bundle", type = "transaction", entry = houses.Concat(others) }));
        Assert.True(made.Code == 200, made.Body);
    }

    static async Task RequireAllAsync(HttpClient client, string when)
    {
        foreach (var (query, count) in Searches)
        {
            var answer = await client.FetchAsync($"{query}&_summary=count");
            Assert.True(answer.Code == 200 && answer.Json.GetProperty("total").GetInt32() == count, $"{query} {when}: expected {count}, not {answer.Body}");
        }
    }
}
