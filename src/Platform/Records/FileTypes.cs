namespace Salus.Platform.Records;

/// <summary>The kinds of file taken, each known by its first bytes: what a file says of itself is not believed.</summary>
public static class FileTypes
{
    /// <summary>Bytes to look at.</summary>
    public const int HeadBytes = 32;

    /// <summary>The media type that the bytes show, or null when they show none that is taken.</summary>
    public static string? Detect(ReadOnlySpan<byte> head) => head switch
    {
        _ when head.StartsWith("%PDF-"u8) => "application/pdf",
        _ when head.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) => "image/png",
        _ when head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) => "image/jpeg",
        _ when head.StartsWith("GIF87a"u8) || head.StartsWith("GIF89a"u8) => "image/gif",
        _ when head.StartsWith("RIFF"u8) && head.Length >= 12 && head[8..].StartsWith("WEBP"u8) => "image/webp",
        _ when head.StartsWith("RIFF"u8) && head.Length >= 12 && head[8..].StartsWith("WAVE"u8) => "audio/wav",
        _ when head.Length >= 12 && head[4..].StartsWith("ftypM4A"u8) => "audio/mp4",
        _ when head.Length >= 12 && head[4..].StartsWith("ftyp"u8) => "video/mp4",
        _ when head.StartsWith((ReadOnlySpan<byte>)[0x1A, 0x45, 0xDF, 0xA3]) => "video/webm",
        _ when head.StartsWith("OggS"u8) => "audio/ogg",
        _ when head.StartsWith("ID3"u8) || (head.Length > 1 && head[0] == 0xFF && (head[1] & 0xE6) == 0xE2) => "audio/mpeg",
        _ => null,
    };

    /// <summary>Whether a file may call itself one type when its bytes show another.</summary>
    public static bool Agree(string declared, string detected)
    {
        var plain = declared.Split(';')[0].Trim().ToLowerInvariant();
        return plain is "" or "application/octet-stream" || plain == detected
            || (plain, detected) is ("audio/x-wav", "audio/wav") or ("audio/wave", "audio/wav") or ("audio/webm", "video/webm") or ("audio/mp3", "audio/mpeg")
                or ("audio/x-m4a", "audio/mp4") or ("video/quicktime", "video/mp4") or ("video/ogg", "audio/ogg") or ("image/jpg", "image/jpeg");
    }

    /// <summary>What is taken, for messages.</summary>
    public const string Taken = "PDF, PNG, JPEG, GIF, WebP, MP4, WebM, WAV, MP3, M4A and Ogg";
}
