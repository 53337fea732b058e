using System.Net;
using System.Text;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;

namespace Salus.Tests.Audit;

public sealed class AuditTests
{
    [Fact]
    public async Task A_patient_sees_who_wrote_read_and_was_refused_and_nothing_of_others()
    {
        await using var node = await TestNode.StartAsync();
        var (doctor, stranger) = (await node.AddAsync(Role.Practitioner), await node.AddAsync(Role.Practitioner));
        var (patient, records) = await node.RecordAsync(doctor);
        var (other, _) = await node.RecordAsync(doctor);
        var account = await node.AddAsync(Role.Patient, patient);
        await node.GrantAsync(account, doctor);
        var condition = records.First(record => record.Type == "Condition").Id;
        await node.Records.ReadAsync(doctor, "Condition", condition, null, Purpose.Treatment, default);
        await node.Records.ReadAsync(stranger, "Condition", condition, null, Purpose.Treatment, default);

        var trail = (await node.Records.AccessesAsync(account, patient, 100, default))!;
        Assert.Equal(
            [(AuditAction.Read, false, stranger.Account), (AuditAction.Read, true, doctor.Account), (AuditAction.Grant, true, account.Account), (AuditAction.Create, true, doctor.Account)],
            trail.Select(line => (line.Fact.Action, line.Fact.Succeeded, line.Fact.Account!.Value)));
        Assert.Single(trail.Select(line => line.Fact.PatientAlias).Distinct());
        Assert.Null(await node.Records.AccessesAsync(account, other, 100, default));
        Assert.Null(await node.Records.AccessesAsync(stranger, patient, 100, default));
    }

    [Fact]
    public async Task The_trail_names_patients_by_aliases_alone()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, _) = await node.RecordAsync(doctor);
        using var auditor = await node.ClientAsync(await node.AddAsync(Role.Auditor));
        var trail = await auditor.GetStringAsync("/api/audit", TestContext.Current.CancellationToken);
        Assert.DoesNotContain(patient, trail, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("Winterbourne", trail, StringComparison.Ordinal);
        Assert.Contains(await node.Database.ValueAsync<string>("SELECT alias FROM patient WHERE id = $1", patient), trail, StringComparison.Ordinal);
        Assert.Equal(0, await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE type = 'AuditEvent' AND patient = $1", patient));
    }

    [Fact]
    public async Task A_deed_that_fails_leaves_no_fact_and_a_fact_that_fails_leaves_no_deed()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        var before = await node.Database.ValueAsync<long>("SELECT count(*) FROM entry");
        await node.Database.ExecuteAsync("ALTER TABLE entry ADD CONSTRAINT no_more_audit CHECK (type <> 'AuditEvent') NOT VALID");
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => node.Records.CreateAsync(doctor, """{"resourceType":"Organization","name":"x"}"""u8.ToArray(), default));
        Assert.Equal(before, await node.Database.ValueAsync<long>("SELECT count(*) FROM entry"));
    }

    [Fact]
    public async Task Facts_of_one_moment_are_each_written_once_and_those_that_cannot_be_are_told_so()
    {
        const int together = 100;
        await using var node = await TestNode.StartAsync();
        var trail = node.Get<AuditTrail>();
        AuditFact Fact(int i) => new(AuditAction.Search, true, null, null, $"fact {i}", null) { PatientAliases = i % 2 == 0 ? [$"one {i}", $"other {i}"] : [] };
        await Task.WhenAll(Enumerable.Range(0, together).Select(i => trail.RecordAsync(Fact(i), default)));
        var written = (await trail.ListAsync(null, 2 * together, default)).Select(line => line.Fact.Entity).OfType<string>().Where(entity => entity.StartsWith("fact ", StringComparison.Ordinal));
        Assert.Equal(Enumerable.Range(0, together).Select(i => $"fact {i}").Order(), written.Order());
        Assert.Equal("list", Assert.Single(await trail.ListAsync("other 4", 10, default)).Fact.Entity);

        await node.Database.ExecuteAsync("ALTER TABLE entry ADD CONSTRAINT no_more_audit CHECK (type <> 'AuditEvent') NOT VALID");
        foreach (var refused in Enumerable.Range(0, together).Select(i => trail.RecordAsync(Fact(i), default)).ToList())
        {
            await Assert.ThrowsAsync<Npgsql.PostgresException>(() => refused);
        }
        await node.Database.ExecuteAsync("ALTER TABLE entry DROP CONSTRAINT no_more_audit");
        await trail.RecordAsync(Fact(together), default);
        Assert.Equal(together + 1, (await trail.ListAsync(null, 2 * together, default)).Count(line => line.Fact.Entity?.StartsWith("fact ", StringComparison.Ordinal) == true));
    }

    [Fact]
    public async Task Sign_ins_and_refused_roles_are_in_the_trail()
    {
        await using var node = await TestNode.StartAsync();
        var researcher = await node.AddAsync(Role.Researcher);
        using var client = await node.ClientAsync(researcher);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync("/api/accounts", TestContext.Current.CancellationToken)).StatusCode);
        using var wrong = new StringContent("""{"email":"nobody@salus.test","password":"wrong wrong wrong"}""", Encoding.UTF8, "application/json");
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.PostAsync("/api/token", wrong, TestContext.Current.CancellationToken)).StatusCode);
        var trail = await node.Get<AuditTrail>().ListAsync(null, 100, default);
        Assert.Contains(trail, line => line.Fact is { Succeeded: false, Detail: "RoleRefused" } && line.Fact.Account == researcher.Account);
        Assert.Contains(trail, line => line.Fact is { Action: AuditAction.SignIn, Succeeded: false, Account: null });
    }

    [Fact]
    public async Task A_listing_is_one_fact_of_all_its_patients_and_tells_each_of_themselves_alone()
    {
        await using var node = await TestNode.StartAsync();
        var doctor = await node.AddAsync(Role.Practitioner);
        List<Caller> patients = [];
        for (var i = 0; i < 3; i++)
        {
            var (patient, _) = await node.RecordAsync(doctor);
            patients.Add(await node.AddAsync(Role.Patient, patient));
            await node.GrantAsync(patients[i], doctor);
        }
        var before = await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE type = 'AuditEvent'");
        var listed = Assert.IsType<SearchResult.Page>(await node.Records.SearchAsync(
            doctor, "Patient", [new("_id", string.Join(',', patients.Select(patient => patient.Patient)))], Purpose.Treatment, default));
        Assert.Equal(3, listed.Records.Count);
        Assert.Equal(before + 1, await node.Database.ValueAsync<long>("SELECT count(*) FROM entry WHERE type = 'AuditEvent'"));

        var fact = (await node.Get<AuditTrail>().ListAsync(null, 1, default))[0].Fact;
        Assert.Equal(3, fact.PatientAliases.Distinct().Count());
        foreach (var patient in patients)
        {
            var newest = (await node.Records.AccessesAsync(patient, patient.Patient!, 100, default))![0].Fact;
            Assert.Equal((AuditAction.Search, doctor.Account), (newest.Action, newest.Account!.Value));
            Assert.Contains(newest.PatientAlias, fact.PatientAliases);
            Assert.Empty(newest.PatientAliases);
        }
    }

    [Fact]
    public async Task The_whole_trail_is_walked_page_by_page_there_and_back()
    {
        await using var node = await TestNode.StartAsync();
        var trail = node.Get<AuditTrail>();
        for (var i = 0; i < 23; i++)
        {
            await trail.RecordAsync(new AuditFact(AuditAction.Read, i % 2 == 0, null, null, $"walk {i}", null), default);
        }
        static bool Wanted(AuditFact fact) => fact.Entity?.StartsWith("walk ", StringComparison.Ordinal) == true && fact.Succeeded;
        List<string?> older = [], newer = [];
        var page = await trail.PageAsync(Wanted, null, newer: false, 5, default);
        Assert.Null(page.Newer);
        for (older.AddRange(page.Lines.Select(line => line.Fact.Entity)); page.Older is { } next; older.AddRange(page.Lines.Select(line => line.Fact.Entity)))
        {
            page = await trail.PageAsync(Wanted, Salus.Platform.Schema.PageCursor.Parse(next.ToString()), newer: false, 5, default);
        }
        Assert.Equal(Enumerable.Range(0, 12).Select(i => $"walk {22 - (2 * i)}"), older);
        for (newer.AddRange(page.Lines.Reverse().Select(line => line.Fact.Entity)); page.Newer is { } next; newer.AddRange(page.Lines.Reverse().Select(line => line.Fact.Entity)))
        {
            page = await trail.PageAsync(Wanted, next, newer: true, 5, default);
        }
        Assert.Equal(Enumerable.Reverse(older), newer);
    }
}
