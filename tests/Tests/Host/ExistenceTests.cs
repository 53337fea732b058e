using Salus.Platform.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Host;

public sealed class ExistenceTests
{
    [Theory]
    [InlineData(Role.Patient)]
    [InlineData(Role.Practitioner)]
    [InlineData(Role.Researcher)]
    public async Task Anothers_record_and_one_that_does_not_exist_are_answered_alike(Role role)
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (own, _) = await node.RecordAsync(doctor);
        var (other, records) = await node.RecordAsync(doctor);
        using var client = await node.ClientAsync(await node.AddAsync(role, role == Role.Patient ? own : null));
        var there = records.First(record => record.Type == "Condition").Id;
        var (nobody, nothing) = (Guid.NewGuid().ToString(), Guid.NewGuid().ToString());
        foreach (var path in new[] { "/fhir/Condition/{0}", "/fhir/Condition/{0}/_history/1", "/fhir/Condition/{0}/$proof", "/api/patients/{1}/records", "/api/patients/{1}/accesses", "/fhir/Patient/{1}" })
        {
            Assert.Equal(await AnswerAsync(client, HttpMethod.Get, path, nothing, nobody), await AnswerAsync(client, HttpMethod.Get, path, there, other));
        }
        const string update = "/fhir/Condition/{0}";
        Assert.Equal(await AnswerAsync(client, HttpMethod.Put, update, nothing, nobody), await AnswerAsync(client, HttpMethod.Put, update, there, other));
    }

    [Fact]
    public async Task A_version_that_ones_own_record_never_had_is_not_found()
    {
        await using var node = await TestNode.StartAsync();
        var (patient, records) = await node.RecordAsync(await node.AddAsync(Role.Practitioner));
        using var client = await node.ClientAsync(await node.AddAsync(Role.Patient, patient));
        var condition = records.First(record => record.Type == "Condition").Id;
        Assert.Equal(200, (int)(await client.GetAsync($"/fhir/Condition/{condition}/_history/1", TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(404, (int)(await client.GetAsync($"/fhir/Condition/{condition}/_history/9", TestContext.Current.CancellationToken)).StatusCode);
    }

    /// <summary>Status and body, with the ids that were asked for left out.</summary>
    static async Task<(int Status, string Body)> AnswerAsync(HttpClient client, HttpMethod method, string path, string record, string patient)
    {
        using var request = new HttpRequestMessage(method, string.Format(System.Globalization.CultureInfo.InvariantCulture, path, record, patient));
        if (method == HttpMethod.Put)
        {
            request.Content = new StringContent($$$"""{"resourceType":"Condition","id":"{{{record}}}","subject":{"reference":"Patient/{{{patient}}}"}}""", System.Text.Encoding.UTF8, "application/fhir+json");
        }
        var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        var body = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, System.Text.RegularExpressions.Regex.Replace(body.Replace(record, "…", StringComparison.Ordinal).Replace(patient, "…", StringComparison.Ordinal), "\"traceId\":\"[^\"]*\"", ""));
    }
}
