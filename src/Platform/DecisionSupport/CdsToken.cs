using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Salus.Platform.DecisionSupport;

/// <summary>
/// A JSON Web Token as CDS Hooks has clients send it (RFC 7519, compact serialization), taken apart but not believed. Keys that a token names or
/// brings (<c>jku</c>, <c>jwk</c>, <c>x5u</c>, <c>x5c</c>) are not looked at: what counts is registered.
/// </summary>
sealed record CdsToken(string Algorithm, string? KeyId, string Issuer, IReadOnlyList<string> Audience, double Expires, double IssuedAt, string Name, byte[] Signed, byte[] Signature)
{
    const int TextMax = 8_192;
    const int WordMax = 1_000;

    static readonly TimeSpan LifeMax = TimeSpan.FromMinutes(5);
    static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(30);
    static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    /// <summary>How long a token's name must be remembered: past the latest moment at which it could still be taken.</summary>
    public static TimeSpan RememberedFor => LifeMax + ClockSkew + ClockSkew;

    /// <summary>Takes a token apart; null where it is none.</summary>
    public static CdsToken? Read(string text)
    {
        if (text.Length > TextMax || text.Split('.') is not [{ Length: > 0 } head, { Length: > 0 } body, { Length: > 0 } signature])
        {
            return null;
        }
        try
        {
            using var header = JsonDocument.Parse(Base64Url.DecodeFromChars(head), Strict);
            using var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(body), Strict);
            // What must be understood to be believed (RFC 7515 section 4.1.11) is not.
            if (header.RootElement.TryGetProperty("crit", out _) || !string.Equals(Word(header.RootElement, "typ") ?? "JWT", "JWT", StringComparison.OrdinalIgnoreCase))
            {
                return null;
            }
            return Word(header.RootElement, "alg") is { } algorithm && Word(claims.RootElement, "iss") is { } issuer && Word(claims.RootElement, "jti") is { } name
                && claims.RootElement.GetProperty("exp").TryGetDouble(out var expires) && claims.RootElement.GetProperty("iat").TryGetDouble(out var issued)
                    ? new CdsToken(algorithm, Word(header.RootElement, "kid"), issuer, Words(claims.RootElement.GetProperty("aud")), expires, issued, name,
                        Encoding.ASCII.GetBytes($"{head}.{body}"), Base64Url.DecodeFromChars(signature))
                    : null;
        }
        catch (Exception unreadable) when (unreadable is JsonException or FormatException or InvalidOperationException or KeyNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Whether one of the keys, used as it was registered, has signed the token.</summary>
    public bool IsSignedBy(IReadOnlyList<CdsKey> keys) =>
        keys.Any(key => key.Algorithm == Algorithm && (key.Id is null || key.Id == KeyId) && key.Verifies(Signed, Signature));

    /// <summary>Why the token does not count at this address and time; null where it does.</summary>
    public string? Objection(string address, DateTimeOffset now)
    {
        var seconds = (now - DateTimeOffset.UnixEpoch).TotalSeconds;
        return this switch
        {
            _ when !Audience.Contains(address, StringComparer.Ordinal) => $"The token is for another address: its aud must be {address}.",
            _ when !(Expires > seconds) => "The token has expired.",
            _ when !(IssuedAt <= seconds + ClockSkew.TotalSeconds) => "The token was issued in the future: set the clock right.",
            _ when !(Expires - IssuedAt <= LifeMax.TotalSeconds) || !(Expires > IssuedAt) => $"The token is to last longer than {LifeMax.TotalMinutes:0} minutes, or no time: set exp at most so long after iat.",
            _ => null,
        };
    }

    static string? Word(JsonElement json, string name) =>
        json.TryGetProperty(name, out var word) && word.ValueKind == JsonValueKind.String && word.GetString() is { Length: > 0 and <= WordMax } text ? text : null;

    static IReadOnlyList<string> Words(JsonElement json) => json.ValueKind == JsonValueKind.String ? [json.GetString()!] : [.. json.EnumerateArray().Select(item => item.GetString()!)];
}
