using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Salus.Tests.Records;

/// <summary>What the FHIR endpoint answered.</summary>
sealed record FhirAnswer(HttpStatusCode Status, HttpResponseHeaders Headers, HttpContentHeaders ContentHeaders, string Body)
{
    public int Code => (int)Status;

    public JsonElement Json => JsonElement.Parse(Body);

    public string Id => Json.GetProperty("id").GetString()!;

    /// <summary>The ids of a searchset's matches, or of what else has the mode.</summary>
    public List<string> Ids(string mode = "match") => Json.TryGetProperty("entry", out var entries)
        ? [.. entries.EnumerateArray().Where(entry => entry.GetProperty("search").GetProperty("mode").GetString() == mode).Select(entry => entry.GetProperty("resource").TryGetProperty("id", out var id) ? id.GetString()! : "")]
        : [];

    public string? Link(string relation) => Json.GetProperty("link").EnumerateArray()
        .Where(link => link.GetProperty("relation").GetString() == relation).Select(link => link.GetProperty("url").GetString()).SingleOrDefault();
}

/// <summary>Requests to the FHIR endpoint as a client writes them.</summary>
static class FhirClient
{
    public static Task<FhirAnswer> FetchAsync(this HttpClient client, string path, params (string Name, string Value)[] headers) => SendAsync(client, HttpMethod.Get, path, null, headers);

    public static Task<FhirAnswer> PostAsync(this HttpClient client, string path, string json, params (string Name, string Value)[] headers) => SendAsync(client, HttpMethod.Post, path, json, headers);

    public static Task<FhirAnswer> PutAsync(this HttpClient client, string path, string json, params (string Name, string Value)[] headers) => SendAsync(client, HttpMethod.Put, path, json, headers);

    public static Task<FhirAnswer> RemoveAsync(this HttpClient client, string path, params (string Name, string Value)[] headers) => SendAsync(client, HttpMethod.Delete, path, null, headers);

    public static async Task<FhirAnswer> SendAsync(this HttpClient client, HttpMethod method, string path, string? json, (string Name, string Value)[] headers, string type = "application/fhir+json")
    {
        using var request = new HttpRequestMessage(method, path.StartsWith("http", StringComparison.Ordinal) ? path : $"/fhir/{path}");
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        if (json is not null)
        {
            request.Content = new StringContent(json, new MediaTypeHeaderValue(type));
        }
        using var response = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return new FhirAnswer(response.StatusCode, response.Headers, response.Content.Headers, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }
}
