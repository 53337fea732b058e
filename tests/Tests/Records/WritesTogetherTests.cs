using Npgsql;
using Salus.Platform.Audit;
using Salus.Platform.Identity;
using Salus.Platform.Monitoring;
using Salus.Tests.Platform;

namespace Salus.Tests.Records;

public sealed class WritesTogetherTests
{
    static string Observation(string patient) =>
        $$"""{"resourceType":"Observation","status":"final","code":{"text":"Pulse"},"subject":{"reference":"Patient/{{patient}}"},"valueInteger":70}""";

    [Fact]
    public async Task Of_writes_that_go_together_each_is_stored_or_refused_for_itself()
    {
        await using var node = await TestNode.StartAsync();
        using var client = await node.ClientAsync(await node.AddAsync(Role.Practitioner));
        async Task<string> PatientAsync() => (await client.PostAsync("Patient", """{"resourceType":"Patient"}""")).Id;
        var (patient, gone) = (await PatientAsync(), await PatientAsync());
        var organization = (await client.PostAsync("Organization", """{"resourceType":"Organization","name":"One"}""")).Id;
        // Forgotten by another process: this one still has the key at hand
        Assert.Equal(1, await node.Database.ExecuteAsync("DELETE FROM patient WHERE id = $1", gone));

        List<Task<FhirAnswer>> stored, refused, updates;
        await using (var connection = await node.Database.OpenConnectionAsync(TestContext.Current.CancellationToken))
        await using (var transaction = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken))
        {
            // What comes while the first waits for the patient goes together
            await using var hold = new NpgsqlCommand("SELECT 1 FROM patient WHERE id = $1 FOR UPDATE", connection) { Parameters = { new() { Value = patient } } };
            await hold.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            stored = [client.PostAsync("Observation", Observation(patient))];
            await TestNode.UntilAsync(() => node.Database.ValueAsync<bool>(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())"), "the first waits");
            stored.AddRange(Enumerable.Range(0, 20).Select(_ => client.PostAsync("Observation", Observation(patient))));
            refused = [.. Enumerable.Range(0, 3).Select(_ => client.PostAsync("Observation", Observation(gone)))];
            updates = [.. Enumerable.Range(0, 6).Select(i => client.PutAsync(
                $"Organization/{organization}", $$"""{"resourceType":"Organization","id":"{{organization}}","name":"Writer {{i}}"}""", ("If-Match", "W/\"1\"")))];
            await Task.Delay(300, TestContext.Current.CancellationToken);
            await transaction.RollbackAsync(TestContext.Current.CancellationToken);
        }
        Assert.All(await Task.WhenAll(stored), answer => Assert.Equal(201, answer.Code));
        Assert.All(await Task.WhenAll(refused), answer => Assert.Contains("There is no Patient", answer.Body, StringComparison.Ordinal));
        var ends = (await Task.WhenAll(updates)).Select(answer => answer.Code).Order().ToList();
        Assert.Equal([200, 412, 412, 412, 412, 412], ends);

        Assert.Equal((21L, 0L, 2L), (
            await node.Database.ValueAsync<long>("SELECT count(*) FROM entry e JOIN search_value USING (type, id) WHERE e.type = 'Observation' AND e.patient = $1", patient),
            await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE type = 'Observation' AND patient = $1", gone),
            await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE type = 'Organization' AND id = $1", organization)));
        // Each stored version has its own audit, in one transaction with it
        var told = (await node.Get<AuditTrail>().ListAsync(null, 200, TestContext.Current.CancellationToken)).Select(line => line.Fact)
            .Count(fact => fact is { Action: AuditAction.Create, Succeeded: true, Entity: { } entity } && entity.StartsWith("Observation/", StringComparison.Ordinal));
        Assert.Equal(21, told);
        Assert.True((await node.Get<IntegrityWatch>().CheckAsync(default)).Holds);
    }
}
