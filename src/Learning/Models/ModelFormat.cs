using System.Text.Json;
using System.Text.Json.Serialization;
using Salus.Learning.Calibration;
using Salus.Learning.Estimators;
using Salus.Learning.Linear;
using Salus.Learning.Tables;

namespace Salus.Learning.Models;

/// <summary>The bytes of a trained model: magic, the card as JSON, the preparation, what was learned, and how probabilities are mended.</summary>
static class ModelFormat
{
    const string Magic = "SALUSMODEL";
    const byte Version = 1;
    const int CardMax = 16 << 20;
    const byte DenseTag = 1;
    const byte LinearTag = 2;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 16,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>The card as JSON.</summary>
    public static byte[] CardBytes(ModelCard card) => JsonSerializer.SerializeToUtf8Bytes(card, Json);

    public static void Write(TrainedModel model, Stream stream)
    {
        var writer = new BoundedWriter(stream);
        writer.Magic(Magic, Version);
        writer.Block(CardBytes(model.Card));
        PreparationFormat.Write(model.Classifier.Preparation, writer);
        if (model.Classifier.Linear is { } linear)
        {
            writer.Byte(LinearTag);
            LinearFormat.Write(linear, writer);
            foreach (var typical in model.Classifier.Typical)
                writer.Double(typical);
        }
        else
        {
            writer.Byte(DenseTag);
            model.Classifier.Dense!.Write(stream);
        }
        writer.Boolean(model.Classifier.Calibration is not null);
        model.Classifier.Calibration?.Write(writer);
    }

    public static TrainedModel Read(ref BoundedReader reader)
    {
        reader.Magic(Magic, Version);
        var card = ReadCard(reader.String("the card", CardMax));
        var preparation = PreparationFormat.Read(ref reader);
        var tag = reader.Byte();
        var classifier = tag switch
        {
            LinearTag => ReadLinear(ref reader, preparation),
            DenseTag => EstimatorFormat.Read(ref reader) is IClassifier dense ? new TableClassifier(preparation, dense) : throw new FormatRefusedException("what was learned tells no classes apart"),
            _ => throw new FormatRefusedException($"what was learned is of kind {tag}"),
        };
        var width = classifier.Linear?.ColumnCount ?? classifier.Dense!.FeatureCount;
        if (classifier.ClassCount != card.Classes.Count || width != preparation.Features.Count)
            throw new FormatRefusedException($"the preparation makes {preparation.Features.Count} features of {card.Classes.Count} classes, the model takes {width} and tells {classifier.ClassCount} apart");
        if (!reader.Boolean())
            return new TrainedModel(card, classifier);
        return classifier.ClassCount == 2
            ? new TrainedModel(card, classifier.With(ProbabilityCalibration.Read(ref reader)))
            : throw new FormatRefusedException("only two classes can be calibrated");
    }

    static TableClassifier ReadLinear(ref BoundedReader reader, Preparation preparation)
    {
        var linear = LinearFormat.Read(ref reader);
        if ((long)linear.ColumnCount * 8 > reader.Left)
            throw new FormatRefusedException($"{linear.ColumnCount} means are claimed, but only {reader.Left} bytes are left");
        var typical = new double[linear.ColumnCount];
        for (var i = 0; i < typical.Length; i++)
            typical[i] = reader.Finite("a feature's mean");
        return new TableClassifier(preparation, linear, typical);
    }

    static ModelCard ReadCard(string json)
    {
        try
        {
            var card = JsonSerializer.Deserialize<ModelCard>(json, Json) ?? throw new FormatRefusedException("the card is null");
            return card.Classes.Count >= 2 && card.Threshold is >= 0 and <= 1 ? card : throw new FormatRefusedException("the card's classes or threshold cannot be");
        }
        catch (JsonException wrong)
        {
            throw new FormatRefusedException($"the card cannot be read at {wrong.Path}, line {wrong.LineNumber}");
        }
    }
}
