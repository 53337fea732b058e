using System.Buffers.Text;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Salus.Ledger.Contracts;
using Salus.Ledger.Evm;
using Salus.Platform.Anchoring;
using Salus.Platform.Consent;
using Salus.Platform.Records;
using Salus.Tests.Identity;
using Salus.Tests.Platform;
using ConsentState = Salus.Platform.Consent.ConsentState;

namespace Salus.Tests.Consent;

public sealed class ConsentPasskeyTests
{
    static readonly Dictionary<string, Bend> Lies = new()
    {
        ["OtherType"] = new() { Type = "webauthn.create" },
        ["OtherChallenge"] = new() { Challenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
        ["OtherOrigin"] = new() { Origin = "https://localhost" },
        ["OtherRelyingParty"] = new() { RelyingParty = "example.org" },
        ["UserNotVerified"] = new() { Flags = 0x01 },
    };

    public static TheoryData<string> LieNames => [.. Lies.Keys];

    [Fact]
    public async Task A_grant_signed_by_passkey_opens_and_its_revocation_shuts_the_moment_it_arrives()
    {
        await using var story = await PasskeyStory.StartAsync();
        using var passkey = new SoftwarePasskey();
        await story.EnrolAsync(passkey);
        var consent = await story.GrantAsync(passkey);
        Assert.IsType<ReadOutcome.Found>(await story.Consents.ReadAsync("Condition"));
        var view = (await story.GetAsync("/api/consents"))[0];
        Assert.Equal(("Patient", "Signed with your passkey."), (view.GetProperty("signedBy").GetString(), view.GetProperty("signature").GetString()));

        story.Node.Ground.Chain.IsCut = true;
        var question = await story.AskAsync($"/api/consents/{consent}/prepare-revocation", new { });
        Assert.Contains("You take back the access of", question.GetProperty("words")[0].GetString(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await story.AnswerAsync(question, passkey.Sign(question))).StatusCode);
        Assert.IsType<ReadOutcome.Forbidden>(await story.Consents.ReadAsync("Condition"));
        story.Node.Ground.Chain.IsCut = false;
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>("SELECT EXISTS (SELECT FROM consent WHERE revoked_block IS NOT NULL)"), "the chain has the revocation");
        Assert.Equal("Patient", (await story.GetAsync("/api/consents"))[0].GetProperty("revokedBy").GetString());
    }

    [Fact]
    public async Task The_challenge_is_the_hash_of_exactly_what_the_words_say()
    {
        await using var story = await PasskeyStory.StartAsync();
        using var passkey = new SoftwarePasskey();
        await story.EnrolAsync(passkey);
        var question = await story.AskForGrantAsync();
        var grant = question.GetProperty("grant");
        byte[] Bytes(string name) => Convert.FromHexString(grant.GetProperty(name).GetString()!.AsSpan(2));
        var document = grant.GetProperty("document").GetString()!;
        var commitment = SHA256.HashData([.. Bytes("salt"), .. Encoding.UTF8.GetBytes(document)]);
        Assert.Equal(Bytes("commitment"), commitment);
        var domain = ConsentsContract.Domain(grant.GetProperty("chainId").GetUInt64(), story.Node.Chain.Contracts[ChainContract.Consents]);
        var challenge = ConsentsContract.GrantChallenge(domain, Bytes("subject"), Bytes("id"), commitment, grant.GetProperty("notAfter").GetUInt64());
        Assert.Equal(Base64Url.EncodeToString(challenge), SoftwarePasskey.ChallengeOf(question));
        using var consent = JsonDocument.Parse(document);
        Assert.Contains(story.Consents.Doctor.Account.ToString(), document, StringComparison.Ordinal);
        Assert.Equal(
            ["You give access to your record to: Practitioner Number 1, practitioner.", "They may read: Diagnoses, visits and procedures.", "What for: To treat me."],
            question.GetProperty("words").EnumerateArray().Take(3).Select(sentence => sentence.GetString()));
        await story.AnswerAsync(question, passkey.Sign(question));
        Assert.Equal(document, await story.DocumentAsync());
    }

    [Fact]
    public async Task The_node_hands_over_to_the_first_passkey_and_cannot_sign_for_the_patient_any_more()
    {
        await using var story = await PasskeyStory.StartAsync();
        var early = await story.Node.GrantAsync(story.Consents.Account, story.Consents.Doctor);
        var before = (await story.GetAsync("/api/consents"))[0];
        Assert.Equal("Hospital", before.GetProperty("signedBy").GetString());
        Assert.StartsWith("Signed by the hospital's key for you", before.GetProperty("signature").GetString(), StringComparison.Ordinal);
        Assert.Equal("Hospital", (await story.GetAsync("/api/consents/passkeys")).GetProperty("signer").GetString());
        var (subject, nodeKey) = await story.SubjectAsync();
        Assert.Equal(Authority.Own, await story.AuthorityAsync(subject, nodeKey));

        using var passkey = new SoftwarePasskey();
        await story.EnrolAsync(passkey);
        Assert.Equal("Patient", (await story.GetAsync("/api/consents/passkeys")).GetProperty("signer").GetString());
        Assert.Equal(HttpStatusCode.Conflict, (await story.PostAsync("/api/consents", story.Terms())).StatusCode);
        using (var response = await story.Client.DeleteAsync($"/api/consents/{early}", TestContext.Current.CancellationToken))
        {
            Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        }
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>("SELECT sealed_key IS NULL FROM consent_subject"), "the node's key is destroyed");
        Assert.Equal(Authority.None, await story.AuthorityAsync(subject, nodeKey));
        Assert.Equal(2u, (await SubjectsContract.SubjectOfAsync(story.Node.Chain.Rpc, story.Node.Chain.Contracts[ChainContract.Subjects], subject)).Sequence);

        await story.RevokeAsync(passkey, early);
        Assert.IsType<ReadOutcome.Forbidden>(await story.Consents.ReadAsync("Condition"));
        await story.GrantAsync(passkey);
        Assert.IsType<ReadOutcome.Found>(await story.Consents.ReadAsync("Condition"));
        Assert.Equal(["Patient", "Hospital"], (await story.GetAsync("/api/consents")).EnumerateArray().Select(view => view.GetProperty("signedBy").GetString()));
    }

    [Fact]
    public async Task A_first_passkey_before_any_consent_is_enrolled_itself_and_the_node_never_has_a_key()
    {
        await using var story = await PasskeyStory.StartAsync();
        Assert.False(await story.Node.Database.ValueAsync<bool>("SELECT EXISTS (SELECT FROM consent_subject)"));
        using var passkey = new SoftwarePasskey();
        await story.EnrolAsync(passkey);
        Assert.True(await story.Node.Database.ValueAsync<bool>("SELECT node_key IS NULL AND sealed_key IS NULL FROM consent_subject"));
        await story.GrantAsync(passkey);
        Assert.IsType<ReadOutcome.Found>(await story.Consents.ReadAsync("Condition"));
    }

    [Fact]
    public async Task A_second_passkey_needs_the_signature_of_the_first_and_can_take_its_place()
    {
        await using var story = await PasskeyStory.StartAsync();
        using var first = new SoftwarePasskey();
        using var second = new SoftwarePasskey();
        await story.EnrolAsync(first);
        var question = await story.EnrolFurtherAsync(second);
        Assert.Contains("sign your consents", question.GetProperty("words")[0].GetString(), StringComparison.Ordinal);
        await story.RequireFaultAsync("UnknownPasskey", question, second.Sign(question));
        question = await story.EnrolFurtherAsync(second);
        Assert.Equal(HttpStatusCode.OK, (await story.AnswerAsync(question, first.Sign(question))).StatusCode);
        await story.OnChainAsync(2);
        await story.GrantAsync(second);

        var keys = (await story.GetAsync("/api/consents/passkeys")).GetProperty("passkeys").EnumerateArray().Select(key => key.GetProperty("id").GetString()).ToArray();
        question = await story.AskAsync($"/api/consents/passkeys/{keys[0]}/prepare-removal", new { });
        Assert.Equal(HttpStatusCode.OK, (await story.AnswerAsync(question, second.Sign(question))).StatusCode);
        question = await story.AskForGrantAsync();
        await story.RequireFaultAsync("UnknownPasskey", question, first.Sign(question));
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>("SELECT EXISTS (SELECT FROM consent_key WHERE removed_block IS NOT NULL)"), "the chain has the removal");
        Assert.Equal(HttpStatusCode.Conflict, (await story.PostAsync($"/api/consents/passkeys/{keys[1]}/prepare-removal", new { })).StatusCode);
    }

    [Fact]
    public async Task A_change_of_keys_that_is_sent_again_after_a_kill_is_found_as_the_chain_took_it()
    {
        await using var story = await PasskeyStory.StartAsync();
        await story.Node.GrantAsync(story.Consents.Account, story.Consents.Doctor);
        using var passkey = new SoftwarePasskey();
        await story.EnrolAsync(passkey);
        await story.Node.WaitUntilAnchoredAsync();
        Assert.Equal(2, await story.Node.Database.ExecuteAsync(
            "UPDATE chain_transaction SET state = 0, transaction_hash = NULL, block_number = NULL, block_hash = NULL WHERE purpose IN ('add-key', 'remove-key')"));
        await TestNode.UntilAsync(() => story.Node.Database.ValueAsync<bool>(
            "SELECT count(*) = 2 FROM chain_transaction WHERE purpose IN ('add-key', 'remove-key') AND state IN (2, 3) AND block_hash IS NOT NULL"), "both are found on the chain");
    }

    [Fact]
    public async Task A_change_of_keys_that_was_asked_before_another_change_is_refused()
    {
        await using var story = await PasskeyStory.StartAsync();
        using var first = new SoftwarePasskey();
        using var second = new SoftwarePasskey();
        using var third = new SoftwarePasskey();
        await story.EnrolAsync(first);
        var (one, other) = (await story.EnrolFurtherAsync(second), await story.EnrolFurtherAsync(third));
        Assert.Equal(HttpStatusCode.OK, (await story.AnswerAsync(one, first.Sign(one))).StatusCode);
        await story.RequireFaultAsync("Expired", other, first.Sign(other));
    }

    [Theory]
    [MemberData(nameof(LieNames))]
    public async Task A_signature_that_lies_grants_nothing(string lie)
    {
        await using var story = await PasskeyStory.StartAsync();
        using var passkey = new SoftwarePasskey();
        await story.EnrolAsync(passkey);
        var question = await story.AskForGrantAsync();
        await story.RequireFaultAsync(lie, question, passkey.Sign(question, Lies[lie]));
        Assert.Equal(0, (await story.GetAsync("/api/consents")).GetArrayLength());
    }

    [Fact]
    public async Task A_signature_by_another_key_a_copy_or_a_sign_in_passkey_grants_nothing()
    {
        await using var story = await PasskeyStory.StartAsync();
        using var passkey = new SoftwarePasskey { Counter = 3 };
        using var signIn = new SoftwarePasskey();
        await story.EnrolAsync(passkey);
        var made = await story.AskAsync("/api/account/passkeys/prepare", new { password = PasskeyStory.Password });
        Assert.Equal(HttpStatusCode.NoContent, (await story.PostAsync("/api/account/passkeys", new { attempt = made.GetProperty("attempt").GetString(), name = "Phone", credential = signIn.Make(made) })).StatusCode);

        var question = await story.AskForGrantAsync();
        await story.RequireFaultAsync("UnknownPasskey", question, signIn.Sign(question));
        using var forged = new SoftwarePasskey { Id = passkey.Id, Counter = 4 };
        question = await story.AskForGrantAsync();
        await story.RequireFaultAsync("BadSignature", question, forged.Sign(question));
        question = await story.AskForGrantAsync();
        await story.RequireFaultAsync("CounterWentBack", question, passkey.Sign(question));
        Assert.Equal(0, (await story.GetAsync("/api/consents")).GetArrayLength());

        // Nor does a consent passkey sign in.
        using var nobody = await story.Node.ClientAsync();
        var entry = await (await nobody.PostAsJsonAsync("/api/sign-in/passkey/prepare", new { }, TestContext.Current.CancellationToken)).Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
        using var refused = await nobody.PostAsJsonAsync("/api/sign-in/passkey", PasskeyStory.Answer(entry, passkey.Sign(entry)), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task An_assertion_counts_once_in_time_and_for_its_patient()
    {
        await using var story = await PasskeyStory.StartAsync();
        using var passkey = new SoftwarePasskey();
        await story.EnrolAsync(passkey);
        var question = await story.AskForGrantAsync();
        var answer = passkey.Sign(question);
        Assert.Equal(HttpStatusCode.OK, (await story.AnswerAsync(question, answer)).StatusCode);
        await story.RequireFaultAsync("Expired", question, answer);
        var next = await story.AskForGrantAsync();
        await story.RequireFaultAsync("OtherChallenge", next, answer);

        next = await story.AskForGrantAsync();
        story.Node.Ground.Clock.By = TimeSpan.FromMinutes(11);
        await story.RequireFaultAsync("Expired", next, passkey.Sign(next));
        next = await story.AskForGrantAsync();
        var (other, _) = await story.Node.RecordAsync(story.Consents.Doctor);
        using var stranger = await story.Node.ClientAsync(await story.Node.AddAsync(Salus.Platform.Identity.Role.Patient, other));
        using var refused = await stranger.PostAsJsonAsync("/api/consents/sign", PasskeyStory.Answer(next, passkey.Sign(next)), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, refused.StatusCode);
        Assert.Equal(1, (await story.GetAsync("/api/consents")).GetArrayLength());
    }

    [Fact]
    public async Task A_signature_with_a_high_s_is_turned_low_before_the_chain_sees_it()
    {
        await using var story = await PasskeyStory.StartAsync();
        using var passkey = new SoftwarePasskey();
        await story.EnrolAsync(passkey);
        await story.GrantAsync(passkey, new Bend { HighS = true });
        await story.GrantAsync(passkey, new Bend { HighS = false });
    }

    [Fact]
    public async Task Enrolling_needs_the_password_and_a_registration_that_lies_is_refused()
    {
        await using var story = await PasskeyStory.StartAsync();
        using var passkey = new SoftwarePasskey();
        Assert.Equal(HttpStatusCode.Forbidden, (await story.PostAsync("/api/consents/passkeys/prepare", new { password = "wrong harbour tractor" })).StatusCode);
        var question = await story.AskAsync("/api/consents/passkeys/prepare", new { password = PasskeyStory.Password });
        Assert.Equal("Salus consents – Hospital of salus.test/log", question.GetProperty("options").GetProperty("user").GetProperty("name").GetString());
        using var response = await story.PostAsync("/api/consents/passkeys", new { attempt = question.GetProperty("attempt").GetString(), name = "Phone", credential = passkey.Make(question, new Bend { Flags = 1 }) });
        Assert.Equal("UserNotVerified", (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("fault").GetString());
        Assert.Equal("Hospital", (await story.GetAsync("/api/consents/passkeys")).GetProperty("signer").GetString());
    }
}

/// <summary>A patient at the API, with passkeys in software.</summary>
sealed class PasskeyStory : IAsyncDisposable
{
    public const string Password = "harbour violet tractor";

    PasskeyStory(ConsentStory consents, HttpClient client) => (Consents, Client) = (consents, client);

    public ConsentStory Consents { get; }

    public HttpClient Client { get; }

    public TestNode Node => Consents.Node;

    public static async Task<PasskeyStory> StartAsync()
    {
        var consents = await ConsentStory.StartAsync();
        return new PasskeyStory(consents, await consents.Node.ClientAsync(consents.Account));
    }

    public static object Answer(JsonElement question, object credential) => new { attempt = question.GetProperty("attempt").GetString(), credential };

    public object Terms() => new
    {
        grantee = Consents.Doctor.Account.ToString(), categories = new[] { "Conditions" }, purposes = new[] { "Treatment" }, until = Node.Ground.Clock.GetUtcNow().AddDays(30),
    };

    public Task<HttpResponseMessage> PostAsync(string path, object body) => Client.PostAsJsonAsync(path, body, TestContext.Current.CancellationToken);

    public Task<JsonElement> GetAsync(string path) => Client.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);

    public async Task<JsonElement> AskAsync(string path, object body)
    {
        using var response = await PostAsync(path, body);
        Assert.True(response.IsSuccessStatusCode, $"{path}: {response.StatusCode} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}");
        return await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
    }

    public Task<JsonElement> AskForGrantAsync() => AskAsync("/api/consents/prepare", Terms());

    public Task<HttpResponseMessage> AnswerAsync(JsonElement question, object credential) => PostAsync("/api/consents/sign", Answer(question, credential));

    public async Task RequireFaultAsync(string fault, JsonElement question, object credential)
    {
        using var response = await AnswerAsync(question, credential);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        Assert.Equal(fault, (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("fault").GetString());
    }

    /// <summary>Enrols a first passkey and waits until the contract knows it.</summary>
    public async Task EnrolAsync(SoftwarePasskey passkey)
    {
        using var response = await TryEnrolAsync(passkey);
        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        await OnChainAsync(1);
    }

    /// <summary>Makes a further passkey; what one of those there must sign.</summary>
    public async Task<JsonElement> EnrolFurtherAsync(SoftwarePasskey passkey)
    {
        using var response = await TryEnrolAsync(passkey);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        return await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
    }

    async Task<HttpResponseMessage> TryEnrolAsync(SoftwarePasskey passkey)
    {
        var question = await AskAsync("/api/consents/passkeys/prepare", new { password = Password });
        return await PostAsync("/api/consents/passkeys", new { attempt = question.GetProperty("attempt").GetString(), name = "A phone", credential = passkey.Make(question) });
    }

    public Task OnChainAsync(int count) => TestNode.UntilAsync(async () =>
        (await GetAsync("/api/consents/passkeys")).GetProperty("passkeys").EnumerateArray().Count(key => key.GetProperty("onChain").GetBoolean()) == count, "the chain knows the passkeys");

    public async Task<string> GrantAsync(SoftwarePasskey passkey, Bend? bend = null)
    {
        var question = await AskForGrantAsync();
        using var response = await AnswerAsync(question, passkey.Sign(question, bend));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var consent = (await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("granted").GetString()!;
        await TestNode.UntilAsync(async () => (await Node.Consents.ListAsync(Consents.Account, default)).Single(view => view.Id == consent).State == ConsentState.Active, "the consent is active");
        return consent;
    }

    public async Task RevokeAsync(SoftwarePasskey passkey, string consent)
    {
        var question = await AskAsync($"/api/consents/{consent}/prepare-revocation", new { });
        Assert.Equal(HttpStatusCode.OK, (await AnswerAsync(question, passkey.Sign(question))).StatusCode);
    }

    public async Task<(byte[] Subject, byte[] NodeKey)> SubjectAsync() => (
        await Node.Database.ValueAsync<byte[]>("SELECT subject FROM consent_subject"), await Node.Database.ValueAsync<byte[]>("SELECT node_key FROM consent_subject"));

    public async Task<Authority> AuthorityAsync(byte[] subject, byte[] key) =>
        (await SubjectsContract.KeyOfAsync(Node.Chain.Rpc, Node.Chain.Contracts[ChainContract.Subjects], subject, key, BlockTag.Latest)).Authority;

    /// <summary>The one Consent resource, as it is stored.</summary>
    public async Task<string> DocumentAsync()
    {
        var id = await Node.Database.ValueAsync<string>("SELECT resource FROM consent");
        using var response = await Client.GetAsync($"/fhir/Consent/{id}", TestContext.Current.CancellationToken);
        return await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Consents.DisposeAsync();
    }
}
