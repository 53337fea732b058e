using System.Text.Json.Nodes;

namespace Salus.Tests.Platform;

/// <summary>What lies between a node and its chain: it can be cut, hang, or answer in the chain's place.</summary>
sealed class TestWire() : DelegatingHandler(new SocketsHttpHandler())
{
    public volatile bool IsCut;
    public volatile bool IsHung;
    public volatile string? CutMethod;
    /// <summary>The one host that cannot be reached.</summary>
    public volatile string? CutHost;
    /// <summary>Sends what is meant for one address to another.</summary>
    public volatile Func<Uri, Uri>? Redirects;
    /// <summary>Answers a call in the chain's place: a result or an error by its name; null lets it through.</summary>
    public volatile Func<JsonObject, CancellationToken, Task<JsonObject?>>? Answers;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (IsCut || request.RequestUri!.Host == CutHost)
        {
            throw new HttpRequestException("The wire is cut.");
        }
        if (CutMethod is { } method && (await request.Content!.ReadAsStringAsync(cancellationToken)).Contains($"\"{method}\"", StringComparison.Ordinal))
        {
            throw new HttpRequestException("The wire is cut.");
        }
        if (IsHung)
        {
            throw new TaskCanceledException("The request's time is up.", new TimeoutException());
        }
        if (Redirects is { } redirects)
        {
            request.RequestUri = redirects(request.RequestUri);
        }
        return Answers is { } answers ? await AnswerAsync(answers, request, cancellationToken) : await base.SendAsync(request, cancellationToken);
    }

    async Task<HttpResponseMessage> AnswerAsync(Func<JsonObject, CancellationToken, Task<JsonObject?>> answers, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = JsonNode.Parse(await request.Content!.ReadAsStringAsync(cancellationToken))!;
        if (body is not JsonArray batch)
        {
            return await answers(body.AsObject(), cancellationToken) is { } answer ? Json(Named(answer, body)) : await base.SendAsync(request, cancellationToken);
        }
        JsonArray all = [];
        foreach (var call in batch)
        {
            var answer = await answers(call!.AsObject(), cancellationToken);
            if (answer is null)
            {
                using var single = new HttpRequestMessage(HttpMethod.Post, request.RequestUri) { Content = Body(call) };
                using var response = await base.SendAsync(single, cancellationToken);
                all.Add(JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken)));
            }
            else
            {
                all.Add(Named(answer, call));
            }
        }
        return Json(all);
    }

    static JsonObject Named(JsonObject answer, JsonNode call)
    {
        answer["jsonrpc"] = "2.0";
        answer["id"] = call["id"]!.DeepClone();
        return answer;
    }

    static HttpResponseMessage Json(JsonNode body) => new(System.Net.HttpStatusCode.OK) { Content = Body(body) };

    static StringContent Body(JsonNode body) => new(body.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
}
