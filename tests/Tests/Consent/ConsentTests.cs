using System.Net;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;

namespace Salus.Tests.Consent;

public sealed class ConsentTests
{
    [Fact]
    public async Task Without_a_grant_nothing_is_read_and_the_attempt_is_in_the_trail()
    {
        await using var story = await ConsentStory.StartAsync();
        var outcome = await story.ReadAsync("Condition");
        Assert.IsType<ReadOutcome.Forbidden>(outcome);
        using var client = await story.Node.ClientAsync(story.Doctor);
        using var response = await client.GetAsync($"/fhir/Condition/{story.IdOf("Condition")}", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("OperationOutcome", await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        var trail = (await story.Node.Records.AccessesAsync(story.Account, story.Patient, 100, default))!;
        Assert.Equal(2, trail.Count(line => line.Fact is { Action: AuditAction.Read, Succeeded: false } && line.Fact.Account == story.Doctor.Account));
    }

    [Fact]
    public async Task A_grant_opens_what_it_names_once_the_chain_has_it()
    {
        await using var story = await ConsentStory.StartAsync();
        var consent = await story.Node.GrantAsync(story.Account, story.Doctor);
        var found = Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Condition"));
        Assert.Equal(story.IdOf("Condition"), found.Record.Id);
        var view = Assert.Single(await story.Node.Consents.ListAsync(story.Account, default));
        Assert.Equal((consent, ConsentState.Active), (view.Id, view.State));
        Assert.True(view.GrantedBlock > 0);
        Assert.Contains(story.Patient, await story.Node.Consents.PatientsOfAsync(story.Doctor, default));
        Assert.Empty(await story.Node.Consents.PatientsOfAsync(await story.Node.AddAsync(Role.Practitioner), default));
    }

    [Fact]
    public async Task A_grant_that_the_chain_does_not_have_opens_nothing()
    {
        await using var story = await ConsentStory.StartAsync();
        story.Node.Ground.Chain.IsCut = true;
        await story.Node.RequestAsync(story.Account, story.Doctor);
        Assert.Equal(ConsentState.Requested, Assert.Single(await story.Node.Consents.ListAsync(story.Account, default)).State);
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
    }

    [Fact]
    public async Task A_grant_opens_no_other_category_purpose_account_or_patient()
    {
        await using var story = await ConsentStory.StartAsync();
        await story.Node.GrantAsync(story.Account, story.Doctor, [RecordCategory.Results], [Purpose.Treatment]);
        Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Observation"));
        Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Patient"));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("DocumentReference"));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Observation", Purpose.Research));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Observation", Purpose.Payment));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Observation", by: await story.Node.AddAsync(Role.Practitioner)));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Observation", by: story.Doctor with { Role = Role.Researcher }));
        var (other, records) = await story.Node.RecordAsync(story.Doctor);
        Assert.IsType<RetrievalOutcome.Forbidden>(await story.Node.Records.RetrieveAsync(story.Doctor, other, Purpose.Treatment, null, default));
        Assert.IsType<ReadOutcome.Forbidden>(await story.Node.Records.ReadAsync(
            story.Account, "Condition", records.First(record => record.Type == "Condition").Id, null, Purpose.PatientRequest, default));
        var retrieved = Assert.IsType<RetrievalOutcome.Found>(await story.Node.Records.RetrieveAsync(story.Doctor, story.Patient, Purpose.Treatment, null, default));
        Assert.Equal(["Observation", "Patient"], retrieved.Records.Select(record => record.Record.Type).Distinct().Order());
    }

    [Fact]
    public async Task A_grant_to_the_hospital_opens_to_its_professionals_and_to_no_insurer()
    {
        await using var story = await ConsentStory.StartAsync();
        var now = story.Node.Ground.Clock.GetUtcNow();
        var requested = Assert.IsType<GrantOutcome.Requested>(await story.Node.Consents.GrantAsync(story.Account, new ConsentTerms(
            GranteeKind.Hospital, ConsentTerms.ThisHospital, [RecordCategory.Conditions], [Purpose.Treatment], now, now.AddDays(1)), default));
        await TestNode.UntilAsync(async () => (await story.Node.Consents.ListAsync(story.Account, default)).Single(view => view.Id == requested.Consent).State == ConsentState.Active, "it is active");
        foreach (var (role, opens) in new[] { (Role.Practitioner, true), (Role.Laboratory, true), (Role.Pharmacy, true), (Role.Insurer, false), (Role.Administrator, false) })
        {
            var outcome = await story.ReadAsync("Condition", by: await story.Node.AddAsync(role));
            Assert.True(outcome is ReadOutcome.Found == opens, $"{role} met {outcome}");
        }
    }

    [Fact]
    public async Task A_period_opens_nothing_before_its_beginning_and_after_its_end()
    {
        await using var story = await ConsentStory.StartAsync();
        var clock = story.Node.Ground.Clock;
        await story.Node.GrantAsync(story.Account, story.Doctor, period: TimeSpan.FromDays(1));
        clock.By = TimeSpan.FromHours(-1);
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
        clock.By = TimeSpan.FromHours(23);
        Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Condition"));
        clock.By = TimeSpan.FromHours(25);
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
        Assert.Equal(ConsentState.Expired, Assert.Single(await story.Node.Consents.ListAsync(story.Account, default)).State);
        Assert.Empty(await story.Node.Consents.PatientsOfAsync(story.Doctor, default));
    }

    [Fact]
    public async Task A_revoked_grant_opens_nothing_from_the_very_next_read_though_the_chain_is_away()
    {
        await using var story = await ConsentStory.StartAsync();
        var consent = await story.Node.GrantAsync(story.Account, story.Doctor);
        Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Condition"));
        story.Node.Ground.Chain.IsCut = true;
        Assert.IsType<RevokeOutcome.Revoked>(await story.Node.Consents.RevokeAsync(story.Account, consent, default));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
        Assert.IsType<RevokeOutcome.Revoked>(await story.Node.Consents.RevokeAsync(story.Account, consent, default));

        story.Node.Ground.Chain.IsCut = false;
        await TestNode.UntilAsync(async () => (await story.Node.Consents.ListAsync(story.Account, default)).Single().RevokedBlock is not null, "the chain has the revocation");
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
    }

    [Fact]
    public async Task Nobody_but_the_patient_revokes()
    {
        await using var story = await ConsentStory.StartAsync();
        var consent = await story.Node.GrantAsync(story.Account, story.Doctor);
        var (other, _) = await story.Node.RecordAsync(story.Doctor);
        var stranger = await story.Node.AddAsync(Role.Patient, other);
        Assert.IsType<RevokeOutcome.Unknown>(await story.Node.Consents.RevokeAsync(stranger, consent, default));
        Assert.IsType<RevokeOutcome.Unknown>(await story.Node.Consents.RevokeAsync(story.Doctor, consent, default));
        Assert.IsType<GrantOutcome.NoRecord>(await story.Node.Consents.GrantAsync(story.Doctor, ConsentStory.Terms(story), default));
        Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Condition"));
    }

    [Fact]
    public async Task Terms_that_make_no_sense_are_refused_by_field()
    {
        await using var story = await ConsentStory.StartAsync();
        var good = ConsentStory.Terms(story);
        var now = story.Node.Ground.Clock.GetUtcNow();
        foreach (var (field, terms) in new[]
        {
            ("categories", good with { Categories = [] }), ("purposes", good with { Purposes = [] }), ("grantee", good with { Grantee = "Dr Nobody" }),
            ("grantee", good with { Kind = GranteeKind.Hospital, Grantee = "another" }), ("until", good with { Until = good.From }),
            ("until", good with { From = now.AddDays(-3), Until = now.AddDays(-1) }), ("until", good with { Until = now.AddYears(9) }),
        })
        {
            Assert.Equal(field, Assert.IsType<GrantOutcome.Invalid>(await story.Node.Consents.GrantAsync(story.Account, terms, default)).Field);
        }
        Assert.Empty(await story.Node.Consents.ListAsync(story.Account, default));
    }

    [Fact]
    public async Task A_consent_whose_grantee_was_changed_in_the_database_opens_nothing()
    {
        await using var story = await ConsentStory.StartAsync();
        await story.Node.GrantAsync(story.Account, story.Doctor);
        var accomplice = await story.Node.AddAsync(Role.Practitioner);
        Assert.Equal(1, await story.Node.Database.ExecuteAsync("UPDATE consent SET grantee = $2 WHERE patient = $1", story.Patient, accomplice.Account.ToString()));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition", by: accomplice));
    }

    [Fact]
    public async Task A_consent_that_was_moved_to_another_patient_in_the_database_opens_nothing()
    {
        await using var story = await ConsentStory.StartAsync();
        var (accomplice, _) = await story.Node.RecordAsync(story.Doctor);
        await story.Node.GrantAsync(await story.Node.AddAsync(Role.Patient, accomplice), story.Doctor);
        Assert.Equal(1, await story.Node.Database.ExecuteAsync("UPDATE consent SET patient = $1 WHERE patient = $2", story.Patient, accomplice));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
    }

    [Fact]
    public async Task A_record_that_was_moved_to_another_patient_in_the_database_is_not_given_out()
    {
        await using var story = await ConsentStory.StartAsync();
        var (accomplice, _) = await story.Node.RecordAsync(story.Doctor);
        var account = await story.Node.AddAsync(Role.Patient, accomplice);
        Assert.Equal(1, await story.Node.Database.ExecuteAsync("UPDATE entry SET patient = $1 WHERE type = 'Condition' AND id = $2", accomplice, story.IdOf("Condition")));
        Assert.IsType<ReadOutcome.Altered>(await story.ReadAsync("Condition", Purpose.PatientRequest, account));
        var own = Assert.IsType<RetrievalOutcome.Found>(await story.Node.Records.RetrieveAsync(account, accomplice, Purpose.PatientRequest, null, default));
        Assert.Equal([$"Condition/{story.IdOf("Condition")}"], own.Altered);
    }
}

/// <summary>A node with one doctor, one patient with an account, and one encounter.</summary>
sealed class ConsentStory : IAsyncDisposable
{
    readonly IReadOnlyList<StoredRecord> records;

    ConsentStory(TestNode node, Caller doctor, Caller account, IReadOnlyList<StoredRecord> records) =>
        (Node, Doctor, Account, this.records) = (node, doctor, account, records);

    public TestNode Node { get; }

    public Caller Doctor { get; }

    public Caller Account { get; }

    public string Patient => Account.Patient!;

    public static async Task<ConsentStory> StartAsync(TestGround? ground = null)
    {
        var node = ground is null ? await TestNode.StartAsync() : await TestNode.StartAsync(ground);
        var doctor = await node.AddAsync(Role.Practitioner);
        var (patient, records) = await node.RecordAsync(doctor);
        await TestNode.UntilAsync(() => Task.FromResult(node.Get<ConsentMirror>().IsFresh), "the mirror has read the chain");
        return new ConsentStory(node, doctor, await node.AddAsync(Role.Patient, patient), records);
    }

    public static ConsentTerms Terms(ConsentStory story)
    {
        var now = story.Node.Ground.Clock.GetUtcNow();
        return new ConsentTerms(GranteeKind.Account, story.Doctor.Account.ToString(), [RecordCategory.Results], [Purpose.Treatment], now, now.AddDays(1));
    }

    public string IdOf(string type) => records.First(record => record.Type == type).Id;

    public Task<ReadOutcome> ReadAsync(string type, Purpose purpose = Purpose.Treatment, Caller? by = null) =>
        Node.Records.ReadAsync(by ?? Doctor, type, IdOf(type), null, purpose, TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => Node.DisposeAsync();
}
