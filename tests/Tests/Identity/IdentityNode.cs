using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Salus.Ledger.Contracts;
using Salus.Platform.Identity;
using Salus.Platform.Schema;
using Salus.Tests.Engines;
using Salus.Vault.Keys;
using Xunit;

namespace Salus.Tests.Identity;

/// <summary>A clock that stands until it is moved; it starts at the real time, for the framework's own clocks run beside it.</summary>
sealed class ManualClock : TimeProvider
{
    DateTimeOffset now = System.GetUtcNow();

    public void Advance(TimeSpan by) => now += by;

    public override DateTimeOffset GetUtcNow() => now;
}

/// <summary>Collects everything that is logged.</summary>
sealed class LogCollector : ILoggerProvider, ILogger
{
    public ConcurrentQueue<string> Lines { get; } = [];

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Enqueue($"{formatter(state, exception)} {exception}");

    public void Dispose() { }
}

/// <summary>The identity feature on a real web server and a database of its own.</summary>
sealed class IdentityNode : IAsyncDisposable
{
    public const string Password = "harbour violet tractor";
    public const string KnownPatient = "p-known";

    readonly WebApplication app;
    readonly ConcurrentBag<TestClient> clients = [];

    IdentityNode(WebApplication app, NpgsqlDataSource database, ManualClock clock, LogCollector log, ConcurrentQueue<SecurityEvent> events)
    {
        this.app = app;
        (Database, Clock, Log, Events) = (database, clock, log, events);
    }

    public NpgsqlDataSource Database { get; }

    public ManualClock Clock { get; }

    public LogCollector Log { get; }

    /// <summary>The events whose transaction was asked to hold them.</summary>
    public ConcurrentQueue<SecurityEvent> Events { get; }

    public T Get<T>() where T : notnull => app.Services.GetRequiredService<T>();

    public AccountDesk Accounts => app.Services.GetRequiredService<AccountDesk>();

    public static async Task<IdentityNode> StartAsync(params (string Option, int Value)[] options)
    {
        var database = NpgsqlDataSource.Create(await EngineFixture.NewNodeDatabaseAsync());
        await Migrations.ApplyAsync(database, TestContext.Current.CancellationToken);
        return await StartAsync(database, MasterKey.CreateTransient(), options);
    }

    public static async Task<IdentityNode> StartAsync(NpgsqlDataSource database, MasterKey master, params (string Option, int Value)[] options)
    {
        var (clock, log, events) = (new ManualClock(), new LogCollector(), new ConcurrentQueue<SecurityEvent>());
        var vault = new KeyVault(database, master, clock);
        await vault.OpenAsync(TestContext.Current.CancellationToken);
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Trace).AddProvider(log);
        (string Option, int Value)[] raised = [("SignInsPerMinute", 100_000), ("SignInsPerMinutePerAccount", 100_000), ("RequestsPerMinute", 100_000), .. options];
        builder.Configuration.AddInMemoryCollection(Enumerable.Reverse(raised).DistinctBy(option => option.Option).Select(option =>
            KeyValuePair.Create($"{IdentityOptions.Section}:{option.Option}", (string?)option.Value.ToString(CultureInfo.InvariantCulture))));
        builder.Services.AddSingleton(database).AddSingleton(vault).AddSingleton<TimeProvider>(clock).AddSingleton(new IdentityHooks(
            MembersContract.Register,
            (_, happened, _) => { events.Enqueue(happened); return Task.CompletedTask; },
            (patient, _) => Task.FromResult(patient == KnownPatient)));
        builder.Services.AddSalusIdentity();
        builder.Services.AddSingleton(Platform.TestNode.WeakCredentials);
        var app = builder.Build();
        await app.Services.GetRequiredService<OrganizationDesk>().EnsureAsync("Canary General Hospital", TestContext.Current.CancellationToken);
        app.UseSalusIdentity();
        app.MapSalusIdentity();
        app.MapGet("/fhir/Patient", () => "unsaid");
        app.MapGet("/page", (HttpContext context) => context.Caller().Role.ToString());
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new IdentityNode(app, database, clock, log, events);
    }

    /// <summary>A browser of its own: it keeps cookies and follows no redirect.</summary>
    public TestClient Client()
    {
        var client = new TestClient(new Uri(app.Urls.Single()));
        clients.Add(client);
        return client;
    }

    /// <summary>An approved account in any role.</summary>
    public async Task<Guid> CreateAsync(string email, Role role, string? patient = null) =>
        Assert.IsType<SignUpOutcome.Created>(
            await Accounts.CreateAsync(email, "Zebedee Quillfeather", Password, role, patient, TestContext.Current.CancellationToken)).Account;

    public async Task<TestClient> SignedInAsync(string email)
    {
        var client = Client();
        Assert.Equal(HttpStatusCode.OK, (await client.PostAsync("/api/sign-in", new { email, password = Password })).StatusCode);
        await client.ArmAsync();
        return client;
    }

    /// <summary>A client that bears a token.</summary>
    public async Task<TestClient> BearerAsync(string email)
    {
        var client = Client();
        var issued = await TestClient.ReadAsync(await client.PostAsync("/api/token", new { email, password = Password }));
        client.SetHeader("Authorization", $"Bearer {issued.GetProperty("accessToken").GetString()}");
        return client;
    }

    /// <summary>Sets up a second factor in the session; answers what its app shows, and the recovery codes.</summary>
    public async Task<(Func<string> Code, string[] Recovery)> EnableSecondFactorAsync(TestClient client)
    {
        var begun = await TestClient.ReadAsync(await client.PostAsync("/api/account/second-factor", new { password = Password }));
        var secret = FromBase32(begun.GetProperty("secret").GetString()!);
        string Code() => Totp.Code(secret, Totp.StepAt(Clock.GetUtcNow()));
        var enabled = await TestClient.ReadAsync(await client.PostAsync("/api/account/second-factor/confirm", new { code = Code() }));
        return (Code, [.. enabled.GetProperty("recoveryCodes").EnumerateArray().Select(code => code.GetString()!)]);
    }

    /// <summary>Statements of somebody who may write to the database and has no key.</summary>
    public async Task AttackAsync(string sql, params object[] values)
    {
        await using var command = Database.CreateCommand(sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new NpgsqlParameter { Value = value });
        }
        Assert.NotEqual(0, await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken));
    }

    public static byte[] FromBase32(string text)
    {
        var bits = string.Concat(text.Select(letter => Convert.ToString("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".IndexOf(letter, StringComparison.Ordinal), 2).PadLeft(5, '0')));
        return [.. Enumerable.Range(0, bits.Length / 8).Select(index => Convert.ToByte(bits.Substring(index * 8, 8), 2))];
    }

    public async Task<long> CountAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var client in clients)
        {
            client.Dispose();
        }
        await app.DisposeAsync();
        await Database.DisposeAsync();
    }
}

/// <summary>An HTTP client with cookies, and the antiforgery header once armed.</summary>
sealed class TestClient(Uri address) : IDisposable
{
    readonly HttpClientHandler handler = new() { AllowAutoRedirect = false };
    HttpClient? http;

    HttpClient Http => http ??= new HttpClient(handler) { BaseAddress = address };

    public CookieCollection Cookies => handler.CookieContainer.GetCookies(address);

    public void SetHeader(string name, string? value)
    {
        Http.DefaultRequestHeaders.Remove(name);
        if (value is not null)
        {
            Http.DefaultRequestHeaders.Add(name, value);
        }
    }

    public void SetCookie(string name, string value) => handler.CookieContainer.Add(address, new Cookie(name, value));

    public async Task ArmAsync()
    {
        var token = await ReadAsync(await GetAsync("/api/antiforgery"));
        SetHeader(token.GetProperty("header").GetString()!, token.GetProperty("token").GetString()!);
    }

    public Task<HttpResponseMessage> GetAsync(string path) => Http.GetAsync(path, TestContext.Current.CancellationToken);

    public Task<HttpResponseMessage> PostAsync(string path, object? body = null) =>
        Http.PostAsJsonAsync(path, body ?? new { }, TestContext.Current.CancellationToken);

    public Task<HttpResponseMessage> PutAsync(string path, object body) => Http.PutAsJsonAsync(path, body, TestContext.Current.CancellationToken);

    public Task<HttpResponseMessage> DeleteAsync(string path, object? body = null) =>
        Http.SendAsync(new HttpRequestMessage(HttpMethod.Delete, path) { Content = body is null ? null : JsonContent.Create(body) }, TestContext.Current.CancellationToken);

    public void Dispose()
    {
        http?.Dispose();
        handler.Dispose();
    }

    public static async Task<JsonElement> ReadAsync(HttpResponseMessage response) =>
        await response.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken);
}
