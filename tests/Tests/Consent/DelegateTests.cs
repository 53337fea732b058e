using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Salus.Ledger.Contracts;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Consent;
using Salus.Platform.Identity;
using Salus.Platform.Records;
using Salus.Tests.Identity;
using Salus.Tests.Platform;
using ConsentState = Salus.Platform.Consent.ConsentState;

namespace Salus.Tests.Consent;

public sealed class DelegateTests
{
    const string Finish = "/api/signing-for/sign";

    [Fact]
    public async Task A_delegate_grants_and_revokes_with_their_own_passkey_and_the_patient_sees_whose_signature_it_is()
    {
        await using var story = await PeopleStory.StartAsync();
        var aunt = await story.AddAsync();
        var delegation = await story.AppointAsync(aunt);
        var person = Assert.Single((await aunt.GetAsync("/api/signing-for")).EnumerateArray());
        Assert.Equal((story.Patient.Name, "Active"), (person.GetProperty("name").GetString(), person.GetProperty("state").GetString()));
        var question = await aunt.AskAsync($"/api/signing-for/{delegation}/consents/prepare", story.Terms());
        Assert.Equal($"You sign for {story.Patient.Name}, as their delegate.", question.GetProperty("words")[0].GetString());
        var signed = await aunt.SignAsync($"/api/signing-for/{delegation}/consents/prepare", story.Terms(), Finish);
        var consent = signed.GetProperty("granted").GetString()!;
        await TestNode.UntilAsync(async () => (await story.Node.Consents.ListAsync(story.Patient.Caller, default)).Single().State == ConsentState.Active, "the consent is active");
        Assert.IsType<ReadOutcome.Found>(await story.Consents.ReadAsync("Condition"));
        var view = (await story.Patient.GetAsync("/api/consents"))[0];
        Assert.Equal(("Delegate", $"Signed by your delegate {aunt.Name}."), (view.GetProperty("signedBy").GetString(), view.GetProperty("signature").GetString()));
        var onChain = await ConsentsContract.ConsentAsync(story.Node.Chain.Rpc, story.Node.Chain.Contracts[ChainContract.Consents],
            Convert.FromHexString(view.GetProperty("chainId").GetString()!.AsSpan(2)), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(Authority.Delegate, onChain.Authority);

        story.Node.Ground.Chain.IsCut = true;
        await aunt.SignAsync($"/api/signing-for/{delegation}/consents/{consent}/prepare-revocation", new { }, Finish);
        Assert.IsType<ReadOutcome.Forbidden>(await story.Consents.ReadAsync("Condition"));
        story.Node.Ground.Chain.IsCut = false;
        var trail = (await story.Node.Records.AccessesAsync(story.Patient.Caller, story.Patient.Caller.Patient!, 100, default))!;
        Assert.Contains(trail, line => line.Fact.Action == AuditAction.Grant && line.Fact.Account == aunt.Caller.Account);
        Assert.Contains(trail, line => line.Fact.Action == AuditAction.Revoke && line.Fact.Account == aunt.Caller.Account);
    }

    [Fact]
    public async Task A_withdrawn_delegate_signs_nothing_more_though_the_chain_has_not_heard_of_it_and_what_they_signed_stands()
    {
        await using var story = await PeopleStory.StartAsync();
        var aunt = await story.AddAsync();
        var delegation = await story.AppointAsync(aunt);
        await aunt.SignAsync($"/api/signing-for/{delegation}/consents/prepare", story.Terms(), Finish);
        await TestNode.UntilAsync(async () => await story.Consents.ReadAsync("Condition") is ReadOutcome.Found, "the grant opens");
        var asked = await aunt.AskAsync($"/api/signing-for/{delegation}/consents/prepare", story.Terms());

        story.Node.Ground.Chain.IsCut = true;
        await story.Patient.SignAsync($"/api/delegates/{delegation}/prepare-withdrawal", new { }, "/api/delegates/sign");
        await aunt.RequireFaultAsync("UnknownPasskey", Finish, asked, aunt.Passkey.Sign(asked));
        await aunt.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/signing-for/{delegation}/consents/prepare", story.Terms());
        Assert.Equal(0, (await aunt.GetAsync("/api/signing-for")).GetArrayLength());
        using (var consents = await aunt.Client.GetAsync($"/api/signing-for/{delegation}/consents", TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.NotFound, consents.StatusCode);
        }
        story.Node.Ground.Chain.IsCut = false;
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>("SELECT removed_block IS NOT NULL FROM consent_delegate"), "the chain has the withdrawal");
        Assert.IsType<ReadOutcome.Found>(await story.Consents.ReadAsync("Condition"));
        Assert.Equal($"Signed by your delegate {aunt.Name}.", (await story.Patient.GetAsync("/api/consents"))[0].GetProperty("signature").GetString());
        await story.Patient.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/delegates/{delegation}/prepare-withdrawal", new { });
    }

    [Fact]
    public async Task A_delegate_whose_time_is_up_or_whose_named_passkey_is_theirs_no_more_signs_nothing()
    {
        await using var story = await PeopleStory.StartAsync();
        var (aunt, uncle) = (await story.AddAsync(), await story.AddAsync());
        var late = await story.AppointAsync(aunt, TimeSpan.FromDays(1));
        var asked = await aunt.AskAsync($"/api/signing-for/{late}/consents/prepare", story.Terms());
        var keyless = await story.AppointAsync(uncle);
        await story.Node.Database.ExecuteAsync("UPDATE consent_key SET removed = now() WHERE patient = $1", uncle.Caller.Patient!);
        await uncle.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/signing-for/{keyless}/consents/prepare", story.Terms());
        Assert.Equal("WithoutPasskey", (await story.Patient.GetAsync("/api/delegates"))[0].GetProperty("state").GetString());

        story.Node.Ground.Clock.By = TimeSpan.FromHours(24.1);
        await aunt.RenewAsync();
        await aunt.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/signing-for/{late}/consents/prepare", story.Terms());
        await aunt.RequireFaultAsync("Expired", Finish, asked, aunt.Passkey.Sign(asked));
        Assert.Equal(0, (await aunt.GetAsync("/api/signing-for")).GetArrayLength());
    }

    [Fact]
    public async Task Nobody_but_the_delegate_signs_with_the_passkey_that_was_named()
    {
        await using var story = await PeopleStory.StartAsync();
        var (aunt, stranger) = (await story.AddAsync(), await story.AddAsync());
        var delegation = await story.AppointAsync(aunt);
        await stranger.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/signing-for/{delegation}/consents/prepare", story.Terms());
        await story.Patient.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/signing-for/{delegation}/consents/prepare", story.Terms());
        await stranger.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/delegates/{delegation}/prepare-withdrawal", new { });
        foreach (var (fault, other) in new[] { ("UnknownPasskey", stranger), ("UnknownPasskey", story.Patient) })
        {
            var question = await aunt.AskAsync($"/api/signing-for/{delegation}/consents/prepare", story.Terms());
            await aunt.RequireFaultAsync(fault, Finish, question, other.Passkey.Sign(question));
            question = await aunt.AskAsync($"/api/signing-for/{delegation}/consents/prepare", story.Terms());
            await other.RequireFaultAsync("Expired", Finish, question, aunt.Passkey.Sign(question));
        }
        using var forged = new SoftwarePasskey { Id = aunt.Passkey.Id };
        var last = await aunt.AskAsync($"/api/signing-for/{delegation}/consents/prepare", story.Terms());
        await aunt.RequireFaultAsync("BadSignature", Finish, last, forged.Sign(last));
        // A delegate changes nothing about who signs.
        var appointment = await story.Patient.AskAsync("/api/delegates/prepare", new { account = stranger.AccountId, relation = "Family", until = story.Node.Ground.Clock.GetUtcNow().AddDays(9) });
        await story.Patient.RequireFaultAsync("UnknownPasskey", "/api/delegates/sign", appointment, aunt.Passkey.Sign(appointment));
        Assert.Equal(0, (await story.Patient.GetAsync("/api/consents")).GetArrayLength());
    }

    [Fact]
    public async Task Whoever_cannot_be_named_is_refused_in_the_same_words_and_who_has_no_passkey_names_nobody()
    {
        await using var story = await PeopleStory.StartAsync();
        var aunt = await story.AddAsync();
        var (patient, _) = await story.Node.RecordAsync(story.Consents.Doctor);
        var plain = await story.Node.AddAsync(Role.Patient, patient);
        var until = story.Node.Ground.Clock.GetUtcNow().AddDays(9);
        List<string> answers = [];
        foreach (var account in new[]
        {
            Guid.NewGuid().ToString(), "nobody", "", story.Consents.Doctor.Account.ToString(), plain.Account.ToString(), story.Patient.AccountId, "patient2@salus.test",
        })
        {
            using var refused = await story.Patient.PostAsync("/api/delegates/prepare", new { account, relation = "Family", until });
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            answers.Add((await refused.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("errors").GetProperty("account")[0].GetString()!);
        }
        Assert.Equal(ConsentPeople.Nobody, Assert.Single(answers.Distinct()));
        await story.Patient.RequireStatusAsync(HttpStatusCode.BadRequest, "/api/delegates/prepare", new { account = aunt.AccountId, relation = "Family", until = until.AddYears(9) });
        await story.Patient.RequireStatusAsync(HttpStatusCode.BadRequest, "/api/delegates/prepare", new { account = aunt.AccountId, relation = "Family", until = until.AddDays(-9) });
        using var without = await story.Node.ClientAsync(plain);
        using var conflict = await without.PostAsJsonAsync("/api/delegates/prepare", new { account = aunt.AccountId, relation = "Family", until }, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Conflict, conflict.StatusCode);
        await story.AppointAsync(aunt);
        await story.Patient.RequireStatusAsync(HttpStatusCode.BadRequest, "/api/delegates/prepare", new { account = aunt.AccountId, relation = "Family", until });
    }

    [Fact]
    public async Task A_row_that_was_written_or_prolonged_in_the_database_lets_nobody_sign()
    {
        await using var story = await PeopleStory.StartAsync();
        var (aunt, thief) = (await story.AddAsync(), await story.AddAsync());
        var delegation = await story.AppointAsync(aunt, TimeSpan.FromDays(1));
        Assert.Equal(1, await story.Node.Database.ExecuteAsync("UPDATE consent_delegate SET not_after = not_after + interval '9 years'"));
        await aunt.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/signing-for/{delegation}/consents/prepare", story.Terms());
        await story.Node.Database.ExecuteAsync(
            "UPDATE consent_delegate SET not_after = not_after - interval '9 years', delegate = $1, key = (SELECT key FROM consent_key WHERE patient = $1)", thief.Caller.Patient!);
        await thief.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/signing-for/{delegation}/consents/prepare", story.Terms());
        Assert.Equal(0, (await thief.GetAsync("/api/signing-for")).GetArrayLength());
    }

    [Fact]
    public async Task A_delegate_whom_the_chain_has_lost_signs_again_when_it_has_them_again_and_a_withdrawal_stands()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var story = await PeopleStory.StartAsync(ground);
        var (aunt, uncle) = (await story.AddAsync(), await story.AddAsync());
        var gone = await story.AppointAsync(uncle);
        await story.Node.WaitUntilAnchoredAsync();
        ground.Finality.Durable = 0;
        var mark = await ground.Chain.MarkAsync();
        var delegation = await story.AppointAsync(aunt);
        await story.Patient.SignAsync($"/api/delegates/{gone}/prepare-withdrawal", new { }, "/api/delegates/sign");
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>("SELECT EXISTS (SELECT FROM consent_delegate WHERE removed_block IS NOT NULL)"), "the chain has the withdrawal");

        ground.Chain.CutMethod = "eth_sendRawTransaction"; // nothing is sent again for now
        await ground.Chain.RewindAsync(mark);
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>("SELECT NOT EXISTS (SELECT FROM consent_delegate WHERE removed_block IS NOT NULL)"), "the mirror has gone back");
        await aunt.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/signing-for/{delegation}/consents/prepare", story.Terms());
        await uncle.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/signing-for/{gone}/consents/prepare", story.Terms());
        ground.Chain.CutMethod = null;
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>(
            "SELECT count(*) = 2 FROM consent_delegate WHERE added_block IS NOT NULL AND (removed_block IS NOT NULL) = (withdrawn IS NOT NULL)"), "both were sent again");
        await aunt.SignAsync($"/api/signing-for/{delegation}/consents/prepare", story.Terms(), Finish);
        await TestNode.UntilAsync(async () => await story.Consents.ReadAsync("Condition") is ReadOutcome.Found, "the delegate's grant opens");
        ground.Finality.Durable = ulong.MaxValue / 4;
        await story.Node.WaitUntilAnchoredAsync();
    }

    [Fact]
    public async Task A_change_that_the_contract_has_refused_does_not_stand_in_the_way_of_the_next()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var story = await PeopleStory.StartAsync(ground);
        var aunt = await story.AddAsync();
        await ground.Chain.CommandAsync("evm_increaseTime", 86_400);
        await ground.Chain.CommandAsync("evm_mine");
        await story.Patient.SignAsync("/api/delegates/prepare",
            new { account = aunt.AccountId, relation = "Parent", until = ground.Clock.GetUtcNow().AddHours(13) }, "/api/delegates/sign");
        await TestNode.UntilAsync(async () => (await story.Patient.GetAsync("/api/delegates"))[0].GetProperty("state").GetString() == "Refused", "the contract has refused the delegate");
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>("SELECT sequence = 0 FROM consent_subject WHERE patient = $1", story.Patient.Caller.Patient!), "the sequence is set right");
        await story.AppointAsync(aunt);
    }
}
