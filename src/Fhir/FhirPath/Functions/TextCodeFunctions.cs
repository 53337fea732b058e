using System.Buffers.Text;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Salus.Fhir.FhirPath;

/// <summary>Encodings and escapes of strings (FHIRPath section 5.6, additional functions).</summary>
static class TextCodeFunctions
{
    public static void AddTo(Action<string, int, int, Function> add)
    {
        add("encode", 1, 1, Of(Encode));
        add("decode", 1, 1, Of(Decode));
        add("escape", 1, 1, Of(Escape));
        add("unescape", 1, 1, Of(Unescape));
    }

    static Function Of(Func<string, string, string?> apply) => (call, frame, input) =>
    {
        if (call.Text(input) is not { } text || call.Text(frame, 0) is not { } format)
        {
            return default;
        }
        try
        {
            return apply(text, format) is { } made ? new(frame.Run.Text(made)) : default;
        }
        catch (Exception wrong) when (wrong is FormatException or JsonException)
        {
            throw call.Fail($"cannot read this string as {format}");
        }
    };

    static string? Encode(string text, string format) => format switch
    {
        "hex" => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text)),
        "base64" => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)),
        "urlbase64" => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).Replace('+', '-').Replace('/', '_'),
        _ => null,
    };

    static string? Decode(string text, string format) => format switch
    {
        "hex" => Encoding.UTF8.GetString(Convert.FromHexString(text)),
        "base64" => Encoding.UTF8.GetString(Convert.FromBase64String(text)),
        "urlbase64" => Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)),
        _ => null,
    };

    static string? Escape(string text, string format) => format switch
    {
        "html" => WebUtility.HtmlEncode(text),
        "json" => JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(),
        _ => null,
    };

    static string? Unescape(string text, string format) => format switch
    {
        "html" => WebUtility.HtmlDecode(text),
        "json" => JsonSerializer.Deserialize<string>($"\"{text}\""),
        _ => null,
    };
}
