using System.Net;
using System.Net.Http.Headers;

namespace Salus.Platform.Consortium;

/// <summary>What another member's node answered.</summary>
public sealed record WireAnswer(HttpStatusCode Status, byte[] Body);

/// <summary>The way to other members' nodes. What they publish as their address is asked over TLS, or on this machine; an answer has a limit.</summary>
public sealed class MemberWire(ConsortiumOptions options) : IDisposable
{
    readonly HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = TimeSpan.FromSeconds(options.AnswerSecondsMax) };

    /// <summary>The address that a member has published; null where it is none that is asked.</summary>
    public static Uri? Endpoint(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && address.UserInfo.Length == 0
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? address
            : null;

    /// <summary>Reads something that a node shows everyone.</summary>
    /// <exception cref="HttpRequestException">It does not answer, or with more than the limit.</exception>
    public Task<WireAnswer> GetAsync(Uri endpoint, string path, int bytesMax, CancellationToken cancellation) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, new Uri(endpoint, path)), bytesMax, cancellation);

    /// <summary>Sends JSON.</summary>
    /// <exception cref="HttpRequestException">It does not answer, or with more than the limit.</exception>
    public Task<WireAnswer> PostAsync(Uri endpoint, string path, byte[] json, int bytesMax, CancellationToken cancellation)
    {
        var content = new ByteArrayContent(json);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return SendAsync(new HttpRequestMessage(HttpMethod.Post, new Uri(endpoint, path)) { Content = content }, bytesMax, cancellation);
    }

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();

    async Task<WireAnswer> SendAsync(HttpRequestMessage request, int bytesMax, CancellationToken cancellation)
    {
        using (request)
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            await using var stream = await response.Content.ReadAsStreamAsync(cancellation);
            using var body = new MemoryStream();
            var buffer = new byte[64 << 10];
            while (await stream.ReadAsync(buffer, cancellation) is > 0 and var count)
            {
                if (body.Length + count > bytesMax)
                {
                    throw new HttpRequestException($"The answer is longer than {bytesMax} bytes.");
                }
                body.Write(buffer, 0, count);
            }
            return new WireAnswer(response.StatusCode, body.ToArray());
        }
    }
}
