using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;
using Salus.Learning.Forest;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>The model's own format, version 1: magic, the card as JSON, the preparation, the forest.</summary>
static class ModelFormat
{
    const string Magic = "SALUSMODEL";
    const byte Version = 1;
    const int CardMax = 4 << 20;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 16,
        Converters = { new JsonStringEnumConverter() },
    };

    public static void Write(TabularModel model, Stream stream)
    {
        var writer = new BoundedWriter(stream);
        writer.Magic(Magic, Version);
        writer.Block(JsonSerializer.SerializeToUtf8Bytes(model.Card, Json));
        PreparationFormat.Write(model.Preparation, writer);
        model.Forest.Write(stream);
    }

    public static bool TryRead(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out TabularModel? model, [NotNullWhen(false)] out string? refusal)
    {
        try
        {
            var reader = new BoundedReader(bytes);
            reader.Magic(Magic, Version);
            var card = ReadCard(reader.String("the card", CardMax));
            var preparation = PreparationFormat.Read(ref reader);
            var forest = ForestFormat.Read(ref reader);
            reader.End();
            if (forest.ClassCount != 2 || forest.FeatureCount != preparation.Features.Count)
                throw new FormatRefusedException($"the preparation makes {preparation.Features.Count} features, the forest takes {forest.FeatureCount} and tells {forest.ClassCount} classes apart");
            (model, refusal) = (new TabularModel(card, preparation, forest), null);
            return true;
        }
        catch (FormatRefusedException refused)
        {
            (model, refusal) = (null, refused.Message);
            return false;
        }
    }

    static ModelCard ReadCard(string json)
    {
        try
        {
            return JsonSerializer.Deserialize<ModelCard>(json, Json) ?? throw new FormatRefusedException("the card is null");
        }
        catch (JsonException wrong)
        {
            throw new FormatRefusedException($"the card cannot be read at {wrong.Path}, line {wrong.LineNumber}");
        }
    }
}
