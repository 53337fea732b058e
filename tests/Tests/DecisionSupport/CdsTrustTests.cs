using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Salus.Platform.Audit;
using Salus.Platform.DecisionSupport;
using Salus.Platform.Identity;
using Salus.Tests.Platform;
using static Salus.Tests.DecisionSupport.OtherSystem;

namespace Salus.Tests.DecisionSupport;

/// <summary>Attacks on the door through which other systems come.</summary>
[Collection(CdsNode.Name)]
public sealed class CdsTrustTests(CdsNode shared)
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Forgeries =>
    [
        "no token", "no JSON", "four parts", "algorithm none", "HS256 with the public key", "another key", "another key under jku", "an embedded key", "a bent signature", "no signature",
        "another algorithm of the same key", "wrong address", "address of the name that was called", "expired", "no expiry", "lasting too long", "issued in the future", "no name", "no address", "unknown issuer", "a member twice", "an extension that must be understood",
        "unknown kid", "a token of an account that is none",
    ];

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task A_forged_token_opens_nothing(string forgery)
    {
        using var client = await shared.Node.ClientAsync();
        using var request = Request(HttpMethod.Post, Service, Forged(forgery, client.BaseAddress!), Call());
        using var response = await client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
        Assert.DoesNotContain("cards", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
    }

    string? Forged(string forgery, Uri called)
    {
        var (system, now) = (shared.System, shared.Now);
        using var other = new OtherSystem(system.Issuer);
        string Of(Action<JsonObject>? claims = null, Action<JsonObject>? header = null, Func<byte[], byte[]>? sign = null) => system.Token(now, Service, claims, header, sign);
        return forgery switch
        {
            "no token" => null,
            "no JSON" => "e30.e30.e30",
            "four parts" => Of() + ".e30",
            "algorithm none" => Of(header: head => head["alg"] = "none", sign: _ => [0]),
            "HS256 with the public key" => Of(header: head => head["alg"] = "HS256", sign: data => HMACSHA256.HashData(Encoding.ASCII.GetBytes(system.Pem), data)),
            "another key" => other.Token(now),
            "another key under jku" => other.Token(now, header: head => head["jku"] = "https://evil.example.org/keys"),
            "an embedded key" => other.Token(now, header: head => head["jwk"] = other.Jwk("first")),
            "a bent signature" => Of()[..^8] + "AAAAAAAA",
            "no signature" => Of()[..(Of().LastIndexOf('.') + 1)],
            "another algorithm of the same key" => Of(header: head => head["alg"] = "ES256"),
            "wrong address" => Of(claims => claims["aud"] = $"{Origin}/cds-services/another"),
            "address of the name that was called" => Of(claims => claims["aud"] = new Uri(called, Service).ToString()),
            "expired" => system.Token(now.AddMinutes(-6)),
            "no expiry" => Of(claims => claims.Remove("exp")),
            "lasting too long" => Of(claims => claims["exp"] = now.AddMinutes(6).ToUnixTimeSeconds()),
            "issued in the future" => system.Token(now.AddMinutes(2)),
            "no name" => Of(claims => claims.Remove("jti")),
            "no address" => Of(claims => claims.Remove("aud")),
            "unknown issuer" => Of(claims => claims["iss"] = "https://stranger.example.org"),
            "a member twice" => Twice(system, now),
            "an extension that must be understood" => Of(header: head => head["crit"] = new JsonArray("exp")),
            "unknown kid" => Of(header: head => head["kid"] = "second"),
            _ => "salus_" + new string('a', 43),
        };
    }

    static string Twice(OtherSystem system, DateTimeOffset now)
    {
        // The same claims, the issuer before them once more: signed by the same key all the same.
        var parts = system.Token(now).Split('.');
        var claims = Encoding.UTF8.GetString(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1]));
        var twice = System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes("{\"iss\":\"https://stranger.example.org\"," + claims[1..]));
        return system.Token(now, sign: _ => [1]).Split('.') is [var head, _, _] ? $"{head}.{twice}.{system.SignatureOver($"{head}.{twice}")}" : "";
    }

    [Fact]
    public async Task A_token_counts_once_at_one_address()
    {
        using var client = await shared.Node.ClientAsync();
        var token = shared.System.Token(shared.Now);
        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(Request(HttpMethod.Post, Service, token, Call()), Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.SendAsync(Request(HttpMethod.Post, Service, token, Call()), Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.SendAsync(Request(HttpMethod.Post, $"{Service}/feedback", shared.System.Token(shared.Now), new JsonObject()), Cancellation)).StatusCode);
        Assert.Contains(await shared.Node.Get<AuditTrail>().ListAsync(null, 5, Cancellation), line => line.Fact is { Action: AuditAction.Systems, Succeeded: false } && line.Fact.Detail!.Contains("used before", StringComparison.Ordinal));

        var at = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ => (await client.SendAsync(Request(HttpMethod.Post, Service, token, Call()), Cancellation)).StatusCode));
        Assert.All(at, status => Assert.Equal(HttpStatusCode.Unauthorized, status));
        var fresh = shared.System.Token(shared.Now);
        at = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ => (await client.SendAsync(Request(HttpMethod.Post, Service, fresh, Call()), Cancellation)).StatusCode));
        Assert.Single(at, HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("ES256")]
    [InlineData("RS384")]
    public async Task Each_system_comes_with_its_own_key_until_it_is_withdrawn_for_good(string algorithm)
    {
        using var system = new OtherSystem($"https://{algorithm}.example.org", algorithm);
        using var client = await shared.Node.ClientAsync();
        var registered = await shared.RegisterAsync(system);
        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync(Request(HttpMethod.Post, Service, system.Token(shared.Now, claims: claims => claims["aud"] = new JsonArray("https://elsewhere.example.org", Origin + Service)), Call()), Cancellation)).StatusCode);
        // A system's key under the name of another opens nothing.
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.SendAsync(Request(HttpMethod.Post, Service, system.Token(shared.Now, claims: claims => claims["iss"] = shared.System.Issuer), Call()), Cancellation)).StatusCode);

        var desk = shared.Node.Get<CdsClientDesk>();
        Assert.IsType<CdsClientOutcome.Done>(await desk.WithdrawAsync(shared.Administrator, registered.Id, Cancellation));
        Assert.IsType<CdsClientOutcome.Unknown>(await desk.WithdrawAsync(shared.Administrator, registered.Id, Cancellation));
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.SendAsync(Request(HttpMethod.Post, Service, system.Token(shared.Now), Call()), Cancellation)).StatusCode);
        // Nor does it come back by the hand of somebody who writes to the database.
        await shared.Node.Database.ExecuteAsync("UPDATE cds_client SET withdrawn = NULL, withdrawn_by = NULL WHERE id = $1", registered.Id);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.SendAsync(Request(HttpMethod.Post, Service, system.Token(shared.Now), Call()), Cancellation)).StatusCode);
        await shared.Node.Database.ExecuteAsync("DELETE FROM cds_client WHERE id = $1", registered.Id);
    }

    [Fact]
    public async Task A_key_that_was_put_into_the_database_opens_nothing()
    {
        using var forger = new OtherSystem("https://forger.example.org");
        using var client = await shared.Node.ClientAsync();
        await shared.Node.Database.ExecuteAsync(
            "INSERT INTO cds_client SELECT gen_random_uuid(), name, $1, $2, origins, registered, registered_by, NULL, NULL, binding FROM cds_client WHERE id = $3",
            forger.Issuer, System.Text.Json.JsonSerializer.Serialize(CdsKey.ReadAll(forger.Jwks())), shared.SystemId);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.SendAsync(Request(HttpMethod.Post, Service, forger.Token(shared.Now), Call()), Cancellation)).StatusCode);
        Assert.DoesNotContain(await shared.Node.Get<CdsClientDesk>().ListAsync(Cancellation), known => known.Issuer == forger.Issuer);
    }

    [Fact]
    public async Task What_is_larger_than_a_call_may_be_is_not_read()
    {
        using var client = await shared.Node.ClientAsync();
        var call = Call();
        call["extension"] = new string('a', 9 << 20);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await client.SendAsync(Request(HttpMethod.Post, Service, shared.System.Token(shared.Now), call), Cancellation)).StatusCode);
        using var chunked = Request(HttpMethod.Post, Service, shared.System.Token(shared.Now), call);
        chunked.Headers.TransferEncodingChunked = true;
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await client.SendAsync(chunked, Cancellation)).StatusCode);
    }

    [Fact]
    public async Task A_patient_of_this_hospital_is_not_opened_for_another_system()
    {
        using var client = await shared.Node.ClientAsync();
        var call = Call(shared.Patients[0]);
        // Its own words about a patient of that id: judged are those, whatever stands in the record here.
        call["prefetch"]!["observations"]!.AsObject().Remove("entry");
        call["context"]!.AsObject().Remove("encounterId");
        var before = await shared.Node.Get<AuditTrail>().ListAsync(null, 1, Cancellation);
        using var response = await client.SendAsync(Request(HttpMethod.Post, Service, shared.System.Token(shared.Now), call), Cancellation);
        Assert.Equal(0, (await JsonAsync(response)).GetProperty("cards").GetArrayLength());
        var since = (await shared.Node.Get<AuditTrail>().ListAsync(null, 10, Cancellation)).TakeWhile(line => line.Id != before[0].Id);
        Assert.Equal(AuditAction.Predict, Assert.Single(since).Fact.Action);
    }

    [Fact]
    public async Task Only_an_administrator_registers_and_what_cannot_be_trusted_is_not_registered()
    {
        using var administrator = await shared.Node.ClientAsync(shared.Administrator);
        using var system = new OtherSystem("https://new.example.org");
        JsonObject Entered(string keys, string issuer = "https://new.example.org", string? origins = null) => new() { ["name"] = "New", ["issuer"] = issuer, ["keys"] = keys, ["origins"] = origins };
        async Task<HttpStatusCode> TryAsync(JsonObject entered) => (await administrator.SendAsync(Request(HttpMethod.Post, "/api/other-systems", null, entered), Cancellation)).StatusCode;
        Assert.Equal(HttpStatusCode.BadRequest, await TryAsync(Entered("")));
        Assert.Equal(HttpStatusCode.BadRequest, await TryAsync(Entered("{\"keys\":[]}")));
        Assert.Equal(HttpStatusCode.BadRequest, await TryAsync(Entered(system.Jwks(), shared.System.Issuer)));
        Assert.Equal(HttpStatusCode.BadRequest, await TryAsync(Entered(system.Jwks(), origins: "*")));
        Assert.Equal(HttpStatusCode.BadRequest, await TryAsync(Entered(system.Jwks(), origins: "http://ehr.example.org")));
        Assert.Equal(HttpStatusCode.OK, await TryAsync(Entered(system.Pem)));
        using var doctor = await shared.Node.ClientAsync(shared.Doctor);
        Assert.Equal(HttpStatusCode.Forbidden, (await doctor.SendAsync(Request(HttpMethod.Post, "/api/other-systems", null, Entered(system.Jwks())), Cancellation)).StatusCode);

        var page = await administrator.GetStringAsync("/other-systems", Cancellation);
        Assert.Contains("https://new.example.org", page, StringComparison.Ordinal);
        Assert.Contains($"{Origin}/cds-services", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_asks_too_often_waits()
    {
        var ground = await TestGround.NewAsync();
        ground.Settings[$"{IdentityOptions.Section}:RequestsPerMinute"] = "10";
        await using var node = await TestNode.StartAsync(ground, ownsGround: true);
        using var client = await node.ClientAsync();
        List<HttpStatusCode> met = [];
        for (var i = 0; i < 12; i++)
        {
            met.Add((await client.SendAsync(Request(HttpMethod.Post, Service, "no.token.this", Call()), Cancellation)).StatusCode);
        }
        Assert.Equal((HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests), (met[0], met[^1]));
    }
}
