using System.Net;
using Salus.Platform.Identity;
using Xunit;

namespace Salus.Tests.Identity;

public sealed class SignInTests
{
    const string Email = "ana@example.org";

    [Fact]
    public async Task A_session_opens_what_an_anonymous_request_does_not()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.Client().GetAsync("/api/account")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await node.Client().GetAsync("/fhir/Patient")).StatusCode);
        Assert.Equal(HttpStatusCode.Redirect, (await node.Client().GetAsync("/page")).StatusCode);
        var client = await node.SignedInAsync(" ANA@example.org ");
        Assert.Equal(Email, (await TestClient.ReadAsync(await client.GetAsync("/api/account"))).GetProperty("email").GetString());
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/fhir/Patient")).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await client.PostAsync("/api/sign-out")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync("/api/account")).StatusCode);
        Assert.Equal([SecurityEventKind.SignedUp, SecurityEventKind.SignedIn, SecurityEventKind.SignedOut], node.Events.Select(happened => happened.Kind));
    }

    [Fact]
    public async Task A_refusal_on_a_FHIR_route_is_an_OperationOutcome()
    {
        await using var node = await IdentityNode.StartAsync();
        var refusal = await TestClient.ReadAsync(await node.Client().GetAsync("/fhir/Patient"));
        Assert.Equal("OperationOutcome", refusal.GetProperty("resourceType").GetString());
        Assert.Equal("login", refusal.GetProperty("issue")[0].GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_wrong_password_and_an_unknown_email_are_refused_in_the_same_words()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        var wrong = await node.Client().PostAsync("/api/sign-in", new { email = Email, password = "harbour violet tracto" });
        var unknown = await node.Client().PostAsync("/api/sign-in", new { email = "nobody@example.org", password = IdentityNode.Password });
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, unknown.StatusCode);
        Assert.Equal((await TestClient.ReadAsync(wrong)).GetProperty("title").GetString(), (await TestClient.ReadAsync(unknown)).GetProperty("title").GetString());
    }

    [Fact]
    public async Task Failures_in_a_row_lock_the_account_even_to_the_right_password_for_a_time_that_doubles()
    {
        await using var node = await IdentityNode.StartAsync(("FailuresMax", 2), ("LockoutMinutes", 15));
        await node.CreateAsync(Email, Role.Practitioner);
        async Task<HttpStatusCode> TryAsync(string password) => (await node.Client().PostAsync("/api/sign-in", new { email = Email, password })).StatusCode;
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync("wrong"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await TryAsync("wrong"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await TryAsync(IdentityNode.Password));
        node.Clock.Advance(TimeSpan.FromMinutes(16));
        Assert.Equal(HttpStatusCode.Unauthorized, await TryAsync("wrong"));
        Assert.Equal(HttpStatusCode.TooManyRequests, await TryAsync("wrong"));
        node.Clock.Advance(TimeSpan.FromMinutes(16));
        Assert.Equal(HttpStatusCode.TooManyRequests, await TryAsync(IdentityNode.Password));
        node.Clock.Advance(TimeSpan.FromMinutes(15));
        Assert.Equal(HttpStatusCode.OK, await TryAsync(IdentityNode.Password));
        Assert.Equal(2, node.Events.Count(happened => happened.Kind == SecurityEventKind.LockedOut));
    }

    [Fact]
    public async Task Parallel_guesses_share_one_count()
    {
        await using var node = await IdentityNode.StartAsync(("FailuresMax", 3));
        await node.CreateAsync(Email, Role.Practitioner);
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => node.Client().PostAsync("/api/sign-in", new { email = Email, password = "wrong" })));
        Assert.Equal(2, answers.Count(answer => answer.StatusCode == HttpStatusCode.Unauthorized));
        Assert.Equal(6, answers.Count(answer => answer.StatusCode == HttpStatusCode.TooManyRequests));
    }

    [Fact]
    public async Task A_second_factor_asks_for_a_code_takes_each_once_and_gives_way_to_a_recovery_code_once()
    {
        await using var node = await IdentityNode.StartAsync();
        await node.CreateAsync(Email, Role.Practitioner);
        var client = await node.SignedInAsync(Email);
        Assert.Equal(HttpStatusCode.Forbidden, (await client.PostAsync("/api/account/second-factor", new { password = "wrong" })).StatusCode);
        var begun = await TestClient.ReadAsync(await client.PostAsync("/api/account/second-factor", new { password = IdentityNode.Password }));
        Assert.Contains("<svg", begun.GetProperty("svg").GetString(), StringComparison.Ordinal);
        var secret = IdentityNode.FromBase32(begun.GetProperty("secret").GetString()!);
        string Code() => Totp.Code(secret, Totp.StepAt(node.Clock.GetUtcNow()));

        var enabled = await client.PostAsync("/api/account/second-factor/confirm", new { code = Code() });
        var recovery = (await TestClient.ReadAsync(enabled)).GetProperty("recoveryCodes")[0].GetString();

        var browser = node.Client();
        var asked = await browser.PostAsync("/api/sign-in", new { email = Email, password = IdentityNode.Password });
        Assert.Equal(HttpStatusCode.Unauthorized, asked.StatusCode);
        var ticket = (await TestClient.ReadAsync(asked)).GetProperty("ticket").GetString();
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.GetAsync("/api/account")).StatusCode);

        async Task<HttpStatusCode> CompleteAsync(string? ticket, string? code) =>
            (await node.Client().PostAsync("/api/sign-in/second-factor", new { ticket, code })).StatusCode;
        Assert.Equal(HttpStatusCode.Unauthorized, await CompleteAsync(ticket, Code())); // used to confirm
        node.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(HttpStatusCode.OK, await CompleteAsync(ticket, Code()));
        Assert.Equal(HttpStatusCode.Unauthorized, await CompleteAsync(ticket, Code())); // replayed
        Assert.Equal(HttpStatusCode.OK, await CompleteAsync(ticket, recovery));
        Assert.Equal(HttpStatusCode.Unauthorized, await CompleteAsync(ticket, recovery));
        node.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(HttpStatusCode.Unauthorized, await CompleteAsync("AAAA" + ticket![4..], Code()));
        node.Clock.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(HttpStatusCode.Unauthorized, await CompleteAsync(ticket, Code())); // the ticket is too old

        Assert.Equal(HttpStatusCode.OK, (await node.Client().PostAsync("/api/token", new { email = Email, password = IdentityNode.Password, code = Code() })).StatusCode);
        node.Clock.Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(HttpStatusCode.NoContent, (await client.DeleteAsync("/api/account/second-factor", new { code = Code() })).StatusCode);
        await node.SignedInAsync(Email);
    }

    [Fact]
    public async Task Knowing_the_password_does_not_reset_the_count_of_guessed_codes()
    {
        await using var node = await IdentityNode.StartAsync(("FailuresMax", 3));
        await node.CreateAsync(Email, Role.Practitioner);
        var client = await node.SignedInAsync(Email);
        var begun = await TestClient.ReadAsync(await client.PostAsync("/api/account/second-factor", new { password = IdentityNode.Password }));
        var secret = IdentityNode.FromBase32(begun.GetProperty("secret").GetString()!);
        await client.PostAsync("/api/account/second-factor/confirm", new { code = Totp.Code(secret, Totp.StepAt(node.Clock.GetUtcNow())) });
        List<HttpStatusCode> answers = [];
        for (var guess = 0; guess < 3; guess++)
        {
            answers.Add((await node.Client().PostAsync("/api/sign-in", new { email = Email, password = IdentityNode.Password, code = "not it" })).StatusCode);
        }
        Assert.Equal([HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests], answers);
    }

    [Fact]
    public async Task Attempts_beyond_the_limit_of_an_address_or_an_account_are_told_when_to_come_back()
    {
        await using var perAddress = await IdentityNode.StartAsync(("SignInsPerMinute", 1));
        await perAddress.Client().PostAsync("/api/sign-in", new { email = "a@example.org", password = "wrong" });
        var second = await perAddress.Client().PostAsync("/api/sign-in", new { email = "b@example.org", password = "wrong" });
        Assert.Equal(HttpStatusCode.TooManyRequests, second.StatusCode);
        Assert.NotNull(second.Headers.RetryAfter);
        Assert.Equal("application/problem+json", second.Content.Headers.ContentType?.MediaType);

        await using var perAccount = await IdentityNode.StartAsync(("SignInsPerMinutePerAccount", 1));
        await perAccount.Client().PostAsync("/api/token", new { email = "a@example.org", password = "wrong" });
        Assert.Equal(HttpStatusCode.TooManyRequests, (await perAccount.Client().PostAsync("/api/token", new { email = "A@example.org", password = "wrong" })).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await perAccount.Client().PostAsync("/api/token", new { email = "b@example.org", password = "wrong" })).StatusCode);
    }
}
