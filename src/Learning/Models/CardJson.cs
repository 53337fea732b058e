using System.Text.Json;
using System.Text.Json.Serialization;

namespace Salus.Learning.Models;

/// <summary>Figures and cards as JSON for whoever reads them elsewhere: what is no finite number is null, and reads back as NaN.</summary>
public static class CardJson
{
    /// <summary>How they are written and read.</summary>
    public static JsonSerializerOptions Options { get; } = Make();

    static JsonSerializerOptions Make()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web) { Converters = { new FiniteConverter(), new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) } };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}

/// <summary>Numbers in JSON, which knows no NaN and no infinity: they are written as null, and null is read as NaN.</summary>
public sealed class FiniteConverter : JsonConverter<double>
{
    /// <inheritdoc/>
    public override bool HandleNull => true;

    /// <inheritdoc/>
    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.TokenType == JsonTokenType.Null ? double.NaN : reader.GetDouble();

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value))
            writer.WriteNumberValue(value);
        else
            writer.WriteNullValue();
    }
}
