using System.Text;
using Salus.Ledger.Contracts;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Consent.Emergencies;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Platform;

namespace Salus.Tests.Consent;

public sealed class EmergencyTests
{
    const string Reason = "Unconscious after an accident, nobody to ask";

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_opening_lets_its_practitioner_read_everything_to_treat_and_nobody_else_anything()
    {
        await using var story = await ConsentStory.StartAsync();
        var colleague = await story.Node.AddAsync(Role.Practitioner);
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
        await OpenAsync(story);
        Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Condition"));
        Assert.IsType<RetrievalOutcome.Found>(await story.Node.Records.RetrieveAsync(story.Doctor, story.Patient, Purpose.Treatment, null, Cancellation));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition", Purpose.Research));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition", Purpose.Payment));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition", by: colleague));
        Assert.Contains(story.Patient, await story.Node.Consents.PatientsOfAsync(story.Doctor, Cancellation));
        foreach (var (caller, purpose, sees) in new[] { (story.Doctor, Purpose.Treatment, true), (story.Doctor, Purpose.Research, false), (colleague, Purpose.Treatment, false) })
        {
            var found = await story.Node.Records.SearchAsync(caller, "Condition", [new("patient", story.Patient)], purpose, Cancellation);
            Assert.Equal(sees, Assert.IsType<SearchResult.Page>(found).Records.Count > 0);
        }
        Assert.DoesNotContain(story.Patient, await story.Node.Consents.PatientsOfAsync(colleague, Cancellation));
    }

    [Fact]
    public async Task It_does_not_wait_for_a_chain_that_is_away()
    {
        await using var ground = await TestGround.NewWithChainAsync(staleAfterSeconds: 5);
        await using var story = await ConsentStory.StartAsync(ground);
        ground.Chain.IsCut = true;
        await TestNode.UntilAsync(async () => await story.ReadAsync("Condition") is ReadOutcome.Forbidden refused
            && refused.Reason.Contains("lost sight of the chain", StringComparison.Ordinal), "the mirror is stale");
        await OpenAsync(story);
        Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Condition"));
        ground.Chain.IsCut = false;
        await TestNode.UntilAsync(async () => Assert.Single(await story.Desk().ListAsync(story.Doctor, Cancellation)).Block is not null, "the chain is told");
    }

    [Fact]
    public async Task It_ends_with_its_time()
    {
        await using var story = await ConsentStory.StartAsync();
        await OpenAsync(story, EmergencyDesk.MinutesMin);
        story.Node.Ground.Clock.By += TimeSpan.FromMinutes(EmergencyDesk.MinutesMin + 1);
        Assert.IsNotType<ReadOutcome.Found>(await story.ReadAsync("Condition"));
        Assert.Null(await story.Desk().FindOpenAsync(story.Doctor, story.Patient, Cancellation));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Its_practitioner_and_the_patient_end_it_at_once_and_nobody_else_does(bool patient)
    {
        await using var story = await ConsentStory.StartAsync();
        var stranger = await story.Node.AddAsync(Role.Practitioner);
        var id = await OpenAsync(story);
        Assert.False(await story.Desk().EndAsync(stranger, id, Cancellation));
        Assert.False(await story.Desk().EndAsync(story.Doctor, Guid.NewGuid().ToString(), Cancellation));
        Assert.IsType<ReadOutcome.Found>(await story.ReadAsync("Condition"));
        Assert.True(await story.Desk().EndAsync(patient ? story.Account : story.Doctor, id, Cancellation));
        Assert.True(await story.Desk().EndAsync(story.Doctor, id, Cancellation));
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition"));
        await story.Node.WaitUntilAnchoredAsync();
        var view = Assert.Single(await story.Desk().ListAsync(story.Doctor, Cancellation));
        var onChain = await ConsentsContract.EmergencyAsync(story.Node.Chain.Rpc, story.Node.Chain.Contracts[ChainContract.Consents], Convert.FromHexString(view.ChainId[2..]), cancellationToken: Cancellation);
        Assert.True(onChain.Closed);
    }

    [Fact]
    public async Task The_chain_holds_a_commitment_and_a_time_and_the_log_a_leaf()
    {
        await using var story = await ConsentStory.StartAsync();
        var id = await OpenAsync(story);
        await story.Node.WaitUntilAnchoredAsync();
        var view = Assert.Single(await story.Desk().ListAsync(story.Doctor, Cancellation));
        Assert.NotNull(view.Block);
        var rpc = story.Node.Chain.Rpc;
        var contract = story.Node.Chain.Contracts[ChainContract.Consents];
        var onChain = await ConsentsContract.EmergencyAsync(rpc, contract, Convert.FromHexString(view.ChainId[2..]), cancellationToken: Cancellation);
        Assert.Equal((ulong)view.Until.ToUnixTimeSeconds(), onChain.NotAfter);
        Assert.False(onChain.Closed);
        Assert.True(await ConsentsContract.IsOpenAsync(rpc, contract, Convert.FromHexString(view.ChainId[2..]), onChain.Commitment, cancellationToken: Cancellation));
        Assert.True(await story.Node.Database.ValueAsync<bool>($"SELECT EXISTS (SELECT FROM leaf WHERE type = 'Consent' AND id = '{id}')"));
        var sent = await story.Node.Database.RowsAsync(row => row.GetFieldValue<byte[]>(0), "SELECT data FROM chain_transaction WHERE purpose = 'emergency'");
        Assert.All(sent, data =>
        {
            Assert.DoesNotContain(story.Patient, Encoding.Latin1.GetString(data), StringComparison.Ordinal);
            Assert.True(data.AsSpan().IndexOf(Guid.Parse(story.Patient).ToByteArray(bigEndian: true)) < 0);
        });
    }

    [Fact]
    public async Task The_patient_and_the_auditor_are_told_of_it_and_of_each_read_under_it()
    {
        await using var story = await ConsentStory.StartAsync();
        var auditor = await story.Node.AddAsync(Role.Auditor);
        await OpenAsync(story);
        await story.ReadAsync("Condition");
        Assert.Equal(1, await story.Desk().CountUnseenAsync(story.Account, Cancellation));
        Assert.True(await story.Desk().CountUnseenAsync(auditor, Cancellation) > 0);
        var told = Assert.Single(await story.Desk().ListAsync(story.Account, Cancellation));
        Assert.Equal((Reason, story.Doctor.Account, true), (told.Reason, told.Account, told.IsNew));
        var audited = (await story.Desk().ListAsync(auditor, Cancellation)).Single(view => view.Id == told.Id);
        Assert.Equal((Reason, null), (audited.Reason, audited.Patient));
        Assert.NotNull(audited.PatientAlias);
        var accesses = await story.Node.Records.AccessesAsync(story.Account, story.Patient, 50, Cancellation);
        Assert.Contains(accesses!, line => line.Fact is { Action: AuditAction.Emergency, Succeeded: true } && line.Fact.Account == story.Doctor.Account);
        Assert.Contains(accesses!, line => line.Fact is { Action: AuditAction.Read, Succeeded: true, Detail: "BTG" });
        await story.Desk().AcknowledgeAsync(story.Account, Cancellation);
        Assert.Equal(0, await story.Desk().CountUnseenAsync(story.Account, Cancellation));
        Assert.True(await story.Desk().CountUnseenAsync(auditor, Cancellation) > 0);
    }

    [Fact]
    public async Task A_read_that_a_consent_covers_is_logged_as_treatment_although_an_opening_stands()
    {
        await using var story = await ConsentStory.StartAsync();
        await story.Node.GrantAsync(story.Account, story.Doctor);
        await OpenAsync(story);
        await story.ReadAsync("Condition");
        var read = (await story.Node.Records.AccessesAsync(story.Account, story.Patient, 50, Cancellation))!.First(line => line.Fact.Action == AuditAction.Read);
        Assert.Equal("TREAT", read.Fact.Detail);
    }

    [Fact]
    public async Task Only_practitioners_open()
    {
        await using var story = await ConsentStory.StartAsync();
        foreach (var role in Enum.GetValues<Role>().Where(role => role != Role.Practitioner))
        {
            var caller = await story.Node.AddAsync(role);
            Assert.IsType<EmergencyOutcome.Forbidden>(await story.Desk().OpenAsync(caller, story.Patient, Reason, 60, Cancellation));
        }
    }

    [Fact]
    public async Task A_wish_without_reason_or_limit_names_its_field()
    {
        await using var story = await ConsentStory.StartAsync();
        foreach (var (reason, minutes, field) in new[]
        {
            ("", 60, "reason"), ("   too few ", 60, "reason"), ("in two lines\nof which one is hidden", 60, "reason"),
            (new string('a', EmergencyDesk.ReasonLengthMax + 1), 60, "reason"), (Reason, EmergencyDesk.MinutesMin - 1, "minutes"), (Reason, EmergencyDesk.MinutesMax + 1, "minutes"),
        })
        {
            Assert.Equal(field, Assert.IsType<EmergencyOutcome.Invalid>(await story.Desk().OpenAsync(story.Doctor, story.Patient, reason, minutes, Cancellation)).Field);
        }
        foreach (var nobody in new[] { Guid.NewGuid().ToString(), "' OR 1=1", "" })
        {
            Assert.IsType<EmergencyOutcome.UnknownPatient>(await story.Desk().OpenAsync(story.Doctor, nobody, Reason, 60, Cancellation));
        }
    }

    [Fact]
    public async Task A_practitioner_opens_no_more_than_the_limit_within_a_day_not_even_all_at_once()
    {
        await using var story = await ConsentStory.StartAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, EmergencyDesk.PerDayMax + 4).Select(_ => story.Desk().OpenAsync(story.Doctor, story.Patient, Reason, 60, Cancellation)));
        Assert.Equal(EmergencyDesk.PerDayMax, outcomes.OfType<EmergencyOutcome.Opened>().Count());
        Assert.Equal(4, outcomes.OfType<EmergencyOutcome.TooMany>().Count());
    }

    [Fact]
    public async Task Whoever_writes_to_the_database_opens_nothing()
    {
        await using var story = await ConsentStory.StartAsync();
        var thief = await story.Node.AddAsync(Role.Practitioner);
        var id = await OpenAsync(story);
        // Another's opening, made one's own
        await story.Node.Database.ExecuteAsync($"UPDATE emergency SET account = '{thief.Account}'");
        Assert.IsType<ReadOutcome.Forbidden>(await story.ReadAsync("Condition", by: thief));
        // One's own, made longer
        await story.Node.Database.ExecuteAsync($"UPDATE emergency SET account = '{story.Doctor.Account}', not_after = not_after + interval '1 year'");
        story.Node.Ground.Clock.By += TimeSpan.FromHours(2);
        Assert.IsNotType<ReadOutcome.Found>(await story.ReadAsync("Condition"));
        // One that was ended, made open again
        var again = await OpenAsync(story);
        await story.Desk().EndAsync(story.Doctor, again, Cancellation);
        await story.Node.Database.ExecuteAsync("UPDATE emergency SET closed = NULL, not_after = not_after + interval '1 year'");
        Assert.IsNotType<ReadOutcome.Found>(await story.ReadAsync("Condition"));
        Assert.NotEqual(id, again);
    }

    static async Task<string> OpenAsync(ConsentStory story, int minutes = 60) =>
        Assert.IsType<EmergencyOutcome.Opened>(await story.Desk().OpenAsync(story.Doctor, story.Patient, Reason, minutes, Cancellation)).Id;
}

static class EmergencyStory
{
    /// <summary>The desk of the story's node.</summary>
    public static EmergencyDesk Desk(this ConsentStory story) => story.Node.Get<EmergencyDesk>();
}
