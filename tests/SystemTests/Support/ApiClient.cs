using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Salus.SystemTests.Support;

/// <summary>What a node answered.</summary>
sealed record ApiAnswer(HttpStatusCode Status, JsonElement Body, Uri? Location)
{
    /// <summary>Whether the node did it.</summary>
    public bool IsSuccess => (int)Status is >= 200 and < 300;
}

/// <summary>A node's HTTP API, as software of somebody else uses it.</summary>
sealed class ApiClient : IDisposable
{
    readonly HttpClient http;

    ApiClient(string address) => http = new HttpClient { BaseAddress = new Uri(address), Timeout = TimeSpan.FromMinutes(2) };

    /// <summary>A client that has not signed in.</summary>
    public static ApiClient Anonymous(RunningNode node) => new(node.Address);

    /// <summary>Signs in with a bearer token.</summary>
    public static async Task<ApiClient> SignInAsync(RunningNode node, string email, string password)
    {
        var client = Anonymous(node);
        var token = await client.PostAsync("/api/token", new { email, password });
        client.http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.GetProperty("accessToken").GetString());
        return client;
    }

    /// <summary>Signs in as the demonstration's account of a role.</summary>
    public static Task<ApiClient> SignInAsync(RunningNode node, string role) => SignInAsync(node, node.Account(role).Email, node.Account(role).Password);

    /// <summary>Reads what must be there.</summary>
    public async Task<JsonElement> GetAsync(string path) => Require(path, await AskAsync(HttpMethod.Get, path, null));

    /// <summary>Sends what must be taken.</summary>
    public async Task<JsonElement> PostAsync(string path, object? body) => Require(path, await AskAsync(HttpMethod.Post, path, body is null ? null : JsonContent.Create(body)));

    /// <summary>Sends something and takes any answer.</summary>
    public async Task<ApiAnswer> AskAsync(HttpMethod method, string path, HttpContent? content)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var isJson = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        return new ApiAnswer(response.StatusCode, isJson ? JsonElement.Parse(text) : default, response.Headers.Location);
    }

    /// <summary>Reads what is answered as it stands, headers included.</summary>
    public async Task<(HttpResponseMessage Answer, string Text)> FetchAsync(string path, string? prefer = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (prefer is not null)
        {
            request.Headers.Add("Prefer", prefer);
        }
        var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Waits until the chain holds every leaf that is in the log or waits for its place now.</summary>
    public async Task AnchoredAsync()
    {
        var now = await GetAsync("/api/log/status");
        var wanted = now.GetProperty("logSize").GetInt64() + now.GetProperty("pendingLeaves").GetInt64();
        await Waiting.UntilAsync(async () => (await GetAsync("/api/log/status")).GetProperty("anchoredSize").GetInt64() >= wanted, $"a head of {wanted} leaves on the chain");
    }

    public void Dispose() => http.Dispose();

    static JsonElement Require(string path, ApiAnswer answer)
    {
        Assert.True(answer.IsSuccess, $"{path}: {(int)answer.Status} {answer.Body}");
        return answer.Body;
    }
}
