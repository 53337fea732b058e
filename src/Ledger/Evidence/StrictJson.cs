using System.Text.Json;
using System.Text.Json.Serialization;

namespace Salus.Ledger.Evidence;

/// <summary>JSON that strangers hand over: one way to write it, limits, and refusals that name the place.</summary>
static class StrictJson
{
    static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        AllowDuplicateProperties = false,
    };

    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Options);

    /// <exception cref="FormatException">Longer than allowed, not JSON, or not of this shape; the message names the place.</exception>
    public static T Read<T>(ReadOnlySpan<byte> bytes, int bytesMax, string what)
    {
        if (bytes.Length > bytesMax)
            throw new FormatException($"A {what} is at most {bytesMax} bytes long.");
        try
        {
            return JsonSerializer.Deserialize<T>(bytes, Options) ?? throw new FormatException($"The {what} is empty.");
        }
        catch (JsonException cause)
        {
            throw new FormatException(
                $"This is not a {what}: at {(cause.Path is { Length: > 0 } path ? path : "$")}, line {cause.LineNumber + 1}, it is not what it should be.", cause);
        }
    }

    /// <summary>Reads one part of it.</summary>
    /// <exception cref="FormatException">It is not right; the message begins with its name.</exception>
    public static T Part<T>(string name, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FormatException cause)
        {
            throw new FormatException($"'{name}': {cause.Message}", cause);
        }
    }
}
