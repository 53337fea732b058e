using System.Text.Json;
using System.Text.Json.Serialization;

namespace Salus.Learning.Models;

/// <summary>An options record as names and texts, for cards.</summary>
static class OptionText
{
    static readonly JsonSerializerOptions Json = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, Converters = { new JsonStringEnumConverter() } };

    // Threads change no bit of a model, so that the card of one model is the same on any machine; the seed is the card's own.
    static readonly string[] LeftOut = ["Threads", "Seed", "Kind"];

    public static IReadOnlyDictionary<string, string> Of(object options)
    {
        var json = JsonSerializer.SerializeToElement(options, options.GetType(), Json);
        return json.ValueKind != JsonValueKind.Object
            ? new Dictionary<string, string>()
            : json.EnumerateObject().Where(property => !LeftOut.Contains(property.Name) && property.Value.ValueKind != JsonValueKind.Null)
                .ToDictionary(property => property.Name, property => property.Value.ToString());
    }
}
