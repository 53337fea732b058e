using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Salus.Ledger.Contracts;
using Salus.Platform.Anchoring;
using Salus.Platform.Audit;
using Salus.Platform.Records;
using Salus.Tests.Identity;
using Salus.Tests.Platform;

namespace Salus.Tests.Consent;

public sealed class RecoveryTests
{
    static readonly TimeSpan Delay = TimeSpan.FromDays(1) + TimeSpan.FromMinutes(5);

    [Fact]
    public async Task A_new_passkey_alone_signs_after_enough_contacts_have_confirmed_it_and_the_delay_has_passed()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var story = await PeopleStory.StartAsync(ground);
        var (ada, bob, cem) = (await story.AddAsync(), await story.AddAsync(), await story.AddAsync());
        await story.AppointAsync(cem);
        await story.SetRecoveryAsync(2, ada, bob, cem);
        await TestNode.UntilAsync(async () => (await story.Patient.GetAsync("/api/recovery")).GetProperty("terms").GetProperty("onChain").GetBoolean(), "the chain has the terms");
        using var found = new SoftwarePasskey();
        await story.AskForRecoveryAsync(found);
        Assert.Equal("Collecting", (await story.RequestAsync()).GetProperty("state").GetString());
        await story.Patient.RequireStatusAsync(HttpStatusCode.Conflict, "/api/recovery/requests/prepare", new { password = PasskeyStory.Password });

        // One contact, though they sign twice, are too few.
        await PeopleStory.ConfirmAsync(bob);
        await PeopleStory.ConfirmAsync(bob);
        Assert.Equal(("Collecting", 1), ((await story.RequestAsync()).GetProperty("state").GetString(), (await story.RequestAsync()).GetProperty("confirmed").GetInt32()));
        Assert.Equal(0UL, (await story.RecoveryOfAsync(await story.SubjectAsync())).EffectiveAt);
        await PeopleStory.ConfirmAsync(ada);
        await story.StateAsync("Pending");
        Assert.Empty((await cem.GetAsync("/api/confirmations")).EnumerateArray());
        var page = await story.Patient.Client.GetStringAsync("/who-read", TestContext.Current.CancellationToken);
        Assert.Contains("A new passkey is to replace yours", page, StringComparison.Ordinal);

        // Until then the old one signs.
        await story.Patient.SignAsync("/api/consents/prepare", story.Terms(), "/api/consents/sign");
        await TestNode.UntilAsync(async () => await story.Consents.ReadAsync("Condition") is ReadOutcome.Found, "the grant opens");
        await story.PassAsync(Delay);
        var late = await story.Patient.AskAsync("/api/consents/prepare", story.Terms());
        await story.Patient.RequireFaultAsync("UnknownPasskey", "/api/consents/sign", late, story.Patient.Passkey.Sign(late));
        await story.StateAsync("Completed");
        var question = await story.Patient.AskAsync("/api/consents/prepare", story.Terms());
        await story.Patient.RequireFaultAsync("UnknownPasskey", "/api/consents/sign", question, story.Patient.Passkey.Sign(question));
        Assert.Equal("Withdrawn", (await story.Patient.GetAsync("/api/delegates"))[0].GetProperty("state").GetString());
        Assert.Equal(0, (await cem.GetAsync("/api/signing-for")).GetArrayLength());
        var passkey = Assert.Single((await story.Patient.GetAsync("/api/consents/passkeys")).GetProperty("passkeys").EnumerateArray());
        Assert.Equal(("New phone", true), (passkey.GetProperty("name").GetString(), passkey.GetProperty("onChain").GetBoolean()));
        var consent = (await story.Patient.GetAsync("/api/consents"))[0].GetProperty("id").GetString();
        question = await story.Patient.AskAsync($"/api/consents/{consent}/prepare-revocation", new { });
        await story.Patient.RequireStatusAsync(HttpStatusCode.OK, "/api/consents/sign", PasskeyStory.Answer(question, found.Sign(question)));
        Assert.IsType<ReadOutcome.Forbidden>(await story.Consents.ReadAsync("Condition"));
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>("SELECT revoked_block IS NOT NULL FROM consent"), "the contract takes the new passkey's signature");
        Assert.Equal(Authority.Recovered, (await SubjectsContract.KeyOfAsync(ground.Chain.Direct, story.Node.Chain.Contracts[ChainContract.Subjects], await story.SubjectAsync(),
            Convert.FromHexString(passkey.GetProperty("id").GetString()!), cancellationToken: TestContext.Current.CancellationToken)).Authority);
        Assert.Equal(0L, await story.Node.Database.ValueAsync<long>("SELECT count(*) FROM chain_transaction WHERE state = 4"));
    }

    [Fact]
    public async Task An_old_passkey_cancels_a_recovery_and_nothing_is_replaced_when_its_time_comes()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var story = await PeopleStory.StartAsync(ground);
        var ada = await story.AddAsync();
        await story.SetRecoveryAsync(1, ada);
        using var thief = new SoftwarePasskey();
        await story.AskForRecoveryAsync(thief);
        await PeopleStory.ConfirmAsync(ada);
        await story.StateAsync("Pending");
        var question = await story.Patient.AskAsync("/api/recovery/requests/prepare-cancellation", new { });
        await story.Patient.RequireFaultAsync("UnknownPasskey", "/api/recovery/sign", question, thief.Sign(question));
        await story.Patient.SignAsync("/api/recovery/requests/prepare-cancellation", new { }, "/api/recovery/sign");
        await story.StateAsync("Cancelled");
        await story.PassAsync(Delay);
        await story.Patient.SignAsync("/api/consents/prepare", story.Terms(), "/api/consents/sign");
        await TestNode.UntilAsync(async () => await story.Consents.ReadAsync("Condition") is ReadOutcome.Found, "the old passkey still signs");
        Assert.Equal(0UL, (await story.RecoveryOfAsync(await story.SubjectAsync())).EffectiveAt);
        await story.Patient.RequireStatusAsync(HttpStatusCode.NotFound, "/api/recovery/requests/prepare-cancellation", new { });
    }

    [Fact]
    public async Task A_request_that_the_chain_has_lost_is_made_again_and_completed_by_a_node_that_was_started_anew()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        using var found = new SoftwarePasskey();
        Salus.Platform.Identity.Caller patient;
        await using (var story = await PeopleStory.StartAsync(ground))
        {
            patient = story.Patient.Caller;
            var ada = await story.AddAsync();
            await story.SetRecoveryAsync(1, ada);
            await story.AskForRecoveryAsync(found);
            await story.Node.WaitUntilAnchoredAsync();
            ground.Finality.Durable = 0;
            var mark = await ground.Chain.MarkAsync();
            await PeopleStory.ConfirmAsync(ada);
            await story.StateAsync("Pending");
            ground.Chain.CutMethod = "eth_sendRawTransaction";
            await ground.Chain.RewindAsync(mark);
            await story.StateAsync("Relayed");
            Assert.Equal(0UL, (await story.RecoveryOfAsync(await story.SubjectAsync())).EffectiveAt);
            ground.Chain.CutMethod = null;
            await story.StateAsync("Pending");
            Assert.NotEqual(0UL, (await story.RecoveryOfAsync(await story.SubjectAsync())).EffectiveAt);
            ground.Finality.Durable = ulong.MaxValue / 4;
        }

        await ground.Chain.CommandAsync("evm_increaseTime", (long)Delay.TotalSeconds);
        await ground.Chain.CommandAsync("evm_mine");
        ground.Clock.By = Delay;
        await using var node = await TestNode.StartAsync(ground);
        using var client = await node.ClientAsync(patient);
        await TestNode.UntilAsync(async () => (await client.GetFromJsonAsync<JsonElement>("/api/recovery")).GetProperty("requests")[0].GetProperty("state").GetString() == "Completed", "it is completed");
        Assert.Equal("New phone", (await client.GetFromJsonAsync<JsonElement>("/api/consents/passkeys", TestContext.Current.CancellationToken)).GetProperty("passkeys")[0].GetProperty("name").GetString());
        Assert.Equal(1L, await node.Database.ValueAsync<long>("SELECT count(*) FROM chain_transaction WHERE purpose = 'complete-recovery'"));
    }

    [Fact]
    public async Task A_completion_that_the_chain_has_lost_is_brought_about_again_and_ends_nothing_that_came_later()
    {
        await using var ground = await TestGround.NewWithChainAsync();
        await using var story = await PeopleStory.StartAsync(ground);
        var (ada, bob) = (await story.AddAsync(), await story.AddAsync());
        await story.SetRecoveryAsync(1, ada);
        using var found = new SoftwarePasskey();
        await story.AskForRecoveryAsync(found);
        await PeopleStory.ConfirmAsync(ada);
        await story.StateAsync("Pending");
        await story.Node.WaitUntilAnchoredAsync();
        ground.Finality.Durable = 0;
        var mark = await ground.Chain.MarkAsync();
        await story.PassAsync(Delay);
        await story.StateAsync("Completed");
        var question = await story.Patient.AskAsync("/api/delegates/prepare", new { account = bob.AccountId, relation = "Family", until = ground.Clock.GetUtcNow().AddDays(9) });
        await story.Patient.RequireStatusAsync(HttpStatusCode.OK, "/api/delegates/sign", PasskeyStory.Answer(question, found.Sign(question)));
        await TestNode.UntilAsync(async () => (await bob.GetAsync("/api/signing-for"))[0].GetProperty("state").GetString() == "Active", "the chain has the delegate");

        ground.Chain.CutMethod = "eth_estimateGas"; // nothing is sent again for now
        await ground.Chain.RewindAsync(mark);
        await story.StateAsync("Due");
        question = await story.Patient.AskAsync("/api/consents/prepare", story.Terms());
        await story.Patient.RequireFaultAsync("UnknownPasskey", "/api/consents/sign", question, found.Sign(question));
        await ground.Chain.CommandAsync("evm_increaseTime", (long)Delay.TotalSeconds);
        await ground.Chain.CommandAsync("evm_mine");
        ground.Chain.CutMethod = null;
        await story.StateAsync("Completed");
        await TestNode.UntilAsync(async () => (await bob.GetAsync("/api/signing-for"))[0].GetProperty("state").GetString() == "Active", "the later delegate still signs");
        ground.Finality.Durable = ulong.MaxValue / 4;
        await story.Node.WaitUntilAnchoredAsync();
    }

    [Fact]
    public async Task Only_the_contacts_confirm_each_with_the_passkey_that_was_named_over_the_patients_newest_sequence()
    {
        await using var story = await PeopleStory.StartAsync();
        var (ada, bob, stranger) = (await story.AddAsync(), await story.AddAsync(), await story.AddAsync());
        await story.SetRecoveryAsync(2, ada, bob);
        using var found = new SoftwarePasskey();
        await story.AskForRecoveryAsync(found);
        var id = (await story.RequestAsync()).GetProperty("id").GetString();
        Assert.Equal(0, (await stranger.GetAsync("/api/confirmations")).GetArrayLength());
        await stranger.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/confirmations/{id}/prepare", new { });
        await story.Patient.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/confirmations/{id}/prepare", new { });
        var question = await ada.AskAsync($"/api/confirmations/{id}/prepare", new { });
        Assert.Contains("Call them first", question.GetProperty("words")[0].GetString(), StringComparison.Ordinal);
        await ada.RequireFaultAsync("UnknownPasskey", "/api/confirmations/sign", question, stranger.Passkey.Sign(question));
        question = await ada.AskAsync($"/api/confirmations/{id}/prepare", new { });
        await bob.RequireFaultAsync("Expired", "/api/confirmations/sign", question, ada.Passkey.Sign(question));
        // Rows in the database name a stranger as contact: what the patient has signed does not.
        await story.Node.Database.ExecuteAsync("INSERT INTO recovery_contact (request, number, contact) VALUES ($1, 7, $2)", Guid.Parse(id!),
            story.Node.Get<Salus.Vault.Keys.KeyVault>().Blind("recovery.contact", stranger.Caller.Patient!));
        Assert.Equal(0, (await stranger.GetAsync("/api/confirmations")).GetArrayLength());
        await stranger.RequireStatusAsync(HttpStatusCode.NotFound, $"/api/confirmations/{id}/prepare", new { });

        // A change of who signs, after one has confirmed: their signature is over the old sequence number.
        await PeopleStory.ConfirmAsync(ada);
        question = await bob.AskAsync($"/api/confirmations/{id}/prepare", new { });
        await story.AppointAsync(stranger);
        await bob.RequireFaultAsync("Expired", "/api/confirmations/sign", question, bob.Passkey.Sign(question));
        await PeopleStory.ConfirmAsync(bob);
        Assert.Equal(("Collecting", 1), ((await story.RequestAsync()).GetProperty("state").GetString(), (await story.RequestAsync()).GetProperty("confirmed").GetInt32()));
        await PeopleStory.ConfirmAsync(ada);
        await story.StateAsync("Pending");
    }

    [Fact]
    public async Task Asking_needs_the_password_and_contacts_and_can_be_given_up_and_is_in_the_trail()
    {
        await using var story = await PeopleStory.StartAsync();
        var ada = await story.AddAsync();
        await story.Patient.RequireStatusAsync(HttpStatusCode.Conflict, "/api/recovery/requests/prepare", new { password = PasskeyStory.Password });
        await story.SetRecoveryAsync(1, ada);
        await story.Patient.RequireStatusAsync(HttpStatusCode.Forbidden, "/api/recovery/requests/prepare", new { password = "wrong harbour tractor" });
        var question = await story.Patient.AskAsync("/api/recovery/requests/prepare", new { password = PasskeyStory.Password });
        await story.Patient.RequireStatusAsync(HttpStatusCode.Conflict, "/api/recovery/requests",
            new { attempt = question.GetProperty("attempt").GetString(), name = "Known", credential = story.Patient.Passkey.Make(question) });
        using var found = new SoftwarePasskey();
        await story.AskForRecoveryAsync(found);
        using (var given = await story.Patient.Client.DeleteAsync("/api/recovery/requests", TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.NoContent, given.StatusCode);
        }
        Assert.Equal(0, (await ada.GetAsync("/api/confirmations")).GetArrayLength());
        Assert.Equal("Withdrawn", (await story.RequestAsync()).GetProperty("state").GetString());
        using var again = new SoftwarePasskey();
        await story.AskForRecoveryAsync(again);
        story.Node.Ground.Clock.By = TimeSpan.FromDays(8);
        await story.Patient.RenewAsync();
        await ada.RenewAsync();
        Assert.Equal("Expired", (await story.RequestAsync()).GetProperty("state").GetString());
        Assert.Equal(0, (await ada.GetAsync("/api/confirmations")).GetArrayLength());
        // Turned off, nobody can ask.
        await story.SetRecoveryAsync(1);
        await story.Patient.RequireStatusAsync(HttpStatusCode.Conflict, "/api/recovery/requests/prepare", new { password = PasskeyStory.Password });
        var details = (await story.Node.Get<AuditTrail>().ListAsync(null, 200, default)).Select(line => line.Fact.Detail).ToList();
        Assert.All((string[])["RecoverySet", "RecoveryAsked", "RecoveryCancelled"], detail => Assert.Contains(detail, details));
    }

    [Fact]
    public async Task A_recovery_that_contacts_have_submitted_past_the_hospital_is_shown_and_cancelled_all_the_same()
    {
        await using var story = await PeopleStory.StartAsync();
        var ada = await story.AddAsync();
        await story.SetRecoveryAsync(1, ada);
        using var thief = new SoftwarePasskey();
        await story.AskForRecoveryAsync(thief);
        await PeopleStory.ConfirmAsync(ada);
        await story.StateAsync("Pending");
        // As though the request had never been made here.
        await story.Node.Database.ExecuteAsync("DELETE FROM recovery_request");
        await story.Node.Database.ExecuteAsync("UPDATE consent_block SET hash = sha256(hash)");
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>("SELECT EXISTS (SELECT FROM recovery_request WHERE sealed IS NULL AND requested_block IS NOT NULL)"), "the mirror has found it");
        Assert.Equal(("Pending", JsonValueKind.Null), ((await story.RequestAsync()).GetProperty("state").GetString(), (await story.RequestAsync()).GetProperty("passkey").ValueKind));
        await story.Patient.SignAsync("/api/recovery/requests/prepare-cancellation", new { }, "/api/recovery/sign");
        await story.StateAsync("Cancelled");
    }
}
