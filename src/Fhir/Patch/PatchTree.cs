using System.Buffers;
using System.Numerics;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Salus.Fhir.Patch;

/// <summary>JSON that can be changed; numbers stay as they were written.</summary>
static class PatchTree
{
    /// <exception cref="PatchRefusal">The text is no JSON, nests too deep or has a member twice.</exception>
    public static JsonNode? Parse(ReadOnlyMemory<byte> utf8, PatchLimits limits, string what)
    {
        try
        {
            return JsonNode.Parse(utf8.Span, null, new JsonDocumentOptions { MaxDepth = limits.DepthMax, AllowDuplicateProperties = false });
        }
        catch (JsonException wrong)
        {
            throw new PatchRefusal("structure", $"The {what} is not well formed: {wrong.Message}", isMalformed: true);
        }
    }

    public static ReadOnlyMemory<byte> Write(JsonNode? node)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true }))
        {
            if (node is null)
            {
                writer.WriteNullValue();
            }
            else
            {
                node.WriteTo(writer);
            }
        }
        return output.WrittenMemory;
    }

    /// <summary>How many values a node holds, itself included, and how many levels.</summary>
    public static (int Count, int Depth) Measure(JsonNode? node)
    {
        var (count, depth) = (1, 0);
        IEnumerable<JsonNode?> children = node switch { JsonObject members => members.Select(member => member.Value), JsonArray items => items, _ => [] };
        foreach (var child in children)
        {
            var inner = Measure(child);
            count += inner.Count;
            depth = Math.Max(depth, inner.Depth);
        }
        return (count, depth + 1);
    }

    /// <summary>Equality of RFC 6902 section 4.6: numbers by their value, exactly, however many digits they have.</summary>
    public static bool AreEqual(JsonNode? left, JsonNode? right)
    {
        switch (left, right)
        {
            case (null, null):
                return true;
            case (JsonArray a, JsonArray b):
                return a.Count == b.Count && a.Zip(b).All(pair => AreEqual(pair.First, pair.Second));
            case (JsonObject a, JsonObject b):
                return a.Count == b.Count && a.All(member => b.TryGetPropertyValue(member.Key, out var other) && AreEqual(member.Value, other));
            case (JsonValue a, JsonValue b) when a.GetValueKind() == b.GetValueKind():
                return a.GetValueKind() switch
                {
                    JsonValueKind.String => a.GetValue<string>() == b.GetValue<string>(),
                    JsonValueKind.Number => Canonical(a.ToJsonString()) == Canonical(b.ToJsonString()),
                    _ => true,
                };
            default:
                return false;
        }
    }

    /// <summary>A number's sign, digits without zeros at either end, and the power of ten of the last.</summary>
    static (bool IsNegative, string Digits, BigInteger Power) Canonical(string number)
    {
        var isNegative = number[0] == '-';
        var exponentAt = number.AsSpan().IndexOfAny('e', 'E');
        var mantissa = exponentAt < 0 ? number : number[..exponentAt];
        var power = exponentAt < 0 ? BigInteger.Zero : BigInteger.Parse(number.AsSpan(exponentAt + 1));
        var pointAt = mantissa.IndexOf('.', StringComparison.Ordinal);
        if (pointAt >= 0)
        {
            power -= mantissa.Length - pointAt - 1;
        }
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal).TrimStart('-').TrimStart('0');
        var trimmed = digits.TrimEnd('0');
        return trimmed.Length == 0 ? (false, "", BigInteger.Zero) : (isNegative, trimmed, power + digits.Length - trimmed.Length);
    }
}
