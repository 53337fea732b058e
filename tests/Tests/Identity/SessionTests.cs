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
        var bearer = await BearerAsync(node);
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
        var (revoked, expired, disabled) = (await BearerAsync(node), await BearerAsync(node), await BearerAsync(node));
        Assert.Equal(HttpStatusCode.OK, (await revoked.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await revoked.DeleteAsync("/api/token")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await revoked.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await expired.GetAsync("/api/account")).StatusCode);
        node.Clock.Advance(TimeSpan.FromHours(8));
        Assert.Equal(HttpStatusCode.Unauthorized, (await expired.GetAsync("/api/account")).StatusCode);
        disabled = await BearerAsync(node);
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
        var (here, elsewhere, bearer) = (await node.SignedInAsync(Email), await node.SignedInAsync(Email), await BearerAsync(node));
        Assert.Equal(HttpStatusCode.Forbidden, (await here.PostAsync("/api/account/password", new { password = "wrong", newPassword = "meadow lantern copper" })).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent,
            (await here.PostAsync("/api/account/password", new { password = IdentityNode.Password, newPassword = "meadow lantern copper" })).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await here.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await elsewhere.GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await bearer.GetAsync("/api/account")).StatusCode);
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

    static async Task<TestClient> BearerAsync(IdentityNode node)
    {
        var client = node.Client();
        var issued = await TestClient.ReadAsync(await client.PostAsync("/api/token", new { email = Email, password = IdentityNode.Password }));
        client.SetHeader("Authorization", $"Bearer {issued.GetProperty("accessToken").GetString()}");
        return client;
    }
}
