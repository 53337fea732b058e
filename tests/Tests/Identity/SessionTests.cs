using System.Net;
using Salus.Platform.Identity;
using Xunit;

namespace Salus.Tests.Identity;

public sealed class SessionTests
{
    const string Email = "ana@example.org";

    [Fact]
    public async Task A_cookie_with_one_character_changed_is_refused()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        var cookie = (await node.SignedInAsync(Email)).Cookies.Single(one => one.Name == "salus").Value;
        async Task<HttpStatusCode> AskAsync(string value)
        {
            var client = node.Client();
            client.SetCookie("salus", value);
            return (await client.GetAsync("/api/account")).StatusCode;
        }
        Assert.Equal(HttpStatusCode.OK, await AskAsync(cookie));
        var middle = cookie.Length / 2;
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(cookie[..middle] + (cookie[middle] == 'A' ? 'B' : 'A') + cookie[(middle + 1)..]));
        Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(cookie[..middle]));
    }

    [Fact]
    public async Task An_unsafe_request_on_a_cookie_needs_the_antiforgery_token_and_one_on_a_bearer_token_does_not()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Administrator);
        var client = await node.SignedInAsync(Email);
        Assert.Equal(HttpStatusCode.Created, (await client.PostAsync("/api/invitations", new { role = "Auditor" })).StatusCode);
        client.SetHeader("X-Salus-Antiforgery", null);
        Assert.Equal(HttpStatusCode.BadRequest, (await client.PostAsync("/api/invitations", new { role = "Auditor" })).StatusCode);
        client.SetHeader("X-Salus-Antiforgery", "CfDJ8AAAA");
        Assert.Equal(HttpStatusCode.BadRequest, (await client.PostAsync("/api/invitations", new { role = "Auditor" })).StatusCode);
        Assert.Equal(1, await node.CountAsync("SELECT count(*) FROM invitation"));
        var bearer = await node.BearerAsync(Email);
        Assert.Equal(HttpStatusCode.Created, (await bearer.PostAsync("/api/invitations", new { role = "Auditor" })).StatusCode);
    }

    [Fact]
    public async Task A_sign_in_sent_from_another_site_is_refused()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Patient);
        var client = node.Client();
        client.SetHeader("Sec-Fetch-Site", "cross-site");
        Assert.Equal(HttpStatusCode.Forbidden, (await client.PostAsync("/api/sign-in", new { email = Email, password = IdentityNode.Password })).StatusCode);
        Assert.Empty(client.Cookies);
    }

    [Fact]
    public async Task A_token_ends_when_it_is_revoked_when_it_expires_and_when_the_account_is_disabled()
    {
        await using var node = await IdentityNode.StartAsync(("TokenHours", 8));
        var account = await node.CreateAsync(Email, Role.Practitioner);
        var administrator = await node.CreateAsync("root@example.org", Role.Administrator);
        var (revoked, expired, disabled) = (await node.BearerAsync(Email), await node.BearerAsync(Email), await node.BearerAsync(Email));
        Assert.Equal(HttpStatusCode.OK, (await revoked.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await revoked.DeleteAsync("/api/token")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await revoked.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await expired.GetAsync("/api/account")).StatusCode);
        node.Clock.Advance(TimeSpan.FromHours(8));
        Assert.Equal(HttpStatusCode.Unauthorized, (await expired.GetAsync("/api/account")).StatusCode);
        disabled = await node.BearerAsync(Email);
        Assert.Equal(HttpStatusCode.OK, (await disabled.GetAsync("/api/account")).StatusCode);
        Assert.True(await node.Accounts.DisableAsync(administrator, account, TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.Unauthorized, (await disabled.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.Client().PostAsync("/api/token", new { email = Email, password = IdentityNode.Password })).StatusCode);
    }

    [Fact]
    public async Task A_changed_password_ends_every_other_session_and_token_and_keeps_this_one()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        var (here, elsewhere, bearer) = (await node.SignedInAsync(Email), await node.SignedInAsync(Email), await node.BearerAsync(Email));
        Assert.Equal(HttpStatusCode.Forbidden, (await here.PostAsync("/api/account/password", new { password = "wrong", newPassword = "meadow lantern copper" })).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent,
            (await here.PostAsync("/api/account/password", new { password = IdentityNode.Password, newPassword = "meadow lantern copper" })).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await here.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await elsewhere.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await bearer.GetAsync("/api/account")).StatusCode);
    }

    [Fact]
    public async Task A_copied_cookie_opens_nothing_once_its_session_was_signed_out_and_other_sessions_go_on()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        var (here, elsewhere, bearer) = (await node.SignedInAsync(Email), await node.SignedInAsync(Email), await node.BearerAsync(Email));
        var thief = node.Client();
        thief.SetCookie("salus", here.Cookies.Single(one => one.Name == "salus").Value);
        Assert.Equal(HttpStatusCode.OK, (await thief.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await here.PostAsync("/api/sign-out")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await thief.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await thief.GetAsync("/page")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await elsewhere.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await bearer.GetAsync("/api/account")).StatusCode);
    }

    [Fact]
    public async Task Signing_out_everywhere_ends_every_session_and_token_of_the_account_and_of_no_other()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        await node.CreateAsync("root@example.org", Role.Administrator);
        var (here, elsewhere, bearer, other) =
            (await node.SignedInAsync(Email), await node.SignedInAsync(Email), await node.BearerAsync(Email), await node.SignedInAsync("root@example.org"));
        Assert.Equal(HttpStatusCode.NoContent, (await here.PostAsync("/api/sign-out/everywhere")).StatusCode);
        foreach (var client in (TestClient[])[here, elsewhere, bearer])
        {
            Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/account")).StatusCode);
        }
        Assert.Equal(HttpStatusCode.OK, (await other.GetAsync("/api/account")).StatusCode);
        Assert.Contains(node.Events, happened => happened.Kind == SecurityEventKind.SignedOutEverywhere);
        await node.SignedInAsync(Email);
    }

    [Fact]
    public async Task A_session_in_use_lives_on_and_an_unused_one_ends()
    {
        await using var node = await IdentityNode.StartAsync(("SessionHours", 8));
        await node.CreateAsync(Email, Role.Practitioner);
        var (used, unused) = (await node.SignedInAsync(Email), await node.SignedInAsync(Email));
        for (var hours = 5; hours <= 15; hours += 5)
        {
            node.Clock.Advance(TimeSpan.FromHours(5));
            Assert.Equal(HttpStatusCode.OK, (await used.GetAsync("/api/account")).StatusCode);
        }
        Assert.Equal(HttpStatusCode.Unauthorized, (await unused.GetAsync("/api/account")).StatusCode);
    }

    [Fact]
    public async Task A_second_factor_put_on_or_taken_off_ends_every_other_session_and_token_and_keeps_this_one()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        var (here, elsewhere, bearer) = (await node.SignedInAsync(Email), await node.SignedInAsync(Email), await node.BearerAsync(Email));
        var (code, recovery) = await node.EnableSecondFactorAsync(here);
        Assert.Equal(HttpStatusCode.OK, (await here.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await elsewhere.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await bearer.GetAsync("/api/account")).StatusCode);

        var another = node.Client();
        Assert.Equal(HttpStatusCode.OK, (await another.PostAsync("/api/sign-in", new { email = Email, password = IdentityNode.Password, code = recovery[0] })).StatusCode);
        node.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(HttpStatusCode.NoContent, (await here.DeleteAsync("/api/account/second-factor", new { code = code() })).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await here.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await another.GetAsync("/api/account")).StatusCode);
    }

    [Fact]
    public async Task Credentials_that_were_right_a_moment_before_the_password_changed_give_no_token_and_no_session()
    {
        await using var node = await IdentityNode.StartAsync();
        var account = await node.CreateAsync(Email, Role.Practitioner);
        var signIns = node.Get<SignInDesk>();
        var before = Assert.IsType<SignInOutcome.SignedIn>(await signIns.SignInAsync(Email, IdentityNode.Password, null, default)).Entrance;
        Assert.NotNull(await node.Get<TokenDesk>().IssueAsync(before, default));
        Assert.IsType<PasswordOutcome.Changed>(await signIns.ChangePasswordAsync(account, IdentityNode.Password, "meadow lantern copper", Email, "Zebedee Quillfeather", default));
        Assert.Null(await node.Get<TokenDesk>().IssueAsync(before, default));
        Assert.Equal(0, await node.CountAsync("SELECT count(*) FROM access_token"));
    }

    [Fact]
    public async Task Tokens_asked_for_while_the_password_changes_end_with_the_old_password()
    {
        await using var node = await IdentityNode.StartAsync(("FailuresMax", 100));
        await node.CreateAsync(Email, Role.Practitioner);
        var here = await node.SignedInAsync(Email);
        var asking = Enumerable.Range(0, 12).Select(_ => node.Client().PostAsync("/api/token", new { email = Email, password = IdentityNode.Password })).ToList();
        Assert.Equal(HttpStatusCode.NoContent,
            (await here.PostAsync("/api/account/password", new { password = IdentityNode.Password, newPassword = "meadow lantern copper" })).StatusCode);
        foreach (var answer in await Task.WhenAll(asking))
        {
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                var client = node.Client();
                client.SetHeader("Authorization", $"Bearer {(await TestClient.ReadAsync(answer)).GetProperty("accessToken").GetString()}");
                Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/account")).StatusCode);
            }
        }
        Assert.Equal(0, await node.CountAsync("SELECT count(*) FROM access_token WHERE kind = 1"));
    }

    [Fact]
    public async Task A_role_gets_only_what_its_work_needs_and_the_refusal_is_recorded()
    {
        await using var node = await IdentityNode.StartAsync();
        var practitioner = await node.CreateAsync(Email, Role.Practitioner);
        var client = await node.SignedInAsync(Email);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.GetAsync("/api/accounts")).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await client.PostAsync($"/api/patients/{IdentityNode.KnownPatient}/enrolment-code")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync("/api/patients/p-unknown/enrolment-code")).StatusCode);
        Assert.Contains(node.Events, happened => happened.Kind == SecurityEventKind.RoleRefused && happened.Account == practitioner);
        await node.CreateAsync("root@example.org", Role.Administrator);
        var administrator = await node.SignedInAsync("root@example.org");
        Assert.Equal(2, (await TestClient.ReadAsync(await administrator.GetAsync("/api/accounts"))).GetArrayLength());
        Assert.Equal(HttpStatusCode.Forbidden, (await administrator.PostAsync($"/api/patients/{IdentityNode.KnownPatient}/enrolment-code")).StatusCode);
    }
}
