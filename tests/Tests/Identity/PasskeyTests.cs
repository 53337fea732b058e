using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Salus.Platform.Identity;

namespace Salus.Tests.Identity;

public sealed class PasskeyTests
{
    const string Email = "ana@example.org";

    /// <summary>Lies that are refused at registration and at sign-in alike, and the fault that is named.</summary>
    static readonly Dictionary<string, Bend> Lies = new()
    {
        ["OtherType"] = new() { Type = "payment.get" },
        ["OtherChallenge"] = new() { Challenge = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" },
        ["OtherOrigin"] = new() { Origin = "http://localhost.example" },
        ["OtherOrigin, framed"] = new() { CrossOrigin = true },
        ["OtherRelyingParty"] = new() { RelyingParty = "example.org" },
        ["UserNotPresent"] = new() { Flags = 0x04 },
        ["UserNotVerified"] = new() { Flags = 0x01 },
    };

    public static TheoryData<string> LieNames => [.. Lies.Keys];

    [Fact]
    public async Task A_passkey_that_was_added_signs_in_until_it_is_removed_and_its_sessions_end_with_it()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        using var passkey = new SoftwarePasskey();
        var client = await node.SignedInAsync(Email);
        await AddAsync(client, passkey, "My phone");

        var other = node.Client();
        Assert.Equal(HttpStatusCode.OK, (await SignInAsync(other, passkey)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/api/account")).StatusCode);
        var listed = Assert.Single((await TestClient.ReadAsync(await client.GetAsync("/api/account/passkeys"))).EnumerateArray().ToArray());
        Assert.Equal("My phone", listed.GetProperty("name").GetString());
        Assert.NotEqual(JsonValueKind.Null, listed.GetProperty("used").ValueKind);

        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync($"/api/account/passkeys/{listed.GetProperty("id").GetString()}")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await other.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/api/account")).StatusCode);
        await RequireFaultAsync("UnknownPasskey", await SignInAsync(node.Client(), passkey));
        Assert.Contains(node.Events, happened => happened.Kind == SecurityEventKind.PasskeyAdded);
        Assert.Contains(node.Events, happened => happened.Kind == SecurityEventKind.PasskeyRemoved);
    }

    [Fact]
    public async Task A_name_is_changed_by_its_holder_alone_and_stands_nowhere_in_the_clear()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        await node.CreateAsync("eve@example.org", Role.Practitioner);
        using var passkey = new SoftwarePasskey();
        var client = await node.SignedInAsync(Email);
        await AddAsync(client, passkey, "Quillfeather phone");
        var id = (await TestClient.ReadAsync(await client.GetAsync("/api/account/passkeys")))[0].GetProperty("id").GetString();
        var eve = await node.SignedInAsync("eve@example.org");
        Assert.Equal(HttpStatusCode.NotFound, (await eve.PutAsync($"/api/account/passkeys/{id}", new { name = "Mine" })).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await eve.DeleteAsync($"/api/account/passkeys/{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await client.PutAsync($"/api/account/passkeys/{id}", new { name = " " })).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await client.PutAsync($"/api/account/passkeys/{id}", new { name = "Work phone" })).StatusCode);
        Assert.Equal("Work phone", (await TestClient.ReadAsync(await client.GetAsync("/api/account/passkeys")))[0].GetProperty("name").GetString());
        Assert.Equal(0, await node.CountAsync("SELECT count(*) FROM passkey WHERE position('phone'::bytea in name) > 0"));
        Assert.Equal(HttpStatusCode.OK, (await SignInAsync(node.Client(), passkey)).StatusCode);
    }

    [Theory]
    [MemberData(nameof(LieNames))]
    public async Task A_sign_in_that_lies_is_refused_with_its_fault_and_the_honest_one_after_it_is_not(string lie)
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        using var passkey = new SoftwarePasskey();
        await AddAsync(await node.SignedInAsync(Email), passkey);
        await RequireFaultAsync(lie.Split(',')[0], await SignInAsync(node.Client(), passkey, Lies[lie]));
        Assert.Equal(HttpStatusCode.OK, (await SignInAsync(node.Client(), passkey)).StatusCode);
    }

    [Theory]
    [MemberData(nameof(LieNames))]
    public async Task A_registration_that_lies_is_refused_with_its_fault(string lie)
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        using var passkey = new SoftwarePasskey();
        var client = await node.SignedInAsync(Email);
        await RequireFaultAsync(lie.Split(',')[0], await TryAddAsync(client, passkey, Lies[lie]));
        await RequireFaultAsync("UnknownPasskey", await SignInAsync(node.Client(), passkey));
    }

    [Fact]
    public async Task Keys_that_the_chain_cannot_check_and_attestations_are_refused()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        using var passkey = new SoftwarePasskey();
        var client = await node.SignedInAsync(Email);
        await RequireFaultAsync("OtherAlgorithm", await TryAddAsync(client, passkey, new Bend { Algorithm = -257 }));
        await RequireFaultAsync("OtherAlgorithm", await TryAddAsync(client, passkey, new Bend { OffCurve = true }));
        await RequireFaultAsync("Attested", await TryAddAsync(client, passkey, new Bend { Format = "packed" }));
    }

    [Fact]
    public async Task A_truncated_or_prolonged_attestation_is_refused_wherever_it_is_cut()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        using var passkey = new SoftwarePasskey();
        var client = await node.SignedInAsync(Email);
        var whole = passkey.Attestation(new Bend());
        foreach (var attestation in Enumerable.Range(1, 12).Select(part => whole[..(whole.Length * part / 13)]).Append([.. whole, 0]).Append(RandomNumberGenerator.GetBytes(200)))
        {
            var question = await PrepareAsync(client);
            var response = await client.PostAsync("/api/account/passkeys", new
            {
                attempt = question.GetProperty("attempt").GetString(), name = "Cut",
                credential = passkey.Message(SoftwarePasskey.ClientData("webauthn.create", question, new Bend()), attestation),
            });
            Assert.Equal(HttpStatusCode.UnprocessableEntity, response.StatusCode);
        }
        Assert.Equal(0, await node.CountAsync("SELECT count(*) FROM passkey"));
    }

    [Fact]
    public async Task The_same_assertion_never_works_twice_and_a_failed_answer_uses_the_challenge_up()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        using var passkey = new SoftwarePasskey();
        await AddAsync(await node.SignedInAsync(Email), passkey);
        var client = node.Client();
        var question = await TestClient.ReadAsync(await client.PostAsync("/api/sign-in/passkey/prepare"));
        var answer = Answer(question, passkey.Sign(question));
        var both = await Task.WhenAll(node.Client().PostAsync("/api/sign-in/passkey", answer), node.Client().PostAsync("/api/sign-in/passkey", answer));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.Unauthorized], both.Select(response => response.StatusCode).Order());
        await RequireFaultAsync("Expired", await client.PostAsync("/api/sign-in/passkey", answer));

        question = await TestClient.ReadAsync(await client.PostAsync("/api/sign-in/passkey/prepare"));
        await RequireFaultAsync("UserNotVerified", await client.PostAsync("/api/sign-in/passkey", Answer(question, passkey.Sign(question, new Bend { Flags = 1 }))));
        await RequireFaultAsync("Expired", await client.PostAsync("/api/sign-in/passkey", Answer(question, passkey.Sign(question))));
        Assert.Equal(0, await node.CountAsync("SELECT count(*) FROM passkey_challenge"));
    }

    [Fact]
    public async Task A_challenge_counts_for_ten_minutes_for_its_kind_and_for_its_account()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        await node.CreateAsync("eve@example.org", Role.Practitioner);
        using var passkey = new SoftwarePasskey();
        var (client, eve) = (await node.SignedInAsync(Email), await node.SignedInAsync("eve@example.org"));
        var question = await PrepareAsync(client);
        await RequireFaultAsync("Expired", await eve.PostAsync("/api/account/passkeys", New(question, passkey.Make(question))));
        question = await PrepareAsync(client);
        node.Clock.Advance(TimeSpan.FromMinutes(10));
        await RequireFaultAsync("Expired", await client.PostAsync("/api/account/passkeys", New(question, passkey.Make(question))));
        await AddAsync(client, passkey);

        question = await TestClient.ReadAsync(await client.PostAsync("/api/sign-in/passkey/prepare"));
        node.Clock.Advance(TimeSpan.FromMinutes(10));
        await RequireFaultAsync("Expired", await node.Client().PostAsync("/api/sign-in/passkey", Answer(question, passkey.Sign(question))));
        question = await PrepareAsync(client);
        await RequireFaultAsync("Expired", await node.Client().PostAsync("/api/sign-in/passkey", Answer(question, passkey.Sign(question))));
    }

    [Fact]
    public async Task Another_key_under_the_same_credential_is_refused()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        using var passkey = new SoftwarePasskey();
        await AddAsync(await node.SignedInAsync(Email), passkey);
        using var forged = new SoftwarePasskey { Id = passkey.Id };
        await RequireFaultAsync("BadSignature", await SignInAsync(node.Client(), forged));
        await RequireFaultAsync("KnownPasskey", await TryAddAsync(await node.SignedInAsync(Email), forged));
    }

    [Fact]
    public async Task A_counter_that_goes_back_is_refused_and_reported()
    {
        await using var node = await IdentityNode.StartAsync();
        var account = await node.CreateAsync(Email, Role.Practitioner);
        using var passkey = new SoftwarePasskey { Counter = 7 };
        await AddAsync(await node.SignedInAsync(Email), passkey);
        passkey.Counter = 8;
        Assert.Equal(HttpStatusCode.OK, (await SignInAsync(node.Client(), passkey)).StatusCode);
        await RequireFaultAsync("CounterWentBack", await SignInAsync(node.Client(), passkey));
        Assert.Contains(node.Events, happened => happened.Kind == SecurityEventKind.PasskeyCounterWentBack && happened.Account == account);
    }

    [Fact]
    public async Task A_session_left_open_adds_no_passkey_without_the_password()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        var client = await node.SignedInAsync(Email);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.PostAsync("/api/account/passkeys/prepare", new { password = "wrong harbour tractor" })).StatusCode);
        Assert.Equal(0, await node.CountAsync("SELECT count(*) FROM passkey_challenge"));
        Assert.Contains(node.Events, happened => happened.Kind == SecurityEventKind.SignInFailed);
    }

    [Fact]
    public async Task A_disabled_account_is_not_entered_by_passkey_and_one_locked_by_wrong_passwords_is()
    {
        await using var node = await IdentityNode.StartAsync(("FailuresMax", 1));
        var account = await node.CreateAsync(Email, Role.Practitioner);
        var administrator = await node.CreateAsync("root@example.org", Role.Administrator);
        using var passkey = new SoftwarePasskey();
        await AddAsync(await node.SignedInAsync(Email), passkey);
        await node.Client().PostAsync("/api/sign-in", new { email = Email, password = "wrong harbour tractor" });
        Assert.Equal(HttpStatusCode.TooManyRequests, (await node.Client().PostAsync("/api/sign-in", new { email = Email, password = IdentityNode.Password })).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await SignInAsync(node.Client(), passkey)).StatusCode);
        Assert.True(await node.Accounts.DisableAsync(administrator, account, TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.Unauthorized, (await SignInAsync(node.Client(), passkey)).StatusCode);
    }

    [Theory]
    [InlineData("UPDATE passkey SET account = (SELECT id FROM account WHERE id <> passkey.account)")]
    [InlineData("UPDATE passkey SET public_key = decode(repeat('ab', 64), 'hex')")]
    [InlineData("UPDATE passkey SET public_key = decode('ab', 'hex')")]
    [InlineData("UPDATE passkey SET credential = decode(repeat('01', 32), 'hex')")]
    public async Task A_passkey_that_was_altered_in_the_database_opens_nothing(string attack)
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        await node.CreateAsync("eve@example.org", Role.Administrator);
        using var passkey = new SoftwarePasskey();
        using var moved = new SoftwarePasskey { Id = [.. Enumerable.Repeat((byte)1, 32)] };
        await AddAsync(await node.SignedInAsync(Email), passkey);
        await node.AttackAsync(attack);
        await RequireFaultAsync("UnknownPasskey", await SignInAsync(node.Client(), passkey));
        await RequireFaultAsync("UnknownPasskey", await SignInAsync(node.Client(), moved));
        Assert.Contains(node.Events, happened => happened.Kind == SecurityEventKind.RowAltered);
        Assert.Contains(await node.Get<IdentityTables>().FindAlteredAsync(TestContext.Current.CancellationToken), row => row.Table == "passkey");
    }

    [Fact]
    public async Task A_challenge_that_was_prolonged_or_put_back_in_the_database_counts_no_more()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        using var passkey = new SoftwarePasskey();
        await AddAsync(await node.SignedInAsync(Email), passkey);
        var question = await TestClient.ReadAsync(await node.Client().PostAsync("/api/sign-in/passkey/prepare"));
        await node.AttackAsync("UPDATE passkey_challenge SET expires = expires + interval '1 day'");
        node.Clock.Advance(TimeSpan.FromMinutes(11));
        await RequireFaultAsync("Expired", await node.Client().PostAsync("/api/sign-in/passkey", Answer(question, passkey.Sign(question))));
    }

    static object New(JsonElement question, object credential) => new { attempt = question.GetProperty("attempt").GetString(), name = "A phone", credential };

    static object Answer(JsonElement question, object credential) => new { attempt = question.GetProperty("attempt").GetString(), credential };

    static async Task<JsonElement> PrepareAsync(TestClient client) =>
        await TestClient.ReadAsync(await client.PostAsync("/api/account/passkeys/prepare", new { password = IdentityNode.Password }));

    static async Task<HttpResponseMessage> TryAddAsync(TestClient client, SoftwarePasskey passkey, Bend? bend = null)
    {
        var question = await PrepareAsync(client);
        return await client.PostAsync("/api/account/passkeys", New(question, passkey.Make(question, bend)));
    }

    static async Task AddAsync(TestClient client, SoftwarePasskey passkey, string name = "A phone")
    {
        var question = await PrepareAsync(client);
        Assert.Equal("required", question.GetProperty("options").GetProperty("authenticatorSelection").GetProperty("userVerification").GetString());
        Assert.Equal(-7, Assert.Single(question.GetProperty("options").GetProperty("pubKeyCredParams").EnumerateArray().ToArray()).GetProperty("alg").GetInt32());
        var response = await client.PostAsync("/api/account/passkeys", new { attempt = question.GetProperty("attempt").GetString(), name, credential = passkey.Make(question) });
        Assert.True(response.StatusCode == HttpStatusCode.NoContent, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    static async Task<HttpResponseMessage> SignInAsync(TestClient client, SoftwarePasskey passkey, Bend? bend = null)
    {
        var question = await TestClient.ReadAsync(await client.PostAsync("/api/sign-in/passkey/prepare"));
        Assert.Equal(0, question.GetProperty("options").GetProperty("allowCredentials").GetArrayLength());
        return await client.PostAsync("/api/sign-in/passkey", Answer(question, passkey.Sign(question, bend)));
    }

    static async Task RequireFaultAsync(string fault, HttpResponseMessage response)
    {
        Assert.True(response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.UnprocessableEntity or HttpStatusCode.Conflict, $"{response.StatusCode}");
        Assert.Equal(fault, (await TestClient.ReadAsync(response)).GetProperty("fault").GetString());
    }
}
