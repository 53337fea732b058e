using System.Text;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class SearchTests
{
    [Fact]
    public async Task Records_are_found_by_identifier_token_reference_and_the_beginning_of_a_name()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, _) = await node.RecordAsync(doctor, TestNode.EncounterOf("P-77", family: "Öztürk-Brandt"));
        await node.RecordAsync(doctor, TestNode.EncounterOf("P-78", family: "Ozark"));
        await node.GrantAsync(await node.AddAsync(Role.Patient, patient), doctor);

        Assert.Equal(patient, await node.Records.FindPatientAsync(doctor, "P-77", default));
        Assert.Null(await node.Records.FindPatientAsync(doctor, "P-7", default));
        Assert.Equal([patient], await SearchAsync(node, doctor, "Patient", ("identifier", "P-77")));
        Assert.Equal([patient], await SearchAsync(node, doctor, "Patient", ("identifier", $"{RecordsDesk.PatientIdSystem}|P-77")));
        Assert.Empty(await SearchAsync(node, doctor, "Patient", ("identifier", "urn:other|P-77")));
        Assert.Equal([patient], await SearchAsync(node, doctor, "Patient", ("family", "özt")));
        Assert.Equal([patient], await SearchAsync(node, doctor, "Patient", ("name", "Öztürk")));
        Assert.Equal([patient], await SearchAsync(node, doctor, "Patient", ("name", "iso")));
        Assert.Empty(await SearchAsync(node, doctor, "Patient", ("name", "brandt-oz")));
        Assert.Single(await SearchAsync(node, doctor, "Observation", ("code", "http://loinc.org|8867-4"), ("patient", patient)));
        Assert.Single(await SearchAsync(node, doctor, "Observation", ("code", "8867-4"), ("subject", $"Patient/{patient}")));
        Assert.Equal(2, (await SearchAsync(node, doctor, "Observation", ("code", "8867-4,8310-5"))).Count);
        Assert.Equal(3, (await SearchAsync(node, doctor, "Observation", ("patient", patient))).Count);
        Assert.Empty(await SearchAsync(node, doctor, "Observation", ("code", "8867-4"), ("patient", Guid.NewGuid().ToString())));
    }

    [Fact]
    public async Task A_total_counts_nothing_that_the_caller_may_not_see()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (shared, _) = await node.RecordAsync(doctor);
        var (closed, _) = await node.RecordAsync(doctor);
        var patient = await node.AddAsync(Role.Patient, shared);
        await node.GrantAsync(patient, doctor, [RecordCategory.Results]);
        Assert.Equal(3, (await PageAsync(node, doctor, "Observation", [])).Total);
        Assert.Equal(0, (await PageAsync(node, doctor, "Condition", [])).Total);
        Assert.Equal(0, (await PageAsync(node, doctor, "Observation", [KeyValuePair.Create("patient", closed)])).Total);
        Assert.Equal(1, (await PageAsync(node, patient, "Condition", [])).Total);
        Assert.Equal(0, (await PageAsync(node, await node.AddAsync(Role.Insurer), "Observation", [])).Total);
        Assert.IsType<SearchResult.Forbidden>(await node.Records.SearchAsync(await node.AddAsync(Role.Researcher), "Observation", [], Purpose.Research, default));
    }

    [Fact]
    public async Task A_page_is_cut_to_its_count_and_the_total_is_that_of_all()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        for (var i = 0; i < 5; i++)
        {
            await node.Records.CreateAsync(doctor, Encoding.UTF8.GetBytes($$"""{"resourceType":"Organization","name":"Clinic {{i}}"}"""), default);
        }
        var page = await PageAsync(node, doctor, "Organization", [new("_count", "2")]);
        List<string> seen = [.. page.Records.Select(record => record.Id)];
        Assert.Equal((2, 5), (page.Records.Count, page.Total));
        while (page.Next is { } next)
        {
            page = await PageAsync(node, doctor, "Organization", [new("_cursor", next)]);
            Assert.Equal(5, page.Total);
            seen.AddRange(page.Records.Select(record => record.Id));
        }
        Assert.Equal(5, seen.Distinct().Count());
        Assert.Equal(5, seen.Count);
    }

    [Fact]
    public async Task An_updated_record_is_found_by_what_it_says_now()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var written = Assert.IsType<WriteOutcome.Written>(await node.Records.CreateAsync(doctor, """{"resourceType":"Organization","name":"Oldname"}"""u8.ToArray(), default));
        var id = written.Records[0].Id;
        Assert.IsType<WriteOutcome.Written>(await node.Records.UpdateAsync(
            doctor, "Organization", id, Encoding.UTF8.GetBytes($$"""{"resourceType":"Organization","id":"{{id}}","name":"Newname"}"""), 1, default));
        Assert.Equal([id], await SearchAsync(node, doctor, "Organization", ("name", "newn")));
        Assert.Empty(await SearchAsync(node, doctor, "Organization", ("name", "oldn")));
    }

    [Theory]
    [InlineData("shoe-size", "9")]
    [InlineData("_count", "many")]
    [InlineData("_count", "-1")]
    [InlineData("_offset", "-1")]
    public async Task A_parameter_that_is_not_taken_is_named(string name, string value)
    {
        await using var node = await TestNode.StartAsync();
        var refused = Assert.IsType<SearchResult.Invalid>(await node.Records.SearchAsync(
            await node.AddAsync(Role.Practitioner), "Observation", [new(name, value)], Purpose.Treatment, default));
        Assert.Contains(name, Assert.Single(refused.Issues).Message, StringComparison.Ordinal);
    }

    static async Task<SearchResult.Page> PageAsync(TestNode node, Caller caller, string type, IReadOnlyList<KeyValuePair<string, string>> parameters) =>
        Assert.IsType<SearchResult.Page>(await node.Records.SearchAsync(caller, type, parameters, Purpose.Treatment, default));

    static async Task<List<string>> SearchAsync(TestNode node, Caller caller, string type, params (string Name, string Value)[] parameters)
    {
        var page = await PageAsync(node, caller, type, [.. parameters.Select(parameter => KeyValuePair.Create(parameter.Name, parameter.Value))]);
        Assert.Equal(page.Records.Count, page.Total);
        return [.. page.Records.Select(record => record.Id)];
    }
}
