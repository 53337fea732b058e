using System.Net;
using System.Text.Json;
using Salus.Platform.Identity;
using Xunit;

namespace Salus.Tests.Identity;

public sealed class SecondFactorResetTests
{
    const string Email = "ana@example.org";
    const string Root = "root@example.org";

    [Fact]
    public async Task An_administrator_resets_a_lost_second_factor_and_its_holder_is_told_until_they_say_that_they_know()
    {
        await using var node = await IdentityNode.StartAsync();
        var account = await node.CreateAsync(Email, Role.Practitioner);
        var administrator = await node.CreateAsync(Root, Role.Administrator);
        var holder = await node.SignedInAsync(Email);
        var (_, recovery) = await node.EnableSecondFactorAsync(holder);
        var root = await node.SignedInAsync(Root);
        Assert.Equal(HttpStatusCode.NoContent, (await root.PostAsync($"/api/accounts/{account}/reset-second-factor")).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await root.PostAsync($"/api/accounts/{account}/reset-second-factor")).StatusCode);
        Assert.Contains(node.Events, happened => happened.Kind == SecurityEventKind.SecondFactorReset && happened.Account == account && happened.By == administrator);
        Assert.Equal(HttpStatusCode.Unauthorized, (await holder.GetAsync("/api/account")).StatusCode);
        Assert.Equal(0, await node.CountAsync("SELECT count(*) FROM recovery_code"));

        var browser = node.Client();
        async Task<JsonElement> SignInAsync() => await TestClient.ReadAsync(await browser.PostAsync("/api/sign-in", new { email = Email, password = IdentityNode.Password }));
        Assert.Equal(JsonValueKind.String, (await SignInAsync()).GetProperty("secondFactorReset").ValueKind);
        await browser.ArmAsync();
        Assert.Equal(JsonValueKind.String, (await TestClient.ReadAsync(await browser.GetAsync("/api/account"))).GetProperty("secondFactorReset").ValueKind);
        Assert.Equal(HttpStatusCode.NoContent, (await browser.PostAsync("/api/account/second-factor/acknowledge")).StatusCode);
        Assert.Equal(JsonValueKind.Null, (await TestClient.ReadAsync(await browser.GetAsync("/api/account"))).GetProperty("secondFactorReset").ValueKind);

        await node.EnableSecondFactorAsync(browser);
        Assert.Equal(HttpStatusCode.Unauthorized,
            (await node.Client().PostAsync("/api/sign-in", new { email = Email, password = IdentityNode.Password, code = recovery[0] })).StatusCode);
    }

    [Fact]
    public async Task Nobody_resets_their_own_second_factor_and_no_other_role_resets_any()
    {
        await using var node = await IdentityNode.StartAsync();
        var administrator = await node.CreateAsync(Root, Role.Administrator);
        await node.CreateAsync(Email, Role.Practitioner);
        var root = await node.SignedInAsync(Root);
        await node.EnableSecondFactorAsync(root);
        Assert.Equal(HttpStatusCode.Conflict, (await root.PostAsync($"/api/accounts/{administrator}/reset-second-factor")).StatusCode);
        var practitioner = await node.SignedInAsync(Email);
        Assert.Equal(HttpStatusCode.Forbidden, (await practitioner.PostAsync($"/api/accounts/{administrator}/reset-second-factor")).StatusCode);
        Assert.True((await TestClient.ReadAsync(await root.GetAsync("/api/account"))).GetProperty("secondFactor").GetBoolean());
    }
}
