using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Salus.Learning.Models;
using Salus.Learning.Recipes;

namespace Salus.Platform.Models;

/// <summary>
/// Library (FHIR R4, type model-definition) of a model, and back: its bytes, compressed, and what is to be known of it.
/// </summary>
static class ModelLibrary
{
    public const string Type = "Library";

    /// <summary>The longest string of a resource holds 16 MiB, base64 included.</summary>
    public const int CompressedBytesMax = 11 << 20;

    const int ModelBytesMax = 256 << 20;

    static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter() },
    };

    /// <summary>The model's bytes as they are stored.</summary>
    public static byte[] Compress(byte[] model)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Optimal))
        {
            gzip.Write(model);
        }
        return compressed.ToArray();
    }

    /// <summary>The hash by which a release names a model's bytes.</summary>
    public static string Hash(ReadOnlySpan<byte> model) => Convert.ToHexStringLower(SHA256.HashData(model));

    public static byte[] Write(byte[] compressed, ModelSummary summary) => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["resourceType"] = "Library",
        ["name"] = $"Salus{string.Concat(summary.Recipe.Split('-').Select(part => char.ToUpperInvariant(part[0]) + part[1..]))}Model",
        ["title"] = $"{RecipeBook.Find(summary.Recipe)?.Title ?? summary.Recipe} ({summary.Card.Kind})",
        ["status"] = "active",
        ["type"] = new JsonObject
        {
            ["coding"] = new JsonArray(new JsonObject { ["system"] = "http://terminology.hl7.org/CodeSystem/library-type", ["code"] = "model-definition" }),
        },
        ["date"] = summary.Card.CreatedAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"),
        ["purpose"] = summary.Card.IntendedUse,
        ["content"] = new JsonArray(
            new JsonObject { ["contentType"] = "application/gzip", ["title"] = "model", ["data"] = Convert.ToBase64String(compressed) },
            new JsonObject { ["contentType"] = "application/json", ["title"] = "summary", ["data"] = Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(summary, Json)) }),
    });

    /// <summary>What is to be known of the model, under the id that it was stored with.</summary>
    public static ModelSummary ReadSummary(byte[] library, string id) =>
        JsonSerializer.Deserialize<ModelSummary>(Content(library, 1), Json)! with { Id = id };

    /// <summary>The model that judges visits, and the hash of its bytes.</summary>
    /// <exception cref="InvalidDataException">It was written by another version of Salus.</exception>
    public static (ConditionModel Model, string Hash) ReadModel(byte[] library)
    {
        var read = Decompress(library);
        return ConditionModel.TryRead(read, out var model, out var refusal) ? (model, Hash(read)) : throw Unreadable(refusal);
    }

    /// <summary>A model of any recipe, and the hash of its bytes.</summary>
    /// <exception cref="InvalidDataException">It was written by another version of Salus.</exception>
    public static (TrainedModel Model, string Hash) ReadAny(byte[] library)
    {
        var read = Decompress(library);
        return TrainedModel.TryRead(read, out var model, out var refusal) ? (model, Hash(read)) : throw Unreadable(refusal);
    }

    static InvalidDataException Unreadable(string refusal) => new($"The stored model cannot be read: {refusal}. Train a new one.");

    static byte[] Decompress(byte[] library)
    {
        using var gzip = new GZipStream(new MemoryStream(Content(library, 0)), CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        var buffer = new byte[81_920];
        while (gzip.Read(buffer) is > 0 and var count)
        {
            bytes.Write(buffer, 0, count);
            if (bytes.Length > ModelBytesMax)
            {
                throw new InvalidDataException($"The stored model has more than {ModelBytesMax >> 20} MiB. Train a new one.");
            }
        }
        return bytes.ToArray();
    }

    static byte[] Content(byte[] library, int index) =>
        JsonElement.Parse(library).GetProperty("content")[index].GetProperty("data").GetBytesFromBase64();
}
