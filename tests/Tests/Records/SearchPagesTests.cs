using System.Text;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class SearchPagesTests
{
    const int Common = 60;

    [Fact]
    public async Task What_is_common_and_what_is_rare_is_found_whole_once_the_database_knows_which_is_which()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        List<string> ids = [];
        for (var i = 0; i < Common; i++)
        {
            ids.Add(await CreateAsync(node, doctor, i));
        }
        await node.Database.ExecuteAsync("ANALYZE");
        Assert.NotEmpty(await node.Database.ValueAsync<float[]>("SELECT most_common_elem_freqs FROM pg_stats WHERE tablename = 'search_value' AND attname = 'hashes'"));

        // Two of one millisecond have ids in any order
        var newest = ids.OrderDescending(StringComparer.Ordinal).ToList();
        Assert.Equal(newest, await AllAsync(node, doctor, Common, [new("type", "urn:t|all")]));
        Assert.Equal(newest.Where(id => ids.IndexOf(id) % 2 == 1), await AllAsync(node, doctor, Common / 2, [new("type", "urn:t|all"), new("active", "false")]));
        Assert.Equal(Enumerable.Reverse(newest), await AllAsync(node, doctor, Common, [new("type:not", "urn:t|none"), new("_sort", "_id")]));
        Assert.Equal([ids[7]], await AllAsync(node, doctor, 1, [new("identifier", "urn:i|7")]));
        Assert.Equal([ids[7]], await AllAsync(node, doctor, 1, [new("type", "urn:t|all"), new("identifier", "urn:i|7")]));
        Assert.Equal([ids[9], ids[8]], await AllAsync(node, doctor, 2, [new("identifier", "urn:i|8,urn:i|9"), new("_sort", "-_lastUpdated")]));
        Assert.Equal([ids[7]], await AllAsync(node, doctor, 1, [new("identifier", "urn:i|7"), new("_lastUpdated", "gt2020")]));
        Assert.Empty(await AllAsync(node, doctor, 0, [new("identifier", "urn:i|7"), new("_lastUpdated", "lt2020")]));
        Assert.Empty(await AllAsync(node, doctor, 0, [new("type", "urn:t|none")]));
        Assert.Empty(await AllAsync(node, await node.AddAsync(Role.Practitioner), 0, [new("type", "urn:t|all")], "Device"));
    }

    [Fact]
    public async Task A_part_of_a_text_is_found_whether_its_letters_are_in_most_records_in_many_or_in_few()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (most, many, sought) = (await NamedAsync(node, doctor, "Mos"), await NamedAsync(node, doctor, "osqq9"), await NamedAsync(node, doctor, "A Mosqq9 B"));
        Task<int> LikeAsync(string id, int count) => node.Database.ExecuteAsync(
            "INSERT INTO search_value SELECT type, gen_random_uuid()::text, patient, written, key, marks, hashes FROM search_value, generate_series(1, $2) WHERE id = $1", id, count);
        await LikeAsync(most, 30_000);
        await LikeAsync(many, 900);
        await node.Database.ExecuteAsync("ANALYZE search_value");

        Assert.Equal([sought], await AllAsync(node, doctor, 1, [new("name:contains", "mosqq9")]));
        Assert.Empty(await AllAsync(node, doctor, 0, [new("name:contains", "mosqq8")]));
        Assert.Equal(new[] { many, sought }.Order(StringComparer.Ordinal), (await AllAsync(node, doctor, 2, [new("name:contains", "SQQ")])).Order(StringComparer.Ordinal));
        // More than may be opened, unless the letters that most records have are asked for too
        await LikeAsync(many, 200);
        Assert.Equal([sought], await AllAsync(node, doctor, 1, [new("name:contains", "mosqq9")]));
        Assert.IsType<SearchResult.Invalid>(await node.Records.SearchAsync(doctor, "Organization", [new("name:contains", "osqq9")], Purpose.Treatment, default));
    }

    [Fact]
    public async Task Pages_newest_first_show_what_is_not_touched_once_whatever_is_written_between_them()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        List<string> ids = [];
        for (var i = 0; i < 9; i++)
        {
            ids.Add(await CreateAsync(node, doctor, i));
        }
        var page = await PageAsync(node, doctor, "Organization", [new("_sort", "-_lastUpdated"), new("_count", "4")]);
        Assert.Equal([ids[8], ids[7], ids[6], ids[5]], page.Records.Select(record => record.Id));

        var updated = Encoding.UTF8.GetBytes($$"""{"resourceType":"Organization","id":"{{ids[7]}}","name":"shown and then touched"}""");
        Assert.IsType<WriteOutcome.Written>(await node.Records.UpdateAsync(doctor, "Organization", ids[7], updated, null, default));
        Assert.IsType<WriteOutcome.Written>(await node.Records.DeleteAsync(doctor, "Organization", ids[3], null, default));
        await CreateAsync(node, doctor, 9);
        List<string> rest = [];
        while (page.Next is { } next)
        {
            page = await PageAsync(node, doctor, "Organization", [new("_cursor", next)]);
            rest.AddRange(page.Records.Select(record => record.Id));
        }
        Assert.Equal([ids[4], ids[2], ids[1], ids[0]], rest);
    }

    [Fact]
    public async Task A_record_is_found_by_the_very_instant_that_it_tells()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var id = await CreateAsync(node, doctor, 0);
        var record = Assert.IsType<ReadOutcome.Found>(await node.Records.ReadAsync(doctor, "Organization", id, null, Purpose.Treatment, default)).Record;
        using var document = System.Text.Json.JsonDocument.Parse(record.Bytes);
        var told = document.RootElement.GetProperty("meta").GetProperty("lastUpdated").GetDateTimeOffset();

        async Task<bool> IsFoundAsync(string prefix, double milliseconds) =>
            (await AllAsync(node, doctor, null, [new("_lastUpdated", $"{prefix}{told.AddMilliseconds(milliseconds):yyyy-MM-ddTHH:mm:ss.fffZ}")])).Count == 1;
        Assert.Equal((true, false, false), (await IsFoundAsync("", 0), await IsFoundAsync("", 1), await IsFoundAsync("", -1)));
        Assert.Equal((false, true, false), (await IsFoundAsync("gt", 0), await IsFoundAsync("gt", -1), await IsFoundAsync("gt", 1)));
        Assert.Equal((false, false, true), (await IsFoundAsync("lt", 0), await IsFoundAsync("lt", -1), await IsFoundAsync("lt", 1)));
        Assert.Equal((true, true, false), (await IsFoundAsync("ge", 0), await IsFoundAsync("ge", -1), await IsFoundAsync("ge", 1)));
        Assert.Equal((true, false, true), (await IsFoundAsync("le", 0), await IsFoundAsync("le", -1), await IsFoundAsync("le", 1)));
        Assert.Equal((false, true), (await IsFoundAsync("ne", 0), await IsFoundAsync("ne", 1)));
    }

    static async Task<string> CreateAsync(TestNode node, Caller doctor, int i)
    {
        var body = $$"""
            {"resourceType":"Organization","active":{{(i % 2 == 0 ? "true" : "false")}},"name":"House {{i}}","identifier":[{"system":"urn:i","value":"{{i}}"}],"type":[{"coding":[{"system":"urn:t","code":"all"}]}]}
            """;
        return Assert.IsType<WriteOutcome.Written>(await node.Records.CreateAsync(doctor, Encoding.UTF8.GetBytes(body), default)).Records[0].Id;
    }

    static async Task<string> NamedAsync(TestNode node, Caller doctor, string name) => Assert.IsType<WriteOutcome.Written>(
        await node.Records.CreateAsync(doctor, Encoding.UTF8.GetBytes($$"""{"resourceType":"Organization","name":"{{name}}"}"""), default)).Records[0].Id;

    /// <summary>The ids on all pages; every page tells the same total.</summary>
    static async Task<List<string>> AllAsync(TestNode node, Caller caller, int? total, IReadOnlyList<KeyValuePair<string, string>> parameters, string type = "Organization")
    {
        var page = await PageAsync(node, caller, type, [.. parameters, new("_count", "7")]);
        List<string> found = [.. page.Records.Select(record => record.Id)];
        Assert.True(total is null || page.Total == total);
        while (page.Next is { } next)
        {
            page = await PageAsync(node, caller, type, [new("_cursor", next)]);
            Assert.True(total is null || page.Total == total);
            found.AddRange(page.Records.Select(record => record.Id));
        }
        return found;
    }

    static async Task<SearchResult.Page> PageAsync(TestNode node, Caller caller, string type, IReadOnlyList<KeyValuePair<string, string>> parameters) =>
        Assert.IsType<SearchResult.Page>(await node.Records.SearchAsync(caller, type, parameters, Purpose.Treatment, default));
}
