using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using Salus.Learning.Models;

namespace Salus.Cli.Api;

/// <summary>What a node answered to one request.</summary>
public sealed record Answer(HttpStatusCode Status, byte[] Body, string? MediaType)
{
    /// <summary>Whether the node did what it was asked.</summary>
    public bool IsSuccess => (int)Status is >= 200 and < 300;

    /// <summary>The reason of a refusal, from a ProblemDetails or an OperationOutcome.</summary>
    public string Reason => Problem.Read(Status, Body);

    /// <summary>The body as a type.</summary>
    public T Read<T>() => JsonSerializer.Deserialize<T>(Body, NodeClient.Json) ?? throw new JsonException("The body is null.");
}

/// <summary>A node's HTTP API for one signed-in account, or for nobody.</summary>
public sealed class NodeClient : IDisposable
{
    internal static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter(), new FiniteConverter() }, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    static readonly TimeSpan AnswerWaitMax = TimeSpan.FromMinutes(10);

    readonly HttpClient http;

    NodeClient(Uri address, string? token)
    {
        http = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = address, Timeout = AnswerWaitMax };
        if (token is not null)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }
    }

    /// <summary>A client that has not signed in.</summary>
    /// <exception cref="CliException">The address is none.</exception>
    public static NodeClient Anonymous(string address) => new(Parse(address), null);

    /// <summary>Signs in.</summary>
    /// <exception cref="CliException">The node refuses.</exception>
    public static async Task<NodeClient> SignInAsync(string address, string email, string password, CancellationToken cancellation)
    {
        using var nobody = Anonymous(address);
        var answer = await nobody.AskAsync(HttpMethod.Post, "/api/token", new { email, password }, cancellation);
        return answer.IsSuccess
            ? new NodeClient(Parse(address), answer.Read<TokenAnswer>().AccessToken)
            : throw new CliException($"{email} cannot sign in at {address}: {answer.Reason}");
    }

    /// <summary>Sends a request with a JSON body or none, and reads the answer whatever it is.</summary>
    public Task<Answer> AskAsync(HttpMethod method, string path, object? body, CancellationToken cancellation) =>
        AskAsync(method, path, body is null ? null : JsonContent.Create(body, body.GetType(), options: Json), cancellation);

    /// <summary>Sends a request with content, and reads the answer whatever it is.</summary>
    public async Task<Answer> AskAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using var response = await http.SendAsync(request, cancellation);
        return new Answer(response.StatusCode, await response.Content.ReadAsByteArrayAsync(cancellation), response.Content.Headers.ContentType?.MediaType);
    }

    /// <summary>Sends a request that the node must not refuse.</summary>
    /// <exception cref="CliException">It does.</exception>
    public async Task<T> SendAsync<T>(HttpMethod method, string path, object? body, CancellationToken cancellation)
    {
        var answer = await AskAsync(method, path, body, cancellation);
        return answer.IsSuccess ? answer.Read<T>() : throw new CliException($"The node refuses: {answer.Reason}");
    }

    /// <summary>Reads something that the node must give.</summary>
    /// <exception cref="CliException">It does not.</exception>
    public Task<T> GetAsync<T>(string path, CancellationToken cancellation) => SendAsync<T>(HttpMethod.Get, path, null, cancellation);

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    static Uri Parse(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https"
            ? parsed
            : throw new CliException($"'{address}' is no address of a node. Give one such as http://localhost:7411.");

    sealed record TokenAnswer(string AccessToken);
}
